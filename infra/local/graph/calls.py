"""One call to Graph, read from its raw request target."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from infra.local.graph.answers import bad_request, refuse
from infra.local.graph.caller import Caller

_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_TARGET = re.compile(r"[!-~]*")
_KEYED = re.compile(r"(?P<name>\w+)\((?P<key>\w+)='(?P<value>(?:[^']|'')*)'\)", re.ASCII)


class NoBody:
    """Nothing was sent."""


@dataclass(frozen=True, slots=True)
class Call:
    """A method on a path below the version, with its options and its JSON."""

    method: str
    segments: tuple[str, ...]
    """Decoded one by one, so that an encoded slash stays inside its segment."""
    options: Mapping[str, str]
    body: Any = NoBody
    caller: Caller = field(default_factory=Caller)

    def json_object(self) -> dict[str, Any]:
        """Give the body.

        Raises:
            RefusedError: there is none, or it is no object.
        """
        if not isinstance(self.body, dict):
            raise bad_request("Empty Payload. JSON content expected." if self.body is NoBody else "Invalid JSON.")
        return self.body

    def allow_options(self, allowed: Collection[str]) -> None:
        """Refuse options that the resource does not know; the real service may ignore them silently."""
        for name in self.options:
            if name not in allowed:
                raise bad_request(f"The query option '{name}' is not supported here.", code="Request_BadRequest")


@dataclass(frozen=True, slots=True)
class Key:
    """An alternate key, as in `learningContents(externalId='it''s')`."""

    collection: str
    name: str
    value: str


def read_target(method: str, target: str, body: object = NoBody) -> Call:
    """Read a path below the version, with its query, still encoded.

    Raises:
        RefusedError: it is badly encoded.
    """
    path, _, query = target.partition("?")
    if not _TARGET.fullmatch(target) or _BROKEN_ESCAPE.search(target) or "#" in target:
        raise bad_request("The request URI is not valid: it is not encoded.", code="BadRequest")
    try:
        segments = tuple(unquote(each, errors="strict") for each in path.strip("/").split("/"))
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query), errors="strict")
    except ValueError:
        raise bad_request("The request URI is not valid.", code="BadRequest") from None
    options = dict(pairs)
    if len(options) < len(pairs):
        raise bad_request("A query option is given more than once.", code="BadRequest")
    return Call(method, segments, options, body)


def read_key(segment: str) -> Key | None:
    """Read an alternate key from a decoded segment; `None` when it has another shape."""
    match = _KEYED.fullmatch(segment)
    return match and Key(match["name"], match["key"], match["value"].replace("''", "'"))


def unknown_path(segment: str) -> Exception:
    """Refuse as Graph does where a path leads nowhere."""
    name = segment.partition("(")[0]
    return refuse(400, "BadRequest", f"Resource not found for the segment '{name}'.")
