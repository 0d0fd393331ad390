"""Package profiles: what the files of an LMS are called and what their columns mean, as data."""

import re
from enum import StrEnum
from functools import cached_property

from pydantic import Field

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

    @property
    def owner(self) -> str | None:
        """Column of the primary key that holds the student id, where rows belong to somebody."""
        return next((name for name in self.key if self.columns[name].type is ColumnType.STUDENT), None)


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
