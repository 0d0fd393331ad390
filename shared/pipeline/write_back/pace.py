"""How often the LMS may be asked: one document a connection, which all workers share and which outlives them.

It is written before a request is made, so that a worker who is killed in the middle has used up the request. Only
who holds the connection's lease writes it. Requests are counted in a sliding window: never are there more than
`requests` in any `seconds`.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from pydantic import Field

from shared.domain.errors import Code
from shared.domain.strict import Strict
from shared.domain.write_back import Pace, WriteBack
from shared.pipeline.parts import Parts

_SLICES = 50
"""Requests that are closer to each other than this part of the window are counted as one time."""


_MOST_AT_ONCE = 50


class Asked(StrEnum):
    """What is asked of the LMS; each has a pace of its own."""

    COURSES = "courses"
    COMPLETIONS = "completions"
    READS = "reads"


class Trouble(Strict):
    """Why sending stands still."""

    code: Code
    message: str
    since: datetime


class Standing(Strict):
    """How far sending has come, as it is kept."""

    used: dict[Asked, tuple[tuple[datetime, int], ...]] = Field(default={})
    """Times of requests within the window, and how many."""
    not_before: dict[Asked, datetime] = Field(default={})
    """Pauses that the LMS has asked for, or that follow a failure."""
    due: datetime | None = None
    """When the message comes that goes on."""
    failures: int = 0
    """Without anything that worked in between."""
    trouble: Trouble | None = None


class Pacer:
    """The pace of one connection, in the hands of who holds its lease."""

    def __init__(self, parts: Parts, connection: str, write_back: WriteBack) -> None:
        document = parts.pushing.find(_name(connection))
        self._parts = parts
        self._connection = connection
        self._etag = document.etag if document else None
        self._kept = Standing.model_validate(document.value) if document else Standing()
        self.standing = self._kept
        self._ahead: dict[Asked, int] = {}
        """Requests that are written down and have not been made."""
        self.paces = paces(write_back)

    def _left(self, asked: Asked) -> int:
        """Return how many requests the window has room for, at least the one that is allowed."""
        pace, now = self.paces[asked], self._parts.clock()
        used = sum(count for at, count in self.standing.used.get(asked, ()) if at + _window(pace) > now)
        return max(pace.requests - used, 1)

    def allowed_at(self, asked: Asked) -> datetime:
        """Return when the next request may be made; not later than now means now."""
        if self._ahead.get(asked, 0) > 0:
            return max(self._parts.clock(), self.standing.not_before.get(asked, self._parts.clock()))
        return allowed_at(self.standing, asked, self.paces[asked], self._parts.clock())

    def wait_seconds(self, asked: Asked) -> float:
        """Return how long to wait for the next request; 0 for not at all."""
        return max((self.allowed_at(asked) - self._parts.clock()).total_seconds(), 0)

    def take(self, asked: Asked) -> None:
        """Use up a request that is allowed now; it is kept before this returns."""
        now = self._parts.clock()
        pace = self.paces[asked]
        if self._ahead.get(asked, 0) > 0:
            self._ahead[asked] -= 1
            return
        # Where many are allowed in a second, as many are written down together.
        count = min(at_once(pace), self._left(asked))
        self._ahead[asked] = count - 1
        recent = [each for each in self.standing.used.get(asked, ()) if each[0] + _window(pace) > now]
        if recent and now - recent[-1][0] < _window(pace) / _SLICES and len(recent) > 1:
            # The later time counts for all of them, so that it is never asked too early.
            recent[-1] = (now, recent[-1][1] + count)
        else:
            recent.append((now, count))
        self._change(used={**self.standing.used, asked: tuple(recent)})
        self.keep()

    def settle(self, asked: Asked) -> None:
        """Let the window of the last request begin when it was answered, and note that something works."""
        used = self.standing.used.get(asked, ())
        if used:
            last = (max(self._parts.clock(), used[-1][0]), used[-1][1])
            self._change(used={**self.standing.used, asked: (*used[:-1], last)}, failures=0, trouble=None)

    def hold_back(self, *asked: Asked, until: datetime) -> None:
        """Make no such request before that; it is kept before this returns."""
        later = {each: max(until, self.standing.not_before.get(each, until)) for each in asked}
        self._change(not_before={**self.standing.not_before, **later})
        self.keep()

    def note(self, **values: object) -> None:
        """Note something else; it is kept before this returns."""
        self._change(**values)
        self.keep()

    def keep(self) -> None:
        """Keep what has changed.

        Raises:
            BusyError: somebody else has written meanwhile: the lease was lost.
        """
        if self.standing != self._kept:
            value = self.standing.model_dump(mode="json")
            self._etag = self._parts.pushing.put(_name(self._connection), value, self._etag)
            self._kept = self.standing

    def _change(self, **values: object) -> None:
        self.standing = self.standing.model_copy(update=values)


def get_standing(parts: Parts, connection: str) -> Standing:
    """Return how far sending has come."""
    document = parts.pushing.find(_name(connection))
    return Standing.model_validate(document.value) if document else Standing()


def paces(write_back: WriteBack) -> Mapping[Asked, Pace]:
    """Return the pace of each kind of request."""
    return {
        Asked.COURSES: write_back.courses_pace,
        Asked.COMPLETIONS: write_back.completions_pace,
        Asked.READS: write_back.reads_pace,
    }


def allowed_at(standing: Standing, asked: Asked, pace: Pace, now: datetime) -> datetime:
    """Return when the next request of a kind may be made, as it stands."""
    at = max(standing.not_before.get(asked, now), now)
    left = pace.requests - 1
    # The newest first: once the window is full without the one at hand, that one has to leave it.
    for time, count in reversed(standing.used.get(asked, ())):
        left -= count
        if left < 0:
            return max(at, time + _window(pace))
    return at


def at_once(pace: Pace) -> int:
    """Return how many requests are written down together: what is allowed in a second, at least one."""
    return max(1, min(int(pace.requests / pace.seconds), _MOST_AT_ONCE))


def _window(pace: Pace) -> timedelta:
    return timedelta(seconds=pace.seconds)


def _name(connection: str) -> str:
    return f"{connection}/pace"


class Wait(Strict):
    """When to go on; `None` when nothing is left to wait for."""

    until: datetime | None = None

    def or_sooner(self, other: Self) -> "Wait":
        """Return the one that is sooner."""
        both = [each for each in (self.until, other.until) if each is not None]
        return Wait(until=min(both, default=None))
