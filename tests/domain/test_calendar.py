"""Seven working days, and the days of which no delta came."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.calendar import FIRST_PACKAGE_WORKING_DAYS, add_working_days, missing_days

MONDAY = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (MONDAY, "2026-11-11"),
        (MONDAY + timedelta(days=4), "2026-11-17"),
        (MONDAY + timedelta(days=5), "2026-11-17"),
        (MONDAY + timedelta(days=6), "2026-11-17"),
    ],
    ids=["Monday", "Friday", "Saturday", "Sunday"],
)
def test_seven_working_days_leave_weekends_out(start: datetime, expected: str) -> None:
    """A weekend that it starts on gives no day away."""
    end = add_working_days(start, FIRST_PACKAGE_WORKING_DAYS)

    assert end.date().isoformat() == expected
    assert end.timetz() == start.timetz()


@given(start=st.datetimes(min_value=datetime(2000, 1, 1)), days=st.integers(0, 30))  # noqa: DTZ001 - zone is added
def test_that_many_working_days_lie_between(start: datetime, days: int) -> None:
    start = start.replace(tzinfo=UTC, year=min(start.year, 2200), day=min(start.day, 28))

    end = add_working_days(start, days)

    passed = [start + timedelta(days=day) for day in range(1, (end - start).days + 1)]
    assert sum(day.weekday() < 5 for day in passed) == days
    assert not days or end.weekday() < 5


@pytest.mark.parametrize(
    ("last", "following", "missing"),
    [
        (MONDAY, MONDAY + timedelta(days=1), []),
        (MONDAY, MONDAY + timedelta(hours=3), []),
        (MONDAY, MONDAY + timedelta(days=3), [date(2026, 11, 3), date(2026, 11, 4)]),
        (MONDAY, MONDAY - timedelta(days=3), []),
    ],
    ids=["next day", "same day", "two days left out", "older"],
)
def test_missing_days_are_named(last: datetime, following: datetime, missing: list[date]) -> None:
    assert missing_days(last, following, ZoneInfo("UTC")) == missing


def test_days_are_those_of_the_source() -> None:
    """In UTC one lies on the 1st and the other on the 3rd; where they were made they follow each other."""
    last, following = datetime(2026, 11, 1, 23, 30, tzinfo=UTC), datetime(2026, 11, 3, 22, 30, tzinfo=UTC)

    assert missing_days(last, following, ZoneInfo("UTC")) == [date(2026, 11, 2)]
    assert missing_days(last, following, BERLIN) == []


def test_a_day_of_25_hours_is_one_day() -> None:
    last, following = datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 23, tzinfo=UTC)

    assert missing_days(last, following, BERLIN) == []
