"""How often a simulated service may be asked, by its own clock."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from infra.local.learning.faults import Area

type Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Limit:
    """So many requests in so many seconds."""

    requests: int
    seconds: float


type Limits = Mapping[Area, Limit]

LIMITS: Limits = {"courses": Limit(1, 300), "completions": Limit(100, 60), "reads": Limit(1, 0.5)}
"""What is documented; a simulator without one for an area takes everything."""


class Gate:
    """Counts the requests of one area; what it turns away does not count."""

    def __init__(self, limit: Limit | None, clock: Clock) -> None:
        self._limit = limit
        self._clock = clock
        self._admitted: deque[datetime] = deque()

    def admit(self) -> bool:
        """Tell whether another request may come now, and count it if so."""
        if self._limit is None:
            return True
        now = self._clock()
        gone = now - timedelta(seconds=self._limit.seconds)
        while self._admitted and self._admitted[0] <= gone:
            self._admitted.popleft()
        if len(self._admitted) >= self._limit.requests:
            return False
        self._admitted.append(now)
        return True
