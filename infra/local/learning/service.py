"""What every simulated learning service has: its LMS, its clock and limits, its faults, and the server in front."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.local.certificate import Certificate
from infra.local.learning.faults import Area, Faults
from infra.local.learning.lms import Event, Item, Lms, User
from infra.local.learning.pace import LIMITS, Clock, Gate, Limits
from infra.local.learning.web import Answer, Call, Front, Seen

_PORT = "port"
_AREAS: tuple[Area, ...] = ("token", "courses", "completions", "reads")


def real_time() -> datetime:
    """Return the time of this machine."""
    return datetime.now(UTC)


class LearningService(ABC):
    """A service in front of an LMS, on loopback while the block lasts.

    Without a state folder everything is in memory, and gone at the end. With one, what the LMS holds is found again
    the next time, on the same port if it is free. With a certificate the service speaks TLS.
    """

    url: str
    """Without a slash at the end."""

    def __init__(
        self,
        state: Path | None = None,
        *,
        certificate: Certificate | None = None,
        clock: Clock = real_time,
        limits: Limits = LIMITS,
    ) -> None:
        self._state = state
        self._certificate = certificate
        self.clock = clock
        self._limits = limits
        self._running = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as starting:
            self.lms = Lms(self._state)
            starting.callback(self.lms.close)
            self.prepare()
            self._gates = {area: Gate(self._limits.get(area), self.clock) for area in _AREAS}
            self.front = Front(
                serve=self._serve,
                area_of=self.area_of,
                clock=self.clock,
                certificate=self._certificate,
                wanted_port=int(self.lms.kept(_PORT) or 0),
            )
            self.lms.keep(_PORT, str(self.front.port))
            self.url = starting.enter_context(self.front).url
            self._running = starting.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._running.close()

    @abstractmethod
    def prepare(self) -> None:
        """Make what the service needs besides, once its LMS is there."""

    @abstractmethod
    def area_of(self, call: Call) -> Area | None:
        """Tell what a request is about; `None` when there is nothing at its path."""

    @abstractmethod
    def serve(self, call: Call, area: Area) -> Answer:
        """Carry a request out."""

    def admit(self, area: Area) -> bool:
        """Tell whether another request of the area may come now, and count it if so."""
        return self._gates[area].admit()

    @property
    def faults(self) -> Faults:
        """What is left of the faults."""
        return self.front.faults

    def inject(self, faults: Faults) -> None:
        """Let these faults strike from now on, and no others; `Faults()` ends them all."""
        self.front.inject(faults)

    def seen(self, area: Area | None = None) -> Sequence[Seen]:
        """Return the requests that came, in that order; of one area, or all of them."""
        return self.front.seen(area)

    def add_users(self, *users: User) -> None:
        """Add users to the LMS, or change them."""
        self.lms.put_users(*users)

    def deactivate(self, user_id: str) -> None:
        """Make a user's account inactive."""
        user = self.lms.find_user(user_id)
        if user is not None:
            self.lms.put_users(User(user.user_id, user.external_id, active=False))

    def import_menu(self) -> Sequence[str]:
        """Return the courses that an administrator finds in the import menu."""
        return self.lms.import_menu()

    def import_courses(self) -> Sequence[str]:
        """Be the administrator who imports all of the menu and brings earlier imports up to date; return the new."""
        return self.lms.import_courses()

    def items(self) -> Sequence[Item]:
        """Return what was imported."""
        return self.lms.items()

    def history(self, user_id: str | None = None) -> Sequence[Event]:
        """Return learning histories, of one user or of everybody."""
        return self.lms.history(user_id)

    def duplicate_events(self) -> int:
        """Count rows of histories that say what an earlier row says."""
        return self.lms.duplicate_events()

    def _serve(self, call: Call, area: Area | None) -> Answer:
        return Answer(404, "<title>Not found</title>") if area is None else self.serve(call, area)
