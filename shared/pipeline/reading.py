"""From the bytes of a delimited text file to segments of whole records that the engine can read.

Segments keep memory constant: a file of any size passes as pieces of a few megabytes, cut at the ends of records.
Whatever a segment's dialect was, afterwards its records end in a newline and its text is UTF-8.
"""

import codecs
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from shared.domain.errors import Code, PackageError
from shared.pipeline.buffer import Buffer
from shared.pipeline.header import MARK, Header
from shared.pipeline.marks import INNER_NEWLINE, without_marks
from shared.pipeline.memory_file import MemoryFile
from shared.pipeline.stray_quotes import STRAY_QUOTE, STRAY_RECORD_BYTES, read_record
from shared.pipeline.unify import as_utf_8, ends_in_carriage_returns, is_utf_8, utf_16_of, with_newlines

SEGMENT_BYTES = 20 * 1024 * 1024
LONGEST_RECORD_SEGMENTS = 4
LONGEST_HEADER_BYTES = 128 * 1024
"""Many times the longest; what is longer has no end of a record that we know. The csv module takes no longer field."""

NUL = "\uffff"
"""Stands for a NUL character, which no text may hold; no text holds this either, for it is no character."""

_SPARE_BUFFERS = 2
"""As many as are used again: a segment is unpacked, and some small ones may be waiting to be read."""


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
    _buffer: Buffer = field(default_factory=Buffer)
    _spare: deque[bytearray] = field(default_factory=lambda: deque(maxlen=_SPARE_BUFFERS))
    """Memory that nobody uses any more (see `move`)."""
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
        start = self._buffer.behind(0)
        if codec := utf_16_of(start):
            self.utf_16 = True
            self.chunks = as_utf_8(chain([start], self.chunks), codec)
            self._begin(b"")
        raw = self._first_record().removeprefix(codecs.BOM_UTF8)
        while not raw.strip() and (self._buffer.size or self._fill(1)):
            self._line += raw.count(b"\n")
            raw = self._first_record()
        if not raw.strip():
            return None
        self.header = Header.of(raw, self._line)
        self._line += raw.count(b"\n")
        return self.header

    def _first_record(self) -> bytes:
        """Take the first record that is left, with its end."""
        while not (end := self._header_end()) and self._buffer.size <= LONGEST_HEADER_BYTES:
            if not self._fill(self._buffer.size + 1):
                break
        if end <= LONGEST_HEADER_BYTES and ends_in_carriage_returns(self._buffer.before(end or self._buffer.size)):
            self.chunks = with_newlines(self.chunks)
            self._begin(self._buffer.behind(0).replace(b"\r", b"\n"))
            end = self._header_end()
        end = end or self._buffer.size
        if end > LONGEST_HEADER_BYTES:
            raise PackageError(
                f"The header of a file is longer than {LONGEST_HEADER_BYTES} bytes; is the record end "
                "a newline or !##!? Have the package made again.",
                Code.PACKAGE_DAMAGED,
            )
        raw = self._buffer.before(end)
        self._begin(self._buffer.behind(end))
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
        while more or self._buffer.size:
            more = more and self._fill(wanted_bytes)
            self._strays = self._is_open = None
            end = self._cut() if more else self._buffer.size
            if not end and more and wanted_bytes < longest_bytes:
                wanted_bytes += self.segment_bytes
                continue
            if not end and self._buffer.size:
                raise PackageError(
                    f"A record is longer than {longest_bytes} bytes; is the record end "
                    "a newline or !##!? Have the package made again.",
                    Code.PACKAGE_DAMAGED,
                )
            wanted_bytes = self.segment_bytes
            rest = self._buffer.behind(end)
            newlines = self._buffer.newlines - rest.count(b"\n")
            segment = None if self._buffer.is_blank(end) else self._segment(end, newlines)
            if segment is None or segment.data.obj is not self._buffer.memory:
                self._spare.append(self._buffer.memory)
            if segment is not None:
                yield segment
            self._line += newlines
            self._begin(rest)

    def move(self, segment: Segment, target: MemoryFile) -> None:
        """Put a segment's text there; its `data` is gone then, for fresh memory costs as much as what comes into it."""
        target.hold(segment.data)
        if isinstance(memory := segment.data.obj, bytearray):
            self._spare.append(memory)
        segment.data.release()

    def _begin(self, data: bytes) -> None:
        """Go on in another buffer, with these bytes."""
        self._buffer = Buffer(self._spare.popleft()) if self._spare else Buffer()
        self._buffer.append(data)

    def _fill(self, wanted_bytes: int) -> bool:
        """Read on until so many bytes are at hand; false when the file has ended before."""
        while self._buffer.size < wanted_bytes and (chunk := next(self.chunks, None)) is not None:
            self._buffer.append(chunk)
        return self._buffer.size >= wanted_bytes

    def _header_end(self) -> int:
        """Length of the header record, or 0 when more is needed to tell."""
        mark, newline = self._buffer.find(MARK), self._buffer.find(b"\n")
        if mark >= 0 and (newline < 0 or mark < newline):
            end = mark + len(MARK)
            if self._buffer.size < end + 2:
                return 0
            behind = self._buffer.behind(end)
            return end + (2 if behind.startswith(b"\r\n") else behind.startswith(b"\n"))
        return newline + 1

    def _cut(self) -> int:
        """Length of the longest prefix of whole records; 0 when there is none."""
        if self.header is None:
            raise ValueError("open the file first")
        if self.header.marked:
            mark = self._buffer.rfind(MARK)
            return mark + len(MARK) if mark >= 0 else 0
        end = self._buffer.rfind(b"\n") + 1
        if not self._buffer.quotes:
            self._strays = False
            return end
        # What was searched is the segment and a bit more, which need not be searched again.
        self._strays = STRAY_QUOTE.search(self._buffer.memory, 0, end) is not None
        if self._strays:
            return self._cut_beside_strays(end)
        last = end
        inside = (self._buffer.quotes - self._buffer.behind(end).count(b'"')) & 1
        while inside and end > 0:
            previous = self._buffer.rfind(b"\n", end - 1) + 1
            inside ^= self._buffer.memory.count(b'"', previous, end) & 1
            end = previous
        if end:
            self._is_open = False
        return end or self._give_up(last)

    def _give_up(self, end: int) -> int:
        """Wait before `end` is believed to end a record, unless a quote is left open: `repair` sees to that."""
        longest_bytes = min(STRAY_RECORD_BYTES, LONGEST_RECORD_SEGMENTS * self.segment_bytes)
        return end if self._buffer.size >= longest_bytes else 0

    def _cut_beside_strays(self, end: int) -> int:
        """Cut where quotes do not tell what they enclose: before the record that the rest may belong to."""
        data = self._buffer.before(end)
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

    def _segment(self, end: int, newlines: int) -> Segment:
        """Make a segment of the bytes before `end`; where nothing has to be changed in them, none is copied."""
        raw: bytes | bytearray = self._buffer.memory
        header = self.header
        if header is None:
            raise ValueError("open the file first")
        if self._has_windows_1252(end):
            raw = self._buffer.before(end).decode("cp1252", errors="replace").encode()
            end = len(raw)
        line = self._line
        lines: tuple[int, ...] = ()
        if header.marked:
            raw, line, lines = without_marks(bytes(raw[:end]), header, line)
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

    def _has_windows_1252(self, end: int) -> bool:
        """Tell whether what stands before `end` has to be read as Windows-1252.

        Raises:
            NotUtf8Error: it has, and there was UTF-8 before.
        """
        if self._buffer.is_ascii or all(piece.isascii() for piece in self._buffer.pieces(end)):
            return False
        if not self.windows_1252:
            if is_utf_8(self._buffer.pieces(end)):
                self._only_ascii = False
                return False
            if not self._only_ascii:
                raise NotUtf8Error
            self.windows_1252 = True
        return True
