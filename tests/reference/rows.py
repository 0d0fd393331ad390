"""What a row must hold: one pydantic model for every table, made from the profile's data, and what it refuses.

Slow on purpose, row by row. It shares nothing with the connector but the rules and the profile. Where the rules
leave room, this takes the connector's reading:

- Blanks and tabs are the spaces that are trimmed; other white space is text.
- ISO 8601 means calendar dates with signs between the parts, a blank or a capital T before the time, no time but
  with minutes, up to nine digits of a second, and offsets of up to 14:59 behind a time. 24:00 ends a day.
- Milliseconds have nine to 14 digits, so that no date without signs is taken for them.
- A number of minutes may have an exponent, one underscore between digits, and at most ten digits before the point.
- A row is told one fault: a NUL anywhere, else the first in the order of the profile's columns.
- Every required column that the header lacks is told.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from difflib import get_close_matches
from functools import cache, partial
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, BaseModel, ValidationError, create_model
from pydantic_core import PydanticCustomError

from tests.reference.records import read_records

PROFILE: Mapping[str, Any] = json.loads(Path("shared/profiles/successfactors.json").read_text(encoding="utf-8"))
TABLES: Mapping[str, Any] = PROFILE["tables"]
PERSON_ID_LIMIT = 16

REQUIRED, INVALID, TOO_LONG, MALFORMED, MISSING = (
    f"CONN_ERROR_{name}"
    for name in ("FIELD_REQUIRED", "FIELD_INVALID", "PERSON_ID_TOO_LONG", "RECORD_MALFORMED", "COLUMN_MISSING")
)
MESSAGES = {
    "empty": "is empty. Fill it in at the source.",
    "flag": "is neither Y nor N. Correct it at the source.",
    "minutes": "is not a number of minutes. Correct it at the source.",
    "time": "is no time like 2026-03-31 17:00:00. Correct it at the source, or the profile if the format is new.",
    "person": "is longer than 16 characters, the most that Entra's employeeId can hold. "
    "Use a shorter id at the source.",
    "malformed": "The record has not as many fields as the header, or its quotes do not close. "
    "Correct it at the source.",
    "nul": "The record holds a NUL character. Remove it at the source.",
}

_DATE = r"(?P<date>\d{4}-\d\d-\d\d)"
_CLOCK = r"(?P<clock>\d\d:\d\d(:\d\d)?)([.,](?<=:\d\d[.,])\d{1,9})?"
_OFFSET = r"(?P<offset>Z|z|[+-](0\d|1[0-4])(:?[0-5]\d)?)"
_TIME = re.compile(rf"{_DATE}([ T]{_CLOCK}{_OFFSET}?)?", re.ASCII)
_MILLISECONDS = re.compile(r"-?\d{9,14}", re.ASCII)
_FIRST, _LAST = -62135596800000, 253402300799999
"""Milliseconds of the years 1 to 9999."""
_DIGITS = r"\d+(_\d+)*"
_NUMBER = re.compile(rf"[+-]?({_DIGITS}(\.({_DIGITS})?)?|\.{_DIGITS})([eE][+-]?\d+)?", re.ASCII)


class Reject(NamedTuple):
    """A line of the reject report, without the run."""

    file: str
    line: int
    field: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class ReadFile:
    """What a file came to."""

    table: str
    rows: int
    """Good and bad."""
    rejects: list[Reject]
    good: list[dict[str, str]]
    """The texts of the columns that are used, trimmed."""


def read_time(text: str) -> None:
    """Raise `ValueError` unless it is a time."""
    if _MILLISECONDS.fullmatch(text):
        if not _FIRST <= int(text) <= _LAST:
            raise ValueError("in no year that can be written")
        return
    if not (found := _TIME.fullmatch(text)):
        raise ValueError("no format we know")
    day = datetime.combine(date.fromisoformat(found["date"]), time(), UTC)
    clock = found["clock"] or "00:00"
    if re.fullmatch(r"24:00(:00)?", clock):
        moment, of_day = time(), timedelta(days=1)
    else:
        moment, of_day = time.fromisoformat(clock.replace(",", ".")), timedelta()
    offset = found["offset"] or "Z"
    if offset in "zZ":
        behind = timedelta()
    else:
        hours, minutes = int(offset[1:3]), int(offset[3:].removeprefix(":") or 0)
        behind = timedelta(hours=hours, minutes=minutes) * (-1 if offset[0] == "-" else 1)
    try:
        day.replace(hour=moment.hour, minute=moment.minute, second=moment.second) + of_day - behind
    except OverflowError:
        raise ValueError("in no year that can be written") from None


def read_flag(text: str) -> None:
    """Raise `ValueError` unless it is Y or N."""
    if text not in ("Y", "N", "y", "n"):
        raise ValueError("neither")


def read_minutes(text: str) -> None:
    """Raise `ValueError` unless it is a number of minutes."""
    if not _NUMBER.fullmatch(text):
        raise ValueError("no number")
    number = Decimal(text.replace("_", ""))
    if not 0 <= number < Decimal("1e12") or number.quantize(Decimal("0.01"), ROUND_HALF_UP) >= Decimal("1e10"):
        raise ValueError("negative, or longer than anybody lives")


def read_person(text: str) -> None:
    """Raise `ValueError` when the directory cannot hold it."""
    if len(unicodedata.normalize("NFC", text)) > PERSON_ID_LIMIT:
        raise ValueError("too long")


READERS: Mapping[str, tuple[Callable[[str], None], str]] = {
    "flag": (read_flag, "flag"),
    "minutes": (read_minutes, "minutes"),
    "time": (read_time, "time"),
    "deadline": (read_time, "time"),
    "person": (read_person, "person"),
}


def _check(name: str, column: Mapping[str, Any], text: str) -> str:
    if not text:
        if is_required(column):
            raise PydanticCustomError(REQUIRED, f"{name} {MESSAGES['empty']}")
        return text
    reader, message = READERS.get(column.get("type", "text"), (str, ""))
    try:
        reader(text)
    except ValueError:
        code = TOO_LONG if reader is read_person else INVALID
        raise PydanticCustomError(code, f"{name} {MESSAGES[message]}") from None
    return text


def is_required(column: Mapping[str, Any]) -> bool:
    """Keys are, unless the profile says otherwise."""
    return bool(column.get("required", column.get("key", False)))


@cache
def model_of(table: str, *, only_key: bool = False) -> type[BaseModel]:
    """Make the model of a table: its fields are the columns that are used, in the profile's order."""
    fields: dict[str, Any] = {
        name: (Annotated[str, AfterValidator(partial(_check, name, column))], ...)
        for name, column in TABLES[table]["columns"].items()
        if "only_with" not in column and (column.get("key") or not only_key)
    }
    return create_model(table, **fields)


