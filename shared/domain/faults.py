"""What is wrong with a value that came in, as a path and a sentence that hold nothing of the value itself."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shared.domain.errors import Code

ROOT = "$"
"""The path of the whole value."""
ANY_KEY = "*"
"""Stands in a path for a key that is the sender's own: it may say something about a person."""

_KINDS = {
    "string_type": "a text",
    "string_unicode": "a text",
    "bool_type": "true or false",
    "float_type": "a number",
    "finite_number": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "dict_type": "an object",
    "model_type": "an object",
    "list_type": "a list",
    "tuple_type": "a list",
    "datetime_type": "a time with an offset",
    "datetime_parsing": "a time with an offset, as in 2026-03-31T17:00:00Z",
    "datetime_from_date_parsing": "a time with an offset, as in 2026-03-31T17:00:00Z",
    "datetime_object_invalid": "a time with an offset, as in 2026-03-31T17:00:00Z",
    "timezone_aware": "a time with an offset, as in 2026-03-31T17:00:00Z",
}
_BOUNDS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "greater_than_equal": lambda limits: f"must be at least {limits['ge']:g}.",
    "less_than_equal": lambda limits: f"must be at most {limits['le']:g}.",
    "string_too_long": lambda limits: f"must have at most {limits['max_length']} characters.",
    "string_too_short": lambda _: "must not be empty.",
    "too_short": lambda _: "must not be empty.",
    "literal_error": lambda limits: f"must be {limits['expected']}.",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule that is broken."""

    path: str
    """As in `actor.mbox` or `context.contextActivities.parent[0].id`; `ROOT` for all of it."""
    code: Code
    message: str
    """A sentence that says what and how to mend it, without its subject, which is the path."""


def first_fault(error: ValidationError, known: Collection[str], formats: Mapping[str, str], tag: str = "") -> Fault:
    """Return the first fault that pydantic has found.

    Args:
        error: what it raised
        known: keys that may stand in a path; all others are the sender's own
        formats: what a text that follows a pattern is, by the pattern
        tag: how places begin that are the names of shapes and none in the value; empty for none
    """
    found = error.errors(include_url=False)[0]
    kind, place = found["type"], list(found["loc"])
    if tag:
        place = [part for part in place if not (isinstance(part, str) and part.startswith(tag))]
    limits = found.get("ctx", {})
    if kind == "union_tag_not_found" and isinstance(found["input"], dict):
        place.append("objectType")
    if kind == "rule" and limits["at"]:
        place.extend(limits["at"].split("."))
    missing = kind in ("missing", "rule") and _sentence(found, formats).startswith("is missing")
    code = Code.FIELD_REQUIRED if missing else Code.FIELD_INVALID
    return Fault(path_of(place, known), code, _sentence(found, formats))


def path_of(place: Collection[str | int], known: Collection[str]) -> str:
    """Write a place as a path."""
    path = ""
    for part in place:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part != "[key]":
            path += f".{part if part in known else ANY_KEY}"
    return path.removeprefix(".") or ROOT


def _sentence(found: ErrorDetails, formats: Mapping[str, str]) -> str:
    kind, limits, value = found["type"], found.get("ctx", {}), found["input"]
    if kind == "missing":
        says = "is missing. Add it at the source."
    elif kind == "rule":
        says = str(limits["sentence"])
    elif kind == "extra_forbidden":
        says = "is a key that nobody knows here. Keys are told apart by upper and lower case."
    elif value is None:
        says = "must not be null. Leave it out where there is nothing to say."
    elif kind == "union_tag_not_found":
        says = "is none of the kinds that may stand here." if isinstance(value, dict) else "must be an object."
    elif kind == "string_pattern_mismatch":
        says = f"must be {formats.get(limits['pattern'], 'in another form')}."
    elif kind in _BOUNDS:
        says = _BOUNDS[kind](limits)
    else:
        says = f"must be {_KINDS[kind]}." if kind in _KINDS else "cannot be read."
    return says
