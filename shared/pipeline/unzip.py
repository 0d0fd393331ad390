"""The zip format, read from its beginning while the bytes come in, and every member checked as it passes.

Knows the format alone: what may be in an archive is for others to say. A member's size and checksum stand before
its data or behind it; data of unknown length has to say itself where it ends, as deflate does.
"""

import struct
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, cast

try:
    from isal import isal_zlib as zlib
except ImportError:  # no wheel for this machine; the standard library's is the same, at a third of the speed
    import zlib  # type: ignore[no-redef]

PIECE_BYTES = 256 * 1024
"""How much is inflated at once; small enough that nobody minds when most of it comes back."""
CONTENT_BYTES = 1024 * 1024
"""The largest piece of content that comes out."""

_MEMBER, _DIRECTORY, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_HEADER = struct.Struct("<2xHH4xIIIHH")  # flags, method, checksum, packed size, size, lengths of name and extra
_STORED, _DEFLATED = 0, 8
_LOCKED = 1 << 0 | 1 << 6 | 1 << 13  # flags: encrypted, strongly, headers and all
_PATCHED = 1 << 4 | 1 << 5
_SIZES_BEHIND = 1 << 3
_IN_EXTRA = 0xFFFFFFFF  # both sizes stand in the extra field with this id, in 64 bits
_EXTRA_ZIP64 = 1
_LONG_SIZES = struct.Struct("<QQ")  # unpacked and packed
_DESCRIPTORS_64 = (struct.Struct("<4sIQQ"), struct.Struct("<0sIQQ"))
_DESCRIPTORS = (*_DESCRIPTORS_64, struct.Struct("<4sIII"), struct.Struct("<0sIII"))
_LONGEST_DESCRIPTOR_BYTES = _DESCRIPTORS_64[0].size
_DESCRIPTOR = b"PK\x07\x08"

_InflateError = cast("type[Exception]", zlib.error)


class LockedError(Exception):
    """A member is encrypted."""


class UnstreamableError(Exception):
    """A member cannot be read in passing: an unusual compression, or stored without its size."""


class BrokenError(Exception):
    """What comes is no zip archive, or not as its own headers say."""


class Numbers(NamedTuple):
    """What a zip says of a member, and what is counted."""

    checksum: int
    packed_bytes: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One member; its content has to be read to its end before the next one is asked for."""

    raw_name: bytes
    content: Iterator[bytes] = field(repr=False)


def entries(chunks: Iterable[bytes]) -> Iterator[Entry]:
    """Yield the members in their order, up to the directory; what follows is left in the chunks.

    Raises:
        LockedError, UnstreamableError: of a member, before it is yielded.
        BrokenError: also while content is read, at its end when a checksum or size is wrong.
    """
    source = _Source(chunks)
    while (signature := source.take(4)) == _MEMBER:
        yield _read_entry(source)
    if signature not in (_DIRECTORY, _END):
        raise BrokenError


class _Source:
    """The stream. What was taken can be given back, and nothing is moved but where a chunk ends."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.position = 0
        self._chunks = iter(chunks)
        self._chunk = b""
        self._at = 0

    def take_some(self, limit_bytes: int) -> bytes:
        """Take what there is, up to the limit; at least a byte."""
        while self._at == len(self._chunk):
            self._chunk, self._at = self._next(), 0
        piece = self._chunk[self._at : self._at + limit_bytes]
        self._at += len(piece)
        self.position += len(piece)
        return piece

    def take(self, count: int) -> bytes:
        """Take exactly so many bytes."""
        parts = []
        while count:
            parts.append(self.take_some(count))
            count -= len(parts[-1])
        return b"".join(parts)

    def give_back(self, last: bytes) -> None:
        """Put back the bytes that were taken last."""
        missing = len(last) - self._at
        if missing > 0:  # they began in an earlier chunk
            self._chunk = last[:missing] + self._chunk
            self._at += missing
        self._at -= len(last)
        self.position -= len(last)

    def _next(self) -> bytes:
        for chunk in self._chunks:
            return chunk
        raise BrokenError  # it was cut off


def _read_entry(source: _Source) -> Entry:
    flags, method, checksum, packed_bytes, size_bytes, name_bytes, extra_bytes = _HEADER.unpack(
        source.take(_HEADER.size)
    )
    if flags & _LOCKED:
        raise LockedError
    if flags & _PATCHED or method not in (_STORED, _DEFLATED):
        raise UnstreamableError
    raw_name, extra = source.take(name_bytes), source.take(extra_bytes)
    long_sizes = _long_sizes(extra) if packed_bytes == size_bytes == _IN_EXTRA else None
    if long_sizes is not None:
        size_bytes, packed_bytes = long_sizes
    if method == _STORED and flags & _SIZES_BEHIND and not packed_bytes:
        raise UnstreamableError
    content = _inflated(source) if method == _DEFLATED else _stored(source, size_bytes)
    if flags & _SIZES_BEHIND:
        descriptors = _DESCRIPTORS if long_sizes is None else _DESCRIPTORS_64
        return Entry(raw_name, _checked_behind(source, content, descriptors))
    return Entry(raw_name, _checked(source, content, Numbers(checksum, packed_bytes, size_bytes)))


def _long_sizes(extra: bytes) -> tuple[int, int] | None:  # unpacked and packed
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        at += 4
        if kind == _EXTRA_ZIP64:
            if min(length, len(extra) - at) < _LONG_SIZES.size:
                raise BrokenError
            size_bytes, packed_bytes = _LONG_SIZES.unpack_from(extra, at)
            return size_bytes, packed_bytes
        at += length
    return None


def _stored(source: _Source, size_bytes: int) -> Iterator[bytes]:
    while size_bytes:
        piece = source.take_some(min(size_bytes, CONTENT_BYTES))
        size_bytes -= len(piece)
        yield piece


def _inflated(source: _Source) -> Iterator[bytes]:
    inflater = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    while not inflater.eof:
        piece = source.take_some(PIECE_BYTES)
        try:
            content = inflater.decompress(piece, CONTENT_BYTES)
        except _InflateError:
            raise BrokenError from None
        source.give_back(inflater.unused_data if inflater.eof else inflater.unconsumed_tail)
        if content:
            yield content


def _counted(source: _Source, content: Iterator[bytes]) -> Generator[bytes, None, Numbers]:
    before = source.position
    checksum = size_bytes = 0
    for piece in content:
        checksum = zlib.crc32(piece, checksum)
        size_bytes += len(piece)
        yield piece
    return Numbers(checksum, source.position - before, size_bytes)


def _checked(source: _Source, content: Iterator[bytes], told: Numbers) -> Iterator[bytes]:
    if (yield from _counted(source, content)) != told:
        raise BrokenError


def _checked_behind(source: _Source, content: Iterator[bytes], descriptors: Iterable[struct.Struct]) -> Iterator[bytes]:
    """Look for what was counted in any of the shapes that it may have, the longest first.

    None of them says which it is. What comes next has to look as it should, too.
    """
    counted = yield from _counted(source, content)
    behind = source.take(_LONGEST_DESCRIPTOR_BYTES + len(_MEMBER))
    for descriptor in descriptors:
        signature, *told = descriptor.unpack_from(behind)
        following = behind[descriptor.size : descriptor.size + len(_MEMBER)]
        if signature in (_DESCRIPTOR, b"") and counted == tuple(told) and following in (_MEMBER, _DIRECTORY):
            source.give_back(behind[descriptor.size :])
            return
    raise BrokenError
