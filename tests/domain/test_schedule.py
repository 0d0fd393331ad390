"""When a timer is due, as Azure Functions reads NCRONTAB; compared with the library that drives the local host."""

from datetime import UTC, datetime

import pytest
from croniter import croniter
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.schedule import Schedule

AFTER = datetime(2026, 11, 3, 6, 5, tzinfo=UTC)
"""A Tuesday."""


def due(text: str, after: datetime = AFTER) -> str:
    schedule = Schedule.parse(text)
    assert schedule is not None
    found = schedule.next_due(after)
    return f"{found:%Y-%m-%d %H:%M:%S}" if found else "never"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 5 * * * *", "2026-11-03 07:05:00"),
        ("5 * * * *", "2026-11-03 07:05:00"),
        ("0 0 6 * * *", "2026-11-04 06:00:00"),
        ("0 */5 * * * *", "2026-11-03 06:10:00"),
        ("0 0 9-17/4 * * MON-FRI", "2026-11-03 09:00:00"),
        ("0 30 9 * * sat,sunday", "2026-11-07 09:30:00"),
        ("0 0 0 1 January *", "2027-01-01 00:00:00"),
        ("0 0 0 29 2 *", "2028-02-29 00:00:00"),
        ("15/20 59 23 31 12 *", "2026-12-31 23:59:15"),
        ("0 0 0 31 2 *", "never"),
    ],
)
def test_the_next_time_is_found(text: str, expected: str) -> None:
    assert due(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "01:00:00", "%COLLECT_SCHEDULE%", "60 * * * * *", "* * * *", "*/0 * * * * *", "5-1 * * * * *", "x * * * *"],
)
def test_what_is_none_is_told_by_nothing(text: str) -> None:
    assert Schedule.parse(text) is None


@given(
    minute=st.sampled_from(["*", "0", "*/7", "3,40", "10-20", "10-50/15"]),
    hour=st.sampled_from(["*", "6", "*/5", "1,23", "8-18/3"]),
    weekday=st.sampled_from(["*", "1-5", "0,6", "3"]),
    after=st.datetimes(datetime(2026, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - Hypothesis adds the zone
)
def test_it_agrees_with_a_library(minute: str, hour: str, weekday: str, after: datetime) -> None:
    text = f"0 {minute} {hour} * * {weekday}"

    expected = croniter(text, after, second_at_beginning=True).get_next(datetime)

    assert due(text, after) == f"{expected:%Y-%m-%d %H:%M:%S}"
