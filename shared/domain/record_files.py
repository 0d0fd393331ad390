"""How files of completions and courses are read: what statements say about them, and which column is which field."""

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from shared.domain.strict import Strict
from shared.domain.xapi.versions import Version

_ADL = "http://adlnet.gov/expapi/verbs/"
_STEP = re.compile(r"""(?:^|\.)([A-Za-z_][\w-]*)|\[(\d{1,4})\]|\["([^"]+)"\]""")

COMPLETION_FIELDS = frozenset(
    (
        "learner",
        "course_id",
        "completed_at",
        "passed",
        "completion_id",
        "grade",
        "total_hours",
        "credit_hours",
        "contact_hours",
        "cpe_hours",
        "comments",
    )
)
COURSE_FIELDS = frozenset(
    (
        "course_id",
        "titles",
        "descriptions",
        "launch_url",
        "mobile_launch_url",
        "thumbnail_url",
        "active",
        "duration",
        "schedule",
        "price",
        "currency",
    )
)


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise ValueError(f"{name!r} is no IANA time zone") from None
    return name


TimeZone = Annotated[str, AfterValidator(_known_zone)]


def steps(path: str) -> tuple[str | int, ...]:
    """Take a path apart: `context.contextActivities.parent[0].id`, `result.extensions["https://example.com/x"]`.

    Raises:
        ValueError: it is no path.
    """
    found, end = [], 0
    for step in _STEP.finditer(path):
        if step.start() != end:
            break
        name, index, quoted = step.groups()
        found.append(int(index) if index else name or quoted)
        end = step.end()
    if not found or end != len(path) or isinstance(found[0], int):
        raise ValueError(f"{path!r} is no path like `actor.mbox`")
    return tuple(found)


