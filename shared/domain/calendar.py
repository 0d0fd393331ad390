"""Working days and missing days."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

FIRST_PACKAGE_WORKING_DAYS = 7
"""SuccessFactors may take up to 7 working days to make the first package."""

_SATURDAY = 5


def add_working_days(start: datetime, days: int) -> datetime:
    """Return the same time of day, that many working days (Monday to Friday) later."""
    result = start
    while days:
        result += timedelta(days=1)
        if result.weekday() < _SATURDAY:
            days -= 1
    return result


def missing_days(last: datetime, following: datetime, zone: ZoneInfo) -> list[date]:
    """Name the days of which a daily package should have come between two packages, and did not."""
    day = last.astimezone(zone).date() + timedelta(days=1)
    end = following.astimezone(zone).date()
    missing = []
    while day < end:
        missing.append(day)
        day += timedelta(days=1)
    return missing
