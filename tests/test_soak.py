"""Sixty days of one tenant: what is stored, and the memory of the worker, grow with the data and with nothing else.

The data itself grows, by some rows a day. How much is known: the company is invented, and its rows are counted. So of
two windows of ten days, a month apart, the later one may hold as many files and rows as the earlier one, and as many
bytes as the company has grown by, and a little for chance. Something that nobody deletes would have grown by half.
"""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from tests.soak_process import DAYS, RETENTION_DAYS

ROOT = Path(__file__).parents[1]
EARLY, LATE = slice(15, 25), slice(50, 60)
"""From the 16th day on everything that expires has begun to."""
CHANCE = 1.05
SHARD = 1.1
"""By so much one more shard on one day, with its receipts and its lease, changes the number of files."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def days() -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.soak_process"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def most(days: Iterable[dict[str, Any]], what: str) -> dict[str, int]:
    """Return the most of the days, by place."""
    told = [{place: held[what] for place, held in day["stored"].items()} for day in days]
    return {place: max(day[place] for day in told) for place in told[0]}


def test_every_day_is_published(days: list[dict[str, Any]]) -> None:
    assert [day["outcome"] for day in days] == ["done"] * DAYS


def test_the_number_of_files_and_rows_stays_flat(days: list[dict[str, Any]]) -> None:
    early, late = most(days[EARLY], "count"), most(days[LATE], "count")

    assert {place: (early[place], late[place]) for place in late if late[place] > early[place] * SHARD} == {}


def test_bytes_grow_with_the_data_and_with_nothing_else(days: list[dict[str, Any]]) -> None:
    growth = max(day["rows"] for day in days[LATE]) / max(day["rows"] for day in days[EARLY])
    early, late = most(days[EARLY], "bytes"), most(days[LATE], "bytes")

    grown = {place: late[place] / early[place] for place in late if early[place]}

    assert growth < 1.2
    assert {place: ratio for place, ratio in grown.items() if ratio > growth * CHANCE} == {}


def test_replaced_tables_do_not_stay(days: list[dict[str, Any]]) -> None:
    """Most are deleted at once; the others with the rest of their run's work."""
    assert max(day["oldest_replaced_days"] for day in days) <= RETENTION_DAYS + 1


def test_the_memory_of_the_worker_stays_flat(days: list[dict[str, Any]]) -> None:
    """One process has lived through all days; it even holds what is stored.

    The usual day counts: on which one two threads happen to hold most at the same moment is chance.
    """
    early, late = (median(day["peak_kib"] for day in days[window]) for window in (EARLY, LATE))

    assert late <= early * CHANCE
