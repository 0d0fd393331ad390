"""Small archives with very much inside."""

import io
import struct
import zipfile
import zlib

from isal import isal_zlib

from tests.pipeline.archives import plain_zip
from tests.pipeline.large_archives import MIB

SMALL_BYTES = 42_000


def single(size_bytes: int = 1000 * SMALL_BYTES, name: str = "PA_CPNT.csv") -> bytes:
    """Return one file of zeros: no deflated data is denser."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(name, "w") as member:
        for start in range(0, size_bytes, MIB):
            member.write(bytes(min(MIB, size_bytes - start)))
    return packed.getvalue()


def nested(depth: int = 5, width: int = 16) -> bytes:
    """Return archives within archives; whoever unpacks them all gets 16 to the power of five bombs."""
    content = single(4 * MIB)
    for level in range(depth):
        content = plain_zip({f"{level}-{number}.zip": content for number in range(width)})
    return content


def many(count: int = 400) -> bytes:
    """Return as many dense files as fit."""
    return plain_zip({f"{number}.csv": bytes(20_000) for number in range(count)})


def overlapping(count: int = 250) -> bytes:
    """Return files that all end in the same data: each quotes the header of the next as a stored block.

    This is David Fifield's quoted overlap (`A better zip bomb`, 2019).
    """
    content = bytes(20 * MIB)
    packer = zlib.compressobj(9, wbits=-15)
    data = packer.compress(content) + packer.flush()
    checksum, size_bytes = zlib.crc32(content), len(content)
    packed_bytes = len(data)
    entries: list[tuple[bytes, bytes, int]] = []  # name, numbers, and how far before the end it starts
    for number in reversed(range(count)):
        if entries:
            block = data[: len(data) - packed_bytes]
            data = struct.pack("<BHH", 0, len(block), len(block) ^ 0xFFFF) + data
            checksum = isal_zlib.crc32_combine(zlib.crc32(block), checksum, size_bytes)
            size_bytes += len(block)
        packed_bytes = len(data)
        name = b"%d.csv" % number
        numbers = struct.pack("<III", checksum, packed_bytes, size_bytes)
        header = struct.pack("<4sHHHHH", b"PK\x03\x04", 20, 0, 8, 0, 33) + numbers
        data = header + struct.pack("<HH", len(name), 0) + name + data
        entries.append((name, numbers, len(data)))
    directory = b"".join(
        struct.pack("<4sHHHHHH", b"PK\x01\x02", 20, 20, 0, 8, 0, 33)
        + numbers
        + struct.pack("<HHHHHII", len(name), 0, 0, 0, 0, 0, len(data) - before_end)
        + name
        for name, numbers, before_end in reversed(entries)
    )
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count, count, len(directory), len(data), 0)
    return data + directory + end
