"""What a learning object may look like: names, JSON types, enums, formats, and what must be there.

The table is `types.json`: a type name in brackets is a collection, an exclamation mark means that the
service wants a value. It is stricter than the service's metadata in points that its pages say in prose, or
that only a mistake would use: `status` must be sent, percentages lie between 0 and 100, a required text is
not empty, a `dateTimeTimeZone` holds a time without offset, and `unknownFutureValue` and `id` are never sent.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

_TABLE = Path(__file__).with_name("types.json")
_PREFIX = "#microsoft.graph."
_TIME = r"(?P<minute>\d{4}-\d\d-\d\dT\d\d:\d\d)(?P<second>:\d\d)?(\.\d{1,12})?"
_DATE_TIME_OFFSET = re.compile(_TIME + r"(?P<offset>Z|[+-]\d\d:\d\d)", re.ASCII)
_LOCAL_DATE_TIME = re.compile(_TIME, re.ASCII)
_DURATION = re.compile(r"-?P(?=[\dT])(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?", re.ASCII)
_INT32 = 2**31


class Purpose(StrEnum):
    """What an object is sent for; it decides what must be there."""

    CREATE = "create"
    UPSERT = "upsert"
    """The alternate key is in the URL."""
    UPDATE = "update"
    """Only what changes."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with one field, in the service's words; never with the value."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class _Property:
    kind: str
    collection: bool
    required: bool

    @classmethod
    def parse(cls, text: str) -> Self:
        kind = text.removesuffix("!")
        return cls(kind.strip("[]"), kind.startswith("["), text.endswith("!"))


class Schema:
    """The table of types, ready to judge objects."""

    def __init__(self) -> None:
        table = json.loads(_TABLE.read_text("utf-8"))
        self._enums = {name: frozenset(members) for name, members in table["enums"].items()}
        self._keys: dict[str, str | None] = {}
        self._types: dict[str, dict[str, _Property]] = {}
        for name, entry in table["types"].items():
            base = self._types[entry["base"]] if "base" in entry else {}
            own = {key: _Property.parse(text) for key, text in entry["properties"].items()}
            self._types[name] = base | own
            self._keys[name] = entry.get("key")

    def names(self, type_name: str) -> frozenset[str]:
        """Properties of the type, with `id`."""
        return frozenset(self._types[type_name]) | {"id"}

    def check(self, type_name: str, value: Mapping[str, Any], purpose: Purpose) -> list[Problem]:
        """Say all that is wrong with the object; nothing when it is good."""
        return list(self._object(type_name, value, purpose, ""))

    def _object(self, type_name: str, value: Mapping[str, Any], purpose: Purpose, path: str) -> Iterator[Problem]:
        properties = self._types[type_name]
        for name, each in value.items():
            where = path + name
            if name == "@odata.type":
                if each != _PREFIX + type_name:
                    yield _invalid(where)
            elif "@" in name:
                continue  # An annotation of a property says nothing that is kept.
            elif name not in properties:
                yield Problem(where, f"Input field {where} is invalid: the type has no such property")
            else:
                yield from self._property(properties[name], each, where)
        if purpose is Purpose.UPDATE:
            return
        in_url = self._keys[type_name] if purpose is Purpose.UPSERT else None
        for name, each in properties.items():
            if each.required and name not in value and name != in_url:
                yield Problem(path + name, f"Input field {path}{name} is required")

    def _property(self, declared: _Property, value: object, where: str) -> Iterator[Problem]:
        if declared.collection:
            # A collection itself is never null, its items may be.
            if not isinstance(value, list):
                yield _invalid(where)
                return
            for item in value:
                if item is not None:
                    yield from self._value(declared.kind, item, where)
        elif value is None or (value == "" and declared.required):
            if declared.required:
                yield Problem(where, f"Input field {where} shouldn't be empty")
        else:
            yield from self._value(declared.kind, value, where)

    def _value(self, kind: str, value: object, where: str) -> Iterator[Problem]:
        if kind in _PRIMITIVES:
            if not _PRIMITIVES[kind](value):
                yield _invalid(where)
        elif kind in self._enums:
            if not isinstance(value, str) or value not in self._enums[kind]:
                yield _invalid(where)
        elif isinstance(value, dict):
            # A nested object is always sent whole, so all that it needs must be there.
            yield from self._object(kind, value, Purpose.CREATE, f"{where}.")
        else:
            yield _invalid(where)


def longest_text(value: object) -> int:
    """Length in characters of the longest text inside a value; 0 when there is none."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        value = list(value.values())
    return max(map(longest_text, value), default=0) if isinstance(value, list) else 0


def parse_json(text: bytes) -> Any:  # noqa: ANN401 (JSON is any value)
    """Read JSON as strictly as the service's parser: a name once per object, no NaN.

    Raises:
        ValueError: it is not JSON.
    """
    return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in an object")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _invalid(where: str) -> Problem:
    return Problem(where, f"Input field {where} is invalid")


def _is_int32(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -_INT32 <= value < _INT32


def _is_percentage(value: object) -> bool:
    return _is_int32(value) and isinstance(value, int) and 0 <= value <= 100  # noqa: PLR2004 (a percentage)


def _is_time(pattern: re.Pattern[str], value: object) -> bool:
    match = pattern.fullmatch(value) if isinstance(value, str) else None
    if match is None or (match[3] and not match["second"]):
        return False
    offset = match.groupdict().get("offset") or ""
    try:
        datetime.fromisoformat(match["minute"] + (match["second"] or ":00") + offset)
    except ValueError:
        return False  # There is no such day or hour.
    return True


_PRIMITIVES: Mapping[str, Callable[[object], bool]] = {
    "String": lambda value: isinstance(value, str),
    "Boolean": lambda value: isinstance(value, bool),
    "Int32": _is_int32,
    "Percentage": _is_percentage,
    "DateTimeOffset": lambda value: _is_time(_DATE_TIME_OFFSET, value),
    "LocalDateTime": lambda value: _is_time(_LOCAL_DATE_TIME, value),
    "Duration": lambda value: isinstance(value, str) and bool(_DURATION.fullmatch(value)),
}
