"""The package generator, judged by what an independent reader (GnuPG, zipfile, csv) finds in its packages."""

import codecs
import csv
import io
import os
import re
import shlex
import subprocess
import tempfile
import threading
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import pytest
import stream_unzip
import typer
from typer.testing import CliRunner

from infra.local.generate import (
    KeyFiles,
    Kind,
    Options,
    SealingError,
    generate,
    make_keys,
    parse_defects,
    write_package,
)
from infra.local.generate.cli import generate_command
from infra.local.generate.defects import CHOICES, Takes
from infra.local.generate.tables import PRIMARY_KEYS
from infra.local.generate.world import World

DAY = date(2026, 11, 5)
SMALL = Options(day=DAY, learners=60, items=60, assignments=150, completions=60)
LABELS = "PV_I18N_ACTIVE_LOCALE_LABEL"
Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyFiles:
    return make_keys(tmp_path_factory.mktemp("keys"), quick=True)


@pytest.fixture(scope="module")
def gnupg(keys: KeyFiles) -> Iterator[Path]:
    """A GnuPG home that holds the private key; its path has to be short."""
    with tempfile.TemporaryDirectory(prefix="gpg-", dir="/tmp") as home:
        run_gpg(Path(home), keys, "--import", str(keys.private))
        yield Path(home)
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=True)


def run_gpg(home: Path, keys: KeyFiles, *arguments: str) -> bytes:
    unlocked = ("--pinentry-mode", "loopback", "--passphrase-file", str(keys.passphrase))
    return subprocess.run(
        ["gpg", "--homedir", str(home), "--batch", "--quiet", *unlocked, *arguments],
        check=True,
        capture_output=True,
    ).stdout


class Reader:
    """Opens packages as their receiver would."""

    def __init__(self, home: Path, keys: KeyFiles, out: Path) -> None:
        self.home, self.keys, self.out = home, keys, out

    def clear(self, package: Path) -> bytes:
        return run_gpg(self.home, self.keys, "--decrypt", str(package))

    def files(self, package: Path) -> dict[str, bytes]:
        with zipfile.ZipFile(io.BytesIO(self.clear(package))) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    def damaged(self, defects: str) -> Path:
        """Write a full package with these defects."""
        options = replace(SMALL, defects=parse_defects(defects), key=self.keys.public)
        return generate(self.out, options).packages[0]


@pytest.fixture
def reader(gnupg: Path, keys: KeyFiles, tmp_path: Path) -> Reader:
    return Reader(gnupg, keys, tmp_path)


def rows_of(content: bytes) -> Rows:
    return list(csv.DictReader(io.StringIO(content.decode(), newline=""), strict=True))


@cache
def state_of(options: Options, day: date) -> dict[str, Rows]:
    """Every table on that day; not to be changed."""
    with World.of(options) as world:
        world.move_to(day)
        return {table: rows_on(world, table) for table in PRIMARY_KEYS}


def rows_on(world: World, table: str, where: str = "true") -> Rows:
    return rows_of(b"".join(world.csv(f"SELECT * EXCLUDE (_day) FROM {table} WHERE {where}")))


def by_key(table: str, rows: Rows) -> dict[tuple[str, ...], dict[str, str]]:
    return {tuple(row[column] for column in PRIMARY_KEYS[table]): row for row in rows}


def test_a_full_package_holds_a_file_for_every_table(reader: Reader, keys: KeyFiles) -> None:
    generated = generate(reader.out, Options(day=DAY, key=keys.public))

    assert [package.name for package in generated.packages] == ["acme_F_20261105000000.zip.pgp"]
    files = reader.files(generated.packages[0])
    assert list(files) == [f"{table}.csv" for table in PRIMARY_KEYS]
    assert all(content.startswith(PRIMARY_KEYS[name[:-4]][0].encode()) for name, content in files.items())
    assert len(rows_of(files["PV_PARTNER_STUDENT.csv"])) == 500 + 10 + 4


def test_a_delta_and_its_keys_turn_yesterday_into_today(reader: Reader, keys: KeyFiles) -> None:
    """The whole point of keeping days apart: what a receiver computes from deltas equals the next full."""
    options = Options(day=DAY, kinds=(Kind.FULL, Kind.DELTA), key=keys.public)
    full, delta, keys_package = (reader.files(package) for package in generate(reader.out, options).packages)
    today = state_of(options, DAY)

    for table in PRIMARY_KEYS:
        known = by_key(table, rows_of(full[f"{table}.csv"]))
        known |= by_key(table, rows_of(delta.get(f"{table}.csv", b"")))
        alive = set(by_key(table, rows_of(keys_package[f"{table}_K.csv"])))
        assert {key: row for key, row in known.items() if key in alive} == by_key(table, today[table])


