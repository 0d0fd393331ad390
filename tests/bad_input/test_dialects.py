"""Dirty dialects: files of one package, written in every way that exports and editors write them.

Each either reads as the clean package does, to the last row, or is told with its code, file, line, and what may be
meant. Everything is read from the archive on, as a run reads it; what staging does with single records is in
`tests/pipeline/test_staging.py`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from shared.domain.errors import Code
from shared.pipeline.engine import Engine, engine, parquet
from shared.pipeline.package_files import PackageFiles
from shared.pipeline.staging import Stager
from shared.wiring import get_profile
from tests.bad_input.conftest import Tenant, assert_told
from tests.bad_input.dialects import SAME, Rewrite, header, written
from tests.company import ADA, BEA, Rows, betrays, full, item, plan, rows, student
from tests.pipeline.conftest import PEPPER, as_secret

PLAN, ITEMS, STUDENTS = "PA_STUD_CPNT.csv", "PA_CPNT.csv", "PV_PARTNER_STUDENT.csv"
TEXTS = rows() | {
    "PA_CPNT": [
        item(1, CPNT_TITLE="Größe, Maß und “Ziel” - 5 €"),
        item(2, CPNT_TITLE='a 5" disk | or two'),
        item(3, CPNT_TITLE="first line\nsecond line"),
        item(4),
        item(5),
    ]
}
"""The company with the texts that dialects get wrong, all of them known to Windows-1252 as well."""


def small(**tables: Rows) -> dict[str, bytes]:
    """Return the three files in which something is written differently."""
    files = full(**{**TEXTS, **tables})
    return {name: files[name] for name in (STUDENTS, ITEMS, PLAN)}


@dataclass(frozen=True)
class Read:
    """What was read of a package: rows by table, rejects (file, line, field, code, message), and warnings."""

    tables: dict[str, list[tuple[Any, ...]]]
    rejects: list[tuple[Any, ...]]
    warnings: list[str]


type Reading = Callable[[Mapping[str, bytes]], Read]


@pytest.fixture(scope="module")
def read() -> Iterator[Reading]:
    known: dict[tuple[bytes, ...], Read] = {}
    with engine(64) as opened:
        opened.set_pepper(as_secret(PEPPER))

        def read_once(files: Mapping[str, bytes]) -> Read:
            key = (*map(str.encode, files), *files.values())
            if key not in known:
                known[key] = read_files(opened, files)
            return known[key]

        yield read_once


def read_files(columnar: Engine, files: Mapping[str, bytes]) -> Read:
    columnar.run("drop table if exists rejects")
    stager = Stager(columnar, Path(mkdtemp(dir=columnar.folder)), "UTC")
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    profile = get_profile("successfactors")
    windows_1252: set[str] = set()
    while True:
        package = PackageFiles(profile, stager, set(profile.tables), windows_1252, only_keys=False)
        if package.read(iter([packed.getvalue()]), 1 << 30):
            break
    tables = {}
    for name, staged in package.staged.items():
        parts = parquet([part.file for part in staged.parts]) if staged.parts else ""
        tables[name] = (
            columnar.rows(f"select columns(lambda c: c not in ('line', 'record')) from {parts} order by record")
            if parts
            else []
        )
    rejects = columnar.rows("select file, line, field, code, message from rejects order by file, line, field")
    return Read(tables, rejects, package.warnings)


@pytest.mark.parametrize("rewrite", SAME.values(), ids=SAME.keys())
def test_reads_as_the_clean_package_without_a_word(read: Reading, rewrite: Rewrite) -> None:
    clean = small()

    dirty = read({name: rewrite(content) for name, content in clean.items()})

    assert dirty == read(clean)
    assert (dirty.rejects, dirty.warnings) == ([], [])


@pytest.mark.parametrize(
    ("encoding", "told"),
    [("cp1252", "Windows-1252"), ("utf-16", "UTF-16"), ("utf-16-be", "UTF-16"), ("utf-16-le", "UTF-16")],
    ids=["latin-1 (Windows-1252)", "UTF-16", "UTF-16, big end first, no mark", "UTF-16, little end first, no mark"],
)
def test_another_encoding_reads_the_same_and_is_told(read: Reading, encoding: str, told: str) -> None:
    clean = small()

    dirty = read({**clean, ITEMS: clean[ITEMS].decode().encode(encoding)})

    assert dirty == Read(read(clean).tables, [], [f"PA_CPNT.csv is not UTF-8; it was read as {told}."])


@pytest.mark.parametrize("name", ["export/2026/pa_stud_cpnt.TXT", "PV_STUD_COURSE.csv", "PV_Partner_Stud_Cpnt.csv"])
def test_a_file_under_another_of_its_names_reads_the_same(read: Reading, name: str) -> None:
    clean = small()
    renamed = {name if each == PLAN else each: content for each, content in clean.items()}

    assert read(renamed) == read(clean)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("PA_STUD_CPNTS.csv", " Did you mean PA_STUD_CPNT?"),
        ("pv_cours.txt", " Did you mean PV_COURSE?"),
        ("New.csv", ""),
    ],
)
def test_a_file_under_a_wrong_name_is_left_alone_and_guessed(read: Reading, name: str, hint: str) -> None:
    dirty = read({**small(), name: small()[PLAN]})

    assert dirty == Read(read(small()).tables, [], [f"{name} was left alone: unknown file.{hint}"])


@pytest.mark.parametrize(
    ("old", "new", "field", "message"),
    [
        ("SEQ_NUM", "SEQ_NO", "SEQ_NUM", "Did you mean SEQ_NO?"),
        ("CPNT_ID", "CPNT_IDD", "CPNT_ID", "Did you mean CPNT_IDD?"),
        ("STUD_ID", "Stud Id", "STUD_ID", "Did you mean STUD ID?"),
        ("REV_DTE", "PA_STUD_CPNT.REV_DTE", "REV_DTE", "Did you mean PA_STUD_CPNT.REV_DTE?"),
        ("SEQ_NUM", "QQQ", "SEQ_NUM", "is missing from the header."),
    ],
)
def test_a_needed_column_that_was_renamed_refuses_its_file_and_is_guessed(
    read: Reading, old: str, new: str, field: str, message: str
) -> None:
    """The other files are read as if nothing were."""
    clean = small()

    dirty = read({**clean, PLAN: header(lambda line: line.replace(old, new, 1))(clean[PLAN])})

    ((file, line, found, code, told),) = dirty.rejects
    assert (file, line, found, code) == (PLAN, 1, field, Code.COLUMN_MISSING)
    assert told.startswith(f"The column {field} is missing from the header.")
    assert told.endswith(message)
    assert dirty.tables == {**read(clean).tables, "PA_STUD_CPNT": []}


def test_a_column_that_may_be_missing_is_drift_and_is_guessed(read: Reading) -> None:
    clean = small()

    dirty = read({**clean, PLAN: header(lambda line: line.replace("REQ_DTE", "REQ_DATE"))(clean[PLAN])})

    assert dirty.warnings == ["PA_STUD_CPNT: unknown column REQ_DATE was ignored. Did you mean REQ_DTE?"]
    assert dirty.rejects == []
    assert len(dirty.tables["PA_STUD_CPNT"]) == len(rows()["PA_STUD_CPNT"])


def test_a_column_that_is_there_twice_counts_once_and_is_told(read: Reading) -> None:
    clean = small()

    dirty = read({**clean, PLAN: header(lambda line: line.replace("ADD_USER", "STUD_ID"))(clean[PLAN])})

    assert dirty.tables == read(clean).tables
    assert dirty.warnings == ["PA_STUD_CPNT: column STUD_ID is there twice; the first one counts."]


NO_HEADER = "The first line names no known columns. Does the file begin with a header?"


@pytest.mark.parametrize(
    ("rewrite", "line", "told"),
    [
        (lambda content: content.partition(b"\n")[2], 1, NO_HEADER),
        (lambda content: b"Export of 1 November\n" + content, 1, NO_HEADER),
        (lambda content: b"sep=,\n" + content, 1, NO_HEADER),
        (lambda content: b"\n\n" + content.partition(b"\n")[2], 3, NO_HEADER),
        (written(delimiter=";"), 1, "The first line is separated by semicolons. Have the file written with commas, "),
    ],
    ids=["no header", "a title above the header", "a separator line of Excel", "blank lines, no header", "semicolons"],
)
def test_a_file_whose_columns_cannot_be_told_says_why_and_repeats_nobodys_data(
    read: Reading, rewrite: Rewrite, line: int, told: str
) -> None:
    """What stands in the place of a header may be about somebody."""
    clean = small()

    dirty = read({**clean, STUDENTS: rewrite(clean[STUDENTS])})

    assert [each[:4] for each in dirty.rejects] == [
        (STUDENTS, line, "PERSON_ID_EXTERNAL", Code.COLUMN_MISSING),
        (STUDENTS, line, "STUD_ID", Code.COLUMN_MISSING),
    ]
    assert all(told in each[4] for each in dirty.rejects)
    assert told in dirty.warnings[0]
    assert betrays(repr((dirty.rejects, dirty.warnings))) == []
    assert dirty.tables == {**read(clean).tables, "PV_PARTNER_STUDENT": []}


def test_a_header_that_runs_into_a_record_repeats_nobodys_data(read: Reading) -> None:
    """Behind a carriage return, where half of somebody's record may stand."""
    clean = small()
    first, newline, rest = clean[STUDENTS].replace(b"\r\n", b"\n").partition(b"\n")

    dirty = read({**clean, STUDENTS: first + b"\r" + b"quokka-ada,QUOKKA 100" + newline + rest})

    assert betrays(repr((dirty.rejects, dirty.warnings))) == []


