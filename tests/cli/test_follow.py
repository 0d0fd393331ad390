"""What a sync tells people while it runs."""

import io
import time
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from shared.cli import follow
from shared.domain.progress import Doing, Progress
from shared.pipeline.position import Position

BEGAN = datetime(2026, 11, 1, 6, tzinfo=UTC)


def reading(seconds: int) -> Position:
    """Stand so long after the beginning: 10 MB of 400 and 20,000 rows a second."""
    progress = Progress(
        stage=Doing.READING,
        package="acme_F.zip.pgp",
        done_bytes=10_000_000 * seconds,
        total_bytes=400_000_000,
        done_rows=20_000 * seconds,
        started_at=BEGAN,
        updated_at=BEGAN + timedelta(seconds=seconds),
    )
    return Position("reading", "acme_F.zip.pgp", progress=progress)


@pytest.mark.parametrize(
    ("position", "told"),
    [
        (Position("starting"), ""),
        (Position("sending contents", "acme_F.zip.pgp", 3, 12), "3 of 12 shards"),
        (reading(0), ""),
        (reading(10), "100.0 of 400.0 MB, 200,000 rows, 20,000 rows/s, 0:30 left"),
    ],
)
def test_how_far_says_what_is_known(position: Position, told: str) -> None:
    assert follow.how_far(position) == told


def test_lines_come_seldom_where_nothing_can_move(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log of a long sync says that it goes on, and is still readable."""
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    paper = io.StringIO()
    with follow.following(Console(file=paper, width=200)) as tell:
        tell(Position("starting"))
        for seconds in range(35):
            now = 100.0 + seconds
            tell(reading(seconds))

    assert paper.getvalue().splitlines() == [
        "starting",
        "reading acme_F.zip.pgp",
        "reading acme_F.zip.pgp: 150.0 of 400.0 MB, 300,000 rows, 20,000 rows/s, 0:25 left",
        "reading acme_F.zip.pgp: 300.0 of 400.0 MB, 600,000 rows, 20,000 rows/s, 0:10 left",
    ]


def test_a_terminal_shows_a_bar() -> None:
    paper = io.StringIO()
    with follow.following(Console(file=paper, width=160, force_terminal=True)) as tell:
        tell(reading(10))

    assert "acme_F.zip.pgp  reading" in paper.getvalue()
    assert "100.0 of 400.0 MB" in paper.getvalue()