@pytest.mark.parametrize("sizes", [(3, 2, 7, 5), (1, 1, 0, 0), (30, 1, 0, 40), (120, 60, 300, 200)])
def test_every_day_follows_from_the_one_before(sizes: tuple[int, int, int, int]) -> None:
    """Also in worlds so small that nearly everything happens at once."""
    learners, items, assignments, completions = sizes
    options = Options(
        day=DAY, learners=learners, items=items, assignments=assignments, completions=completions
    )
    with World.of(options) as world:
        known = {table: by_key(table, rows_on(world, table)) for table in PRIMARY_KEYS}
        for number in range(1, 4):
            world.move_to(options.first_day + timedelta(days=number))
            for table in PRIMARY_KEYS:
                rows, before = rows_on(world, table), known[table]
                known[table] = now = by_key(table, rows)
                changed = by_key(table, rows_on(world, table, "_day = today()"))

                assert len(now) == len(rows), "a primary key is there twice"
                assert changed == {key: row for key, row in now.items() if before.get(key) != row}, table


def test_a_day_changes_a_little_of_everything() -> None:
    options = Options(day=DAY)
    before, after = state_of(options, DAY), state_of(options, DAY + timedelta(days=1))
    plan, new_plan = (by_key("PA_STUD_CPNT", state["PA_STUD_CPNT"]) for state in (before, after))
    labels, new_labels = by_key(LABELS, before[LABELS]), by_key(LABELS, after[LABELS])
    items, new_items = by_key("PA_CPNT", before["PA_CPNT"]), by_key("PA_CPNT", after["PA_CPNT"])
    people = by_key("PV_PARTNER_STUDENT", before["PV_PARTNER_STUDENT"])
    new_people = by_key("PV_PARTNER_STUDENT", after["PV_PARTNER_STUDENT"])
    done, new_done = (len(by_key("PA_CPNT_EVTHST", s["PA_CPNT_EVTHST"])) for s in (before, after))

    assert new_plan.keys() - plan.keys()
    assert 0 < len(plan.keys() - new_plan.keys()) < 0.01 * len(plan)
    assert any(new_plan[key]["REQ_DTE"] != row["REQ_DTE"] for key, row in plan.items() if key in new_plan)
    assert any(new_labels[key] != row for key, row in labels.items())
    assert any(row["NOTACTIVE"] == "N" and new_items[key]["NOTACTIVE"] == "Y" for key, row in items.items())
    assert any(row["NOTACTIVE"] == "N" and new_people[key]["NOTACTIVE"] == "Y" for key, row in people.items())
    assert new_people.keys() > people.keys()
    assert new_items.keys() > items.keys()
    assert new_done > done


def test_a_plan_row_that_goes_usually_leaves_a_completion() -> None:
    options = Options(day=DAY)
    before, after = state_of(options, DAY), state_of(options, DAY + timedelta(days=1))
    gone = by_key("PA_STUD_CPNT", before["PA_STUD_CPNT"]).keys() - by_key(
        "PA_STUD_CPNT", after["PA_STUD_CPNT"]
    )
    done = {
        tuple(list(row.values())[:3]) for row in after["PA_CPNT_EVTHST"] if row["COMPL_DTE"] >= "2026-11-05"
    }

    completed = {key for key in gone if key[:3] in done}

    assert 0 < len(gone - completed) < len(completed)


def test_the_same_options_give_the_same_world_and_another_seed_another() -> None:
    world = state_of(Options(day=DAY), DAY)

    assert state_of(Options(day=DAY), DAY) == world
    assert state_of(Options(day=DAY, seed=2), DAY)["PA_STUD_CPNT"] != world["PA_STUD_CPNT"]


