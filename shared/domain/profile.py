"""Package profiles: what the files of an LMS are called and what their columns mean, as data."""

import re
from enum import StrEnum
from functools import cached_property
from typing import Self

from pydantic import Field, model_validator

from shared.domain.strict import Strict


class ColumnType(StrEnum):
    """How a column's text is read."""

    TEXT = "text"
    FLAG = "flag"
    """`Y` or `N`."""
    TIME = "time"
    """A time; naive ones are in the connection's source time zone."""
    DEADLINE = "deadline"
    """A time; a date alone means its last second."""
    MINUTES = "minutes"
    """A number of minutes, not negative."""
    STUDENT = "student"
    """A student id: becomes a keyed hash as it is read."""
    PERSON = "person"
    """A person key: becomes a keyed hash as it is read, and hashes of what the rules may leave of it."""


class Column(Strict):
    """One column that the connector uses."""

    type: ColumnType = ColumnType.TEXT
    aliases: tuple[str, ...] = ()
    key: bool = False
    required: bool | None = Field(default=None, description="Default: exactly the key columns are.")
    only_with: str | None = Field(default=None, description="Read only when this setting of the connection is on.")
    kept: bool = Field(default=True, description="Whether the value itself is needed, and not only as part of a key.")
    text_kept: bool = Field(default=False, description="Whether a time's text is kept beside it, as NAME_TEXT.")

    @property
    def is_required(self) -> bool:
        """Whether a row without a value is refused, and a file without the column."""
        return self.key if self.required is None else self.required


class Table(Strict):
    """One table of the package."""

    aliases: tuple[str, ...] = ()
    learner: bool = False
    """Whether it holds records of people, read only with learner sync."""
    columns: dict[str, Column]
    fingerprints: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Further columns made of the texts of several: 128 bits that are equal when these are. `pk` is the primary key."""
    unused: tuple[str, ...] = ()
    """Columns known to come and left alone; any other is reported as drift."""

    @property
    def key(self) -> list[str]:
        """Columns of the primary key, in order."""
        return [name for name, column in self.columns.items() if column.key]

    def parts(self, fingerprint: str) -> list[str]:
        """Columns that a fingerprint, or `pk`, is made of, in order."""
        made_of = self.fingerprints.get(fingerprint, ("pk",))
        return [column for part in made_of for column in (self.key if part == "pk" else (part,))]

    def student_in(self, fingerprint: str) -> str | None:
        """The column of student ids that enters a fingerprint, or `pk`."""
        found = [column for column in self.parts(fingerprint) if self.columns[column].type is ColumnType.STUDENT]
        return found[0] if found else None

    @property
    def owner(self) -> str | None:
        """Column of the primary key that holds the student id, where rows belong to somebody."""
        return self.student_in("pk")

    @model_validator(mode="after")
    def _fingerprints_can_be_made(self) -> Self:
        """Refuse what is no column, and what would be the same for everybody: two equal ids cancel each other out."""
        for made in ("pk", *self.fingerprints):
            if unknown := [column for column in self.parts(made) if column not in self.columns]:
                raise ValueError(f"{made} is made of {', '.join(unknown)}, which the table does not have.")
            if sum(self.columns[column].type is ColumnType.STUDENT for column in self.parts(made)) > 1:
                raise ValueError(f"{made} is made of two columns of student ids; at most one can enter it.")
        return self


class Profile(Strict):
    """All that is particular about the packages of one LMS. Edit the data, not the code."""

    name: str
    version: int
    file_pattern: str
    """Regular expression with the groups `customer`, `kind` (F, D, K) and `timestamp` (14 digits)."""
    keys_suffix: str = "_K"
    tables: dict[str, Table]
    unread_tables: tuple[str, ...] = ()
    """Known, listed and left alone."""
    in_progress: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Column of the assignment table and the values that say a course is in progress; empty: none does."""
    language_tags: dict[str, str]
    """Language tag by the name of the locale."""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The file pattern, compiled, any case."""
        return re.compile(self.file_pattern, re.IGNORECASE)

    @cached_property
    def names(self) -> dict[str, str]:
        """Table by upper-case file name without its ending, aliases included."""
        return {alias.upper(): name for name, table in self.tables.items() for alias in (name, *table.aliases)}
