"""Archives of any size, made while they are read: the same rows over and over."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from isal import isal_zlib

MIB = 1024 * 1024
GIB = 1024 * MIB

ROWS = b"".join(
    b"%010d,COURSE,2026-11-01,%08x,Y\r\n" % (number, number * 2654435761 % 2**32) for number in range(27594)
)
BLOCK = ROWS[:MIB]


@dataclass(frozen=True)
class Large:
    """A member made of a repeated block; all of its numbers are written in 64 bits."""

    size_bytes: int
    deflated: bool = False
    """Then its sizes stand behind it."""
    block: bytes = BLOCK
    name: bytes = b"A.csv"

    def data(self) -> Iterator[bytes]:
        """Yield what is between its headers."""
        count, rest = divmod(self.size_bytes, len(self.block))
        for block, times in ((self.block, count), (self.block[:rest], 1)):
            piece = _deflated(block) if self.deflated else block
            yield from (piece for _ in range(times))
        if self.deflated:
            yield b"\x03\x00"  # an empty last block

    @property
    def packed_bytes(self) -> int:
        if not self.deflated:
            return self.size_bytes
        count, rest = divmod(self.size_bytes, len(self.block))
        return count * len(_deflated(self.block)) + len(_deflated(self.block[:rest])) + 2

    @property
    def method(self) -> tuple[int, int]:  # with the flags before it
        return (8, 8) if self.deflated else (0, 0)

    def local(self) -> bytes:
        numbers = (
            (0, 0, 0) if self.deflated else (_checksum(self.block, self.size_bytes), self.size_bytes, self.size_bytes)
        )
        extra = struct.pack("<HHQQ", 1, 16, *numbers[1:])
        header = struct.pack("<4sHHHHHIII", b"PK\x03\x04", 45, *self.method, 0, 33, numbers[0], *[2**32 - 1] * 2)
        return header + struct.pack("<HH", len(self.name), len(extra)) + self.name + extra

    def descriptor(self) -> bytes:
        if not self.deflated:
            return b""
        checksum = _checksum(self.block, self.size_bytes)
        return struct.pack("<4sIQQ", b"PK\x07\x08", checksum, self.packed_bytes, self.size_bytes)

    def entry(self, offset: int) -> bytes:
        extra = struct.pack("<HHQQQ", 1, 24, self.size_bytes, self.packed_bytes, offset)
        checksum = _checksum(self.block, self.size_bytes)
        header = struct.pack("<4sHHHHHHIII", b"PK\x01\x02", 45, 45, *self.method, 0, 33, checksum, *[2**32 - 1] * 2)
        header += struct.pack("<HHHHHII", len(self.name), len(extra), 0, 0, 0, 0, 2**32 - 1)
        return header + self.name + extra


def large_zip(*members: Large) -> Iterator[bytes]:
    """Yield an archive in pieces of up to a mebibyte."""
    offset, directory = 0, b""
    for member in members:
        directory += member.entry(offset)
        yield member.local()
        yield from member.data()
        yield member.descriptor()
        offset += len(member.local()) + member.packed_bytes + len(member.descriptor())
    yield directory
    count = len(members)
    yield struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, len(directory), offset)
    yield struct.pack("<4sIQI", b"PK\x06\x07", 0, offset + len(directory), 1)
    yield struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, *[2**16 - 1] * 2, *[2**32 - 1] * 2, 0)


@cache
def _deflated(block: bytes) -> bytes:
    """Return blocks that end at a byte and look at nothing before, so that they can be repeated."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)


@cache
def _checksum(block: bytes, size_bytes: int) -> int:
    count, rest = divmod(size_bytes, len(block))
    once, checksum = zlib.crc32(block), 0
    for _ in range(count):
        checksum = isal_zlib.crc32_combine(checksum, once, len(block))
    return zlib.crc32(block[:rest], checksum)
