"""One thread makes what another one uses, and neither gets far from the other."""

import threading
from collections.abc import Iterator

import pytest

from shared.pipeline.ahead import DEPTH_BYTES, ahead


class Source:
    """Counts what it was asked for; `enough` is set when it has given so many bytes."""

    def __init__(self, chunk_bytes: int, until_bytes: int) -> None:
        self.given_bytes = 0
        self.enough = threading.Event()
        self._chunk_bytes = chunk_bytes
        self._until_bytes = until_bytes

    def __iter__(self) -> Iterator[bytes]:
        while True:
            self.given_bytes += self._chunk_bytes
            if self.given_bytes >= self._until_bytes:
                self.enough.set()
            yield bytes(self._chunk_bytes)


def test_everything_comes_in_its_order() -> None:
    chunks = [b"%d" % number for number in range(10_000)]

    with ahead(iter(chunks)) as made:
        assert list(made) == chunks


@pytest.mark.parametrize("chunk_bytes", [1000, 1024 * 1024, 3 * DEPTH_BYTES])
def test_what_nobody_uses_yet_is_bounded_in_bytes(chunk_bytes: int) -> None:
    """Whether the chunks are small or large. One more is in the hands of the thread that made it."""
    source = Source(chunk_bytes, DEPTH_BYTES + chunk_bytes)

    with ahead(iter(source)) as made:
        next(made)
        assert source.enough.wait(10)

    assert source.given_bytes <= DEPTH_BYTES + 3 * chunk_bytes


def test_what_is_asked_for_is_taken_before_there_is_room_for_more() -> None:
    """For the next one may be made in its place."""
    made_when_taken: list[int] = []
    source = Source(2 * DEPTH_BYTES, DEPTH_BYTES)

    with ahead(iter(source), lambda _: made_when_taken.append(source.given_bytes)) as made:
        for _ in range(3):
            next(made)

    assert made_when_taken == [2 * DEPTH_BYTES, 4 * DEPTH_BYTES, 6 * DEPTH_BYTES]


def test_an_error_comes_after_what_was_made_before() -> None:
    def break_off() -> Iterator[bytes]:
        yield b"first"
        raise OSError("broken")

    with ahead(break_off()) as made:
        assert next(made) == b"first"
        with pytest.raises(OSError, match="broken"):
            next(made)


def test_whoever_leaves_early_leaves_no_thread_behind() -> None:
    before = threading.active_count()

    with ahead(iter(Source(1000, 1000))) as made:
        next(made)

    assert threading.active_count() == before