@pytest.mark.parametrize(
    ("record", "field", "code"),
    [
        (b'quokka-ada,"COURSE,C-1', "", Code.RECORD_MALFORMED),
        (b"quokka-ada,COURSE", "", Code.RECORD_MALFORMED),
        (b"quokka-ada,COURSE,C-1\0" + b"," * 10, "", Code.FIELD_INVALID),
        (b"quokka-ada,,C-1,2025-01-01,1" + b"," * 8, "CPNT_TYP_ID", Code.FIELD_REQUIRED),
    ],
    ids=["a quote left open", "too few fields", "a NUL", "an empty key"],
)
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"], ids=["newline", "CRLF"])
def test_a_broken_record_is_told_on_its_line_and_costs_itself(
    read: Reading, record: bytes, field: str, code: Code, newline: bytes
) -> None:
    """The line is the one that an editor shows, below a record of two lines."""
    clean = small(PA_STUD_CPNT=[plan(ADA, 1, ORIGIN="two\nlines"), plan(BEA, 1)])
    lines = clean[PLAN].replace(b"\r\n", b"\n").split(b"\n")
    assert len(lines) == 5

    dirty = read({**clean, PLAN: newline.join([*lines[:3], record, *lines[3:]])})

    ((file, line, found, told, message),) = dirty.rejects
    assert (file, line, found, told) == (PLAN, 4, field, code)
    assert message.endswith("at the source.")
    assert betrays(message) == []
    assert dirty.tables == read(clean).tables


def test_a_package_of_many_dialects_changes_nothing_of_what_is_published(tenant: Tenant) -> None:
    """The whole way: every file in a dialect of its own, one more learner as the proof that they were read."""
    clean = full(PV_PARTNER_STUDENT=[*rows()["PV_PARTNER_STUDENT"], student(BEA, STUD_ID="quokka-bea-2")])
    dialects = ("pipes", "!##! and a newline", "byte order mark", "columns in another order", "tabs", "CRLF")
    names = sorted(clean)
    dirty = {
        name: SAME[dialects[place % len(dialects)]](clean[name])
        if name != ITEMS
        else clean[name].decode().encode("utf-16")
        for place, name in enumerate(names)
    }
    tenant.put("F", 2, {name.removesuffix(".csv"): content for name, content in dirty.items()})

    with tenant.nothing_changes():
        sync = tenant.desk.sync()

    assert_told(sync, "done", None)
    (run,) = sync.runs
    assert list(run.warnings) == ["PA_CPNT.csv is not UTF-8; it was read as UTF-16."]
    for tally in (run.tally.contents, run.tally.assignments, run.tally.completions):
        assert tally.read > 0
        assert (tally.published, tally.rejected) == (0, 0)
