"""From the bytes of a delimited text file to segments of whole records that the engine can read.

Segments keep memory constant: a file of any size passes as pieces of a few megabytes, cut at the ends of records.
Whatever a segment's dialect was, afterwards its records end in a newline and its text is UTF-8.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.domain.errors import Code, PackageError

SEGMENT_BYTES = 16 * 1024 * 1024
LONGEST_RECORD_SEGMENTS = 4
LONGEST_HEADER_BYTES = 128 * 1024
"""Many times the longest; what is longer has no end of a record that we know. The csv module takes no longer field."""

MARK = b"!##!"
"""The record end of SuccessFactors' own connector files."""
INNER_NEWLINE = "\x1e"
"""Stands for a newline inside a record whose end is marked."""
NUL = "\ue000"
"""Stands for a NUL character, which no text may hold."""

_DELIMITERS = (b",", b"|", b"\t")
# Found from the quote, which is rare, and not from the character before it, which is any.
_STRAY_QUOTE = re.compile(rb'"(?<=[^",|\t\r\n]")[^",|\t\r\n!]')


class NotUtf8Error(Exception):
    """A file turned out not to be UTF-8 after some of it was read as such: read it again as Windows-1252."""


@dataclass(frozen=True, slots=True)
class Header:
    """The first record of a file and what it tells of the dialect."""

    columns: tuple[str, ...]
    delimiter: str
    marked: bool
    """Whether records end in `!##!`."""
    line_per_record: bool
    """Whether a newline follows the end of every record."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Whole records of one file."""

    data: bytes
    first_line: int
    """Physical line of the file on which the first record starts; the header's is 1."""
    suspicious: bool
    """Whether quotes stand where RFC 4180 has none, so that only a slow, forgiving reading is safe."""
    has_nul: bool


@dataclass(slots=True)
class TextFile:
    """One delimited text file, read once from its chunks."""

    chunks: Iterator[bytes]
    windows_1252: bool = False
    segment_bytes: int = SEGMENT_BYTES
    """Segments are about that large."""
    header: Header | None = None
    """Set by `open`; `None` for a file without any text."""
    _buffer: bytearray = field(default_factory=bytearray)
    _line: int = 1
    _only_ascii: bool = True

    def open(self) -> Header | None:
        """Read the header, and return it; `None` when the file is empty.

        Raises:
            PackageError: there is no end to it.
        """
        while not (end := self._header_end()) and len(self._buffer) <= LONGEST_HEADER_BYTES and self._more():
            pass
        if (end or len(self._buffer)) > LONGEST_HEADER_BYTES:
            raise PackageError(
                f"The header of a file is longer than {LONGEST_HEADER_BYTES} bytes; is the record end "
                "a newline or !##!? Have the package made again.",
                Code.PACKAGE_DAMAGED,
            )
        raw = bytes(self._buffer[:end] if end else self._buffer)
        del self._buffer[: len(raw)]
        raw = raw.removeprefix(codecs.BOM_UTF8)
        if not raw.strip():
            return None
        text = raw.decode("utf-8", errors="replace")
        marked = MARK.decode() in text
        self.header = _read_header(text, marked=marked, line_per_record=raw.endswith(b"\n"))
        self._line += raw.count(b"\n")
        return self.header

    def segments(self) -> Iterator[Segment]:
        """Yield the records behind the header.

        Raises:
            NotUtf8Error: see there; `windows_1252` reads any file.
            PackageError: a record is longer than four segments.
        """
        more = True
        while more:
            while more and len(self._buffer) < self.segment_bytes:
                more = self._more()
            end = self._cut() if more else len(self._buffer)
            if not end:
                longest_bytes = LONGEST_RECORD_SEGMENTS * self.segment_bytes
                if more and len(self._buffer) < longest_bytes:
                    more = self._more()
                    continue
                if not self._buffer:
                    return
                raise PackageError(
                    f"A record is longer than {longest_bytes} bytes; is the record end "
                    "a newline or !##!? Have the package made again.",
                    Code.PACKAGE_DAMAGED,
                )
            raw = bytes(memoryview(self._buffer)[:end])
            del self._buffer[:end]
            if raw.strip():
                yield self._segment(raw)
            self._line += raw.count(b"\n")

    def _more(self) -> bool:
        chunk = next(self.chunks, None)
        if chunk is None:
            return False
        self._buffer += chunk
        return True

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
        if self.header is not None and self.header.marked:
            return self._buffer.rfind(MARK) + len(MARK) if MARK in self._buffer else 0
        end = self._buffer.rfind(b"\n")
        if end < 0:
            return 0
        last = end
        inside = self._buffer.count(b'"', 0, end) & 1
        while inside and end >= 0:
            previous = self._buffer.rfind(b"\n", 0, end)
            inside ^= self._buffer.count(b'"', max(previous, 0), end) & 1
            end = previous
        # No newline lies outside quotes: a quote is left open, and the forgiving reading will sort it out.
        return (end if end >= 0 else last) + 1

    def _segment(self, raw: bytes) -> Segment:
        header = self.header
        if header is None:
            raise ValueError("open the file first")
        raw = self._to_utf8(raw)
        line = self._line
        if header.marked:
            records = raw.lstrip(b"\r\n")
            line += raw.count(b"\n", 0, len(raw) - len(records))
            raw = records.replace(INNER_NEWLINE.encode(), b" ")
            raw = raw.replace(MARK + b"\r\n", MARK).replace(MARK + b"\n", MARK)
            raw = raw.replace(b"\r\n", b"\n").replace(b"\n", INNER_NEWLINE.encode()).replace(MARK, b"\n")
        elif b"\r" in raw:
            raw = raw.replace(b"\r\n", b"\n")
        if b"\r" in raw:
            raw = raw.replace(b"\r", b" ")
        has_nul = b"\0" in raw
        if has_nul:
            raw = raw.replace(b"\0", NUL.encode())
        if not raw.endswith(b"\n"):
            raw += b"\n"
        suspicious = raw.count(b'"') & 1 == 1 or _STRAY_QUOTE.search(raw) is not None
        return Segment(raw, line, suspicious, has_nul)

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


