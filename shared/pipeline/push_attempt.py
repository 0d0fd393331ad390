"""One attempt at a shard: what is sent, in which order, and when to stop."""

import logging
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from shared.domain.connection import Viva
from shared.domain.errors import Code, SettingsError
from shared.domain.plan import BATCH, Act, Operation, Verdict
from shared.pipeline.push_answers import Ledger, Task, settle
from shared.pipeline.push_calls import Calls
from shared.pipeline.push_shards import Past, Shard
from shared.ports import Call, Graph

log = logging.getLogger(__name__)

PAUSE_FLOOR_SECONDS = 10.0
BACKOFF_SECONDS = 30.0
BACKOFF_CAP_SECONDS = 900.0
BUDGET_SECONDS = 180.0
"""An attempt that takes longer hands over, long before the host would kill it."""
UNANSWERED_LIMIT = 2
"""Sends in a row without any answer, after which the attempt ends."""
FRUITLESS_LIMIT = 6
"""Attempts in a row that decide nothing, about a quarter of an hour, after which the run fails."""


class Attempt:
    """One go at the operations of a shard that have no receipt."""

    def __init__(self, shard: Shard, past: Past, graph: Graph, viva: Viva) -> None:
        self._started = time.monotonic()
        self._shard = shard
        self._past = past
        self._graph = graph
        self._calls = Calls(viva.provider_id)
        self._is_batched = viva.batch
        self._ledger = Ledger(shard.operations(), past)
        self._unanswered = 0

    @property
    def is_pending(self) -> bool:
        """Whether an operation is left without a receipt."""
        return bool(self._ledger.pending)

    @contextmanager
    def recorded(self, now: datetime) -> Iterator[None]:
        """Say that the attempt begins now, and whatever happens keep what it decided and left open."""
        number = self._past.attempts + 1
        self._shard.start(number, self._past.fruitless)
        try:
            yield
        finally:
            self._give_up_records()
            decided = self._ledger.receipts
            self._shard.end(number, decided, self._ledger.open, self._fruitless(), self._paused_until(now))
            log.info(
                "push.attempt_ended shard=%s attempt=%d decided=%d pending=%d",
                self._shard.name,
                number,
                len(decided),
                len(self._ledger.pending),
            )

    def run(self) -> None:
        """Send: deletes first, for what replaces them has the same key; what was open last, lest it block."""
        tasks = [self._first_task(op) for op in self._ledger.pending.values()]
        self._drain(deque(task for task in tasks if task.act is Act.DELETE))
        others = [task for task in tasks if task.act is not Act.DELETE]
        self._drain(deque(sorted(others, key=lambda task: task.operation.number in self._ledger.open)))

    def wait_seconds(self) -> float | None:
        """Seconds from the beginning of this attempt to the next; `None` is at once.

        It is the pause Graph asked for, or ever longer while nothing gets decided.
        """
        passed = time.monotonic() - self._started
        if self._ledger.pause_seconds is not None:
            return passed + max(self._ledger.pause_seconds, PAUSE_FLOOR_SECONDS)
        if self._ledger.receipts and passed >= BUDGET_SECONDS:
            return None
        backoff: float = BACKOFF_SECONDS * 2 ** min(max(self._fruitless() - 1, 0), 10)
        return passed + min(backoff, BACKOFF_CAP_SECONDS)

    def _paused_until(self, now: datetime) -> datetime | None:
        if self._ledger.pause_seconds is None or not self.is_pending:
            return None
        return now + timedelta(seconds=self.wait_seconds() or 0)

    def _fruitless(self) -> int:
        if self._ledger.receipts:
            return 0
        return self._past.fruitless + (self._ledger.pause_seconds is None)

    def give_up_if_fruitless(self) -> None:
        """End the run when Graph has not given a usable answer for too long; the next sync goes on from there.

        Raises:
            SettingsError: `GRAPH_UNAVAILABLE`.
        """
        if self._fruitless() >= FRUITLESS_LIMIT:
            raise SettingsError(
                f"Graph gave no usable answer in {FRUITLESS_LIMIT} attempts. See the service health of Microsoft 365; "
                "the next sync sends what is left.",
                Code.GRAPH_UNAVAILABLE,
            )

    def _give_up_records(self) -> None:
        """Refuse what keeps failing while Graph decided about the rest of the shard: it must not hold up the run."""
        if self._fruitless() < FRUITLESS_LIMIT or not self._past.receipts or self._ledger.stop is not None:
            return
        reason = f"Graph failed over this record in {FRUITLESS_LIMIT} attempts, and not over others"
        for number in sorted(self._ledger.open):
            operation = self._ledger.pending[number]
            self._ledger.decide(operation, Verdict.REJECTED, None, Code.GRAPH_UNAVAILABLE, reason)

    def _first_task(self, operation: Operation) -> Task:
        """A create that may have been carried out is looked up first, and so is what may be there."""
        is_uncertain = operation.act is Act.CREATE and operation.number in self._ledger.open
        if is_uncertain or operation.act is Act.ENSURE:
            return Task(operation, None, was_looked_up=True)
        return Task(operation, operation.act, operation.graph_id)

    def _drain(self, queue: deque[Task]) -> None:
        size = BATCH if self._is_batched else 1
        while queue and self._may_go_on():
            tasks: list[Task] = []
            while queue and len(tasks) < size:
                task = queue.popleft()
                if not self._ledger.holds_back(task):
                    tasks.append(task)
            if tasks:
                queue.extend(self._send(tasks))

    def _may_go_on(self) -> bool:
        in_time = time.monotonic() - self._started < BUDGET_SECONDS
        return in_time and self._ledger.pause_seconds is None and self._unanswered < UNANSWERED_LIMIT

    def _send(self, tasks: list[Task]) -> list[Task]:
        """Send the tasks and return what follows from the answers."""
        self._ledger.open.update(task.operation.number for task in tasks if task.act is not None)
        answers = self._graph.send([self._call(task) for task in tasks], batch=self._is_batched)
        self._unanswered = 0 if any(answer.status for answer in answers) else self._unanswered + 1
        following = [settle(task, answer, self._ledger) for task, answer in zip(tasks, answers, strict=True)]
        stop = self._ledger.stop
        if stop is not None:
            raise SettingsError(f"Nothing more is sent to Viva Learning. {stop.reason}.", stop.code)
        return [task for task in following if task is not None]

    def _call(self, task: Task) -> Call:
        if task.act is None:
            return self._calls.look_up(task.operation)
        return self._calls.write(
            task.operation, task.act, task.graph_id, self._ledger.limits, alternate=task.is_alternate
        )
