"""The words the reference speaks: tables and their columns, packages, users, and what can be compared."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import Literal, NamedTuple

type Row = Mapping[str, str]
type Table = dict[tuple[str, ...], Row]
"""Rows by primary key."""
type Tables = dict[str, Table]
"""The tables that ever came, by name; one that never came is not in it."""

STUDENTS = "PV_PARTNER_STUDENT"
ITEMS = "PA_CPNT"
LABELS = "PV_I18N_ACTIVE_LOCALE_LABEL"
PLAN = "PA_STUD_CPNT"
REQUIREMENTS = "PA_RQMT_TYPE"
HISTORY = "PA_CPNT_EVTHST"
STATUSES = "PA_CMPL_STAT"
LIBRARIES = "PA_CATALOG"
LIBRARY_ITEMS = "PA_CATALOG_ITEM"

KEYS: Mapping[str, tuple[str, ...]] = {
    STUDENTS: ("STUD_ID",),
    ITEMS: ("CPNT_TYP_ID", "CPNT_ID", "REV_DTE"),
    LABELS: ("LABEL_ID", "LOCALE_ID"),
    PLAN: ("STUD_ID", "CPNT_TYP_ID", "CPNT_ID", "REV_DTE", "SEQ_NUM"),
    REQUIREMENTS: ("RTYP_ID",),
    HISTORY: ("STUD_ID", "CPNT_TYP_ID", "CPNT_ID", "REV_DTE", "COMPL_DTE", "CMPL_STAT_ID", "SCHD_ID"),
    STATUSES: ("CMPL_STAT_ID", "CPNT_TYP_ID"),
    LIBRARIES: ("CATALOG_ID",),
    LIBRARY_ITEMS: ("CATALOG_ID", "CPNT_TYP_ID", "CPNT_ID", "REV_DTE"),
}
"""The primary key of each table, and so the columns of `<TABLE>_K`."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    table: KEYS[table] + tuple(others.split())
    for table, others in {
        STUDENTS: "PERSON_ID_EXTERNAL NOTACTIVE EMAIL_ADDR DMN_ID TERM_DTE LST_UPD_TSTMP",
        ITEMS: "CPNT_TITLE CPNT_DESC CPNT_LEN THUMBNAIL_URI LST_UPD_TSTMP CREATE_DTE CPNT_SRC_ID DEL_MTH_ID "
        "CPNT_CLASSIFICATION NOTACTIVE DMN_ID CONTACT TGT_AUDNC",
        LABELS: "LABEL_VALUE",
        PLAN: "SCHD_ID ORIGIN ADD_USER ASSGN_DTE REQ_DTE RTYP_ID ASSGN_USER LST_UPD_TSTMP",
        REQUIREMENTS: "RTYP_DESC REQUIRED",
        HISTORY: "TOTAL_HRS INST_NAME GRADE COMMENTS LST_UPD_TSTMP LST_UPD_USR",
        STATUSES: "CMPL_STAT_DESC PROVIDE_CRDT",
        LIBRARIES: "ACTIVE CATALOG_DESC",
        LIBRARY_ITEMS: "",
    }.items()
}

LEARNER_TABLES = (STUDENTS, PLAN, HISTORY)
"""What is not read at all while learner sync is off."""


class User(NamedTuple):
    """A user of the directory, in the columns of the directory file."""

    id: str
    employeeId: str  # noqa: N815 - Graph's name
    accountEnabled: bool  # noqa: N815 - Graph's name
    userType: str  # noqa: N815 - Graph's name
    licensed: bool


@dataclass(frozen=True, slots=True)
class Package:
    """What the LMS drops: inner tables with text as it stands in the files."""

    kind: Literal["full", "delta"]
    timestamp: str
    """The 14 digits of the file name."""
    tables: Mapping[str, Sequence[Row]]
    """By table name; a table that is not in it has no file, an empty one is a header without rows."""
    keys: Mapping[str, Sequence[Row]] | None = None
    """The keys package, by table name without `_K`; `None` when none came."""


class Item(NamedTuple):
    """What identifies content: its revisions do not."""

    type_id: str
    id: str


class ContentFact(NamedTuple):
    """Content as Viva shows it. Of inactive content, only key and `is_active` are compared."""

    item: Item
    is_active: bool
    title: str = ""
    description: str = ""
    language_tag: str = ""
    duration_seconds: int | None = None
    thumbnail: str = ""
    revision: datetime | None = None
    modified: datetime | None = None


class AssignmentFact(NamedTuple):
    """An assignment as Viva shows it."""

    user: str
    item: Item
    status: Literal["notStarted", "completed"]
    type: str
    assigned: datetime | None
    due: datetime | None
    completed: datetime | None


class CourseFact(NamedTuple):
    """A self-initiated course, always completed, as Viva shows it."""

    user: str
    item: Item
    completed: datetime


type Fact = ContentFact | AssignmentFact | CourseFact
type Facts = Counter[Fact]
"""How often Viva shows each; two student ids of a person may give equal assignments."""


class CompletionId(NamedTuple):
    """Completions equal in all of this are one."""

    person: str
    item: Item
    day: date
    status: str


@dataclass(frozen=True, slots=True)
class Assignment:
    """A published assignment, with what it remembers beyond what Viva shows."""

    student: str
    fact: AssignmentFact
    took: CompletionId | None = None


@dataclass(slots=True)
class Viva:
    """What Viva shows, by the identities that the connector gives to records."""

    contents: dict[Item, ContentFact] = field(default_factory=dict)
    assignments: dict[tuple[str, ...], Assignment] = field(default_factory=dict)
    courses: dict[CompletionId, CourseFact] = field(default_factory=dict)

    def facts(self) -> Facts:
        """Everything that can be compared."""
        contents: list[Fact] = [
            one if one.is_active else ContentFact(one.item, is_active=False) for one in self.contents.values()
        ]
        assignments = (one.fact for one in self.assignments.values())
        return Counter([*contents, *assignments, *self.courses.values()])


CLASSES = ("published", "unchanged", "unmapped", "parked", "ignored", "rejected")
"""What becomes of a row; the sum is `read`."""

KINDS = ("contents", "assignments", "completions")


def empty_tally() -> dict[str, dict[str, int]]:
    """Counts of nothing, in the shape of the report (contents have no `unmapped`)."""
    return {
        kind: {name: 0 for name in ("read", *CLASSES, "withdrawn") if not (kind == "contents" and name == "unmapped")}
        for kind in KINDS
    }


class Coverage(NamedTuple):
    """Persons with something to show, by how they were found in the directory."""

    learners: int = 0
    mapped: int = 0
    unmatched: int = 0
    ambiguous: int = 0
    disabled: int = 0
    near_miss: int = 0
    near_by_rules: Mapping[str, int] = MappingProxyType({})
    by_rules: int = 0
    by_rule: Mapping[str, int] = MappingProxyType({})


class Reject(NamedTuple):
    """Why a row was refused."""

    table: str
    field: str
    code: str


type Outcome = Literal["done", "partial", "rejected", "halted", "waiting", "skipped"]


@dataclass(frozen=True, slots=True)
class Expected:
    """What must come of a package."""

    outcome: Outcome
    code: str | None
    viva: Facts
    tally: dict[str, dict[str, int]] | None = None
    """As in the report; `None` where the package was not published, because then it is not specified."""
    coverage: Coverage | None = None
    """`None` where the package did not get as far as mapping."""
    rejects: Counter[Reject] = field(default_factory=Counter)
    blocked: bool = False
    """There is no run: the package waits behind a halted one."""
