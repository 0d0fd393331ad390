"""Times as LMS write them, in the zone where they were written."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from shared.pipeline.columns import time_utc, usual_time
from shared.pipeline.engine import Engine, text
from shared.pipeline.zones import join_days, make_zone_days, to_local

BERLIN = "Europe/Berlin"
ZONES = (
    "UTC",
    BERLIN,
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Pacific/Auckland",
)


def read(columnar: Engine, value: str, zone: str = "UTC", *, deadline: bool = False) -> str | None:
    found: datetime | None = columnar.one(f"select {time_utc(text(value), zone, deadline=deadline)}")
    return found.isoformat(" ") if found else None


def look_up(columnar: Engine, value: str, zone: str, *, deadline: bool = False) -> str | None:
    """Read it as packages are read: by the day, of which `zone_days` knows."""
    found: datetime | None = columnar.one(
        f"select {time_utc('v', zone, deadline=deadline, usual='u', day='d')} from (select v, "
        f"{usual_time('v', deadline=deadline)} as u from (select {text(value)} as v)){join_days({'d': 'u'}, zone)}"
    )
    return found.isoformat(" ") if found else None


def local_days(columnar: Engine, utc: str, zone: str) -> tuple[date, ...]:
    """Return the day that it is then in the zone, found one by one and looked up."""
    one_by_one, looked_up = to_local("u", zone), to_local("u", zone, day="d")
    return columnar.rows(
        f"select ({one_by_one})::date, ({looked_up})::date "
        f"from (select timestamp {text(utc)} as u){join_days({'d': 'u'}, zone)}"
    )[0]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-03-31 17:00:00", "2026-03-31 17:00:00"),
        ("2026-03-31T17:00:00", "2026-03-31 17:00:00"),
        ("2026-03-31 17:00", "2026-03-31 17:00:00"),
        ("2026-03-31", "2026-03-31 00:00:00"),
        ("2026-03-31 17:00:00.5", "2026-03-31 17:00:00.500000"),
        ("2026-03-31 17:00:00,123456", "2026-03-31 17:00:00.123456"),
        ("2026-03-31T17:00:00Z", "2026-03-31 17:00:00"),
        ("2026-03-31t17:00:00z", None),
        ("2026-03-31T17:00:00+02:00", "2026-03-31 15:00:00"),
        ("2026-03-31T17:00:00-0530", "2026-03-31 22:30:00"),
        ("2026-03-31 17:00:00+02", "2026-03-31 15:00:00"),
        ("1774976400000", "2026-03-31 17:00:00"),
        ("-1000000000", "1969-12-20 10:13:20"),
    ],
)
def test_a_time_may_be_written_in_many_ways(columnar: Engine, value: str, expected: str | None) -> None:
    assert read(columnar, value) == expected


@pytest.mark.parametrize(
    "value",
    [
        *(
            "31.03.2026",
            "03/31/2026",
            "2026-3-1",
            "2026-02-30",
            "2026-13-01",
            "2026-03-31 25:00:00",
            "20260331",
            "12345",
        ),
        *("soon", "2026-03-31 17:00:00 CET", "2026-03-31T17:00:00+99:00", "999999999999999", "'; drop table rejects"),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", BERLIN])
def test_nothing_is_guessed(columnar: Engine, value: str, zone: str) -> None:
    """A day and a month that change places would be worse than a reject."""
    assert read(columnar, value, zone) is None


@pytest.mark.parametrize(
    ("value", "zone", "expected"),
    [
        ("2026-10-25 02:30:00", BERLIN, "2026-10-25 00:30:00"),
        ("2026-03-29 02:30:00", BERLIN, "2026-03-29 01:30:00"),
        ("2026-11-01 01:30:00", "America/New_York", "2026-11-01 05:30:00"),
        ("2026-04-05 01:45:00", "Australia/Lord_Howe", "2026-04-04 14:45:00"),
        ("1985-07-01 02:30:00", BERLIN, "1985-07-01 00:30:00"),
        ("2065-07-01 02:30:00", BERLIN, "2065-07-01 00:30:00"),
        ("2026-10-25 02:30:00Z", BERLIN, "2026-10-25 02:30:00"),
        ("1774976400000", BERLIN, "2026-03-31 17:00:00"),
    ],
    ids=[
        *("a doubled hour is the first", "a skipped hour moves forward", "in another zone", "half an hour is doubled"),
        *("before the days that are looked up", "behind them"),
        *("an offset needs no zone", "nor do milliseconds"),
    ],
)
def test_a_time_without_an_offset_is_in_the_source_zone(columnar: Engine, value: str, zone: str, expected: str) -> None:
    make_zone_days(columnar, zone)
    assert read(columnar, value, zone) == expected
    assert look_up(columnar, value, zone) == expected


@given(
    zone=st.sampled_from(ZONES),
    moment=st.datetimes(datetime.fromisoformat("1995-01-01"), datetime.fromisoformat("2037-01-01")),
)
@example(zone="Australia/Lord_Howe", moment=datetime.fromisoformat("2026-10-04 02:15"))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_it_is_what_the_zone_database_says(columnar: Engine, zone: str, moment: datetime) -> None:
    """Around a change of the clock as well as at any other time, one by one and looked up by the day."""
    make_zone_days(columnar, zone)
    moments = [moment.replace(microsecond=0)]
    if zone != "UTC":
        changes = _changes(zone, moment.year)
        moments += [
            change + timedelta(minutes=minutes) for change in changes for minutes in (-61, -31, -1, 0, 29, 59, 61)
        ]

    for naive in moments:
        expected = naive.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC).replace(tzinfo=None)
        assert read(columnar, naive.isoformat(" "), zone) == expected.isoformat(" ")
        assert look_up(columnar, naive.isoformat(" "), zone) == expected.isoformat(" ")


def _changes(zone: str, year: int) -> list[datetime]:
    """Local times at which the clock changes, to the hour."""
    hours = (datetime(year, 1, 1, tzinfo=UTC) + timedelta(hours=hour) for hour in range(365 * 24))
    local = [hour.astimezone(ZoneInfo(zone)) for hour in hours]
    pairs = pairwise(local)
    return [later.replace(tzinfo=None) for earlier, later in pairs if earlier.utcoffset() != later.utcoffset()]


@pytest.mark.parametrize(
    ("value", "zone", "expected"),
    [
        ("2026-03-31", "UTC", "2026-03-31 23:59:59"),
        ("2026-03-31", BERLIN, "2026-03-31 21:59:59"),
        ("2026-10-25", BERLIN, "2026-10-25 22:59:59"),
        ("2026-03-31 00:00:00", "UTC", "2026-03-31 00:00:00"),
        ("1774976400000", "UTC", "2026-03-31 17:00:00"),
    ],
)
def test_a_deadline_without_a_time_ends_with_its_day(columnar: Engine, value: str, zone: str, expected: str) -> None:
    """Where the day ends, and on days of 25 hours as well."""
    make_zone_days(columnar, zone)
    assert read(columnar, value, zone, deadline=True) == expected
    assert look_up(columnar, value, zone, deadline=True) == expected


@pytest.mark.parametrize(
    ("moment", "zone", "day"),
    [
        ("2026-03-31 22:30:00", "UTC", date(2026, 3, 31)),
        ("2026-03-31 22:30:00", BERLIN, date(2026, 4, 1)),
        ("2026-03-31 03:30:00", "America/New_York", date(2026, 3, 30)),
        ("1985-06-30 22:30:00", BERLIN, date(1985, 7, 1)),
        ("2065-06-30 22:30:00", BERLIN, date(2065, 7, 1)),
    ],
)
def test_a_day_is_the_one_on_the_wall_there(columnar: Engine, moment: str, zone: str, day: date) -> None:
    """On days that are looked up, and on those too far away to be known."""
    make_zone_days(columnar, zone)
    assert local_days(columnar, moment, zone) == (day, day)


@given(
    zone=st.sampled_from(ZONES),
    moment=st.datetimes(datetime.fromisoformat("1985-01-01"), datetime.fromisoformat("2065-01-01")),
)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_day_is_what_the_zone_database_says(columnar: Engine, zone: str, moment: datetime) -> None:
    """Around a change of the clock as well as at any other time, one by one and looked up by the day."""
    make_zone_days(columnar, zone)
    moments = [moment, *(change.replace(hour=hour) for change in _changes(zone, moment.year) for hour in (0, 12, 23))]

    for utc in moments:
        expected = utc.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date()
        assert local_days(columnar, str(utc), zone) == (expected, expected)
