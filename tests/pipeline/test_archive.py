"""Archives are built by hand here, because the interesting ones are those no zip program would write."""

import io
import itertools
import random
import stat
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from shared.domain.errors import Code, PackageError
from shared.pipeline.archive import MEMBER_LIMIT_COUNT, members

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


def unpack(archive: bytes, limit: int) -> Iterator[bytes]:
    for member in members([archive], unpacked_limit_bytes=limit):
        yield from member.chunks()


def refusal(archive: bytes, limit: int = GENEROUS) -> Code | None:
    with pytest.raises(PackageError) as refused:
        read(archive, limit)
    return refused.value.code


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_members_come_out_as_they_went_in(method: int) -> None:
    files = {"A.csv": ROWS, "folder/B.csv": b"", "C.csv": noise(300_000)}

    assert read(plain_zip(files, method)) == files


def test_sizes_may_stand_behind_the_data() -> None:
    """That is how a zip is written into a pipe, and so by most servers."""
    files = {"A.csv": ROWS, "B.csv": b"x"}

    assert read(plain_zip(files, seekable=False)) == files


def test_chunks_may_end_anywhere() -> None:
    archive = plain_zip({"A.csv": ROWS[:200], "B.csv": b"x"}, seekable=False)

    for chunk_bytes in (1, 2, 3, 7, len(archive)):
        assert read(archive, chunk_bytes=chunk_bytes) == {"A.csv": ROWS[:200], "B.csv": b"x"}


def test_zip64_is_read() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("A.csv", "w", force_zip64=True) as member:
            member.write(ROWS)
        archive.writestr("B.csv", b"x")

    assert read(target.getvalue()) == {"A.csv": ROWS, "B.csv": b"x"}


def test_folders_are_left_out_and_unread_members_skipped() -> None:
    archive = plain_zip({"data/": b"", "data/A.csv": ROWS, "data/B.csv": b"x"})

    names = [member.name for member in members([archive], unpacked_limit_bytes=GENEROUS)]

    assert names == ["data/A.csv", "data/B.csv"]


def test_an_archive_without_files_has_no_members() -> None:
    assert read(plain_zip({})) == {}


def test_names_in_another_encoding_are_read_somehow() -> None:
    """Windows programs still write them; which files matter is decided by their ASCII part."""
    files = read(
        odd_zip(
            Odd("Prüfung.csv".encode("cp437")),
            Odd("Schüler.csv".encode("latin-1")),
            Odd("ü.csv".encode(), flags=0x800),
        )
    )

    assert list(files) == ["Prüfung.csv", "Sch\u207fler.csv", "ü.csv"]


def test_a_name_that_lies_about_its_encoding_is_refused_in_words() -> None:
    assert refusal(odd_zip(Odd(b"\xff.csv", flags=0x800))) is Code.PACKAGE_DAMAGED


def test_the_chunks_are_read_to_their_end() -> None:
    """The verdict on the seal comes there."""
    archive = plain_zip({"A.csv": ROWS})

    def sealed() -> Iterator[bytes]:
        yield archive[:100]
        yield archive[100:]
        raise PackageError("altered", Code.SIGNATURE_INVALID)

    with pytest.raises(PackageError, match="altered"):
        list(members(sealed(), unpacked_limit_bytes=GENEROUS))


def test_an_altered_seal_is_the_better_reason_than_the_archive_it_broke() -> None:
    def sealed() -> Iterator[bytes]:
        yield b"no zip at all"
        raise PackageError("altered", Code.SIGNATURE_INVALID)

    with pytest.raises(PackageError, match="altered"):
        list(members(sealed(), unpacked_limit_bytes=GENEROUS))


@pytest.mark.parametrize("content", [b"", b"P", b"a,b\r\n1,2\r\n", b"%PDF-1.7" * 100, b"\x1f\x8b\x08" + bytes(50)])
def test_anything_else_is_not_a_zip(content: bytes) -> None:
    assert refusal(content) is Code.NOT_A_ZIP


def test_an_archive_cut_anywhere_is_damaged() -> None:
    archive = plain_zip({"A.csv": ROWS[:170], "B.csv": b"x" * 20})

    codes = {refusal(archive[:at]) for at in range(4, len(archive))}

    assert codes == {Code.PACKAGE_DAMAGED}


def test_an_archive_with_sizes_behind_the_data_cut_anywhere_is_damaged() -> None:
    archive = plain_zip({"A.csv": ROWS[:170], "B.csv": b"x" * 20}, seekable=False)

    codes = {refusal(archive[:at]) for at in range(4, len(archive))}

    assert codes == {Code.PACKAGE_DAMAGED}


@pytest.mark.parametrize(
    "odd",
    [
        Odd(crc=1),
        Odd(crc=1, flags=8),
        Odd(size=len(ROWS) - 1),
        Odd(size=len(ROWS) + 1),
        Odd(size=len(ROWS) - 1, flags=8),
        Odd(size=len(ROWS) + 1, method=zipfile.ZIP_STORED),
        Odd(size=1, method=zipfile.ZIP_STORED),
        Odd(directory_name=b"B.csv"),
    ],
    ids=repr,
)
def test_an_archive_that_lies_is_damaged(odd: Odd) -> None:
    assert refusal(odd_zip(odd)) is Code.PACKAGE_DAMAGED


