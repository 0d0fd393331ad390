"""The values that xAPI statements are made of: identifiers, language tags, times and durations.

What a rule here says stands in the specification: xAPI 1.0.3, part two, sections 2.2 and 4, and IEEE 9274.1.1 (2.0).
It leaves the depth of checks on IRIs and language tags to the reader, but for the scheme of the one and the lengths of
the parts of the other.
"""

import re
from datetime import datetime
from typing import Annotated, Any, NotRequired, TypedDict

from pydantic import ConfigDict, Discriminator, Field, PlainValidator
from pydantic_core import PydanticCustomError

_PART = r"[^\s<>\x22{}|\\^`\x00-\x1f]+"
IRI = rf"^[A-Za-z][A-Za-z0-9+.-]*:{_PART}$"
MAILTO = r"^mailto:[^\s<>@\x00-\x1f]+@[^\s<>@\x00-\x1f]+$"
SHA1 = r"^[0-9A-Fa-f]{40}$"
SHA2 = r"^([0-9A-Fa-f]{56}|[0-9A-Fa-f]{64}|[0-9A-Fa-f]{96}|[0-9A-Fa-f]{128})$"
UUID = r"^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$"
MEDIA_TYPE = r"^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+\s*(;.*)?$"
LANGUAGE_TAG = (
    r"^(([A-Za-z]{2,3}(-[A-Za-z]{3}){0,3}|[A-Za-z]{4,8})(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?"
    r"(-([A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*(-[0-9A-WY-Za-wy-z](-[A-Za-z0-9]{2,8})+)*(-[xX](-[A-Za-z0-9]{1,8})+)?"
    r"|[xX](-[A-Za-z0-9]{1,8})+|en-GB-oed|sgn-(BE-FR|BE-NL|CH-DE)"
    r"|i-(ami|bnn|default|enochian|hak|klingon|lux|mingo|navajo|pwn|tao|tay|tsu))$"
)
"""RFC 5646, with those of its older tags that do not follow its own grammar."""
VERSION_1 = r"^1\.0(\.[0-9]+)?$"
VERSION_2 = r"^2\.0(\.[0-9]+)?$"

FORMATS = {
    IRI: "an IRI with its scheme, as in https://example.com/courses/7",
    MAILTO: "an e-mail address behind mailto:",
    SHA1: "a SHA-1 hash in 40 hexadecimal digits",
    SHA2: "a SHA-2 hash in hexadecimal digits",
    UUID: "a UUID in its standard form",
    MEDIA_TYPE: "a media type, as in text/plain",
    LANGUAGE_TAG: "a language tag of RFC 5646, as in en-US",
    VERSION_1: "a version of xAPI 1.0, as in 1.0.3",
    VERSION_2: "a version of xAPI 2.0, as in 2.0.0",
}
"""What a text that follows the pattern is, in words."""

Iri = Annotated[str, Field(pattern=IRI)]
Mailto = Annotated[str, Field(pattern=MAILTO)]
Uuid = Annotated[str, Field(pattern=UUID)]
LanguageTag = Annotated[str, Field(pattern=LANGUAGE_TAG)]
LanguageMap = dict[LanguageTag, str]
Extensions = dict[Iri, object]
"""Anything at all may stand in extensions, null included; only their keys have a form."""

TAG = "#"
"""What marks a place in an error as the name of a shape, which is none in the statement."""

_OFFSET = r"(Z|[+-]\d\d(:?\d\d)?)?"
_ISO_8601 = re.compile(
    rf"(\d{{4}}-\d\d-\d\d|\d{{4}}-W\d\d-\d)T\d\d(:\d\d(:\d\d([.,]\d+)?)?)?{_OFFSET}"
    rf"|(\d{{8}}|\d{{4}}W\d{{3}})T\d\d(\d\d(\d\d([.,]\d+)?)?)?{_OFFSET}",
    re.ASCII,
)
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_LEAP_SECOND = re.compile(r"(?<=:\d\d):60(?=\D|$)")
_NO_SUCH_OFFSETS = ("-00", "-0000", "-00:00")

