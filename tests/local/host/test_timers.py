"""When a timer fires, and what a restarted host makes of what was kept."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from infra.local.host.settings import HostError
from infra.local.host.timers import NEVER, Schedule, Status, at_start

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOURLY = Schedule.parse("0 30 * * * *")
HALF_PAST = NOON + timedelta(minutes=30)


@pytest.mark.parametrize(
    ("text", "following"),
    [
        ("0 */5 * * * *", NOON + timedelta(minutes=5)),
        ("*/10 * * * * *", NOON + timedelta(seconds=10)),
        ("30 0 2 * * *", NOON + timedelta(hours=14, seconds=30)),
        ("0 0 3 * * Mon-Fri", datetime(2026, 11, 23, 3, tzinfo=UTC)),
        ("*/5 * * * *", NOON + timedelta(minutes=5)),
    ],
)
def test_seconds_come_first(text: str, following: datetime) -> None:
    """Five fields are an ordinary crontab, at second 0."""
    assert Schedule.parse(text).after(NOON) == following


def test_fractions_of_a_second_do_not_make_it_fire_twice() -> None:
    assert HOURLY.after(HALF_PAST + timedelta(milliseconds=3)) == HALF_PAST + HOUR


@pytest.mark.parametrize("text", ["", "00:05:00", "0 0 25 * * *", "a b c d e f", "* * * * * * *"])
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(HostError, match="Schedule"):
        Schedule.parse(text)


def test_a_timer_that_never_ran_waits_for_its_time() -> None:
    assert at_start(HOURLY, None, NOON) == Status(NEVER, HALF_PAST, NOON)


def test_a_missed_run_is_past_due() -> None:
    """What is next lies before now."""
    kept = Status(NOON - 3 * HOUR, HALF_PAST - 3 * HOUR, NOON - 3 * HOUR)

    assert at_start(HOURLY, kept, NOON) == kept


def test_a_timer_that_is_on_time_goes_on() -> None:
    kept = Status(HALF_PAST - HOUR, HALF_PAST, HALF_PAST - HOUR)

    assert at_start(HOURLY, kept, NOON) == kept


def test_a_schedule_that_was_changed_starts_afresh() -> None:
    """Under the new one nothing was missed."""
    kept = Status(NOON - 3 * HOUR, NOON - 2 * HOUR, NOON - 3 * HOUR)

    assert at_start(HOURLY, kept, NOON) == Status(NEVER, HALF_PAST, NOON)


def test_a_status_is_read_as_the_real_host_writes_it() -> None:
    """With seven digits of a second, and the zero date for "never"."""
    text = (
        '{"Last":"0001-01-01T00:00:00","Next":"2026-11-22T12:30:00+00:00",'
        '"LastUpdated":"2026-11-22T12:00:00.0000000+00:00"}'
    )

    assert Status.from_json(text) == Status(NEVER, HALF_PAST, NOON)
    assert Status.from_json(json.dumps(Status(NEVER, HALF_PAST, NOON).to_json())).next == HALF_PAST


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"Last": 1, "Next": 2, "LastUpdated": 3}'])
def test_a_damaged_status_is_not_read(text: str) -> None:
    with pytest.raises(ValueError, match=r"status|Expecting"):
        Status.from_json(text)


def test_a_timer_of_every_few_seconds_keeps_no_state() -> None:
    assert not Schedule.parse("*/10 * * * * *").is_monitored(NOON)
    assert HOURLY.is_monitored(NOON)
