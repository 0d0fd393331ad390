"""From the bytes of a delimited text file to segments of whole records that the engine can read.

Segments keep memory constant: a file of any size passes as pieces of a few megabytes, cut at the ends of records.
Whatever a segment's dialect was, afterwards its records end in a newline and its text is UTF-8.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from shared.domain.errors import Code, PackageError
from shared.pipeline.header import MARK, Header
from shared.pipeline.stray_quotes import STRAY_QUOTE, STRAY_RECORD_BYTES, read_record
from shared.pipeline.unify import as_utf_8, ends_in_carriage_returns, utf_16_of, with_newlines

SEGMENT_BYTES = 20 * 1024 * 1024
LONGEST_RECORD_SEGMENTS = 4
LONGEST_HEADER_BYTES = 128 * 1024
"""Many times the longest; what is longer has no end of a record that we know. The csv module takes no longer field."""

INNER_NEWLINE = "\x1e"
"""Stands for a newline inside a record whose end is marked."""
NUL = "\uffff"
"""Stands for a NUL character, which no text may hold; no text holds this either, for it is no character."""

_BLANK_BYTES = 1024
"""Looked at first, to see whether there is anything else."""

_MARK_AND_NEWLINE = re.compile(rb"!##!(?:\r\n|\n)?")
_NEWLINE_FIRST = re.compile(rb"!##!(?:\r\n|\n)[\r\n]")


class NotUtf8Error(Exception):
    """A file turned out not to be UTF-8 after some of it was read as such: read it again as Windows-1252."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Whole records of one file."""

    data: memoryview
    first_line: int
    """Physical line of the file on which the first record starts; the header's is 1."""
    suspicious: bool
    """Whether quotes stand where RFC 4180 has none, so that only a slow, forgiving reading is safe."""
    has_nul: bool
    has_tabs: bool
    newlines: int
    """Number of newlines in `data`."""
    has_marks: bool
    """Whether newlines inside records have been replaced."""
    lines: tuple[int, ...] = ()
    """Lines of all records, where they cannot be told from what is left of the newlines."""

    def __len__(self) -> int:
        """Return the number of bytes."""
        return len(self.data)


