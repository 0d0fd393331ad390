"""The source of a small random world: its own tables, and what happens to them from day to day."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st

from tests.reference.contract import (
    COLUMNS,
    HISTORY,
    ITEMS,
    KEYS,
    LABELS,
    LIBRARIES,
    LIBRARY_ITEMS,
    PLAN,
    REQUIREMENTS,
    STATUSES,
    STUDENTS,
    Row,
)

type Draw = st.DrawFn

PERSONS: tuple[tuple[str, ...], ...] = (
    ("A100", "a100", " A100 "),
    ("0042",),
    ("MÜLLER1", "Mu\u0308ller1", "müller1"),
    ("x-77",),
    ("straße9", "STRASSE9"),
)
"""How each person's id is spelled; all spellings of one person are equal once normalised."""
TOO_LONG = "PERSON-ID-TOO-LONG-1"
STUDENT_IDS = ("S1", "S2", "s/3", "S 4", "S5", "S6")
STRANGER = "S9"
"""A student id without a row of its own."""
ITEM_IDS = (("A", "B/C"), ("A/B", "C"), ("COURSE", "C-1"), ("DOC", 'Ä "q", 1 & 2'))
REVISIONS = ("2024-01-01 00:00:00", "2025-06-30", "2026-02-28T10:00:00Z")
LOCALES = ("English", "German", "Klingon")
LABEL_IDS = ("label.1", "label.2", "label.3")
ODD_TEXTS = (
    "First aid",
    'Say "yes", please',
    "Two\nlines",
    "Größe / 尺寸 🎓",
    "a|b;c\td",
    "=1+1",
    "' or 1=1 --",
    " padded ",
    "<b>bold</b> &amp;",
    "",
)
ASSIGNED = ("2026-10-01 00:00:00", "2026-10-10 12:00:00", "2026-10-25 02:30:00", "1792500000000", "")
DUE = ("2026-12-24", "2026-12-31 17:00:00", "2027-03-28 02:30:00", "")
COMPLETED = (
    "2026-09-15 08:00:00",
    "2026-10-10 07:00:00",
    "2026-10-10 19:30:00",
    "2026-10-25 02:30:00",
    "2026-10-31T23:30:00Z",
)
STATUS_IDS = ("DONE", "PASS", "FAIL", "GHOST")


@dataclass(slots=True)
class Lms:
    """The source's own tables, and which rows changed since the last package."""

    tables: dict[str, dict[tuple[str, ...], Row]] = field(default_factory=lambda: {table: {} for table in KEYS})
    changed: dict[str, set[tuple[str, ...]]] = field(default_factory=lambda: {table: set() for table in KEYS})

    def put(self, table: str, **values: str) -> None:
        row = {column: values.get(column, "") for column in COLUMNS[table]}
        key = tuple(row[name] for name in KEYS[table])
        if self.tables[table].get(key) != row:
            self.tables[table][key] = row
            self.changed[table].add(key)

    def drop(self, table: str, key: tuple[str, ...]) -> None:
        self.tables[table].pop(key, None)

    def change(self, table: str, key: tuple[str, ...], **values: str) -> None:
        self.put(table, **{**self.tables[table][key], **values})


def pick[Option](draw: Draw, options: Sequence[Option]) -> Option:
    return draw(st.sampled_from(list(options)))


def one_in(draw: Draw, number: int) -> bool:
    """True rarely; shrinks to false."""
    return bool(draw(st.integers(0, number - 1)) == number - 1)


def pick_row(draw: Draw, lms: Lms, table: str) -> tuple[str, ...] | None:
    keys = sorted(lms.tables[table])
    return pick(draw, keys) if keys else None


# --- The first day


