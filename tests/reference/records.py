"""The records of an inner file, each with the line it starts on: by the standard library's csv, one after the other.

Where the rules leave room, this takes the connector's reading:

- A record whose quotes do not close, or that has not as many fields as the header, is malformed, and reading goes on
  in the line after the one it started on. So a record with too few fields costs one reject for each of its lines
  that cannot be read either; but a quote left open does not take with it the good rows behind it.
- A carriage return that ends no line is a blank. Blank lines, and marks with nothing between them, are no records.
- A newline in a record whose end is marked needs no quotes; one newline after a mark belongs to the mark.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

MARK = "!##!"
_INNER = "\uf8ff"
"""Stands for a newline in a record whose end is marked, so that csv takes it for text."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record; `None` for fields that nobody can tell apart."""

    line: int
    fields: list[str] | None


@dataclass(frozen=True, slots=True)
class InnerFile:
    """A file with its header, in capitals."""

    columns: list[str]
    records: list[Record]


def read_records(content: bytes) -> InnerFile:
    """Read a file of any dialect that the rules know."""
    text = _decode(content)
    end = re.search(rf"{re.escape(MARK)}|\n|\Z", text)
    header = text[: end.start()] if end else text
    marked = end is not None and end.group() == MARK
    delimiter = max(",|\t", key=header.count)
    columns = [name.strip().upper() for name in next(csv.reader(io.StringIO(header), delimiter=delimiter))]
    pieces = list(_marked(text) if marked else _lines(text))[1:]
    return InnerFile(columns, list(_records(pieces, delimiter, len(columns))))


def _decode(content: bytes) -> str:
    content = content.removeprefix(b"\xef\xbb\xbf")
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        yield number, line.replace("\r", " ")


def _marked(text: str) -> Iterator[tuple[int, str]]:
    """Yield what stands between the marks, each with the line where it begins."""
    line = 1
    for piece in text.replace("\r\n", "\n").replace("\r", " ").split(MARK):
        record = piece.removeprefix("\n")
        yield line + len(piece) - len(record), record.replace("\n", _INNER)
        line += piece.count("\n")


def _records(pieces: list[tuple[int, str]], delimiter: str, width: int) -> Iterator[Record]:
    at = 0
    while at < len(pieces):
        reader = csv.reader((pieces[i][1] + "\n" for i in range(at, len(pieces))), delimiter=delimiter, strict=True)
        try:
            fields = next(reader)
        except csv.Error:
            fields = ["?"] * (width + 1)
        if len(fields) == width + 1 and not fields[-1]:
            fields.pop()  # a delimiter that ends the last field
        if len(fields) == width:
            yield Record(pieces[at][0], [field.replace(_INNER, "\n") for field in fields])
            at += reader.line_num
        else:
            if len(fields) > 1 or "".join(fields).strip():  # else a blank line
                yield Record(pieces[at][0], None)
            at += 1