def test_the_awkward_cases_are_in_every_world_of_the_usual_size() -> None:
    """A world without them would let a wrong reader pass."""
    state = state_of(Options(day=DAY), DAY)
    students, items = state["PV_PARTNER_STUDENT"], state["PA_CPNT"]
    labels = by_key(LABELS, state[LABELS])
    values = [row["LABEL_VALUE"] for row in labels.values()]
    titles = {row["CPNT_TITLE"] for row in items}
    labelled = {label for label, _ in labels}
    persons = Counter(row["PERSON_ID_EXTERNAL"] for row in students)
    revisions = Counter((row["CPNT_TYP_ID"], row["CPNT_ID"]) for row in items)
    listed = {row["CPNT_ID"]: row["CATALOG_ID"] for row in state["PA_CATALOG_ITEM"]}
    plan = {(row["STUD_ID"], row["CPNT_TYP_ID"], row["CPNT_ID"]) for row in state["PA_STUD_CPNT"]}
    history = state["PA_CPNT_EVTHST"]
    done = Counter((row["STUD_ID"], row["CPNT_TYP_ID"], row["CPNT_ID"]) for row in history)
    credit = {row["CMPL_STAT_ID"]: row["PROVIDE_CRDT"] for row in state["PA_CMPL_STAT"]}

    assert all(re.fullmatch(r"\d{8}|EX\d{6}", person) for person in persons)
    assert set(persons.values()) == {1, 2}
    assert any(person.startswith("0") for person in persons)
    assert {row["NOTACTIVE"] for row in students} == {row["NOTACTIVE"] for row in items} == {"Y", "N"}
    assert {1, 2, 3} <= set(revisions.values())
    assert len({key for _, key in revisions}) < len(revisions), "two types share an id"
    assert any(character in row["CPNT_ID"] for row in items for character in '"')
    assert all(any(mark in value for value in values) for mark in ('"', ",", "\n", "|", "☕", "\u0301"))
    assert "" in values
    assert any(title.startswith("Plain") for title in titles)
    assert any(title.startswith("label.") and title not in labelled for title in titles)
    assert {locale for _, locale in labels} == {"English", "German", "French"}
    assert "RETIRED" in listed.values()
    assert {row["CPNT_ID"] for row in items} - listed.keys()
    assert plan & done.keys()
    assert done.keys() - plan
    assert max(done.values()) > 1
    assert {credit.get(row["CMPL_STAT_ID"]) for row in history} == {"Y", "N", None}
    assert {len(row["REQ_DTE"]) for row in state["PA_STUD_CPNT"]} == {0, 10, 19}
    assert {row["RTYP_ID"] for row in state["PA_STUD_CPNT"]} == {"REQ", "REC", "OPT", ""}


def test_the_directory_plants_every_case_of_mapping(reader: Reader, keys: KeyFiles) -> None:
    generated = generate(reader.out, Options(day=DAY, key=keys.public))
    users = rows_of(generated.directory.read_bytes())
    persons = {row["PERSON_ID_EXTERNAL"] for row in state_of(Options(day=DAY), DAY)["PV_PARTNER_STUDENT"]}
    members = [row for row in users if row["userType"] == "Member"]
    enabled = Counter(
        row["employeeId"].strip().casefold() for row in members if row["accountEnabled"] == "true"
    )
    disabled = {row["employeeId"] for row in members if row["accountEnabled"] == "false"}
    found = {person: enabled[person.casefold()] for person in persons}
    loose = {
        re.sub(r"[^0-9a-z]|^0+", "", re.sub(r"^\D+|\D", "", employee)).lstrip("0") for employee in enabled
    }

    assert list(users[0]) == ["id", "employeeId", "accountEnabled", "userType", "licensed"]
    assert len({row["id"] for row in users}) == len(users)
    assert Counter(found.values())[2] == 5, "ambiguous"
    assert len({person for person, count in found.items() if not count} & disabled) == 5
    assert sum(1 for person, count in found.items() if not count and person.lstrip("0") in loose) >= 5
    assert 0.9 < sum(count == 1 for count in found.values()) / len(persons) < 1
    assert {row["licensed"] for row in members} == {"true", "false"}
    assert any(row["employeeId"] == "" for row in users)


def test_a_key_pair_is_made_once_and_the_private_half_is_private(keys: KeyFiles) -> None:
    made = KeyFiles.within(keys.private.parent)
    before = made.private.read_bytes()

    assert make_keys(keys.private.parent) == made
    assert made.private.read_bytes() == before
    assert {file.stat().st_mode & 0o777 for file in (made.private, made.passphrase)} == {0o600}


