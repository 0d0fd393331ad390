"""What one would write first: PGPy, zipfile, csv, one pydantic model a row. Run by the Python of its own environment.

`python naive.py PACKAGE PRIVATE_KEY PASSPHRASE_FILE OUT` turns each file of the package into NDJSON, gzipped. It ends
with the number of rows and of unpacked bytes. It compares with nothing, keeps no report of rejects, and its memory
grows with the package.
"""

import csv
import gzip
import io
import sys
import warnings
import zipfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, Annotated, Any

import pydantic

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pgpy

Text = Annotated[str, pydantic.StringConstraints(min_length=1, max_length=300)]
Moment = Annotated[datetime | None, pydantic.BeforeValidator(lambda value: value or None)]
GZIP_LEVEL = 6


class Student(pydantic.BaseModel):
    """A row of PV_PARTNER_STUDENT."""

    STUD_ID: Text
    PERSON_ID_EXTERNAL: Text
    NOTACTIVE: str
    LST_UPD_TSTMP: Moment


class Item(pydantic.BaseModel):
    """A row of PA_CPNT."""

    CPNT_TYP_ID: Text
    CPNT_ID: Text
    REV_DTE: Moment
    CPNT_TITLE: str
    CPNT_DESC: str
    CPNT_LEN: str
    THUMBNAIL_URI: str
    LST_UPD_TSTMP: Moment
    CPNT_SRC_ID: str
    NOTACTIVE: str


class Assignment(pydantic.BaseModel):
    """A row of PA_STUD_CPNT."""

    STUD_ID: Text
    CPNT_TYP_ID: Text
    CPNT_ID: Text
    REV_DTE: Moment
    SEQ_NUM: int
    ASSGN_DTE: Moment
    REQ_DTE: Moment
    RTYP_ID: str
    ASSGN_USER: str
    LST_UPD_TSTMP: Moment


class Completion(pydantic.BaseModel):
    """A row of PA_CPNT_EVTHST."""

    STUD_ID: Text
    CPNT_TYP_ID: Text
    CPNT_ID: Text
    REV_DTE: Moment
    COMPL_DTE: Moment
    CMPL_STAT_ID: Text
    LST_UPD_TSTMP: Moment


class Other(pydantic.BaseModel):
    """A row of a small table."""

    model_config = pydantic.ConfigDict(extra="allow")


MODELS: Mapping[str, type[pydantic.BaseModel]] = {
    "PV_PARTNER_STUDENT": Student,
    "PA_CPNT": Item,
    "PA_STUD_CPNT": Assignment,
    "PA_CPNT_EVTHST": Completion,
}


def main(package: str, private_key: str, passphrase_file: str, out: str) -> None:
    """Decrypt, unzip, and read row by row."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        clear = _decrypt(package, private_key, Path(passphrase_file).read_text("utf-8"))
    rows = unpacked_bytes = 0
    with zipfile.ZipFile(io.BytesIO(clear)) as archive:
        for member in archive.infolist():
            name = Path(member.filename).stem
            with archive.open(member) as content:
                rows += _convert(content, MODELS.get(name, Other), Path(out) / f"{name}.ndjson.gz")
            unpacked_bytes += member.file_size
    sys.stdout.write(f"{rows} {unpacked_bytes}\n")


def _decrypt(package: str, private_key: str, passphrase: str) -> bytes:
    key, _ = pgpy.PGPKey.from_file(private_key)
    with key.unlock(passphrase):
        message: Any = key.decrypt(pgpy.PGPMessage.from_file(package)).message
    return bytes(message)


def _convert(content: IO[bytes], model: type[pydantic.BaseModel], target: Path) -> int:
    rows = 0
    with (
        io.TextIOWrapper(content, "utf-8", newline="") as text,
        gzip.open(target, "wt", compresslevel=GZIP_LEVEL, encoding="utf-8") as out,
    ):
        for row in csv.DictReader(text):
            rows += 1
            try:
                record = model.model_validate(row)
            except pydantic.ValidationError as error:
                sys.stderr.write(f"{error}\n")
                continue
            out.write(record.model_dump_json() + "\n")
    return rows


if __name__ == "__main__":
    main(*sys.argv[1:])
