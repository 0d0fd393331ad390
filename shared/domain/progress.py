"""How far a long piece of work has come, how fast it goes, and when it will end."""

from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.strict import Strict


class Doing(StrEnum):
    """What takes long enough for somebody to ask."""

    COLLECTING = "collecting"
    READING = "reading"
    DECIDING = "deciding"
    FOLDING = "folding"


class Progress(Strict):
    """A piece of work at one moment. What nobody can know is `None`."""

    stage: Doing
    package: str
    """File name of the package."""
    done_bytes: int = 0
    first_bytes: int = 0
    """Of those, what an earlier attempt had done; it says nothing about the rate."""
    total_bytes: int | None = None
    done_rows: int = 0
    total_rows: int | None = None
    started_at: datetime
    updated_at: datetime

    @property
    def share(self) -> float | None:
        """Part of the work that is done, 0 to 1: by bytes where their total is known, else by rows."""
        for done, total in ((self.done_bytes, self.total_bytes), (self.done_rows, self.total_rows)):
            if total:
                return min(done / total, 1.0)
        return None

    @property
    def bytes_per_second(self) -> float | None:
        """Mean since the beginning of this attempt."""
        return self._rate(self.done_bytes - self.first_bytes)

    @property
    def rows_per_second(self) -> float | None:
        """Mean since the beginning."""
        return self._rate(self.done_rows)

    @property
    def ends_at(self) -> datetime | None:
        """When it will end if it goes on like this."""
        if self.total_bytes:
            left, rate = self.total_bytes - self.done_bytes, self.bytes_per_second
        elif self.total_rows:
            left, rate = self.total_rows - self.done_rows, self.rows_per_second
        else:
            return None
        return self.updated_at + timedelta(seconds=max(left, 0) / rate) if rate else None

    def _rate(self, done: int) -> float | None:
        seconds = (self.updated_at - self.started_at).total_seconds()
        return done / seconds if seconds > 0 and done > 0 else None
