"""An LMS in memory: as strict about what it takes as the real ones, and with a history of every request."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.domain.errors import Code, ConnectorError, TransientError
from shared.domain.write_back import Completion, Course, Fate, Pace, Receipt, WriteBack
from shared.ports import LearningTarget, Secret


class Killed(BaseException):
    """The worker's machine dies at this very moment."""


@dataclass
class MemoryLms:
    """The ports `LearningTargets` and `LearningTarget`."""

    clock: Callable[[], datetime]
    users: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Ids by external reference."""
    inactive: set[str] = field(default_factory=set)
    unknown_courses: set[str] = field(default_factory=set)
    courses: dict[str, Course] = field(default_factory=dict)
    history: list[Completion] = field(default_factory=list)
    requests: list[tuple[str, datetime, int]] = field(default_factory=list)
    """What was asked, when, and with how many records."""
    kinds: list[list[str]] = field(default_factory=list)
    """What each request with courses did to each of them."""
    tells: bool = True
    """Whether it can be asked what it has recorded."""
    limits: dict[str, Pace] = field(default_factory=dict)
    """Faster than this is refused."""
    refuse: list[ConnectorError] = field(default_factory=list)
    """Raised instead of the next answers, with nothing done."""
    lose: list[BaseException] = field(default_factory=list)
    """Raised after the next requests have been carried out."""
    opened: int = 0
    _known: set[tuple[object, ...]] = field(default_factory=set)

    @contextmanager
    def _open(self) -> Iterator[LearningTarget]:
        self.opened += 1
        yield self

    def open(
        self, write_back: WriteBack, secrets: Sequence[Secret], now: datetime
    ) -> AbstractContextManager[LearningTarget]:
        del write_back, now
        assert secrets
        return self._open()

    def send_courses(self, courses: Sequence[Course]) -> Sequence[Receipt]:
        self._note("courses", len(courses))
        self.kinds.append([self._change(each) for each in courses])
        self.courses |= {each.course_id: each for each in courses}
        return self._answer([Receipt(fate=Fate.AWAITS_IMPORT) for _ in courses])

    def send_completions(self, completions: Sequence[Completion]) -> Sequence[Receipt]:
        self._note("completions", len(completions))
        return self._answer([self._record(each) for each in completions])

    def is_recorded(self, completion: Completion) -> bool | None:
        self._note("reads", 1)
        return _key(completion) in self._known if self.tells else None

    def find_users(self, external_reference: str) -> Sequence[str]:
        self._note("reads", 1)
        return self.users.get(external_reference, ())[:2]

    def list_inactive(self) -> Iterator[str]:
        yield from sorted(self.inactive)

    def describe_identity(self) -> str | None:
        return "external_reference"

    def count(self, what: str) -> int:
        """Return how many requests of a kind were made."""
        return Counter(each[0] for each in self.requests)[what]

    def minutes(self, what: str, start: datetime) -> list[float]:
        """Return when requests of a kind were made."""
        return [round((at - start).total_seconds() / 60, 3) for each, at, _ in self.requests if each == what]

    def _record(self, completion: Completion) -> Receipt:
        if completion.learner in self.inactive:
            return Receipt(fate=Fate.PARKED, code=Code.LEARNER_INACTIVE, reason="The user account is inactive.")
        if completion.course_id in self.unknown_courses:
            return Receipt(fate=Fate.REJECTED, code=Code.RECORD_REFUSED, reason="There is no such course.")
        self.history.append(completion)
        self._known.add(_key(completion))
        return Receipt(fate=Fate.DONE)

    def _change(self, course: Course) -> str:
        if not course.active:
            return "deactivate"
        return "update" if course.course_id in self.courses else "create"

    def _note(self, what: str, count: int) -> None:
        now = self.clock()
        if pace := self.limits.get(what):
            window = [
                at for each, at, _ in self.requests if each == what and now - at < timedelta(seconds=pace.seconds)
            ]
            if len(window) >= pace.requests:
                raise TransientError("API calling limit exceeded, Try later", Code.LMS_REQUESTS_LIMIT)
        self.requests.append((what, now, count))
        if self.refuse:
            raise self.refuse.pop(0)

    def _answer(self, receipts: list[Receipt]) -> list[Receipt]:
        if self.lose:
            raise self.lose.pop(0)
        return receipts


def _key(completion: Completion) -> tuple[object, ...]:
    return completion.learner, completion.course_id, completion.completed_at, completion.completion_id
