"""Unzips while the bytes come in: nothing is kept but a window of the stream and the archive's directory.

A zip names its members twice, before each one's data and again in the directory at the end. Both have to agree;
an archive that was cut before its directory, or tells two stories, is refused.
"""

import io
import re
import stat
import zipfile
from collections import deque
from collections.abc import Buffer, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from shared.domain.errors import Code, PackageError
from shared.pipeline.unzip import BrokenError, LockedError, UnstreamableError, entries

MEMBER_LIMIT_COUNT = 1000
"""Far more files than any LMS exports."""

RATIO_LIMIT = 200
"""How many times its own size an archive may unpack to. Deflate reaches 1032, with one byte repeated for ever; rows
of a thousand bytes that differ in nothing but a running number come to 183."""
RATIO_FREE_BYTES = 64 * 1024 * 1024
"""What may come out before anybody asks for the ratio; it is read in a moment."""

TAIL_BYTES = 4 * 1024 * 1024
"""How much of the end is kept for the directory; with it, how much larger than its content an archive may be."""

_BEGINNINGS = (b"PK\x03\x04", b"PK\x05\x06")
_UNSAFE_NAME = re.compile(r"^$|^/|^[A-Za-z]:|\\|(^|/)\.\.(/|$)|[\x00-\x1f\x7f]")
_UTF8_NAME = 0x800


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive; its content can be read once, before the next one is asked for."""

    name: str
    """As stored; names that are not UTF-8 are read as code page 437, as zip has it."""
    _content: Iterator[bytes] = field(repr=False)

    def chunks(self) -> Iterator[bytes]:
        """Yield the content; raises like `members`, at the end when a checksum or size is wrong."""
        return self._content


def members(chunks: Iterable[bytes], *, unpacked_limit_bytes: int) -> Iterator[Member]:
    """Yield the files of a zip archive in their order, without the folders.

    What is left unread of a member is skipped. Ends only after the chunks have ended, and nothing of the archive
    may be trusted before. The limit is for the sum of all members, inclusive.

    Raises:
        PackageError: `NOT_A_ZIP`, `PACKAGE_DAMAGED`, `ARCHIVE_UNSAFE`, `ARCHIVE_UNSTREAMABLE` or
            `UNPACKED_SIZE_EXCEEDED`; and whatever the chunks raise.
    """
    tail = _Tail(chunks, unpacked_limit_bytes + TAIL_BYTES)
    meter = _Meter(tail, unpacked_limit_bytes)
    found: list[tuple[bytes, int]] = []
    with _speaking_of_zips(tail):
        for entry in entries(tail):
            name = _safe_name(entry.raw_name, len(found))
            before = meter.bytes
            counted = meter.count(entry.content)
            if not name.endswith("/"):
                yield Member(name, counted)
            for _ in counted:
                pass
            found.append((entry.raw_name, meter.bytes - before))
    _check_directory(tail, found)


class _Meter:
    """Counts what comes out of all members, and compares it with what went in."""

    def __init__(self, tail: "_Tail", limit_bytes: int) -> None:
        self.bytes = 0
        self._tail = tail
        self._limit_bytes = limit_bytes

    def count(self, content: Iterable[bytes]) -> Iterator[bytes]:
        with _speaking_of_zips(self._tail):
            for chunk in content:
                self.bytes += len(chunk)
                if self.bytes > self._limit_bytes:
                    raise _too_large(self._limit_bytes)
                if self.bytes > max(RATIO_FREE_BYTES, RATIO_LIMIT * self._tail.size_bytes):
                    raise _unsafe(f"files that unpack to more than {RATIO_LIMIT} times its size, as no text does")
                yield chunk


class _Tail(io.RawIOBase):
    """Hands the chunks on and keeps the last of them, as the end of a file that can be read at any place."""

    def __init__(self, chunks: Iterable[bytes], limit_bytes: int) -> None:
        self.beginning = b""
        self._chunks = iter(chunks)
        self._limit_bytes = limit_bytes
        self._kept: deque[bytes] = deque()
        self._kept_bytes = 0
        self.size_bytes = 0
        self._position = 0
        self._content = b""

    def __iter__(self) -> "_Tail":
        return self

    def __next__(self) -> bytes:
        chunk = next(self._chunks)
        if len(self.beginning) < len(_BEGINNINGS[0]):
            self.beginning = (self.beginning + chunk[:4])[:4]
        self.size_bytes += len(chunk)
        if self.size_bytes > self._limit_bytes:
            raise _too_large(self._limit_bytes - TAIL_BYTES)
        self._kept.append(chunk)
        self._kept_bytes += len(chunk)
        while self._kept_bytes - len(self._kept[0]) >= TAIL_BYTES:
            self._kept_bytes -= len(self._kept.popleft())
        return chunk

    def rest(self) -> "_Tail":
        """Read to the end, for the verdict that whoever makes the chunks gives there; then it can be searched."""
        for _ in self:
            pass
        self._content = b"".join(self._kept)
        self._kept.clear()
        return self

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._position = (0, self._position, self.size_bytes)[whence] + offset
        if self._position < 0:
            raise OSError("before the beginning")
        return self._position

    def readinto(self, buffer: Buffer, /) -> int:
        start = self._position - (self.size_bytes - len(self._content))
        if start < 0:
            raise zipfile.BadZipFile("the directory is too large")
        view = memoryview(buffer)
        piece = self._content[start : start + len(view)]
        view[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)


def _safe_name(raw_name: bytes, before_count: int) -> str:
    try:
        name = raw_name.decode()
    except UnicodeDecodeError:
        name = raw_name.decode("cp437")
    if _UNSAFE_NAME.search(name):
        raise _unsafe("a file name that points outside the archive")
    if before_count >= MEMBER_LIMIT_COUNT:
        raise _unsafe(f"more than {MEMBER_LIMIT_COUNT} files")
    return name


def _check_directory(tail: _Tail, found: list[tuple[bytes, int]]) -> None:
    try:
        with zipfile.ZipFile(tail.rest()) as archive:
            entries = sorted(archive.infolist(), key=lambda entry: entry.header_offset)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, ValueError, OSError, NotImplementedError):
        raise _damaged("its directory is missing or cannot be read") from None
    for entry in entries:
        mode = entry.external_attr >> 16
        if stat.S_IFMT(mode) not in {0, stat.S_IFREG, stat.S_IFDIR}:
            raise _unsafe("a link or another special file")
    if [(_raw_name(entry), entry.file_size) for entry in entries] != found:
        raise _damaged("its directory does not agree with its content")


def _raw_name(entry: zipfile.ZipInfo) -> bytes:
    return entry.orig_filename.encode("utf-8" if entry.flag_bits & _UTF8_NAME else "cp437")


@contextmanager
def _speaking_of_zips(tail: _Tail) -> Iterator[None]:
    """Turn what the format's reader raises into our errors.

    Before that the stream is read to its end: should the package turn out to be altered, that is the better reason.
    """
    try:
        yield
    except LockedError:
        raise _unsafe("an encrypted file") from None
    except UnstreamableError:
        raise _unstreamable() from None
    except BrokenError:
        tail.rest()
        if tail.beginning not in _BEGINNINGS:
            raise PackageError("The decrypted package is not a zip archive.", Code.NOT_A_ZIP) from None
        raise _damaged("it is cut off or its checksums are wrong") from None


def _damaged(reason: str) -> PackageError:
    return PackageError(
        f"The archive in the package is damaged: {reason}. It has to be delivered again.",
        Code.PACKAGE_DAMAGED,
    )


def _unsafe(reason: str) -> PackageError:
    return PackageError(
        f"The archive in the package holds {reason}. Find out where it comes from before another one is made.",
        Code.ARCHIVE_UNSAFE,
    )


def _unstreamable() -> PackageError:
    return PackageError(
        "The archive in the package is packed in a way that cannot be read as a stream "
        "(stored without its size, or an unusual compression); deflate is expected.",
        Code.ARCHIVE_UNSTREAMABLE,
    )


def _too_large(limit_bytes: int) -> PackageError:
    return PackageError(
        f"The unpacked files are larger than the limit of {limit_bytes} bytes (unpacked_limit_bytes).",
        Code.UNPACKED_SIZE_EXCEEDED,
    )
