"""Records whose end is marked, so that newlines inside them need no quotes."""

import re
from collections.abc import Iterator

from shared.pipeline.header import MARK, Header

INNER_NEWLINE = "\x1e"
"""Stands for a newline inside a record whose end is marked."""

_MARK_AND_NEWLINE = re.compile(rb"!##!(?:\r\n|\n)?")
_NEWLINE_FIRST = re.compile(rb"!##!(?:\r\n|\n)[\r\n]")


def without_marks(marked: bytes, header: Header, line: int) -> tuple[bytes, int, tuple[int, ...]]:
    """Return whole records that start on that line with a newline for every mark.

    And the line on which the first one starts; and the lines of all, where they cannot be told from what is left of
    the newlines.
    """
    records = marked.lstrip(b"\r\n")
    line += marked.count(b"\n", 0, len(marked) - len(records))
    lines: tuple[int, ...] = ()
    if _NEWLINE_FIRST.search(records) or (not header.line_per_record and MARK + b"\n" in records):
        lines = tuple(_lines(records, line))
    raw = records.replace(INNER_NEWLINE.encode(), b" ")
    raw = _MARK_AND_NEWLINE.sub(MARK, raw)
    raw = raw.replace(b"\r\n", b"\n").replace(b"\n", INNER_NEWLINE.encode()).replace(MARK, b"\n")
    return raw, line, lines


def _lines(records: bytes, line: int) -> Iterator[int]:
    """Yield the line on which every marked record starts, the newline behind a mark being the mark's."""
    position = 0
    for end in _MARK_AND_NEWLINE.finditer(records):
        yield line
        line += records.count(b"\n", position, end.end())
        position = end.end()
    yield line
