"""Archives that unpack to very much: refused as soon as no text could be that dense, whatever they say."""

from collections.abc import Iterator

import pytest

from shared.domain.errors import Code, PackageError
from shared.pipeline.archive import RATIO_FREE_BYTES, RATIO_LIMIT, TAIL_BYTES, members
from tests.pipeline import bombs
from tests.pipeline.archives import noise, read, refusal
from tests.pipeline.large_archives import GIB, MIB, Large, large_zip

ZEROS = bytes(MIB)
UNPACKED_LIMIT_BYTES = 25 * GIB


def zeros(size_bytes: int) -> Large:
    return Large(size_bytes, deflated=True, block=ZEROS)


def unpack(archive: Iterator[bytes]) -> Iterator[bytes]:
    for member in members(archive, unpacked_limit_bytes=UNPACKED_LIMIT_BYTES):
        yield from member.chunks()


def test_what_is_read_in_a_moment_may_be_as_dense_as_it_likes() -> None:
    assert sum(map(len, unpack(large_zip(zeros(RATIO_FREE_BYTES))))) == RATIO_FREE_BYTES


def test_more_than_that_is_a_bomb() -> None:
    """It says 10 GiB of itself; no more than the moment's worth comes out."""
    sizes: list[int] = []

    with pytest.raises(PackageError, match=f"more than {RATIO_LIMIT} times its size") as refused:
        sizes.extend(map(len, unpack(large_zip(zeros(10 * GIB)))))

    assert refused.value.code is Code.ARCHIVE_UNSAFE
    assert sum(sizes) <= RATIO_FREE_BYTES


def test_a_bomb_that_nobody_reads_is_one_as_well() -> None:
    with pytest.raises(PackageError) as refused:
        list(members(large_zip(zeros(RATIO_FREE_BYTES + 1)), unpacked_limit_bytes=UNPACKED_LIMIT_BYTES))

    assert refused.value.code is Code.ARCHIVE_UNSAFE


def test_many_small_bombs_are_a_large_one() -> None:
    small = zeros(100 * 1024)

    assert refusal(b"".join(large_zip(*[small] * 700)), UNPACKED_LIMIT_BYTES) is Code.ARCHIVE_UNSAFE


def test_it_is_the_whole_archive_that_counts() -> None:
    """A table of nothing but separators is fine beside tables that hold something."""
    something = Large(600_000, block=noise(100_000))

    assert read(b"".join(large_zip(something, zeros(140_000_000))))
    assert refusal(b"".join(large_zip(something, zeros(150_000_000)))) is Code.ARCHIVE_UNSAFE


def test_text_is_never_that_dense() -> None:
    """The densest that anybody could mean: long rows that differ in a running number."""
    rows = b"".join(b"%010d,%b\r\n" % (number, b"COURSE,assigned by a rule," * 40) for number in range(1000))
    files = [Large(100 * MIB, deflated=True, block=rows)]

    assert sum(map(len, unpack(large_zip(*files)))) == 100 * MIB


def test_forty_two_kilobytes_are_read_through() -> None:
    """The densest that there can be in so little; whether it is a table is for others to say."""
    assert len(bombs.single()) < bombs.SMALL_BYTES
    assert sum(map(len, unpack(iter([bombs.single()])))) == 1000 * bombs.SMALL_BYTES


def test_files_that_overlap_are_refused_after_the_first() -> None:
    """The directory promises 5 GB; read from the beginning, it is one file."""
    sizes: list[int] = []

    with pytest.raises(PackageError) as refused:
        sizes.extend(map(len, unpack(iter([bombs.overlapping()]))))

    assert refused.value.code is Code.PACKAGE_DAMAGED
    assert sum(sizes) < 21 * MIB


def test_archives_within_are_files_like_others() -> None:
    content = read(bombs.nested())

    assert list(content) == [f"4-{number}.zip" for number in range(16)]
    assert sum(map(len, content.values())) < MIB


@pytest.mark.slow
def test_25_gib_pass_and_not_a_byte_more() -> None:
    """The number that Microsoft documents, on the true scale: one file beyond 4 GiB, the other ones below."""
    files = [Large(5 * GIB, deflated=True), *[Large(GIB)] * 19]
    last = GIB

    assert sum(map(len, unpack(large_zip(*files, Large(last))))) == UNPACKED_LIMIT_BYTES
    with pytest.raises(PackageError) as refused:
        sum(map(len, unpack(large_zip(*[Large(GIB)] * 24, Large(last + 1)))))

    assert refused.value.code is Code.UNPACKED_SIZE_EXCEEDED


@pytest.mark.slow
def test_a_file_of_25_gib_and_a_byte_is_refused() -> None:
    """Also when it is all there is, and its size is in 64 bits."""
    sizes: list[int] = []

    with pytest.raises(PackageError) as refused:
        sizes.extend(map(len, unpack(large_zip(Large(UNPACKED_LIMIT_BYTES + 1)))))

    assert refused.value.code is Code.UNPACKED_SIZE_EXCEEDED
    assert UNPACKED_LIMIT_BYTES - TAIL_BYTES < sum(sizes) <= UNPACKED_LIMIT_BYTES
