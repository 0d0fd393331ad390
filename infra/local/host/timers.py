"""Timers, as the real host runs them.

* A schedule is NCRONTAB: six fields, seconds first (five are read as starting at second 0), in UTC as in
  Azure.
* What ran and what is next is kept in a status blob, `azure-webjobs-hosts/timers/<host
  id>/Host.Functions.<name>/status`, so that a host that was down when a timer was due runs it at start, with
  `IsPastDue`. A schedule that was changed meanwhile starts afresh. `useMonitor` false, or a schedule that
  can fire more than once a minute, keeps no status.
* A timer never runs twice at a time; what falls due while it runs is made up for by one run right after.
* Errors never stop the schedule.
"""

import asyncio
import json
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from azure.core.exceptions import AzureError, ResourceNotFoundError
from croniter import CroniterError, croniter

from infra.local.host.invocations import Invocations
from infra.local.host.protos import Value
from infra.local.host.settings import HostError, Settings
from infra.local.host.storage import Storage, write_note
from infra.local.host.waiting import first_of
from infra.local.host.worker import Function, FunctionError

log = logging.getLogger("host")

FIELDS = (5, 6)
NEVER = datetime(1, 1, 1, tzinfo=UTC)
"""The real host's word for "has not run yet"."""
LONGEST_WAIT_SECONDS = 60.0
"""A waiting timer looks at the clock at least so often: the clock may be set, the machine may have slept."""
MONITORED_FROM = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a timer fires."""

    expression: str

    @classmethod
    def parse(cls, text: str) -> "Schedule":
        """Read an NCRONTAB expression.

        Raises:
            HostError: it is none.
        """
        fields = text.split()
        if len(fields) not in FIELDS:
            raise HostError(f"Schedule {text!r} must have six fields, seconds first.")
        schedule = cls(" ".join(fields if len(fields) == max(FIELDS) else ["0", *fields]))
        try:
            schedule.after(datetime.now(UTC))
        except CroniterError as error:
            raise HostError(f"Schedule {text!r} is not NCRONTAB: {error}.") from None
        return schedule

    def after(self, moment: datetime) -> datetime:
        """Return the first time it fires after that moment."""
        following: datetime = croniter(self.expression, moment, second_at_beginning=True).get_next(datetime)
        return following

    def is_monitored(self, now: datetime) -> bool:
        """Tell whether it fires rarely enough for its state to be kept."""
        first = self.after(now)
        return self.after(first) - first >= MONITORED_FROM


@dataclass(frozen=True, slots=True)
class Status:
    """What the status blob says."""

    last: datetime
    next: datetime
    updated: datetime

    def to_json(self) -> dict[str, str]:
        """Write it as the real host does."""
        return {
            "Last": self.last.isoformat(),
            "Next": self.next.isoformat(),
            "LastUpdated": self.updated.isoformat(),
        }

    @classmethod
    def from_json(cls, text: str | bytes) -> "Status":
        """Read it.

        Raises:
            ValueError: it is none.
        """
        content = json.loads(text)
        try:
            moments = [datetime.fromisoformat(content[name]) for name in ("Last", "Next", "LastUpdated")]
        except (KeyError, TypeError):
            raise ValueError("This is not a timer's status.") from None
        return cls(*(moment if moment.tzinfo else moment.replace(tzinfo=UTC) for moment in moments))


def at_start(schedule: Schedule, kept: Status | None, now: datetime) -> Status:
    """Work out what is next when the host starts; it is past due when that is before `now`."""
    if kept is None:
        return Status(NEVER, schedule.after(now), now)
    expected = schedule.after(kept.last if kept.last > NEVER else kept.updated)
    if expected == kept.next:
        return kept
    if expected < now:  # under another schedule nothing was missed
        return Status(NEVER, schedule.after(now), now)
    return Status(NEVER, expected, kept.last if kept.last > NEVER else kept.updated)


class TimerListener:
    """Runs one timer until it is told to stop."""

    def __init__(
        self,
        function: Function,
        settings: Settings,
        storage: Storage,
        invocations: Invocations,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._function = function
        self._storage = storage
        self._invocations = invocations
        self._clock = clock
        self._schedule = Schedule.parse(settings.resolve(function.schedule or ""))
        self._runs_on_startup = bool(function.trigger.get("runOnStartup"))
        monitored = function.trigger.get("useMonitor", True) and self._schedule.is_monitored(clock())
        self._is_monitored = bool(monitored)
        self._notes = storage.notes()
        self._path = f"timers/{settings.host_id}/Host.Functions.{function.name}/status"

    async def listen(self, stop: asyncio.Event) -> None:
        """Work until `stop`; return when the run that was begun is done."""
        now = self._clock()
        kept = await self._read() if self._is_monitored else None
        status = at_start(self._schedule, kept, now)
        if status != kept:
            await self._write(status)
        is_past_due = status.next < now
        if is_past_due or self._runs_on_startup:
            status = await self._run(status, is_past_due=is_past_due)
        while await self._is_due(status.next, stop):
            status = await self._run(status, is_past_due=False)

    async def _is_due(self, moment: datetime, stop: asyncio.Event) -> bool:
        """Wait for that moment; say no when `stop` comes first."""
        while not stop.is_set():
            remaining_seconds = (moment - self._clock()).total_seconds()
            if remaining_seconds <= 0:
                return True
            await first_of(stop, timeout_seconds=min(remaining_seconds, LONGEST_WAIT_SECONDS))
        return False

    async def _run(self, status: Status, *, is_past_due: bool) -> Status:
        begun = self._clock()
        data: Value = {
            "Schedule": {"AdjustForDST": True},
            "ScheduleStatus": status.to_json() if self._is_monitored else None,
            "IsPastDue": is_past_due,
        }
        with suppress(FunctionError):  # it has been logged; the schedule goes on
            await self._invocations.run(self._function, data, {})
        after = Status(begun, self._schedule.after(begun), self._clock())
        await self._write(after)
        return after

    async def _read(self) -> Status | None:
        def read() -> bytes:
            return self._notes.get_blob_client(self._path).download_blob().readall()

        try:
            return Status.from_json(await self._storage.call(read))
        except (ResourceNotFoundError, ValueError):
            return None  # never ran, or is not readable: starts afresh
        except AzureError as error:
            log.warning("Timer %s: its status cannot be read (%s).", self._function.name, type(error).__name__)
            return None

    async def _write(self, status: Status) -> None:
        if not self._is_monitored:
            return
        content = json.dumps(status.to_json()).encode()
        try:
            await self._storage.call(write_note, self._notes, self._path, content)
        except AzureError as error:
            log.warning("Timer %s: its status cannot be kept (%s).", self._function.name, type(error).__name__)
