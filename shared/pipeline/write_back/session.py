"""A session with the LMS that is opened when it is first needed, and asks no faster than the pace allows."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta

from shared.domain.errors import TransientError
from shared.domain.write_back import Completion, Course, Identity, Receipt, WriteBack
from shared.pipeline.parts import Parts
from shared.pipeline.write_back.pace import Asked, Pacer
from shared.ports import LearningTarget

_LONGEST_WORK = timedelta(minutes=4)
"""After which a worker makes room and lets a new message go on."""
_HELD_BACK_SECONDS = 1
"""The least that a message can be held back by; what is shorter is waited for in place."""


class Pause(TransientError):  # noqa: N818 - not an error but when to go on
    """The LMS cannot be asked now: the pace, or a pause that it has asked for, or no answer."""

    def __init__(self, asked: Asked, until: datetime, error: TransientError | None = None) -> None:
        super().__init__(str(error or "The pace allows no request now."), error.code if error else None, until)
        self.asked = asked
        self.until = until
        self.error = error


class Session:
    """The LMS as one worker asks it."""

    def __init__(self, parts: Parts, write_back: WriteBack, pacer: Pacer, stack: ExitStack) -> None:
        self._parts = parts
        self._write_back = write_back
        self._pacer = pacer
        self._stack = stack
        self._target: LearningTarget | None = None
        self._users: dict[str, Sequence[str]] = {}
        self._ends_at = parts.clock() + _LONGEST_WORK

    def wait(self, asked: Asked) -> None:
        """Return when a request may be made now.

        Raises:
            Pause: not for a while.
        """
        while seconds := self._pacer.wait_seconds(asked):
            if seconds >= _HELD_BACK_SECONDS:
                raise Pause(asked, self._pacer.allowed_at(asked))
            self._parts.pause(seconds)
        if self._parts.clock() >= self._ends_at:
            raise Pause(asked, self._parts.clock())

    def send_courses(self, courses: Sequence[Course]) -> Sequence[Receipt]:
        """See the port; the request is counted before it is made."""
        return self._ask(Asked.COURSES, lambda target: target.send_courses(courses))

    def send_completions(self, completions: Sequence[Completion], before: Callable[[], None]) -> Sequence[Receipt]:
        """See the port; `before` is called just before the request is made."""
        return self._ask(Asked.COMPLETIONS, lambda target: target.send_completions(completions), before)

    def is_recorded(self, completion: Completion) -> bool | None:
        """See the port."""
        self.wait(Asked.READS)
        return self._ask(Asked.READS, lambda target: target.is_recorded(completion))

    def find_users(self, learner: str) -> Sequence[str]:
        """Return the LMS's own ids of a learner, as the connection says how; each is asked for once."""
        if self._write_back.identity is not Identity.EXTERNAL_REFERENCE:
            return (learner,)
        if learner not in self._users:
            self.wait(Asked.READS)
            self._users[learner] = self._ask(Asked.READS, lambda target: target.find_users(learner))
        return self._users[learner]

    def list_inactive(self) -> set[str]:
        """Return the ids of all users who are not active."""
        self.wait(Asked.READS)
        return self._ask(Asked.READS, lambda target: set(target.list_inactive()))

    def _ask[T](self, asked: Asked, ask: Callable[[LearningTarget], T], before: Callable[[], None] | None = None) -> T:
        with self._noting(asked):
            target = self._opened()
        self._pacer.take(asked)
        if before is not None:
            before()
        with self._noting(asked):
            answer = ask(target)
        self._pacer.settle(asked)
        return answer

    def _opened(self) -> LearningTarget:
        if self._target is None:
            secrets = self._parts.secrets.list_versions(self._write_back.target.secret)
            opening = self._parts.learning.open(self._write_back, secrets, self._parts.clock())
            self._target = self._stack.enter_context(opening)
        return self._target

    @contextmanager
    def _noting(self, asked: Asked) -> Iterator[None]:
        """Turn what the LMS does not do now into a pause."""
        try:
            yield
        except Pause:
            raise
        except TransientError as error:
            raise Pause(asked, error.not_before or self._parts.clock(), error) from None