def found_lms(draw: Draw) -> Lms:
    lms = Lms()
    for number in range(draw(st.integers(1, len(STUDENT_IDS)))):
        add_student(draw, lms, STUDENT_IDS[number])
    for label in LABEL_IDS:
        for locale in draw(st.lists(st.sampled_from(LOCALES), max_size=2, unique=True)):
            lms.put(LABELS, LABEL_ID=label, LOCALE_ID=locale, LABEL_VALUE=pick(draw, ODD_TEXTS))
    for number in range(draw(st.integers(1, len(ITEM_IDS)))):
        add_revision(draw, lms, ITEM_IDS[number])
    lms.put(REQUIREMENTS, RTYP_ID="MAND", REQUIRED="Y")
    lms.put(REQUIREMENTS, RTYP_ID="OPT", REQUIRED="N")
    lms.put(STATUSES, CMPL_STAT_ID="DONE", CPNT_TYP_ID="", PROVIDE_CRDT="Y")
    lms.put(STATUSES, CMPL_STAT_ID="FAIL", CPNT_TYP_ID="", PROVIDE_CRDT="N")
    lms.put(STATUSES, CMPL_STAT_ID="PASS", CPNT_TYP_ID="COURSE", PROVIDE_CRDT="Y")
    lms.put(STATUSES, CMPL_STAT_ID="PASS", CPNT_TYP_ID="A", PROVIDE_CRDT="Y")
    if one_in(draw, 4):
        add_libraries(draw, lms)
    for _ in range(draw(st.integers(0, 6))):
        add_assignment(draw, lms)
    for _ in range(draw(st.integers(0, 6))):
        add_completion(draw, lms)
    return lms


def add_student(draw: Draw, lms: Lms, student: str) -> None:
    number = STUDENT_IDS.index(student)
    person = pick(draw, PERSONS[number % len(PERSONS)])
    if one_in(draw, 15):
        person = TOO_LONG
    lms.put(
        STUDENTS,
        STUD_ID=student,
        PERSON_ID_EXTERNAL=person,
        NOTACTIVE="Y" if one_in(draw, 6) else "N",
    )


def add_revision(draw: Draw, lms: Lms, item: tuple[str, str]) -> None:
    lms.put(
        ITEMS,
        CPNT_TYP_ID=item[0],
        CPNT_ID=item[1],
        REV_DTE=pick(draw, REVISIONS),
        CPNT_TITLE=pick(draw, [*LABEL_IDS, "Plain title", ""]),
        CPNT_DESC=pick(draw, ["", *LABEL_IDS, "Plain description"]),
        CPNT_LEN=pick(draw, ["30", "90", ""]),
        THUMBNAIL_URI=pick(draw, ["", "https://pictures.example/1.png"]),
        NOTACTIVE="Y" if one_in(draw, 6) else "N",
    )


def add_libraries(draw: Draw, lms: Lms) -> None:
    lms.put(LIBRARIES, CATALOG_ID="LIB1", ACTIVE="Y")
    lms.put(LIBRARIES, CATALOG_ID="LIB2", ACTIVE=pick(draw, "YN"))
    for key in sorted(lms.tables[ITEMS]):
        lms.put(
            LIBRARY_ITEMS,
            CATALOG_ID="LIB2" if one_in(draw, 4) else "LIB1",
            **dict(zip(KEYS[ITEMS], key, strict=True)),
        )


def pick_student(draw: Draw, lms: Lms) -> str:
    return STRANGER if one_in(draw, 12) else str(pick(draw, sorted(lms.tables[STUDENTS]) or [(STRANGER,)])[0])


def pick_revision(draw: Draw, lms: Lms) -> dict[str, str]:
    """An item that is there, rarely one that nobody knows."""
    unknown = ("COURSE", "unknown", REVISIONS[0])
    key = unknown if one_in(draw, 12) else pick(draw, sorted(lms.tables[ITEMS]) or [unknown])
    return dict(zip(KEYS[ITEMS], key, strict=True))


def add_assignment(draw: Draw, lms: Lms) -> None:
    lms.put(
        PLAN,
        STUD_ID=pick_student(draw, lms),
        **pick_revision(draw, lms),
        SEQ_NUM=pick(draw, "12"),
        ASSGN_DTE=pick(draw, ASSIGNED),
        REQ_DTE=pick(draw, DUE),
        RTYP_ID=pick(draw, ("", "MAND", "OPT")),
        ASSGN_USER=pick(draw, ("", "ADMIN")),
    )


