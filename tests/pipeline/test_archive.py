"""Archives are read as a stream: whole ones, and ones that were cut, altered or lie."""

import io
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.domain.errors import Code, PackageError
from shared.pipeline.archive import members
from tests.pipeline.archives import GENEROUS, ROWS, Odd, noise, odd_zip, plain_zip, read, refusal
from tests.pipeline.large_archives import Large, large_zip


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


def test_zip64_is_read_with_sizes_behind_the_data() -> None:
    files = [Large(3_000_000, deflated=True), Large(5, name=b"B.csv"), Large(0, deflated=True, name=b"C.csv")]

    content = read(b"".join(large_zip(*files)))

    assert {name: len(each) for name, each in content.items()} == {"A.csv": 3_000_000, "B.csv": 5, "C.csv": 0}


@pytest.mark.parametrize("shape", ["<4sIQQ", "<0sIQQ", "<4sIII", "<0sIII"])
def test_what_stands_behind_the_data_may_have_any_of_four_shapes(shape: str) -> None:
    """With a signature or without, in 64 bits or 32: none of them says which it is."""
    odd = Odd(flags=8)
    plain, rest = odd_zip(odd, Odd(b"B.csv")).split(b"PK\x07\x08" + odd.numbers, 1)
    behind = struct.pack(shape, b"PK\x07\x08", *struct.unpack("<III", odd.numbers))
    added = len(behind) - 16
    entry = odd.entry()
    directory = rest.index(entry) + len(entry)
    second, end = rest[: directory - len(entry)] + entry, bytearray(rest[directory:])
    struct.pack_into("<I", end, 42, len(odd.local()) + added)
    struct.pack_into("<I", end, len(end) - 6, len(plain + behind + second) - len(entry))

    assert read(plain + behind + second + end) == {"A.csv": ROWS, "B.csv": ROWS}


@pytest.mark.parametrize("seekable", [True, False])
def test_any_changed_byte_is_noticed_or_means_nothing(seekable: bool) -> None:  # noqa: FBT001 - a parameter
    """Dates mean nothing to us, and the names are those of the directory as well."""
    files = {"A.csv": ROWS[:170], "B.csv": b"x" * 20}
    archive = plain_zip(files, seekable=seekable)

    for at in range(len(archive)):
        changed = bytearray(archive)
        changed[at] ^= 0x11
        try:
            content = read(bytes(changed))
        except PackageError:
            continue
        assert content == files, at


def test_the_standard_library_inflates_as_well() -> None:
    """Where there is no faster one for the machine; the bytes that it takes too many are given back, too."""
    code = (
        "import sys; sys.modules['isal'] = None\n"
        "from tests.pipeline.archives import ROWS, plain_zip, read\n"
        "from shared.pipeline import unzip\n"
        "assert unzip.zlib.__name__ == 'zlib'\n"
        "for seekable in (True, False):\n"
        "    archive = plain_zip({'A.csv': ROWS, 'B.csv': b'x'}, seekable=seekable)\n"
        "    for chunk_bytes in (1, 7, 5000):\n"
        "        assert read(archive, chunk_bytes=chunk_bytes) == {'A.csv': ROWS, 'B.csv': b'x'}\n"
    )

    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=True)


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


def test_memory_does_not_grow_with_the_archive() -> None:
    archive = plain_zip({"A.csv": noise(10_000_000), "B.csv": bytes(200_000_000)})
    chunks = (archive[at : at + 500_000] for at in range(0, len(archive), 500_000))
    tracemalloc.start()

    unpacked = sum(len(chunk) for member in members(chunks, unpacked_limit_bytes=GENEROUS) for chunk in member.chunks())
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert unpacked == 210_000_000
    assert peak_bytes < 20_000_000
