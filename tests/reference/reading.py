"""Rows into tables: which are read, which are refused, and what absence proves."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from tests.reference.contract import HISTORY, ITEMS, KEYS, PLAN, STATUSES, STUDENTS, Reject, Row, Table

PERSON_ID_LIMIT = 16
"""Characters that `employeeId` holds in the directory."""

DATES: Mapping[str, tuple[str, ...]] = {
    ITEMS: ("REV_DTE", "LST_UPD_TSTMP"),
    PLAN: ("ASSGN_DTE", "REQ_DTE", "LST_UPD_TSTMP"),
    HISTORY: ("COMPL_DTE", "LST_UPD_TSTMP"),
    STUDENTS: ("LST_UPD_TSTMP",),
}
NUMBERS: Mapping[str, tuple[str, ...]] = {ITEMS: ("CPNT_LEN",)}


def read_time(text: str, zone: ZoneInfo, *, ends_the_day: bool = False) -> datetime:
    """Read `YYYY-MM-DD HH:MM:SS`, ISO 8601, epoch milliseconds, or a date alone; the answer is in UTC.

    Naive ones are in the source's zone; a doubled hour takes the first, a skipped hour moves forward (both
    are what `fold=0` does); a due date alone ends at 23:59:59 of its day. Raises `ValueError`.
    """
    if re.fullmatch(r"-?\d{9,}", text):
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        of_day = time(23, 59, 59) if ends_the_day else time()
        return datetime.combine(date.fromisoformat(text), of_day, zone).astimezone(UTC)
    if not re.match(r"\d{4}-\d{2}-\d{2}[ T]\d", text):
        raise ValueError("not a date")
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


@dataclass(slots=True)
class ReadTable:
    """One table of one package, row by row in the order of the file."""

    rows: list[Row] = field(default_factory=list)
    """Trimmed."""
    refused: dict[int, Reject] = field(default_factory=dict)
    """By row number."""
    twins: set[int] = field(default_factory=set)
    """Row numbers that lost against a row of the same key."""
    accepted: Table = field(default_factory=dict)
    kept: set[tuple[str, ...]] = field(default_factory=set)
    """Keys of refused rows: what was published under them stays."""
    lost_key: bool = False
    """A refused row's key cannot be read, so that absence proves nothing."""
    too_long: set[tuple[str, ...]] = field(default_factory=set)


def find_fault(table: str, row: Row, zone: ZoneInfo) -> Reject | None:
    """Tell why a row is refused, if it is.

    Required in a row: the primary key's columns (except `SCHD_ID`) and `PERSON_ID_EXTERNAL`; an empty item
    type of a completion status means "any". A value that is there and cannot be read in a column we use
    refuses the row. A person id above 16 characters refuses the learner.
    """
    required = [name for name in KEYS[table] if name != "SCHD_ID"]
    if table == STATUSES:
        required.remove("CPNT_TYP_ID")
    if table == STUDENTS:
        required.append("PERSON_ID_EXTERNAL")
    for name in required:
        if not row[name]:
            return Reject(table, name, "CONN_ERROR_FIELD_REQUIRED")
    for name in DATES.get(table, ()):
        if row[name] and not _is_time(row[name], zone):
            return Reject(table, name, "CONN_ERROR_FIELD_INVALID")
    for name in NUMBERS.get(table, ()):
        if row[name] and not re.fullmatch(r"\d+", row[name]):
            return Reject(table, name, "CONN_ERROR_FIELD_INVALID")
    if table == STUDENTS and len(_composed(row["PERSON_ID_EXTERNAL"])) > PERSON_ID_LIMIT:
        return Reject(table, "PERSON_ID_EXTERNAL", "CONN_ERROR_PERSON_ID_TOO_LONG")
    return None


def read_table(table: str, rows: Sequence[Row], zone: ZoneInfo) -> ReadTable:
    """Read one file; a bad row is one reject and costs nothing else."""
    read = ReadTable(rows=[{name: value.strip() for name, value in row.items()} for row in rows])
    winners: dict[tuple[str, ...], int] = {}
    for number, row in enumerate(read.rows):
        fault = find_fault(table, row, zone)
        key = key_of(table, row)
        if fault:
            read.refused[number] = fault
            if fault.code == "CONN_ERROR_PERSON_ID_TOO_LONG":
                read.too_long.add(key)
            elif fault.field in KEYS[table]:
                read.lost_key = True
            else:
                read.kept.add(key)
        elif key not in winners:
            winners[key] = number
        else:
            loser, winners[key] = _order_twins(read.rows, winners[key], number, zone)
            read.twins.add(loser)
    read.accepted = {key: read.rows[number] for key, number in winners.items()}
    return read


def _order_twins(rows: Sequence[Row], earlier: int, later: int, zone: ZoneInfo) -> tuple[int, int]:
    """Give loser and winner: the later `LST_UPD_TSTMP` wins, else the later row."""
    first, second = (rows[number].get("LST_UPD_TSTMP", "") for number in (earlier, later))
    if first and second and read_time(first, zone) > read_time(second, zone):
        return later, earlier
    return earlier, later


def merge(table: str, known: Table, read: ReadTable, present: Iterable[Row] | None) -> Table:
    """Put what was read upon what was known, and drop what is proven to be gone.

    `present` are the rows, or keys, of a table that was read whole; `None` when nothing proves an absence.
    A refused row keeps what was published under its key (for content: under its item's key, because
    content is published by item); with an unreadable key nothing is dropped. A learner whose person id is too
    long has no person any more.
    """
    homeless = read.too_long - read.accepted.keys()
    merged = {key: row for key, row in (known | read.accepted).items() if key not in homeless}
    if present is None or read.lost_key:
        return merged
    keys = {key_of(table, {name: value.strip() for name, value in row.items()}) for row in present}
    width = 2 if table == ITEMS else len(KEYS[table])
    kept = {key[:width] for key in read.kept}
    return {key: row for key, row in merged.items() if key in keys or key[:width] in kept}


def key_of(table: str, row: Row) -> tuple[str, ...]:
    """The primary key, as text."""
    return tuple(row[name] for name in KEYS[table])


def _is_time(text: str, zone: ZoneInfo) -> bool:
    try:
        read_time(text, zone)
    except (ValueError, OverflowError, OSError):
        return False
    return True


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip())
