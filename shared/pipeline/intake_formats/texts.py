"""The text of a file that comes as bytes."""

import io
from collections.abc import Buffer, Iterator
from typing import BinaryIO, Protocol, override

from shared.pipeline.intake_formats.findings import LONGEST_RECORD, UnreadableError

PIECE = 1 << 16


class Bytes(Protocol):
    """Anything that bytes can be read from: a file, the body of a request, a blob."""

    def read(self, size: int, /) -> bytes:
        """Return at most that many bytes; none at the end."""
        ...


class _Raw(io.RawIOBase):
    """The least that the standard library's text reader asks for."""

    def __init__(self, source: Bytes | BinaryIO) -> None:
        super().__init__()
        self._source = source

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Buffer, /) -> int:
        room = memoryview(buffer)
        data = self._source.read(len(room))
        room[: len(data)] = data
        return len(data)


class Text:
    """The text of a file, read from one end to the other with a place in it and the line of that place."""

    def __init__(self, source: Bytes | BinaryIO, encoding: str) -> None:
        self._encoding = encoding
        name = "utf-8-sig" if encoding == "utf-8" else encoding
        self._source = io.TextIOWrapper(io.BufferedReader(_Raw(source), PIECE), name, newline="")
        self.data = ""
        self.at = 0
        self.line = 1
        """The line of the place, from 1."""

    def more(self) -> bool:
        """Read on, and forget what lies before the place; false at the end.

        Raises:
            UnreadableError: it is encoded in another way.
        """
        try:
            piece = self._source.read(PIECE)
        except UnicodeDecodeError:
            raise self._undecoded() from None
        self.data = self.data[self.at :] + piece
        self.at = 0
        return bool(piece)

    def advance(self, place: int) -> None:
        """Go on to a place in `data`."""
        self.line += self.data.count("\n", self.at, place)
        self.at = place

    def next_line(self) -> str:
        """Return the rest of the line with its end, and go behind it; empty at the end of the file.

        Raises:
            UnreadableError: it is longer than any record, or encoded in another way.
        """
        searched = self.at
        while not (end := self.data.find("\n", searched) + 1):
            kept = len(self.data) - self.at
            if kept > LONGEST_RECORD:
                raise UnreadableError(f"The line has more than {LONGEST_RECORD} characters.", self.line)
            if not self.more():
                end = len(self.data)
                break
            searched = kept
        found = self.data[self.at : end]
        self.advance(end)
        return found

    def lines(self) -> Iterator[str]:
        """Yield all lines that are left, with their ends.

        Raises:
            UnreadableError: as `next_line`.
        """
        while line := self.next_line():
            yield line

    def _undecoded(self) -> UnreadableError:
        return UnreadableError(f"The file is not encoded as {self._encoding}. Save it so, and send it again.")