def test_a_key_that_is_none_leaves_no_package(tmp_path: Path) -> None:
    """Also while DuckDB is in the middle of writing into the pipe."""
    noise = tmp_path / "noise.asc"
    noise.write_text("no key")

    with pytest.raises(SealingError, match="no valid OpenPGP data"):
        generate(tmp_path, Options(day=DAY, key=noise, assignments=50_000))

    assert list((tmp_path / "sftp").iterdir()) == []


def test_a_stream_that_nobody_reads_to_its_end_ends() -> None:
    with World.of(Options(day=DAY, assignments=50_000)) as world:
        chunks = world.csv("SELECT * EXCLUDE (_day) FROM PA_STUD_CPNT")
        next(chunks)
        chunks.close()  # type: ignore[attr-defined]

        assert world.count("FROM PA_STUD_CPNT") > 0
    assert "generate-csv" not in {thread.name for thread in threading.enumerate()}


def test_a_package_of_ones_own_holds_just_these_bytes(reader: Reader, keys: KeyFiles) -> None:
    package = reader.out / "own.zip.pgp"
    write_package(package, {"A.csv": b"X\n1\n", "sub/B.txt": b"\xff"}, keys.public)

    assert reader.files(package) == {"A.csv": b"X\n1\n", "sub/B.txt": b"\xff"}
    assert [file.name for file in reader.out.iterdir()] == ["own.zip.pgp"]


def test_bad_rows_come_first_and_cost_no_good_one(reader: Reader) -> None:
    defects = "bad-date=2,empty-key=1,malformed-row=2,nul=1,long-person-id=1"

    files = reader.files(reader.damaged(defects))

    header, *lines = files["PA_STUD_CPNT.csv"].decode().split("\n")
    assert [line.count(",") for line in lines[:6]] == [12, 12, 12, 2, 15, 12]
    assert "2026-13-45" in lines[0]
    assert ",COURSE,,2026" in lines[2]
    assert "\0" in lines[5]
    assert rows_of("\n".join([header, *lines[6:]]).encode()) == state_of(SMALL, DAY)["PA_STUD_CPNT"]
    assert len(rows_of(files["PV_PARTNER_STUDENT.csv"])[0]["PERSON_ID_EXTERNAL"]) == 17


def test_a_number_of_defects_is_shared_among_the_kinds_of_bad_rows() -> None:
    assert [(defect.name, defect.rows) for defect in parse_defects("7")] == [
        ("bad-date", 2), ("empty-key", 2), ("long-person-id", 1), ("malformed-row", 1), ("nul", 1),
    ]  # fmt: skip


def test_columns_and_files_can_be_missing_or_too_many(reader: Reader) -> None:
    defects = (
        "missing-column=PA_CPNT:CPNT_LEN,extra-column,missing-file=PA_CATALOG,duplicate-file,unknown-file"
    )

    files = reader.files(reader.damaged(f"{defects},empty-table,path-traversal"))

    header = files["PA_CPNT.csv"].split(b"\n", 1)[0].split(b",")
    assert b"CPNT_LEN" not in header
    assert b"CPNT_TITEL" in header
    assert "PA_CATALOG.csv" not in files
    assert files["copy/PA_CPNT.csv"] == files["PA_CPNT.csv"]
    assert files["PA_STUD_CPNT.csv"].count(b"\n") == 1
    assert {"PA_SOMETHING_NEW.csv", "../PA_CPNT_SRC.csv"} < set(files)


@pytest.mark.parametrize(
    ("defect", "delimiter", "end"),
    [("pipe", "|", "\n"), ("tab", "\t", "\n"), ("crlf", ",", "\r\n"), ("recordend", ",", "!##!")],
)
def test_other_dialects_say_the_same(reader: Reader, defect: str, delimiter: str, end: str) -> None:
    text = reader.files(reader.damaged(defect))[f"{LABELS}.csv"].decode()

    assert text.endswith(end)
    if end != "\n":  # a newline inside a field stays one
        text = text.replace("\n", "\v") if end == "!##!" else re.sub(r"(?<!\r)\n", "\v", text)
        text = text.replace(end, "\n")
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    assert [{k: v.replace("\v", "\n") for k, v in row.items()} for row in rows] == state_of(SMALL, DAY)[
        LABELS
    ]


