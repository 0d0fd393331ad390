"""Archives, built by hand where no zip program would write them, and what reading them comes to."""

import io
import random
import struct
import zipfile
import zlib
from dataclasses import dataclass, field

import pytest

from shared.domain.errors import Code, PackageError
from shared.pipeline.archive import members

GENEROUS = 10**9
ROWS = b"STUD_ID,CPNT_ID\r\n" * 5000


def noise(size_bytes: int) -> bytes:
    return random.Random(1).randbytes(size_bytes)  # noqa: S311 - the same in every run


class Pipe(io.RawIOBase):
    """Cannot be rewound, so that `zipfile` writes sizes and checksums behind the data."""

    def __init__(self) -> None:
        self.content = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, chunk: object, /) -> int:
        piece = bytes(memoryview(chunk))  # type: ignore[arg-type] # anything with a buffer
        self.content += piece
        return len(piece)


@dataclass
class Odd:
    """One member of a hand-built archive, honest unless told otherwise."""

    name: bytes = b"A.csv"
    content: bytes = ROWS
    method: int = zipfile.ZIP_DEFLATED
    flags: int = 0
    crc: int | None = None
    size: int | None = None
    mode: int = 0
    directory_name: bytes | None = None
    local_extra: bytes = b""
    offset: int = field(default=0, init=False)

    @property
    def packed(self) -> bytes:
        if self.method == zipfile.ZIP_STORED:
            return self.content
        packer = zlib.compressobj(wbits=-15)
        return packer.compress(self.content) + packer.flush()

    @property
    def numbers(self) -> bytes:
        crc = zlib.crc32(self.content) if self.crc is None else self.crc
        size = len(self.content) if self.size is None else self.size
        return struct.pack("<III", crc, len(self.packed), size)

    def local(self) -> bytes:
        has_descriptor = self.flags & 8
        numbers = bytes(12) if has_descriptor else self.numbers
        descriptor = b"PK\x07\x08" + self.numbers if has_descriptor else b""
        header = struct.pack("<4sHHHHH", b"PK\x03\x04", 20, self.flags, self.method, 0, 33) + numbers
        header += struct.pack("<HH", len(self.name), len(self.local_extra))
        return header + self.name + self.local_extra + self.packed + descriptor

    def entry(self) -> bytes:
        name = self.name if self.directory_name is None else self.directory_name
        header = struct.pack("<4sHHHHHH", b"PK\x01\x02", 0x0314, 20, self.flags, self.method, 0, 33) + self.numbers
        header += struct.pack("<HHHHHII", len(name), 0, 0, 0, 0, self.mode << 16, self.offset)
        return header + name


def odd_zip(*odds: Odd) -> bytes:
    content = b""
    for odd in odds:
        odd.offset = len(content)
        content += odd.local()
    directory = b"".join(odd.entry() for odd in odds)
    count = len(odds)
    return (
        content
        + directory
        + struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count, count, len(directory), len(content), 0)
    )


def plain_zip(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED, *, seekable: bool = True) -> bytes:
    target: io.BytesIO | Pipe = io.BytesIO() if seekable else Pipe()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue() if isinstance(target, io.BytesIO) else bytes(target.content)


def read(archive: bytes, limit: int = GENEROUS, chunk_bytes: int = 1000) -> dict[str, bytes]:
    chunks = (archive[at : at + chunk_bytes] for at in range(0, len(archive), chunk_bytes))
    return {member.name: b"".join(member.chunks()) for member in members(chunks, unpacked_limit_bytes=limit)}


def refusal(archive: bytes, limit: int = GENEROUS) -> Code | None:
    with pytest.raises(PackageError) as refused:
        read(archive, limit)
    return refused.value.code
