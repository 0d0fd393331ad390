"""Small random worlds: what an LMS drops day after day, and whom the directory knows meanwhile.

A world is kept small on purpose: with few names, rows meet each other.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from hypothesis import strategies as st

from tests.reference.contract import (
    HISTORY,
    ITEMS,
    KEYS,
    LABELS,
    LIBRARIES,
    LIBRARY_ITEMS,
    PLAN,
    STUDENTS,
    Package,
    Row,
    User,
)
from tests.reference.learners import RULES
from tests.reference.lms import CHANGES, PERSONS, Draw, Lms, found_lms, one_in, pick

FIRST_DAY = datetime(2026, 11, 1, tzinfo=UTC)
USER_IDS = tuple(f"00000000-0000-4000-8000-00000000000{number}" for number in range(1, 9))
NEAR_MISSES = ("42", "X77", "A-100")


@dataclass(frozen=True, slots=True)
class Step:
    """A package, the directory on that day, and the time of the sync (late enough not to wait for keys)."""

    package: Package
    directory: tuple[User, ...]
    now: datetime


@dataclass(frozen=True, slots=True)
class World:
    """The connection's settings by name, and what happens."""

    settings: dict[str, Any]
    steps: tuple[Step, ...]


def to_csv(rows: Sequence[Row], columns: Sequence[str]) -> bytes:
    """Write a table as an inner file: UTF-8, commas, RFC 4180 quoting, a header even without rows."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([row.get(column, "") for column in columns] for row in rows)
    return text.getvalue().encode()


def spoil(draw: Draw, table: str, row: Row) -> Row:
    """Give a row one fault."""
    faults = {
        STUDENTS: [("PERSON_ID_EXTERNAL", ""), ("STUD_ID", "")],
        ITEMS: [("CPNT_LEN", "soon"), ("CPNT_ID", ""), ("REV_DTE", "31.12.2026")],
        PLAN: [("REQ_DTE", "31.12.2026"), ("ASSGN_DTE", "soon"), ("STUD_ID", "")],
        HISTORY: [("COMPL_DTE", "31.12.2026"), ("COMPL_DTE", ""), ("CPNT_ID", "")],
    }[table]
    column, value = pick(draw, faults)
    return {**row, column: value}


def twin(draw: Draw, table: str, row: Row) -> list[Row]:
    """Deliver a row twice, told apart by a value; which of the two speaks, only the time stamps say."""
    column, value = {
        STUDENTS: ("NOTACTIVE", "Y"),
        ITEMS: ("CPNT_LEN", "45"),
        PLAN: ("REQ_DTE", "2026-11-30"),
        HISTORY: ("GRADE", "A"),
    }[table]
    other = {**row, column: value, "LST_UPD_TSTMP": pick(draw, ("", "2026-10-02 00:00:00"))}
    stamped = {**row, "LST_UPD_TSTMP": pick(draw, ("", "2026-10-01 00:00:00", "2026-10-03 00:00:00"))}
    return [stamped, other] if one_in(draw, 2) else [other, stamped]


def deliver(draw: Draw, lms: Lms, kind: Literal["full", "delta"], *, first: bool) -> dict[str, list[Row]]:
    """Write the tables of a package: all rows or the changed ones, now and then with something wrong.

    The labels of the first package and the learners of any full are always there.
    """
    tables: dict[str, list[Row]] = {}
    for table in KEYS:
        known, changed = lms.tables[table], lms.changed[table]
        keys = [key for key in sorted(known) if kind == "full" or key in changed or one_in(draw, 12)]
        rows: list[Row] = []
        for key in keys:
            rows.extend([known[key]])
            if table in {STUDENTS, ITEMS, PLAN, HISTORY}:
                if one_in(draw, 25):
                    rows[-1:] = [spoil(draw, table, known[key])]
                elif one_in(draw, 25):
                    rows[-1:] = twin(draw, table, known[key])
        needed = (kind == "full" and table == STUDENTS) or (first and table == LABELS)
        absent = not rows and (table in {LIBRARIES, LIBRARY_ITEMS} or kind == "delta") and not one_in(draw, 2)
        if needed or not (absent or one_in(draw, 25)):
            tables[table] = rows
        changed.clear()
    return tables


def list_keys(draw: Draw, lms: Lms) -> dict[str, list[Row]] | None:
    """Write a keys package, or none; now and then without one of its tables."""
    if one_in(draw, 3):
        return None
    return {
        table: [dict(zip(KEYS[table], key, strict=True)) for key in sorted(rows)]
        for table, rows in lms.tables.items()
        if not one_in(draw, 12)
    }


def found_directory(draw: Draw) -> list[User]:
    users = [
        User(USER_IDS[number], pick(draw, spellings), accountEnabled=True, userType="Member", licensed=True)
        for number, spellings in enumerate(PERSONS)
    ]
    for _ in range(draw(st.integers(0, 2))):
        change_directory(draw, users)
    return users


def change_directory(draw: Draw, users: list[User]) -> None:
    """Somebody joins, leaves, is disabled, doubled, renumbered, made anew, invited, or gets a licence."""
    user = User(
        id=pick(draw, USER_IDS),
        employeeId=pick(draw, [*(one for spellings in PERSONS for one in spellings), *NEAR_MISSES, ""]),
        accountEnabled=not one_in(draw, 5),
        userType="Guest" if one_in(draw, 8) else "Member",
        licensed=not one_in(draw, 4),
    )
    numbers = {one.id: number for number, one in enumerate(users)}
    if user.id not in numbers:
        users.append(user)
        return
    number = numbers[user.id]
    old = users[number]
    how = draw(st.integers(0, 6))
    unused = [id_ for id_ in USER_IDS if id_ not in numbers]
    if how == 0:
        users[number] = old._replace(licensed=not old.licensed)
    elif how == 1:
        users[number] = old._replace(accountEnabled=not old.accountEnabled)
    elif how == 2:
        users[number] = user
    elif how == 3:
        del users[number]
    elif how == 4 or not unused:
        users[number] = old._replace(employeeId=user.employeeId)
    else:
        users[number] = old._replace(id=pick(draw, unused))


def choose_settings(draw: Draw) -> dict[str, Any]:
    """Mostly wide open, because a world that halts on its second day shows little."""
    return {
        "learner_sync": not one_in(draw, 12),
        "mass_change_percent": 50 if one_in(draw, 5) else 100,
        "coverage_minimum_percent": 50 if one_in(draw, 6) else 0,
        "reject_limit_percent": 20 if one_in(draw, 5) else 100,
        "person_id_rules": pick(draw, ((), (), RULES, RULES[:1], RULES[2:], RULES[::2])),
        "source_time_zone": pick(draw, ("UTC", "Europe/Berlin")),
        "locale": pick(draw, ("English", "German")),
        "language_tag": "en-us",
        "default_assignment_type": pick(draw, ("required", "recommended")),
    }


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Draw a world: a full package first, then one to four more, a day apart."""
    settings = choose_settings(draw)
    lms, users = found_lms(draw), found_directory(draw)
    steps: list[Step] = []
    for day in range(draw(st.integers(2, 5))):
        if day:
            for _ in range(draw(st.integers(1, 4))):
                pick(draw, CHANGES)(draw, lms)
            if one_in(draw, 2):
                change_directory(draw, users)
        kind: Literal["full", "delta"] = "full" if day == 0 or one_in(draw, 4) else "delta"
        moment = FIRST_DAY + timedelta(days=day)
        package = Package(
            kind=kind,
            timestamp=f"{moment:%Y%m%d%H%M%S}",
            tables=deliver(draw, lms, kind, first=day == 0),
            keys=list_keys(draw, lms) if kind == "delta" else None,
        )
        steps.append(Step(package, tuple(users), moment + timedelta(hours=6)))
    return World(settings, tuple(steps))
