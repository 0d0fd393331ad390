"""Timer schedules read as Azure Functions reads them; the judge is the library that the local host uses."""

from datetime import UTC, datetime, timedelta

import pytest
from croniter import croniter

from shared.domain.schedule import latest_due

NOW = datetime(2026, 11, 26, 10, 7, 30, tzinfo=UTC)
"""A Thursday."""


@pytest.mark.parametrize(
    "schedule",
    [
        "0 5 * * * *",
        "0 */5 * * * *",
        "*/10 * * * * *",
        "0 0 3 * * *",
        "0 30 9-17/2 * * MON-FRI",
        "0 0 0 1 * *",
        "0 0 6 * * 0",
        "30 7 10 26 NOV *",
        "0 15,45 1,13 * 1-6 *",
        "5 4 * * *",
    ],
)
@pytest.mark.parametrize("later", [timedelta(), timedelta(days=200, hours=5, minutes=13)])
def test_the_latest_time_is_croniters(schedule: str, later: timedelta) -> None:
    now = NOW + later
    six = schedule if len(schedule.split()) == 6 else f"0 {schedule}"
    expected = croniter(six, now + timedelta(seconds=1), second_at_beginning=True).get_prev(datetime)

    assert latest_due(schedule, now) == expected


def test_day_and_weekday_must_both_fit() -> None:
    """Other readers take either; NCRONTAB takes both."""
    assert latest_due("0 0 0 13 * FRI", NOW) == datetime(2026, 11, 13, tzinfo=UTC)


def test_a_day_that_never_comes_is_never_due() -> None:
    assert latest_due("0 0 0 30 2 *", NOW) is None


@pytest.mark.parametrize(
    "schedule", ["", "%COLLECT_SCHEDULE%", "0 61 * * * *", "0 5-1 * * * *", "0 x * * * *", "0 */0 * * * *"]
)
def test_anything_else_is_no_schedule(schedule: str) -> None:
    with pytest.raises(ValueError, match=r"schedule|beyond"):
        latest_due(schedule, NOW)