def test_other_encodings_say_the_same_as_far_as_they_can(reader: Reader) -> None:
    files = reader.files(reader.damaged("latin1,bom=PA_CPNT"))

    state = state_of(SMALL, DAY)
    values = [row["LABEL_VALUE"].encode("cp1252", errors="replace") for row in state[LABELS]]
    texts = io.StringIO(files[f"{LABELS}.csv"].decode("cp1252"), newline="")
    assert [row["LABEL_VALUE"].encode("cp1252") for row in csv.DictReader(texts)] == values
    assert files["PA_CPNT.csv"].startswith(codecs.BOM_UTF8 + b"CPNT_TYP_ID")
    assert rows_of(files["PA_CPNT.csv"].removeprefix(codecs.BOM_UTF8)) == state["PA_CPNT"]


def unzip(clear: bytes) -> dict[str, bytes]:
    """Read a zip from its beginning, without its table of contents."""
    return {name.decode(): b"".join(chunks) for name, _, chunks in stream_unzip.stream_unzip([clear])}


def test_a_zip_can_be_read_as_a_stream(reader: Reader) -> None:
    package = reader.damaged("")

    assert unzip(reader.clear(package)) == reader.files(package)


def test_a_zip_can_lie_about_a_size(reader: Reader) -> None:
    clear = reader.clear(reader.damaged("lying-size"))

    with zipfile.ZipFile(io.BytesIO(clear)) as archive:
        assert archive.getinfo("PA_STUD_CPNT.csv").file_size == 1
    with pytest.raises(stream_unzip.UncompressedSizeIntegrityError):
        unzip(clear)


def test_a_zip_can_say_that_a_file_needs_a_password(reader: Reader) -> None:
    clear = reader.clear(reader.damaged("encrypted-member=PA_STUD_CPNT"))

    with zipfile.ZipFile(io.BytesIO(clear)) as archive:
        assert [entry.filename for entry in archive.infolist() if entry.flag_bits & 1] == ["PA_STUD_CPNT.csv"]
    with pytest.raises(stream_unzip.MissingPasswordError):
        unzip(clear)


@pytest.mark.parametrize("defect", ["truncated-seal", "flipped-bit", "not-pgp", "wrong-key"])
def test_a_broken_seal_does_not_open(reader: Reader, defect: str) -> None:
    package = reader.damaged(defect)

    with pytest.raises(subprocess.CalledProcessError):
        reader.clear(package)


def test_a_seal_can_hide_something_else(reader: Reader) -> None:
    with pytest.raises(zipfile.BadZipFile):
        reader.files(reader.damaged("not-zip"))


@pytest.mark.parametrize(
    "text", ["nothing-such", "bad-date=x", "missing-file=A:B", "missing-column=A", "bom=1:2"]
)
def test_a_defect_asked_for_wrongly_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"there is no defect|should be"):
        parse_defects(text)


def test_every_defect_can_be_asked_for_by_its_name_alone() -> None:
    for name, choice in CHOICES.items():
        (defect,) = parse_defects(name)
        assert defect.name == name
        assert defect.rows == (choice.takes is Takes.ROWS)


def test_a_world_that_makes_no_sense_is_refused() -> None:
    for wrong in (
        {"learners": 0},
        {"assignments": -1},
        {"kinds": ()},
        {"day": date(2026, 10, 31)},
        {"day": date(2026, 11, 1), "kinds": (Kind.DELTA,)},
        {"customer": "a/b"},
    ):
        with pytest.raises(ValueError, match=r"must be|cannot|before|changed|customer"):
            Options(**{"day": DAY, **wrong})  # type: ignore[arg-type]


def test_the_command_line_says_what_it_wrote_and_what_to_try_next(tmp_path: Path, keys: KeyFiles) -> None:
    app = typer.Typer()
    app.command()(generate_command)
    folder = tmp_path / "keys"
    folder.mkdir()
    for file in (keys.private, keys.public, keys.passphrase):
        os.link(file, folder / file.name)

    arguments = "--day 2026-11-03 --kind delta --customer beta --time 02:00:00 --learners 9 --items 5"
    result = CliRunner().invoke(app, [str(tmp_path), *arguments.split()])

    assert result.exit_code == 0, result.output
    assert {file.name for file in (tmp_path / "sftp").iterdir()} == {
        "beta_D_20261103020000.zip.pgp",
        "beta_K_20261103033000.zip.pgp",
    }
    command = shlex.split(result.output.splitlines()[-1])
    assert command[:4] == ["python", "-m", "infra.local", "sync"]
    assert command[command.index("--private-key") + 1] == str(folder / "private.asc")
    assert CliRunner().invoke(app, [str(tmp_path), "--defects", "nonsense"]).exit_code == 2