@dataclass(slots=True)
class TextFile:
    """One delimited text file, read once from its chunks."""

    chunks: Iterator[bytes]
    windows_1252: bool = False
    utf_16: bool = False
    """Set by `open`."""
    segment_bytes: int = SEGMENT_BYTES
    """Segments are about that large."""
    header: Header | None = None
    """Set by `open`; `None` for a file without any text."""
    _buffer: bytes = b""
    _line: int = 1
    _only_ascii: bool = True
    _strays: bool | None = None
    """Whether stray quotes were found around the segment; `None` when nobody has looked."""
    _is_open: bool | None = None
    """Whether the segment ends inside quotes; `None` when nobody has counted them."""

    def open(self) -> Header | None:
        """Read the header, and return it; `None` when the file is empty.

        Raises:
            PackageError: there is no end to it.
        """
        self._fill(2)
        if codec := utf_16_of(self._buffer):
            self.utf_16 = True
            self.chunks, self._buffer = as_utf_8(chain([self._buffer], self.chunks), codec), b""
        raw = self._first_record().removeprefix(codecs.BOM_UTF8)
        while not raw.strip() and (self._buffer or self._fill(1)):
            self._line += raw.count(b"\n")
            raw = self._first_record()
        if not raw.strip():
            return None
        self.header = Header.of(raw, self._line)
        self._line += raw.count(b"\n")
        return self.header

    def _first_record(self) -> bytes:
        """Take the first record that is left, with its end."""
        while not (end := self._header_end()) and len(self._buffer) <= LONGEST_HEADER_BYTES:
            if not self._fill(len(self._buffer) + 1):
                break
        if end <= LONGEST_HEADER_BYTES and ends_in_carriage_returns(self._buffer[: end or len(self._buffer)]):
            self.chunks, self._buffer = with_newlines(self.chunks), self._buffer.replace(b"\r", b"\n")
            end = self._header_end()
        if (end or len(self._buffer)) > LONGEST_HEADER_BYTES:
            raise PackageError(
                f"The header of a file is longer than {LONGEST_HEADER_BYTES} bytes; is the record end "
                "a newline or !##!? Have the package made again.",
                Code.PACKAGE_DAMAGED,
            )
        raw = self._buffer[: end or len(self._buffer)]
        self._buffer = self._buffer[len(raw) :]
        return raw

    def segments(self) -> Iterator[Segment]:
        """Yield the records behind the header.

        Raises:
            NotUtf8Error: see there; `windows_1252` reads any file.
            PackageError: a record is longer than four segments.
        """
        longest_bytes = LONGEST_RECORD_SEGMENTS * self.segment_bytes
        wanted_bytes = self.segment_bytes
        more = True
        while more or self._buffer:
            more = more and self._fill(wanted_bytes)
            self._strays = self._is_open = None
            end = self._cut() if more else len(self._buffer)
            if not end and more and wanted_bytes < longest_bytes:
                wanted_bytes += self.segment_bytes
                continue
            if not end and self._buffer:
                raise PackageError(
                    f"A record is longer than {longest_bytes} bytes; is the record end "
                    "a newline or !##!? Have the package made again.",
                    Code.PACKAGE_DAMAGED,
                )
            wanted_bytes = self.segment_bytes
            whole, self._buffer = self._buffer, self._buffer[end:]
            newlines = whole.count(b"\n", 0, end)
            if not _is_blank(whole, end):
                yield self._segment(whole, end, newlines)
            self._line += newlines

    def _fill(self, wanted_bytes: int) -> bool:
        """Read on until so many bytes are at hand; false when the file has ended before."""
        chunks, at_hand = [self._buffer], len(self._buffer)
        while at_hand < wanted_bytes and (chunk := next(self.chunks, None)) is not None:
            chunks.append(chunk)
            at_hand += len(chunk)
        self._buffer = b"".join(chunks)
        return at_hand >= wanted_bytes

    def _header_end(self) -> int:
        """Length of the header record, or 0 when more is needed to tell."""
        mark, newline = self._buffer.find(MARK), self._buffer.find(b"\n")
        if mark >= 0 and (newline < 0 or mark < newline):
            end = mark + len(MARK)
            if len(self._buffer) < end + 2:
                return 0
            return end + (2 if self._buffer[end : end + 2] == b"\r\n" else self._buffer[end : end + 1] == b"\n")
        return newline + 1

    def _cut(self) -> int:
        """Length of the longest prefix of whole records; 0 when there is none."""
        if self.header is None:
            raise ValueError("open the file first")
        if self.header.marked:
            return self._buffer.rfind(MARK) + len(MARK) if MARK in self._buffer else 0
        end = self._buffer.rfind(b"\n") + 1
        if b'"' not in self._buffer:
            self._strays = False
            return end
        # What was searched is the segment and a bit more, which need not be searched again.
        self._strays = STRAY_QUOTE.search(self._buffer, 0, end) is not None
        if self._strays:
            return self._cut_beside_strays(end)
        last = end
        inside = self._buffer.count(b'"', 0, end) & 1
        while inside and end > 0:
            previous = self._buffer.rfind(b"\n", 0, end - 1) + 1
            inside ^= self._buffer.count(b'"', previous, end) & 1
            end = previous
        if end:
            self._is_open = False
        return end or self._give_up(last)

    def _give_up(self, end: int) -> int:
        """Wait before `end` is believed to end a record, unless a quote is left open: `repair` sees to that."""
        longest_bytes = min(STRAY_RECORD_BYTES, LONGEST_RECORD_SEGMENTS * self.segment_bytes)
        return end if len(self._buffer) >= longest_bytes else 0

    def _cut_beside_strays(self, end: int) -> int:
        """Cut where quotes do not tell what they enclose: before the record that the rest may belong to."""
        data = self._buffer[:end]
        lines = data.decode("utf-8", errors="replace").split("\n")[:-1]
        raw_lines = data.split(b"\n")[:-1]
        delimiter = self.header.delimiter if self.header else ","
        position = read = 0
        while position < len(lines):
            record, after, reached_end = read_record(lines, position, delimiter)
            if reached_end:
                break
            after = position + 1 if record is None else after
            read += sum(len(each) + 1 for each in raw_lines[position:after])
            position = after
        return read or self._give_up(end)

    def _segment(self, raw: bytes, end: int, newlines: int) -> Segment:
        """Make a segment of the bytes before `end`; where nothing has to be changed in them, none is copied."""
        header = self.header
        if header is None:
            raise ValueError("open the file first")
        if header.marked or not raw.isascii():
            raw = self._to_utf8(raw[:end])
            end = len(raw)
        line = self._line
        lines: tuple[int, ...] = ()
        if header.marked:
            records = raw.lstrip(b"\r\n")
            line += raw.count(b"\n", 0, len(raw) - len(records))
            if _NEWLINE_FIRST.search(records) or (not header.line_per_record and MARK + b"\n" in records):
                lines = tuple(_lines(records, line))
            raw = records.replace(INNER_NEWLINE.encode(), b" ")
            raw = _MARK_AND_NEWLINE.sub(MARK, raw)
            raw = raw.replace(b"\r\n", b"\n").replace(b"\n", INNER_NEWLINE.encode()).replace(MARK, b"\n")
            end = len(raw)
            newlines = raw.count(b"\n")
        has_nul = raw.find(b"\0", 0, end) >= 0
        if has_nul or raw.find(b"\r", 0, end) >= 0:
            raw = raw[:end].replace(b"\r\n", b"\n").replace(b"\r", b" ").replace(b"\0", NUL.encode())
            end = len(raw)
        if not raw.endswith(b"\n", 0, end):
            raw = raw[:end] + b"\n"
            end = len(raw)
            newlines += 1
        suspicious = raw.find(b'"', 0, end) >= 0 and (
            (STRAY_QUOTE.search(raw, 0, end) is not None if self._strays is None else self._strays)
            or (raw.count(b'"', 0, end) & 1 == 1 if self._is_open is None else self._is_open)
        )
        return Segment(
            memoryview(raw)[:end],
            line,
            suspicious,
            has_nul,
            raw.find(b"\t", 0, end) >= 0,
            newlines,
            has_marks=header.marked and INNER_NEWLINE.encode() in raw,
            lines=lines,
        )

    def _to_utf8(self, raw: bytes) -> bytes:
        if raw.isascii():
            return raw
        if not self.windows_1252:
            if _is_utf8(raw):
                self._only_ascii = False
                return raw
            if not self._only_ascii:
                raise NotUtf8Error
            self.windows_1252 = True
        return raw.decode("cp1252", errors="replace").encode()


def _lines(records: bytes, line: int) -> Iterator[int]:
    """Yield the line on which every marked record starts, the newline behind a mark being the mark's."""
    position = 0
    for end in _MARK_AND_NEWLINE.finditer(records):
        yield line
        line += records.count(b"\n", position, end.end())
        position = end.end()
    yield line


def _is_blank(raw: bytes, end: int) -> bool:
    """Tell whether nothing but blanks and newlines stands before `end`, mostly from the first of it."""
    return raw[: min(end, _BLANK_BYTES)].strip() == b"" and raw[:end].strip() == b""


def _is_utf8(raw: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(raw), 1 << 20):
            decoder.decode(raw[start : start + (1 << 20)])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
