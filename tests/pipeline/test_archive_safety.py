"""Archives that are up to something: names that point elsewhere, links, locks, and bytes without end."""

import itertools
import stat
import zipfile
from collections.abc import Iterator

import pytest

from shared.domain.errors import Code, PackageError
from shared.pipeline.archive import MEMBER_LIMIT_COUNT, members
from tests.pipeline.archives import ROWS, Odd, odd_zip, plain_zip, read, refusal


def unpack(archive: bytes, limit: int) -> Iterator[bytes]:
    for member in members([archive], unpacked_limit_bytes=limit):
        yield from member.chunks()


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
    ids=["stored without a size", "LZMA", "Zstandard", "patched data"],
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
