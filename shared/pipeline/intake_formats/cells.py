"""The text of a cell as the value that a mapping says it is."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import assert_never
from zoneinfo import ZoneInfo

from shared.domain.record_files import CellType, Condition, FileMapping, MappedColumn, RowFilter, steps

_SEPARATORS = " \u00a0\u202f'\u2019"
"""What stands between thousands in some countries, besides the mark that is not the decimal one."""
_TRUE, _FALSE = frozenset(("true", "yes", "y", "1")), frozenset(("false", "no", "n", "0"))
_TYPED = frozenset(
    (
        "completed_at",
        "passed",
        "total_hours",
        "credit_hours",
        "contact_hours",
        "cpe_hours",
        "active",
        "schedule",
        "price",
    )
)
"""The fields of records that are no texts; a number or a date in any other one is written as a text."""
_MOST_DIGITS = 30

type Value = str | int | float | bool | datetime
type Cast = Callable[[str], Value]


class CellError(Exception):
    """A cell is not what its mapping says."""


def cast_for(column: MappedColumn, mapping: FileMapping) -> Cast:
    """Return what makes the value of a column out of the text of its cells, which is trimmed and not empty.

    It raises `CellError` with a sentence that has the column as its subject.
    """
    cast = _typed(column, ZoneInfo(mapping.time_zone))
    is_text = mapping.into == "statements" or steps(column.field)[0] not in _TYPED
    if mapping.into == "statements":
        return lambda text: _json(cast(text))
    return (lambda text: _text(cast(text))) if is_text else cast


def _typed(column: MappedColumn, zone: ZoneInfo) -> Cast:
    match column.type:
        case CellType.STRING:
            prefix = column.prefix
            return lambda text: text if text.startswith(prefix) else prefix + text
        case CellType.NUMBER:
            return _number(column.format or ".")
        case CellType.BOOLEAN:
            return _boolean(column.format)
        case CellType.DATE:
            return _date(column.format, zone)
        case _ as never:
            assert_never(never)


def _number(mark: str) -> Cast:
    between = _SEPARATORS + ("," if mark == "." else ".")
    whole = rf"[+-]?(\d{{1,3}}([{re.escape(between)}]\d{{3}})+|\d+)"
    pattern = re.compile(rf"{whole}({re.escape(mark)}\d+)?", re.ASCII)
    drop = str.maketrans(mark, ".", between)

    def cast(text: str) -> Value:
        if len(text) > _MOST_DIGITS or not pattern.fullmatch(text):
            raise CellError(f"is no number like 1234{mark}5.")
        plain = text.translate(drop)
        return float(plain) if "." in plain else int(plain)

    return cast


def _boolean(form: str | None) -> Cast:
    yes, no = _TRUE, _FALSE
    if form is not None:
        yes, no = (frozenset((word.strip().casefold(),)) for word in form.split("/"))

    def cast(text: str) -> Value:
        word = text.casefold()
        if word not in yes and word not in no:
            raise CellError(f"is neither of {form or 'true/false, yes/no, y/n, 1/0'}.")
        return word in yes

    return cast


def _date(form: str | None, zone: ZoneInfo) -> Cast:
    def cast(text: str) -> Value:
        try:
            # A zone that the text or the form does not tell is that of the mapping.
            found = datetime.strptime(text, form) if form else datetime.fromisoformat(text)  # noqa: DTZ007
            return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
        except (ValueError, OverflowError):
            raise CellError(f"is no date like {form or '2026-03-31 or 2026-03-31T17:00:00Z'}.") from None

    return cast


def _json(value: Value) -> Value:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(_json(value))


def passes(row_filter: RowFilter, cells: dict[str, str]) -> bool:
    """Tell whether a filter lets a row through."""
    results = (_holds(each, cells[each.column]) for each in row_filter.conditions)
    return all(results) if row_filter.match == "all" else any(results)


def _holds(condition: Condition, text: str) -> bool:
    return _TESTS[condition.operator](text, condition.value)


def _compared(text: str, value: str) -> float:
    """Return the difference of two numbers; none to a cell that is no number."""
    try:
        return float(text) - float(value)
    except ValueError:
        return 0.0


_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "equals": lambda text, value: text == value,
    "not_equals": lambda text, value: text != value,
    "contains": lambda text, value: value in text,
    "not_contains": lambda text, value: value not in text,
    "starts_with": lambda text, value: text.startswith(value),
    "ends_with": lambda text, value: text.endswith(value),
    "empty": lambda text, _: not text,
    "not_empty": lambda text, _: bool(text),
    "more_than": lambda text, value: _compared(text, value) > 0,
    "less_than": lambda text, value: _compared(text, value) < 0,
}
