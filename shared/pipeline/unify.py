"""Files that are text all the same: UTF-16, and lines that end in a carriage return alone."""

import codecs
import csv
from collections.abc import Iterable, Iterator

from shared.pipeline.header import DELIMITERS, MARK

_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def utf_16_of(start: bytes) -> str | None:
    """Name the UTF-16 codec of a file that begins so; `None` when it is not UTF-16.

    With a byte order mark, or without: no header begins with a NUL, or has one as its second character.
    """
    if codec := _MARKS.get(start[:2]):
        return codec
    zeros = start[:2].count(0)
    return ("utf-16-be" if start[0] == 0 else "utf-16-le") if zeros == 1 and len(start) > 1 else None


def as_utf_8(chunks: Iterator[bytes], codec: str) -> Iterator[bytes]:
    """Yield a UTF-16 file as UTF-8, with a replacement character for what is no text."""
    decoder = codecs.getincrementaldecoder(codec)(errors="replace")
    for chunk in chunks:
        yield decoder.decode(chunk).encode()
    yield decoder.decode(b"", final=True).encode()


def ends_in_carriage_returns(start: bytes) -> bool:
    """Tell whether records end in a carriage return, by the file up to its first newline.

    Without a newline they do; with one, when it stands in a field: inside quotes, or behind a second record. Elsewhere
    a carriage return in a header is a blank.
    """
    pieces = start.rstrip(b"\r\n").split(b"\r")
    if len(pieces) == 1 or MARK in start:
        return False
    if not start.endswith(b"\n"):
        return True
    header, *others = (piece.decode("utf-8", errors="replace") for piece in pieces)
    delimiter = max(DELIMITERS, key=header.count)
    fields = [len(next(csv.reader([text], delimiter=delimiter), [])) for text in (header, *others)]
    return fields[0] > 1 and (start.count(b'"') % 2 == 1 or fields[0] in fields[1:])


def with_newlines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield a file with a newline for every carriage return."""
    return (chunk.replace(b"\r", b"\n") for chunk in chunks)


def is_utf_8(pieces: Iterable[bytes | bytearray]) -> bool:
    """Tell whether a text is UTF-8, from its pieces."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for piece in pieces:
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
