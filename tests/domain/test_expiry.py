"""Warnings of what expires: at 30, 7 and 1 days."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.expiry import Expiring

END = datetime(2026, 12, 31, 12, tzinfo=UTC)
KEY = Expiring("The key", END)


@pytest.mark.parametrize(
    ("left", "mark"),
    [
        (timedelta(days=31), None),
        (timedelta(days=30, seconds=1), None),
        (timedelta(days=30), 30),
        (timedelta(days=8), 30),
        (timedelta(days=7), 7),
        (timedelta(days=1, seconds=1), 7),
        (timedelta(days=1), 1),
        (timedelta(seconds=1), 1),
        (timedelta(), 0),
        (-timedelta(days=400), 0),
    ],
)
def test_a_mark_is_passed_at_30_7_and_1_days(left: timedelta, mark: int | None) -> None:
    assert KEY.mark(END - left) == mark


def test_the_sentence_says_the_day() -> None:
    assert KEY.sentence(END - timedelta(days=1, hours=3)) == "The key expires on 2026-12-31, in 1 day."
    assert KEY.sentence(END - timedelta(days=5)) == "The key expires on 2026-12-31, in 5 days."
    assert KEY.sentence(END) == "The key expired on 2026-12-31."