def test_a_member_the_directory_does_not_know_is_damage() -> None:
    """Programs that trust the directory and programs that read along must see the same files."""
    shown, hidden = Odd(), Odd(b"B.csv")
    whole = odd_zip(shown, hidden)
    directory = shown.entry()
    start = len(shown.local()) + len(hidden.local())
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, len(directory), start, 0)

    assert refusal(whole[:start] + directory + end) is Code.PACKAGE_DAMAGED


def test_a_flipped_bit_is_damage() -> None:
    archive = bytearray(plain_zip({"A.csv": noise(50_000)}))
    archive[25_000] ^= 1

    assert refusal(bytes(archive)) is Code.PACKAGE_DAMAGED


@pytest.mark.parametrize(
    "name",
    [
        b"../A.csv", b"data/../../A.csv", b"..", b"/etc/passwd", b"C:A.csv", b"c:/A.csv", b"data\\A.csv",
        b"\\\\server\\A.csv", b"A.csv\0.txt", b"A\n.csv", b"",
    ],
)  # fmt: skip
def test_names_that_point_elsewhere_are_unsafe(name: bytes) -> None:
    assert refusal(odd_zip(Odd(name))) is Code.ARCHIVE_UNSAFE


def test_dots_within_a_name_are_fine() -> None:
    assert list(read(odd_zip(Odd(b"A..csv"), Odd(b"..data/.B.csv")))) == ["A..csv", "..data/.B.csv"]


def test_links_are_unsafe() -> None:
    assert refusal(odd_zip(Odd(content=b"/etc/passwd", mode=stat.S_IFLNK | 0o777))) is Code.ARCHIVE_UNSAFE


@pytest.mark.parametrize(
    "odd",
    [
        Odd(flags=0x01),
        Odd(flags=0x01 | 8),
        Odd(flags=0x01 | 0x40),
        Odd(flags=0x01, method=99, local_extra=b"\x01\x99\x07\x00\x02\x00AE\x03\x08\x00"),
    ],
    ids=["zipcrypto", "zipcrypto with descriptor", "strong", "aes"],
)
def test_encrypted_members_are_unsafe(odd: Odd) -> None:
    """The package is encrypted already; whatever is locked inside cannot be looked at."""
    assert refusal(odd_zip(odd)) is Code.ARCHIVE_UNSAFE


@pytest.mark.parametrize(
    "odd",
    [Odd(method=zipfile.ZIP_STORED, flags=8), Odd(method=14), Odd(method=93), Odd(flags=0x20)],
    ids=repr,
)
def test_what_cannot_be_read_in_passing_is_said_to_be_so(odd: Odd) -> None:
    assert refusal(odd_zip(odd)) is Code.ARCHIVE_UNSTREAMABLE


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_the_limit_is_inclusive_and_for_the_sum(method: int) -> None:
    archive = plain_zip({"A.csv": bytes(600_000), "B.csv": bytes(400_000)}, method)

    assert len(read(archive, limit=1_000_000)) == 2
    assert refusal(archive, limit=999_999) is Code.UNPACKED_SIZE_EXCEEDED


def test_what_is_skipped_counts_as_well() -> None:
    archive = plain_zip({"A.csv": bytes(600_000), "B.csv": bytes(400_000)})

    with pytest.raises(PackageError) as refused:
        list(members([archive], unpacked_limit_bytes=999_999))

    assert refused.value.code is Code.UNPACKED_SIZE_EXCEEDED


def test_a_bomb_is_stopped_at_the_limit() -> None:
    """Whatever its headers promise, and long before it is unpacked."""
    bomb = plain_zip({"A.csv": bytes(50_000_000)})
    sizes: list[int] = []

    with pytest.raises(PackageError) as refused:
        sizes.extend(len(chunk) for chunk in unpack(bomb, 2_000_000))

    assert refused.value.code is Code.UNPACKED_SIZE_EXCEEDED
    assert 0 < sum(sizes) <= 2_000_000


def test_bytes_without_end_are_stopped() -> None:
    """A seal may compress as well; behind the archive's end nobody would count."""
    chunks = itertools.chain([plain_zip({"A.csv": ROWS})], itertools.repeat(bytes(1_000_000)))

    with pytest.raises(PackageError) as refused:
        list(members(chunks, unpacked_limit_bytes=3_000_000))

    assert refused.value.code is Code.UNPACKED_SIZE_EXCEEDED


def test_too_many_members_are_unsafe() -> None:
    most = {f"{number}.csv": b"" for number in range(MEMBER_LIMIT_COUNT)}

    assert len(read(plain_zip(most), chunk_bytes=100_000)) == MEMBER_LIMIT_COUNT
    assert refusal(plain_zip(most | {"last.csv": b""})) is Code.ARCHIVE_UNSAFE


def test_memory_does_not_grow_with_the_archive() -> None:
    archive = plain_zip({"A.csv": bytes(200_000_000), "B.csv": noise(10_000_000)})
    chunks = (archive[at : at + 500_000] for at in range(0, len(archive), 500_000))
    tracemalloc.start()

    unpacked = sum(len(chunk) for member in members(chunks, unpacked_limit_bytes=GENEROUS) for chunk in member.chunks())
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert unpacked == 210_000_000
    assert peak_bytes < 20_000_000