_NUMBER = r"\d+(?:[.,]\d+)?"
_DURATION = re.compile(
    rf"P(?:({_NUMBER})W|(?=[\dT])(?:({_NUMBER})Y)?(?:({_NUMBER})M)?(?:({_NUMBER})D)?"
    rf"(?:T(?=\d)(?:({_NUMBER})H)?(?:({_NUMBER})M)?(?:({_NUMBER})S)?)?)",
    re.ASCII,
)
_FRACTION_AMID = re.compile(r"[.,]\d+[A-Z].")
_HOURS = {1: 7 * 24.0, 4: 24.0, 5: 1.0, 6: 1 / 60, 7: 1 / 3600}
"""Hours of a week, a day, an hour, a minute, a second, by the group of `_DURATION`."""


class Exactly(TypedDict):
    """An object of a statement: no other keys than those named, nothing taken for what it is not."""

    __pydantic_config__ = ConfigDict(strict=True, extra="forbid")  # type: ignore[misc]  # how pydantic is told


def broken(sentence: str, at: str = "") -> PydanticCustomError:
    """Return the error of a rule that is broken; `at` is the key that breaks it."""
    return PydanticCustomError("rule", "{sentence}", {"sentence": sentence, "at": at})


def _rfc_3339(value: object) -> datetime:
    if isinstance(value, str) and _RFC_3339.fullmatch(value):
        return _moment(value)
    raise broken("must be a time with its offset, as in 2026-03-31T17:00:00Z (RFC 3339).")


def _iso_8601(value: object) -> datetime:
    if isinstance(value, str) and (_RFC_3339.fullmatch(value) or _ISO_8601.fullmatch(value)):
        return _moment(value)
    raise broken("must be a date with a time, as in 2026-03-31T17:00:00Z (ISO 8601).")


def _moment(text: str) -> datetime:
    if text.endswith(_NO_SUCH_OFFSETS):
        raise broken("has the offset -00:00, which xAPI does not take; write +00:00 or Z.")
    try:
        return datetime.fromisoformat(_LEAP_SECOND.sub(":59", text.upper()))
    except ValueError:
        raise broken("is a time that no calendar has.") from None


def _hours(value: object) -> float | None:
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if not found or _FRACTION_AMID.search(found[0]):
        raise broken("must be a duration, as in PT1H30M or P4W (ISO 8601, 4.4.3.2).")
    if found[2] or found[3]:
        return None
    return sum(float(found[group].replace(",", ".")) * hours for group, hours in _HOURS.items() if found[group])


Rfc3339 = Annotated[datetime, PlainValidator(_rfc_3339)]
"""A time of xAPI 2.0: aware."""
Iso8601 = Annotated[datetime, PlainValidator(_iso_8601)]
"""A time of xAPI 1.0.3: without an offset it is left naive, for nobody knows its zone."""
Hours = Annotated[float | None, PlainValidator(_hours)]
"""A duration in hours; `None` when it counts years or months, whose length nobody knows."""


def by_object_type(default: str, *kinds: str) -> Discriminator:
    """Tell the shapes of a choice apart by `objectType`; their tags are the kinds behind `TAG`."""
    tags = {kind: f"{TAG}{kind}" for kind in kinds}

    def find(value: Any) -> str | None:  # noqa: ANN401 - whatever stands in the JSON
        kind = value.get("objectType", default) if isinstance(value, dict) else None
        return tags.get(kind) if isinstance(kind, str) else None

    return Discriminator(find)


class Account(Exactly):
    """An account on some system; the person's id is its name."""

    homePage: Iri
    name: str


class Verb(Exactly):
    """What was done."""

    id: Iri
    display: NotRequired[LanguageMap]