def add_completion(draw: Draw, lms: Lms) -> None:
    lms.put(
        HISTORY,
        STUD_ID=pick_student(draw, lms),
        **pick_revision(draw, lms),
        COMPL_DTE=pick(draw, COMPLETED),
        CMPL_STAT_ID=pick(draw, ("DONE", "DONE", *STATUS_IDS)),
        SCHD_ID=pick(draw, ("", "7")),
    )


# --- The days after


def complete_assignment(draw: Draw, lms: Lms) -> None:
    """Complete an item of the plan; SuccessFactors then takes it off the plan."""
    key = pick_row(draw, lms, PLAN)
    if key is None:
        return
    row = lms.tables[PLAN][key]
    names = ("STUD_ID", "CPNT_TYP_ID", "CPNT_ID", "REV_DTE")
    lms.put(
        HISTORY,
        **{name: row[name] for name in names},
        COMPL_DTE=pick(draw, COMPLETED[::-1]),
        CMPL_STAT_ID="DONE",
    )
    if not one_in(draw, 3):
        lms.drop(PLAN, key)


def change_assignment(draw: Draw, lms: Lms) -> None:
    """Another due date, type, or (the row is used again) assignment date."""
    if key := pick_row(draw, lms, PLAN):
        column, values = pick(draw, [("REQ_DTE", DUE), ("RTYP_ID", ("", "MAND", "OPT")), ("ASSGN_DTE", ASSIGNED)])
        lms.change(PLAN, key, **{column: pick(draw, values)})


def drop_row(draw: Draw, lms: Lms) -> None:
    table = pick(draw, [PLAN, PLAN, ITEMS, STUDENTS, LABELS, HISTORY, LIBRARY_ITEMS])
    if key := pick_row(draw, lms, table):
        lms.drop(table, key)


def change_student(draw: Draw, lms: Lms) -> None:
    """Switch a student id off or on, or bring in or correct a student id."""
    if (key := pick_row(draw, lms, STUDENTS)) and not one_in(draw, 2):
        active = lms.tables[STUDENTS][key]["NOTACTIVE"] == "N"
        lms.change(STUDENTS, key, NOTACTIVE="Y" if active else "N")
        return
    missing = [
        student
        for student in STUDENT_IDS
        if lms.tables[STUDENTS].get((student,), {"PERSON_ID_EXTERNAL": TOO_LONG})["PERSON_ID_EXTERNAL"] == TOO_LONG
    ]
    if missing:
        add_student(draw, lms, pick(draw, missing))


def change_content(draw: Draw, lms: Lms) -> None:
    if one_in(draw, 2):
        add_revision(draw, lms, pick(draw, ITEM_IDS))
    elif key := pick_row(draw, lms, ITEMS):
        active = lms.tables[ITEMS][key]["NOTACTIVE"] == "N"
        lms.change(ITEMS, key, NOTACTIVE="Y" if active else "N")


def change_label(draw: Draw, lms: Lms) -> None:
    lms.put(
        LABELS,
        LABEL_ID=pick(draw, LABEL_IDS),
        LOCALE_ID=pick(draw, LOCALES),
        LABEL_VALUE=pick(draw, ODD_TEXTS),
    )


def change_rules(draw: Draw, lms: Lms) -> None:
    """What a status, a requirement type or a library means."""
    what = draw(st.integers(0, 2))
    if what == 0:
        lms.put(STATUSES, CMPL_STAT_ID="FAIL", CPNT_TYP_ID="", PROVIDE_CRDT=pick(draw, "YN"))
    elif what == 1:
        lms.put(REQUIREMENTS, RTYP_ID="OPT", REQUIRED=pick(draw, "YN"))
    elif lms.tables[LIBRARIES]:
        lms.put(LIBRARIES, CATALOG_ID=pick(draw, ("LIB1", "LIB2")), ACTIVE=pick(draw, "YN"))
    else:
        add_libraries(draw, lms)


CHANGES: tuple[Callable[[Draw, Lms], None], ...] = (
    complete_assignment,
    add_assignment,
    add_completion,
    change_assignment,
    drop_row,
    drop_row,
    change_content,
    change_content,
    change_label,
    change_student,
    change_rules,
)