def table_of(path: str) -> tuple[str, bool]:
    """Tell the table of an inner file, and whether it holds keys alone."""
    stem = PurePosixPath(path).stem.upper()
    only_key = stem.endswith(PROFILE["keys_suffix"])
    stem = stem.removesuffix(PROFILE["keys_suffix"])
    return next(name for name, data in TABLES.items() if stem in (name, *data.get("aliases", ()))), only_key


def read_file(path: str, content: bytes) -> ReadFile:
    """Read an inner file: every row is good or has one reject."""
    file = PurePosixPath(path).name
    table, only_key = table_of(path)
    model = model_of(table, only_key=only_key)
    found = read_records(content)
    if refused := _missing(file, table, model, found.columns):
        return ReadFile(table, 0, refused, [])
    places = {name: found.columns.index(name) for name in model.model_fields if name in found.columns}
    absent = dict.fromkeys(model.model_fields, "")
    rejects, good = [], []
    for record in found.records:
        if record.fields is None:
            rejects.append(Reject(file, record.line, "", MALFORMED, MESSAGES["malformed"]))
        elif any("\0" in field for field in record.fields):
            rejects.append(Reject(file, record.line, "", INVALID, MESSAGES["nul"]))
        else:
            texts = absent | {name: record.fields[place].strip(" \t") for name, place in places.items()}
            try:
                model.model_validate(texts)
            except ValidationError as error:
                first = error.errors()[0]
                rejects.append(Reject(file, record.line, str(first["loc"][0]), first["type"], first["msg"]))
            else:
                good.append(texts)
    return ReadFile(table, len(found.records), rejects, good)


def _missing(file: str, table: str, model: type[BaseModel], present: list[str]) -> list[Reject]:
    columns = TABLES[table]["columns"]
    known = {*columns, *TABLES[table].get("unused", ())}
    rejects = []
    for name in model.model_fields:
        if name not in present and is_required(columns[name]):
            close = get_close_matches(name, [column for column in present if column not in known], n=1)
            hint = f" Did you mean {close[0]}?" if close else ""
            message = f"The column {name} is missing from the header.{hint}"
            rejects.append(Reject(file, 1, name, MISSING, message))
    return rejects
