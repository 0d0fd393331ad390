"""JSON values out of a file: one on each line, in one list, or one behind the other; never all at once in memory.

The standard library's decoder says where a value ends. Going on from there takes less time than a parser of events
(ijson) takes to put values together, and both parse all of the text.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from shared.domain.errors import Code
from shared.domain.faults import ROOT
from shared.domain.write_back import Refusal
from shared.pipeline.intake_formats.findings import LONGEST_RECORD, UnreadableError
from shared.pipeline.intake_formats.texts import Text

_BLANK = re.compile(r"[ \t\r\n]*")
_STATEMENT_RESULT = re.compile(r'\{\s*(?:"more"\s*:\s*"[^"]*"\s*,\s*)?"statements"\s*:\s*(?=\[)')
"""How an answer of a learning record store begins, whose list of statements is what counts."""
_LONGEST_WORD = 12
"""Characters that a number or word may lack at the end of what has been read; an escape lacks fewer."""


@dataclass(frozen=True, slots=True)
class Found:
    """One value."""

    line: int
    value: Any
    text: str
    """As it stands in the file."""


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


def json_values(text: Text, *, by_line: bool) -> Iterator[Found | Refusal]:
    """Yield the values of a file, and a refusal for every line that holds none.

    Args:
        text: the file
        by_line: whether its name says that every line holds one

    Raises:
        UnreadableError: the rest is no JSON.
    """
    text.more()
    text.advance(_BLANK.match(text.data).end())  # type: ignore[union-attr]  # it always matches
    result = _STATEMENT_RESULT.match(text.data, text.at)
    if result or text.data.startswith("[", text.at):
        text.advance((result.end() if result else text.at) + 1)
        yield from _elements(text)
        if not result and _next_mark(text):
            raise UnreadableError("Something stands behind the end of the list.", text.line)
    elif by_line or _first_line_is_whole(text):
        yield from _lines(text)
    else:
        while _next_mark(text):
            yield _value(text)


def _first_line_is_whole(text: Text) -> bool:
    end = text.data.find("\n", text.at)
    try:
        _DECODER.decode(text.data[text.at : end if end >= 0 else None])
    except (ValueError, RecursionError):
        return False
    return True


def _lines(text: Text) -> Iterator[Found | Refusal]:
    number = text.line
    for line in text.lines():
        if not line.isspace():
            try:
                yield Found(number, _DECODER.decode(line), line)
            except (ValueError, RecursionError):
                message = "The line is not one JSON value. Correct it at the source."
                yield Refusal(line=number, path=ROOT, code=Code.RECORD_MALFORMED, message=message)
        number = text.line


def _elements(text: Text) -> Iterator[Found]:
    mark = _next_mark(text)
    while mark != "]":
        yield _value(text)
        mark = _next_mark(text)
        if mark == ",":
            text.advance(text.at + 1)
            if _next_mark(text) == "]":
                raise UnreadableError("The list goes on behind a comma, but nothing follows.", text.line)
        elif mark != "]":
            raise UnreadableError("The list is cut off, or a comma is missing in it.", text.line)
    text.advance(text.at + 1)


def _next_mark(text: Text) -> str:
    """Go on to the next character that is not blank, and return it; empty at the end of the file."""
    while True:
        text.advance(_BLANK.match(text.data, text.at).end())  # type: ignore[union-attr]  # it always matches
        if text.at < len(text.data):
            return text.data[text.at]
        if not text.more():
            return ""


def _value(text: Text) -> Found:
    """Read one value, and go behind it."""
    while True:
        try:
            value, end = _DECODER.raw_decode(text.data, text.at)
        except (ValueError, RecursionError) as e:
            if _may_go_on(e, text) and text.more():
                continue
            message = "From here on the file is no JSON, or a record is longer than any. Correct it at the source."
            raise UnreadableError(message, text.line) from None
        if end == len(text.data) and not isinstance(value, (dict, list, str)) and text.more():
            continue
        found = Found(text.line, value, text.data[text.at : end])
        text.advance(end)
        return found


def _may_go_on(error: ValueError | RecursionError, text: Text) -> bool:
    """Tell whether a value is only cut off where what has been read ends."""
    if not isinstance(error, json.JSONDecodeError) or len(text.data) - text.at > LONGEST_RECORD:
        return False
    return error.pos >= len(text.data) - _LONGEST_WORD or error.msg.startswith("Unterminated string")
