"""When a timer of Azure Functions is due: NCRONTAB, six fields with the seconds first, in UTC."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Self

_FIELDS = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
"""First and last value of seconds, minutes, hours, days, months and weekdays; Sunday is 0."""
_NAMES = (
    "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(),  # noqa: SIM905 - names read better as a line
    "SUN MON TUE WED THU FRI SAT".split(),  # noqa: SIM905 - the same
)
_ITEM = re.compile(r"(?:\*|(\d+)(?:-(\d+))?)(?:/(\d+))?")
_FARTHEST_DAYS = 8 * 366
"""A 29th of February may be eight years away."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule, as the values that each field allows."""

    fields: tuple[frozenset[int], ...]

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read an expression; `None` when it is none, such as a period of time."""
        parts = text.upper().split()
        if len(parts) == len(_FIELDS) - 1:
            parts = ["0", *parts]
        if len(parts) != len(_FIELDS):
            return None
        for place, names, first in ((4, _NAMES[0], 1), (5, _NAMES[1], 0)):
            for number, name in enumerate(names, first):
                parts[place] = re.sub(rf"\b{name}[A-Z]*", str(number), parts[place])
        fields = [_values(part, *bounds) for part, bounds in zip(parts, _FIELDS, strict=True)]
        return cls(tuple(field for field in fields if field)) if all(fields) else None

    def next_due(self, after: datetime) -> datetime | None:
        """Return the first time it is due after a moment; `None` when it never is."""
        seconds, minutes, hours, days, months, weekdays = self.fields
        moment = after.astimezone(UTC)
        for offset in range(_FARTHEST_DAYS):
            day = moment.date() + timedelta(days=offset)
            if day.day not in days or day.month not in months or day.isoweekday() % 7 not in weekdays:
                continue
            for hour in sorted(hours):
                for minute in sorted(minutes):
                    for second in sorted(seconds):
                        due = datetime.combine(day, time(hour, minute, second), UTC)
                        if due > moment:
                            return due
        return None


def _values(part: str, first: int, last: int) -> frozenset[int] | None:
    """Return the values that a field allows; `None` when it is no field."""
    found: set[int] = set()
    for item in part.split(","):
        match = _ITEM.fullmatch(item)
        if match is None:
            return None
        low, high, step = (int(each) if each is not None else None for each in match.groups())
        if low is None:
            low, high = first, last
        elif high is None:
            high = low if step is None else last
        if step == 0 or low < first or high is None or high > last:
            return None
        found.update(range(low, high + 1, step or 1))
    return frozenset(found) or None
