"""What takes the place of paramiko's buffer has to keep its manners, which its channel and its client rely on."""

import pytest
from paramiko.buffered_pipe import PipeTimeout

from shared.adapters.sftp_reading import Arrivals


def test_a_message_is_read_in_any_pieces_and_none_runs_into_the_next() -> None:
    arrivals = Arrivals()
    arrivals.feed(b"abcdef")
    arrivals.feed(b"gh")

    assert [arrivals.read(4), arrivals.read(4), arrivals.read(4)] == [b"abcd", b"ef", b"gh"]


def test_an_empty_message_is_not_the_end() -> None:
    arrivals = Arrivals()
    arrivals.feed(b"")

    with pytest.raises(PipeTimeout):
        arrivals.read(4, timeout=0)


def test_the_end_comes_behind_all_that_came_and_stays() -> None:
    arrivals = Arrivals()
    arrivals.feed(b"ab")
    arrivals.close()

    assert [arrivals.read(4) for _ in range(3)] == [b"ab", b"", b""]


def test_whether_something_waits_is_told() -> None:
    arrivals = Arrivals()
    arrivals.feed(b"ab")
    arrivals.read(1)
    begun = len(arrivals)
    arrivals.read(1)

    assert (begun, len(arrivals)) == (1, 0)