def _is_utf8(raw: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(raw), 1 << 20):
            decoder.decode(raw[start : start + (1 << 20)])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _read_header(text: str, *, marked: bool, line_per_record: bool) -> Header:
    text = text.replace(MARK.decode(), "").strip("\r\n").replace("\r", " ")
    delimiter = max((d.decode() for d in _DELIMITERS), key=text.count)
    columns = next(csv.reader(io.StringIO(text), delimiter=delimiter), [])
    return Header(tuple(column.strip().upper() for column in columns), delimiter, marked, line_per_record)


@dataclass(frozen=True, slots=True)
class Repaired:
    """A segment read record by record, because the fast reading refused it."""

    data: bytes
    """Good records, every field quoted, with the line they start on as a further field."""
    malformed_lines: tuple[int, ...]


def repair(segment: Segment, header: Header) -> Repaired:
    """Read a damaged segment record by record, so that a malformed one costs nothing but itself.

    A record with too few or too many fields, or whose quotes do not close, is malformed, and reading goes on in
    the line after the one it started on. This is the only place that looks at rows one by one; only segments
    that hold such a record come here.
    """
    csv.field_size_limit(LONGEST_RECORD_SEGMENTS * SEGMENT_BYTES)
    lines = segment.data.decode().split("\n")[:-1]
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    malformed: list[int] = []
    inner_newline = INNER_NEWLINE if header.marked else "\n"
    position = 0
    skipped = 0
    """Newlines that stand inside records whose end is marked, up to here."""
    while position < len(lines):
        start = position
        record, position = _record(lines, start, header.delimiter)
        line = segment.first_line + (start if header.line_per_record or not header.marked else 0) + skipped
        skipped += sum(each.count(inner_newline) for each in lines[start:position])
        if record is None or len(record) != len(header.columns):
            if record != []:
                malformed.append(line)
                skipped -= sum(each.count(inner_newline) for each in lines[start + 1 : position])
                position = start + 1
            continue
        writer.writerow([*record, line])
    return Repaired(out.getvalue().encode(), tuple(malformed))


def _record(lines: list[str], start: int, delimiter: str) -> tuple[list[str] | None, int]:
    """Read the record that starts on a line; `None` when it is malformed; and where the next one starts."""
    end = start
    source = (lines[index] + "\n" for index in range(start, len(lines)))
    reader = csv.reader(source, delimiter=delimiter, strict=True)
    try:
        record = next(reader)
    except csv.Error:
        return None, start + 1
    except StopIteration:
        return [], start + 1
    end += reader.line_num
    return record, end
