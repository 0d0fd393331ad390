"""The ways in which a package can be wrong: their names, and how they are asked for."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final


class Takes(Enum):
    """What may follow the name of a defect, and how it is shown in the help."""

    ROWS = "=N"
    TABLE = "=TABLE"
    COLUMN = "=TABLE:COL"
    NOTHING = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """A defect that can be asked for."""

    takes: Takes
    table: str | None
    """The table it strikes unless another is named; `None`: every file."""
    means: str
    column: str | None = None


ASSIGNMENTS: Final = "PA_STUD_CPNT"
CHOICES: Final = {
    "bad-date": Choice(Takes.ROWS, ASSIGNMENTS, "extra rows whose REQ_DTE is no date"),
    "empty-key": Choice(Takes.ROWS, ASSIGNMENTS, "extra rows without CPNT_ID"),
    "long-person-id": Choice(
        Takes.ROWS, "PV_PARTNER_STUDENT", "extra learners whose PERSON_ID_EXTERNAL has 17 characters"
    ),
    "malformed-row": Choice(Takes.ROWS, ASSIGNMENTS, "extra rows with too few or too many fields"),
    "nul": Choice(Takes.ROWS, ASSIGNMENTS, "extra rows with a NUL in CPNT_ID"),
    "missing-column": Choice(Takes.COLUMN, "PA_CPNT", "the column is left out", "CPNT_ID"),
    "renamed-column": Choice(Takes.COLUMN, "PA_CPNT", "the column has another name, with an X behind it", "CPNT_ID"),
    "reordered": Choice(Takes.TABLE, None, "columns stand in the opposite order"),
    "extra-column": Choice(Takes.COLUMN, "PA_CPNT", "a column that nobody knows", "CPNT_TITEL"),
    "missing-file": Choice(Takes.TABLE, "PV_PARTNER_STUDENT", "the file is left out"),
    "duplicate-file": Choice(Takes.TABLE, "PA_CPNT", "the file is there again, in the folder `copy/`"),
    "empty-table": Choice(Takes.TABLE, ASSIGNMENTS, "the file has a header and no rows"),
    "unknown-file": Choice(Takes.NOTHING, None, "one more file, `PA_SOMETHING_NEW.csv`"),
    "latin1": Choice(Takes.TABLE, "PV_I18N_ACTIVE_LOCALE_LABEL", "the file is Windows-1252"),
    "utf16": Choice(Takes.TABLE, "PV_I18N_ACTIVE_LOCALE_LABEL", "the file is UTF-16 with a byte order mark"),
    "bom": Choice(Takes.TABLE, None, "files begin with a UTF-8 byte order mark"),
    "crlf": Choice(Takes.TABLE, None, "records end with CRLF"),
    "recordend": Choice(Takes.TABLE, None, "records end with `!##!` and nothing else"),
    "recordend-newline": Choice(Takes.TABLE, None, "records end with `!##!` and a newline"),
    "pipe": Choice(Takes.TABLE, None, "fields are separated by `|`"),
    "tab": Choice(Takes.TABLE, None, "fields are separated by tabs"),
    "semicolon": Choice(Takes.TABLE, ASSIGNMENTS, "fields are separated by semicolons, which nobody reads"),
    "encrypted-member": Choice(Takes.TABLE, "PA_CPNT", "the zip says that this file needs a password"),
    "lying-size": Choice(Takes.TABLE, ASSIGNMENTS, "the zip says that this file has one byte"),
    "path-traversal": Choice(Takes.NOTHING, None, "one more file, `../PA_CPNT_SRC.csv`"),
    "not-zip": Choice(Takes.NOTHING, None, "what is encrypted is no zip"),
    "wrong-key": Choice(Takes.NOTHING, None, "encrypted for a key that nobody has"),
    "truncated-seal": Choice(Takes.NOTHING, None, "the last third of the encrypted file is missing"),
    "flipped-bit": Choice(Takes.NOTHING, None, "one bit in the middle of the encrypted file is wrong"),
    "not-pgp": Choice(Takes.NOTHING, None, "the file is not encrypted at all, and no zip either"),
}
ROW_DEFECTS: Final = tuple(name for name, choice in CHOICES.items() if choice.takes is Takes.ROWS)


@dataclass(frozen=True, slots=True)
class Defect:
    """One defect to plant; `table` is `None` where it strikes every file."""

    name: str
    rows: int = 0
    table: str | None = None
    column: str | None = None

    def strikes(self, name: str, table: str) -> bool:
        """Tell whether it is of that name and this table is meant."""
        return self.name == name and self.table in {None, table}


def parse_defects(text: str) -> tuple[Defect, ...]:
    """Read `bad-date=3,missing-column=PA_CPNT:CPNT_ID`, or a number of bad rows of all kinds in turn.

    Raises:
        ValueError: no such defect, or it cannot be asked for so.
    """
    if text.strip().isdecimal():
        share, rest = divmod(int(text), len(ROW_DEFECTS))
        counts = {name: share + (place < rest) for place, name in enumerate(ROW_DEFECTS)}
        return tuple(Defect(name, count, CHOICES[name].table) for name, count in counts.items() if count)
    return tuple(_parse(part.strip()) for part in text.split(",") if part.strip())


def _parse(text: str) -> Defect:
    name, _, value = text.partition("=")
    if name not in CHOICES:
        raise ValueError(f"there is no defect {name!r}; there are: {', '.join(CHOICES)}")
    choice = CHOICES[name]
    table, _, column = value.upper().partition(":")
    match choice.takes:
        case Takes.ROWS if value.isdecimal() or not value:
            return Defect(name, int(value or 1), choice.table)
        case Takes.TABLE if not column:
            return Defect(name, table=table or choice.table)
        case Takes.COLUMN if bool(table) == bool(column):
            return Defect(name, table=table or choice.table, column=column or choice.column)
        case Takes.NOTHING if not value:
            return Defect(name)
    raise ValueError(f"{text!r} should be {name}{choice.takes.value}")


def describe_defects() -> Iterable[str]:
    """Yield a line for each defect, for the help."""
    for name, choice in CHOICES.items():
        target = ":".join(part for part in (choice.table, choice.column) if part)
        default = f" ({target})" if target and choice.takes in {Takes.TABLE, Takes.COLUMN} else ""
        yield f"{name}{choice.takes.value}: {choice.means}{default}"