class Statements(Strict):
    """What an xAPI statement says about a completion."""

    version: Version = Field(
        default=Version.V1, description="By which version of xAPI statements are read that do not say it themselves."
    )
    learner: Literal["account", "mbox", "either"] = Field(
        default="either",
        description="Where a statement's learner stands: in `actor.account.name`, in `actor.mbox` (the address without "
        "`mailto:`), or in the one of them that is there.",
    )
    account_home_page: str | None = Field(
        default=None, description="Only accounts of this `homePage` are learners of the LMS; null: of any."
    )
    course: Literal["verbatim", "last_segment", "pattern"] = Field(
        default="verbatim",
        description="What of a statement's `object.id` is the course id: all of it, what stands behind the last slash, "
        "or what `course_pattern` finds.",
    )
    course_pattern: str | None = Field(
        default=None, description="Regular expression whose one group is the course id, as in `/courses/([^/?]+)`."
    )
    completed_verbs: tuple[str, ...] = Field(
        default=(f"{_ADL}completed",), description="Verbs that say: completed, and passed unless the result says no."
    )
    passed_verbs: tuple[str, ...] = Field(default=(f"{_ADL}passed",), description="Verbs that say: passed.")
    failed_verbs: tuple[str, ...] = Field(default=(f"{_ADL}failed",), description="Verbs that say: failed.")
    grade: Literal["percent", "scaled", "raw", "none"] = Field(
        default="percent",
        description="What of `result.score` is the grade: `scaled` in percent, `scaled`, `raw`, or nothing.",
    )
    time_zone: TimeZone = Field(default="UTC", description="IANA time zone of statements' times without an offset.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.course == "pattern") != (self.course_pattern is not None):
            raise ValueError("course_pattern: it is needed where `course` is `pattern`, and nowhere else")
        if self.course_pattern is not None:
            try:
                groups = re.compile(self.course_pattern).groups
            except re.error:
                raise ValueError("course_pattern: it is no regular expression") from None
            if groups != 1:
                raise ValueError("course_pattern: it must have exactly one group, which is the course id")
        verbs = [*self.completed_verbs, *self.passed_verbs, *self.failed_verbs]
        if len(set(verbs)) != len(verbs):
            raise ValueError("completed_verbs, passed_verbs, failed_verbs: a verb says one thing only")
        return self


class CellType(StrEnum):
    """What the text of a cell is."""

    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"


class MappedColumn(Strict):
    """One column, or a value that is the same in every row, and the field that it becomes."""

    column: str | None = Field(default=None, min_length=1, description="Name in the header; null: `default` always.")
    field: str = Field(
        min_length=1,
        max_length=500,
        description="Field of the record (`completed_at`, `titles.English`), or path in the statement (`actor.mbox`).",
    )
    type: CellType = Field(default=CellType.STRING, description="What its text is.")
    format: str | None = Field(
        default=None,
        description="Of a number its decimal mark, `.` or `,`; of a boolean its two words, as `yes/no`; of a date its "
        "form, as `%d.%m.%Y`. Null: `.`; true, yes, y or 1 and their opposites; ISO 8601.",
    )
    prefix: str = Field(default="", description="Text put before that of a string, as `mailto:`, unless it is there.")
    default: str | None = Field(default=None, description="Text that stands in for an empty cell; null: left out.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        steps(self.field)
        if self.column is None and not self.default:
            raise ValueError(f"columns: {self.field} needs a `column` or a `default`")
        if self.prefix and self.type is not CellType.STRING:
            raise ValueError(f"columns: {self.field}: only a string takes a `prefix`")
        if self.format is not None and not self._formats(self.format):
            raise ValueError(f"columns: {self.field}: `format` does not go with the type {self.type.value}")
        return self

    def _formats(self, form: str) -> bool:
        match self.type:
            case CellType.NUMBER:
                return form in (".", ",")
            case CellType.BOOLEAN:
                words = [word.strip().casefold() for word in form.split("/")]
                return len(set(words)) == len(words) == 2 and all(words)  # noqa: PLR2004 - yes and no
            case CellType.DATE:
                return _tells_the_day(form)
            case CellType.STRING:
                return False


def _tells_the_day(form: str) -> bool:
    """Tell whether a date that is written so can be read again."""
    sample = datetime(2026, 3, 31, tzinfo=UTC)
    try:
        return datetime.strptime(sample.strftime(form), form).date() == sample.date()  # noqa: DTZ007 - only its day
    except ValueError:
        return False


class Condition(Strict):
    """What must be true of one cell."""

    column: str = Field(min_length=1, description="Name in the header.")
    operator: Literal[
        "equals",
        "not_equals",
        "contains",
        "not_contains",
        "starts_with",
        "ends_with",
        "empty",
        "not_empty",
        "more_than",
        "less_than",
    ] = Field(description="How the cell is compared; the last two compare numbers.")
    value: str = Field(default="", description="What it is compared with, upper and lower case told apart.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        unary = self.operator in ("empty", "not_empty")
        if unary == bool(self.value):
            raise ValueError(f"conditions: {self.column}: `value` does not go with {self.operator}")
        if self.operator in ("more_than", "less_than"):
            try:
                float(self.value)
            except ValueError:
                raise ValueError(f"conditions: {self.column}: `value` must be a number") from None
        return self


class RowFilter(Strict):
    """Which rows are read; one that a filter stops is counted and left out."""

    name: str = Field(min_length=1, max_length=100, description="What people call it.")
    match: Literal["all", "any"] = Field(default="all", description="Whether all conditions must be true, or any.")
    conditions: tuple[Condition, ...] = Field(min_length=1, description="What must be true of a row.")


class FileMapping(Strict):
    """How CSV files of one kind are read. A row must pass every filter."""

    name: str = Field(min_length=1, max_length=100, description="What people call it.")
    file_name: str = Field(
        min_length=1, max_length=255, description="Names of its files, with `*` for any text, as `academy_*.csv`."
    )
    into: Literal["completions", "courses", "statements"] = Field(
        default="completions", description="What each row becomes; statements are then read as any others."
    )
    delimiter: Literal["comma", "semicolon", "tab", "pipe"] = Field(
        default="comma", description="What stands between cells."
    )
    encoding: Literal["utf-8", "windows-1252"] = Field(default="utf-8", description="How the text is encoded.")
    time_zone: TimeZone = Field(default="UTC", description="IANA time zone of dates and of times without an offset.")
    columns: tuple[MappedColumn, ...] = Field(min_length=1, description="Which column is which field.")
    filters: tuple[RowFilter, ...] = Field(default=(), description="Which rows are read; none: all.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        paths = [steps(each.field) for each in self.columns]
        for at, path in enumerate(paths):
            if any(other[: len(path)] == path for i, other in enumerate(paths) if i != at):
                raise ValueError(f"{self.name}: two columns become {self.columns[at].field}")
        kinds: dict[tuple[str | int, ...], type] = {}
        for path in paths:
            for at, step in enumerate(path):
                if kinds.setdefault(path[:at], type(step)) is not type(step):
                    raise ValueError(f"{self.name}: {path[at - 1]} is both a list and an object")
        fields = {each.field for each in self.columns}
        missing = _needed(self.into, fields)
        if missing:
            raise ValueError(f"{self.name}: no column becomes {', '.join(missing)}")
        own = {"completions": COMPLETION_FIELDS, "courses": COURSE_FIELDS}.get(self.into)
        if own is not None and (unknown := sorted({str(path[0]) for path in paths} - own)):
            raise ValueError(f"{self.name}: {self.into} have no field {', '.join(unknown)}")
        return self


def _needed(into: str, fields: set[str]) -> list[str]:
    """Return the fields without which no row could become a record."""
    if into == "completions":
        return [field for field in ("learner", "course_id", "completed_at") if field not in fields]
    if into == "courses":
        missing = [field for field in ("course_id", "launch_url") if field not in fields]
        return missing if any(field.startswith("titles") for field in fields) else [*missing, "titles"]
    actor = {"actor.mbox"} & fields or {"actor.account.homePage", "actor.account.name"} <= fields
    missing = [field for field in ("verb.id", "object.id") if field not in fields]
    return missing if actor else ["actor.mbox", *missing]
