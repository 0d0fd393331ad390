"""Send what waits in the outbox of a connection to its LMS.

One worker a connection at a time: the LMS wants no parallel calls. Nothing sleeps: when the pace or the LMS says later,
a message comes then, and only one. Courses go before completions, which are about them.
"""

import logging
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta

from shared.domain.batches import Kind
from shared.domain.errors import BusyError, Code, SettingsError
from shared.domain.messages import PUSH_COMPLETIONS, PushCompletions
from shared.pipeline import journal
from shared.pipeline.parts import Parts
from shared.pipeline.write_back.accept import call
from shared.pipeline.write_back.opened import Desk, open_batch
from shared.pipeline.write_back.outbox import kind_of
from shared.pipeline.write_back.pace import Asked, Pacer, Trouble, Wait
from shared.pipeline.write_back.push_batch import BatchPush
from shared.pipeline.write_back.push_courses import push_courses
from shared.pipeline.write_back.replay import take_back
from shared.pipeline.write_back.session import Pause, Session

log = logging.getLogger(__name__)

_BUSY_SECONDS = 10
_FIRST_REST = timedelta(minutes=1)
_LONGEST_REST = timedelta(minutes=15)


def lease_of(connection: str) -> str:
    """Return the name of the lease under which a connection's records are sent."""
    return f"write-back/{connection}"


def push_completions(parts: Parts, message: PushCompletions) -> None:
    """Send as much as the pace allows, and see that somebody goes on with the rest.

    Raises:
        TransientError: the same call may work later.
    """
    name = message.connection
    connection = journal.get_connection(parts, name)
    if connection.write_back is None:
        log.warning("push.off connection=%s", name)
        return
    desk = Desk(parts, name, connection.write_back)
    try:
        with parts.leases.hold(lease_of(name)):
            seen = _Push(desk, message).run()
    except BusyError:
        if message.sample is not None or message.replay is not None:
            parts.messages.send(PUSH_COMPLETIONS, message.model_dump_json(), delay_seconds=_BUSY_SECONDS)
        return
    # Whoever came meanwhile found the lease taken, and left it to us.
    if set(desk.outbox.stems()) - seen and not connection.write_back.paused:
        call(parts, name)


class _Push:
    """One worker's work on a connection."""

    def __init__(self, desk: Desk, message: PushCompletions) -> None:
        self._desk = desk
        self._message = message
        self._clock = desk.parts.clock
        self._pacer = Pacer(desk.parts, desk.connection, desk.write_back)
        self._until = Wait()

    def run(self) -> set[str]:
        """Do it; return the batches that were there."""
        stems: list[str] = []
        with ExitStack() as stack:
            session = Session(self._desk.parts, self._desk.write_back, self._pacer, stack)
            try:
                if self._message.replay is not None:
                    take_back(self._desk, self._message.replay)
                stems = sorted(self._desk.outbox.stems())
                if not self._desk.write_back.paused or self._message.sample is not None:
                    self._send(session, stems)
            except SettingsError as error:
                self._stand_still(error)
        self._pacer.keep()
        if self._message.sample is None and not self._desk.write_back.paused:
            self._schedule()
        return set(stems)

    def _send(self, session: Session, stems: list[str]) -> None:
        if self._message.sample is None:
            self._attempt(lambda: push_courses(self._desk, session, stems))
        self._attempt(lambda: self._completions(session, stems))

    def _completions(self, session: Session, stems: list[str]) -> None:
        left = self._message.sample
        for stem in stems:
            if kind_of(stem) is Kind.COMPLETIONS and (opened := open_batch(self._desk, stem)) is not None:
                batch = BatchPush(opened, session, left)
                batch.run()
                left = batch.left
                if left == 0:
                    return

    def _attempt(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Pause as pause:
            until = pause.until
            if pause.error is not None:
                until = self._hold_back(pause)
            elif until > self._pacer.allowed_at(pause.asked):
                self._pacer.hold_back(pause.asked, until=until)
            self._until = self._until.or_sooner(Wait(until=until))

    def _hold_back(self, pause: Pause) -> datetime:
        """Leave the LMS alone for as long as it asked, or longer each time that it does not answer."""
        now, standing = self._clock(), self._pacer.standing
        error = pause.error
        trouble = self._trouble(pause.code or Code.LMS_UNREACHABLE, str(pause))
        rest = min(_FIRST_REST * 2 ** min(standing.failures, 4), _LONGEST_REST)
        kinds: tuple[Asked, ...] = tuple(Asked)
        if pause.code is Code.LMS_REQUESTS_LIMIT:
            rest, kinds = timedelta(seconds=self._desk.write_back.throttled_seconds), (pause.asked,)
        until = error.not_before if error is not None and error.not_before is not None else now + rest
        log.warning("push.pause connection=%s code=%s until=%s", self._desk.connection, trouble.code, until.isoformat())
        self._pacer.hold_back(*kinds, until=until)
        self._pacer.note(failures=standing.failures + 1, trouble=trouble)
        return until

    def _stand_still(self, error: SettingsError) -> None:
        """Say what somebody has to change, and look again after a while whether it was."""
        until = self._clock() + _LONGEST_REST
        code = error.code or Code.SETTINGS_INVALID
        log.error("push.stands connection=%s code=%s reason=%s", self._desk.connection, code, error)
        self._pacer.hold_back(*Asked, until=until)
        self._pacer.note(trouble=self._trouble(code, str(error)))
        self._until = Wait(until=until)

    def _trouble(self, code: Code, message: str) -> Trouble:
        """Return what is wrong, and since when it is that."""
        before = self._pacer.standing.trouble
        since = before.since if before is not None and before.code is code else self._clock()
        return Trouble(code=code, message=message, since=since)

    def _schedule(self) -> None:
        """Have a message come when there is something to do; none, if one is on its way."""
        until, now, due = self._until.until, self._clock(), self._pacer.standing.due
        if until is None:
            if due is not None:
                self._pacer.note(due=None)
            return
        if due is not None and now < due <= until and self._message.due != due:
            return
        self._pacer.note(due=until)
        body = PushCompletions(connection=self._desk.connection, due=until).model_dump_json()
        delay_seconds = max((until - now).total_seconds(), 0)
        self._desk.parts.messages.send(PUSH_COMPLETIONS, body, delay_seconds=delay_seconds)
