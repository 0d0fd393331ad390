"""One sync from beginning to end: ask for it, watch it, and say how it ended."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from infra.local.connection import NAME
from infra.local.tenant import Tenant
from infra.local.worker import WorkerError
from shared.cli import follow
from shared.cli.follow import Tell
from shared.domain.errors import Code, ConnectorError
from shared.domain.runs import Outcome, Run, Step, worst
from shared.pipeline import journal

TIMEOUT_SECONDS = 3600.0
_LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Ending:
    """How a sync ended."""

    outcome: Outcome
    code: Code | None
    message: str
    runs: tuple[Run, ...] = ()
    """What was done in it, oldest first, and the run that is halted, if one is."""
    seconds: float = 0.0
    peak_memory_bytes: int = 0
    requests: int = 0
    writes: int = 0


@dataclass(slots=True)
class _Watch:
    """Counts what one sync costs."""

    tenant: Tenant
    started: float = field(default_factory=time.monotonic)
    sync_ids: set[str] = field(default_factory=set)

    def end(self, outcome: Outcome, code: Code | None, message: str) -> Ending:
        counters = self.tenant.graph.counters()
        return Ending(
            outcome=outcome,
            code=code,
            message=message,
            runs=tuple(_runs(self.tenant, self.sync_ids)),
            seconds=time.monotonic() - self.started,
            peak_memory_bytes=self.tenant.memory.bytes,
            requests=counters.requests,
            writes=counters.writes,
        )


def run_sync(
    tenant: Tenant,
    *,
    dry_run: bool = False,
    approve: str | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
    tell: Tell = lambda _: None,
) -> Ending:
    """Start the worker, sync until nothing is left to do, and stop the worker.

    An approved run goes on first; then the folder is looked into, as always. Whatever goes wrong is an ending.
    """
    tenant.graph.reset_counters()
    tenant.memory.reset()
    watch = _Watch(tenant)
    deadline = watch.started + timeout_seconds
    endings: list[tuple[Outcome, Code | None]] = []
    message = ""
    try:
        tenant.start_worker()
        for ask in _asks(tenant, dry_run=dry_run, approve=approve):
            sync_id = ask()
            watch.sync_ids.add(sync_id)
            row = wait(tenant, sync_id, deadline=deadline, tell=tell)
            endings.append((Outcome(row["outcome"]), Code(row["code"]) if row["code"] else None))
            if endings[-1] == worst(endings):
                message = str(row["message"])
            if endings[-1][0] in (Outcome.FAILED, Outcome.HALTED):
                break
        tenant.stop_worker()
        outcome, code = worst(endings)
    except (WorkerError, ConnectorError, TimeoutError) as error:
        outcome, code, message = Outcome.FAILED, getattr(error, "code", None) or Code.UNEXPECTED, str(error)
    finally:
        tenant.stop_worker()
    return watch.end(outcome, code, message)


def wait(tenant: Tenant, sync_id: str, *, deadline: float, tell: Tell = lambda _: None) -> dict[str, Any]:
    """Wait for the end of a sync and return its record; `deadline` is on the monotonic clock.

    Raises:
        TimeoutError: it has not ended by then; the message says what it was waiting for.
        WorkerError: the functions host has ended.
    """
    return follow.wait(
        tenant.parts,
        NAME,
        sync_id,
        deadline=deadline,
        tell=tell,
        check=tenant.worker.check,
        look_seconds=_LOOK_SECONDS,
    )


def _asks(tenant: Tenant, *, dry_run: bool, approve: str | None) -> list[Callable[[], str]]:
    asks: list[Callable[[], str]] = []
    if approve is not None:
        asks.append(lambda: tenant.approve(approve))
    asks.append(lambda: tenant.collect(dry_run=dry_run))
    return asks


def _runs(tenant: Tenant, sync_ids: set[str]) -> list[Run]:
    """Return the runs of these syncs, and the halted one behind which everything waits."""
    try:
        open_run = journal.get_state(tenant.parts, NAME).open_run
        runs = journal.list_runs(tenant.parts, NAME)
    except ConnectorError:
        return []
    return [run for run in runs if run.sync_id in sync_ids or (run.run_id == open_run and run.step is Step.HALTED)]
