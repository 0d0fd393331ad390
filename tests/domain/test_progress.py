"""How far, how fast, and when it ends; what nobody can know is not guessed."""

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.domain.progress import Doing, Progress

BEGAN = datetime(2026, 11, 1, 6, tzinfo=UTC)


def after(seconds: float, **values: Any) -> Progress:  # noqa: ANN401 - any field
    at = BEGAN + timedelta(seconds=seconds)
    return Progress(stage=Doing.READING, package="acme_F.zip.pgp", started_at=BEGAN, updated_at=at, **values)


def test_nothing_is_known_at_the_beginning() -> None:
    progress = after(0, total_bytes=100)

    assert (progress.share, progress.bytes_per_second, progress.rows_per_second, progress.ends_at) == (
        0.0,
        None,
        None,
        None,
    )


def test_half_of_the_bytes_takes_as_long_again() -> None:
    progress = after(10, done_bytes=50, total_bytes=100, done_rows=30)

    assert progress.share == 0.5
    assert progress.bytes_per_second == 5
    assert progress.rows_per_second == 3
    assert progress.ends_at == BEGAN + timedelta(seconds=20)


def test_rows_are_counted_where_the_bytes_are_not_known() -> None:
    progress = after(10, done_rows=10, total_rows=40)

    assert progress.share == 0.25
    assert progress.ends_at == BEGAN + timedelta(seconds=40)


def test_what_an_earlier_attempt_brought_does_not_make_it_faster() -> None:
    progress = after(10, done_bytes=90, first_bytes=80, total_bytes=100)

    assert progress.share == 0.9
    assert progress.bytes_per_second == 1
    assert progress.ends_at == BEGAN + timedelta(seconds=20)


def test_without_a_total_there_is_no_end() -> None:
    progress = after(10, done_bytes=50, done_rows=5)

    assert (progress.share, progress.ends_at) == (None, None)


def test_it_is_never_more_than_all() -> None:
    """A total may be a little too low, as the sum of two packages one of which was read twice."""
    progress = after(10, done_bytes=120, total_bytes=100)

    assert progress.share == 1
    assert progress.ends_at == BEGAN + timedelta(seconds=10)
