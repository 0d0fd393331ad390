"""Packages that are wrong as told, and in nothing else."""

import codecs
import csv
import io
import re
import subprocess
import zipfile

import pytest
import stream_unzip

from infra.local.generate import parse_defects
from infra.local.generate.defects import CHOICES, Takes
from tests.local.generate.reader import DAY, LABELS, SMALL, Reader, rows_of, state_of


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
    defects = "missing-column=PA_CPNT:CPNT_LEN,extra-column,missing-file=PA_CATALOG,duplicate-file,unknown-file"

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
    [
        ("pipe", "|", "\n"),
        ("tab", "\t", "\n"),
        ("semicolon=PV_I18N_ACTIVE_LOCALE_LABEL", ";", "\n"),
        ("crlf", ",", "\r\n"),
        ("recordend", ",", "!##!"),
    ],
)
def test_other_dialects_say_the_same(reader: Reader, defect: str, delimiter: str, end: str) -> None:
    text = reader.files(reader.damaged(defect))[f"{LABELS}.csv"].decode()

    assert text.endswith(end)
    if end != "\n":  # a newline inside a field stays one
        text = text.replace("\n", "\v") if end == "!##!" else re.sub(r"(?<!\r)\n", "\v", text)
        text = text.replace(end, "\n")
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    assert [{k: v.replace("\v", "\n") for k, v in row.items()} for row in rows] == state_of(SMALL, DAY)[LABELS]


def test_other_encodings_say_the_same_as_far_as_they_can(reader: Reader) -> None:
    files = reader.files(reader.damaged("latin1,bom=PA_CPNT"))

    state = state_of(SMALL, DAY)
    values = [row["LABEL_VALUE"].encode("cp1252", errors="replace") for row in state[LABELS]]
    texts = io.StringIO(files[f"{LABELS}.csv"].decode("cp1252"), newline="")
    assert [row["LABEL_VALUE"].encode("cp1252") for row in csv.DictReader(texts)] == values
    assert files["PA_CPNT.csv"].startswith(codecs.BOM_UTF8 + b"CPNT_TYP_ID")
    assert rows_of(files["PA_CPNT.csv"].removeprefix(codecs.BOM_UTF8)) == state["PA_CPNT"]


def test_utf_16_says_the_same(reader: Reader) -> None:
    labels = reader.files(reader.damaged("utf16"))[f"{LABELS}.csv"]

    assert labels.startswith(codecs.BOM_UTF16)
    assert rows_of(labels.decode("utf-16").encode()) == state_of(SMALL, DAY)[LABELS]


def test_columns_can_be_renamed_and_in_another_order(reader: Reader) -> None:
    files = reader.files(reader.damaged("renamed-column=PA_CPNT:CPNT_LEN,reordered=PA_STUD_CPNT"))

    contents, plans = rows_of(files["PA_CPNT.csv"]), rows_of(files["PA_STUD_CPNT.csv"])
    state = state_of(SMALL, DAY)
    assert [row["CPNT_LENX"] for row in contents] == [row["CPNT_LEN"] for row in state["PA_CPNT"]]
    assert "CPNT_LEN" not in contents[0]
    assert list(plans[0]) == list(state["PA_STUD_CPNT"][0])[::-1]
    assert plans == state["PA_STUD_CPNT"]


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


@pytest.mark.parametrize("text", ["nothing-such", "bad-date=x", "missing-file=A:B", "missing-column=A", "bom=1:2"])
def test_a_defect_asked_for_wrongly_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"there is no defect|should be"):
        parse_defects(text)


def test_every_defect_can_be_asked_for_by_its_name_alone() -> None:
    for name, choice in CHOICES.items():
        (defect,) = parse_defects(name)
        assert defect.name == name
        assert defect.rows == (choice.takes is Takes.ROWS)
