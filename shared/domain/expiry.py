"""What expires, and when somebody should be told: 30, 7 and 1 days before, and when it has happened."""

from dataclasses import dataclass
from datetime import datetime, timedelta

WARN_DAYS = (30, 7, 1)
EXPIRED = 0


@dataclass(frozen=True, slots=True)
class Expiring:
    """One thing with an end."""

    what: str
    """For people, as the subject of a sentence; the same for as long as it is the same thing."""
    expires_at: datetime

    def mark(self, now: datetime) -> int | None:
        """Return the smallest of the days of `WARN_DAYS` that it has left at most, `EXPIRED`, or `None` for longer."""
        left = self.expires_at - now
        if left <= timedelta():
            return EXPIRED
        return next((days for days in reversed(WARN_DAYS) if left <= timedelta(days=days)), None)

    def sentence(self, now: datetime) -> str:
        """Say when it expires or that it has."""
        day = f"{self.expires_at:%Y-%m-%d}"
        if self.mark(now) == EXPIRED:
            return f"{self.what} expired on {day}."
        days = (self.expires_at - now) // timedelta(days=1)
        return f"{self.what} expires on {day}, in {days} day{'' if days == 1 else 's'}."
