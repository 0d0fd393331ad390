"""What the hand-written cases are made of: one student, one item, one assignment, and changes to them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal

from tests.reference import COLUMNS, Expected, Package, Reference, User
from tests.reference.contract import AssignmentFact, ContentFact, CourseFact, Item

NOW = datetime(2026, 11, 2, tzinfo=UTC)
ITEM = Item("COURSE", "C-1")
ADA = User("u-ada", "100", accountEnabled=True, userType="Member", licensed=True)

OPEN = {"mass_change_percent": 100, "reject_limit_percent": 100}


def row(table: str, **values: str) -> dict[str, str]:
    defaults = {
        "STUD_ID": "S1",
        "CPNT_TYP_ID": "COURSE",
        "CPNT_ID": "C-1",
        "REV_DTE": "2025-01-01",
        "SEQ_NUM": "1",
    }
    return {column: defaults.get(column, "") for column in COLUMNS[table]} | values


def student(**values: str) -> dict[str, str]:
    return row("PV_PARTNER_STUDENT", PERSON_ID_EXTERNAL="100") | values


def item(**values: str) -> dict[str, str]:
    return row("PA_CPNT", CPNT_TITLE="First aid") | values


def plan(**values: str) -> dict[str, str]:
    return row("PA_STUD_CPNT", ASSGN_DTE="2026-10-01") | values


def done(**values: str) -> dict[str, str]:
    return row("PA_CPNT_EVTHST", COMPL_DTE="2026-10-20 10:00:00", CMPL_STAT_ID="OK") | values


TABLES: Mapping[str, list[dict[str, str]]] = {
    "PV_PARTNER_STUDENT": [student()],
    "PA_CPNT": [item()],
    "PV_I18N_ACTIVE_LOCALE_LABEL": [],
    "PA_STUD_CPNT": [plan()],
    "PA_RQMT_TYPE": [row("PA_RQMT_TYPE", RTYP_ID="OPT", REQUIRED="N")],
    "PA_CPNT_EVTHST": [],
    "PA_CMPL_STAT": [
        row("PA_CMPL_STAT", CMPL_STAT_ID="OK", CPNT_TYP_ID="", PROVIDE_CRDT="Y"),
        row("PA_CMPL_STAT", CMPL_STAT_ID="NO", CPNT_TYP_ID="", PROVIDE_CRDT="N"),
    ],
}


class Sync:
    """A connection whose packages come a day apart."""

    def __init__(self, **chosen: float | bool | str) -> None:
        self.reference = Reference(OPEN | chosen)
        self.day = NOW

    def full(self, *users: User, **tables: list[dict[str, str]] | None) -> Expected:
        """A full of one student, item and assignment, but for what is named; `None` leaves a file out."""
        return self._apply("full", {**TABLES, **tables}, users)

    def delta(
        self,
        *users: User,
        keys: Mapping[str, list[dict[str, str]]] | None = None,
        **tables: list[dict[str, str]],
    ) -> Expected:
        return self._apply("delta", tables, users, keys)

    def _apply(
        self,
        kind: Literal["full", "delta"],
        tables: Mapping[str, list[dict[str, str]] | None],
        users: tuple[User, ...],
        keys: Mapping[str, list[dict[str, str]]] | None = None,
    ) -> Expected:
        self.day += timedelta(days=1)
        present = {name: rows for name, rows in tables.items() if rows is not None}
        package = Package(kind, f"{self.day:%Y%m%d%H%M%S}", present, keys)
        return self.reference.apply(package, users or (ADA,), self.day)


def assignments(expected: Expected) -> list[AssignmentFact]:
    return [fact for fact in expected.viva.elements() if isinstance(fact, AssignmentFact)]


def courses(expected: Expected) -> list[CourseFact]:
    return [fact for fact in expected.viva.elements() if isinstance(fact, CourseFact)]


def contents(expected: Expected) -> list[ContentFact]:
    return [fact for fact in expected.viva.elements() if isinstance(fact, ContentFact)]


def count(expected: Expected, kind: str, name: str) -> int:
    assert expected.tally is not None
    return expected.tally[kind][name]
