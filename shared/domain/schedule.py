"""Timer schedules as Azure Functions reads them (NCRONTAB): when one was due last."""

import re
from datetime import UTC, datetime, time, timedelta

_DAYS_LOOKED_BACK = 366
_FIELDS = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
"""Lowest and highest value of seconds, minutes, hours, days, months and weekdays (0 is Sunday)."""
_NAMES = {
    **{name: number for number, name in enumerate("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(), 1)},  # noqa: SIM905 - read as words
    **{name: number for number, name in enumerate("SUN MON TUE WED THU FRI SAT".split())},  # noqa: SIM905 - the same
}
_PART = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\d+))?")


def latest_due(schedule: str, now: datetime) -> datetime | None:
    """Return when the schedule was due last, in UTC; `None` when it was not within a year.

    Day and weekday must both fit. Five fields are read as starting at second 0.

    Raises:
        ValueError: it is no schedule.
    """
    texts = schedule.split()
    texts = ["0", *texts] if len(texts) == len(_FIELDS) - 1 else texts
    if len(texts) != len(_FIELDS):
        raise ValueError("a schedule has six fields, seconds first")
    seconds, minutes, hours, days, months, weekdays = (
        _values(text, *bounds) for text, bounds in zip(texts, _FIELDS, strict=True)
    )
    for back in range(_DAYS_LOOKED_BACK):
        date = (now - timedelta(days=back)).astimezone(UTC).date()
        if date.day in days and date.month in months and date.isoweekday() % 7 in weekdays:
            due = (
                datetime.combine(date, time(hour, minute, second), UTC)
                for hour in reversed(hours)
                for minute in reversed(minutes)
                for second in reversed(seconds)
            )
            if found := next((each for each in due if each <= now), None):
                return found
    return None


def _values(text: str, lowest: int, highest: int) -> list[int]:
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"{part!r} is no part of a schedule")
        step = int(match["step"] or 1)
        first = lowest if match["first"] is None else _number(match["first"])
        if match["last"] is not None:
            last = _number(match["last"])
        else:
            last = highest if match["first"] is None or match["step"] else first
        if not (lowest <= first <= last <= highest and step):
            raise ValueError(f"{part!r} is beyond {lowest} to {highest}")
        found.update(range(first, last + 1, step))
    return sorted(found)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else _NAMES.get(text.upper()[:3], -1)
