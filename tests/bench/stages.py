"""The product on the data: one sync as a dry run through the local tenant, and what each of its stages took.

What is measured is the worker with all of its descendants. Azurite and the simulators of Graph and the vault are
processes and threads of their own that stand for other people's machines; their work is in no figure.
"""

import re
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from infra.local import sync
from infra.local.connection import NAME
from infra.local.tenant import Tenant
from shared.cli.follow import Tell
from shared.pipeline import journal
from tests.bench.data import NOW, Data
from tests.bench.meter import Meter
from tests.bench.result import Figures, Records, Sync

TIMEOUT_SECONDS = 3600.0
PACE = {
    "AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:10",
    "LOCAL_HOST_BLOB_SCAN_SECONDS": "5",
    "SWEEP_SCHEDULE": "0 */5 * * * *",
}
"""Queues and sweeps as `host.json` and the settings say that are deployed. The local tenant's host asks the storage ten
times a second and sweeps every five seconds, so that small syncs are quick; in Azure it is not the worker that asks."""
COLLECT, PROCESS, DIRECTORY, MAP = "collect", "process", "directory", "map"
CORE = "decrypt to change set"
"""Process and map: what is compared with the bare chain."""
TABLES = "fetch to tables"
"""Collect and process: what those do, too, who read by SFTP and know neither people nor a change set."""
FETCHED = "fetch to change set"
"""All that is done with a package before something is sent: by this those are judged who read by SFTP."""
WHOLE = "sync"

_LINE = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) [A-Z]+ +[\w.]+: (.*)")
_COLLECTING = r"Executing 'run_commands'"
_COLLECTED = r"collect\.collected "
_PROCESSED = r"package\.committed .* rows=(\d+) .*seconds=([\d.]+)"
_REFRESHED = r"directory\.refreshed .*seconds=([\d.]+)"
_MAPPED = r"Executed 'map_learners' \(Succeeded, (\d+)ms"

type Stretch = tuple[float, float]


class BenchError(Exception):
    """There is nothing to measure: the sync did not go as it should; the message says how."""


class Event(NamedTuple):
    """A line of the log."""

    time: float
    text: str


def measure(data: Data, state: Path, tell: Tell) -> Sync:
    """Sync into a state that is new, and read the times from the worker's log.

    Raises:
        BenchError: the sync failed or halted, or did not do all of its stages once.
    """
    with Tenant(state, NOW) as tenant:
        tenant.configure(data.given())
        tenant.worker.start({**tenant.environment(), **PACE}, quiet=False)
        process_id = tenant.worker.process_id
        if process_id is None:
            raise BenchError("The functions host did not start.")
        # The meter sees more, and two who look take processor time from what is measured.
        tenant.memory.stop()
        with Meter(process_id) as meter:
            began = time.time()
            sync_id = tenant.collect(dry_run=True)
            row = sync.wait(tenant, sync_id, deadline=time.monotonic() + TIMEOUT_SECONDS, tell=tell)
            ended = time.time()
        tenant.stop_worker()
        if row["outcome"] not in ("done", "partial"):
            raise BenchError(f"The sync ended as {row['outcome']} {row['code']}. {row['message']}".strip())
        rows, stretches = _read(tenant.log_file.read_text("utf-8"))
        (run,) = journal.list_runs(tenant.parts, NAME)
    stretches[WHOLE] = [(began, ended)]
    stages = {
        name: Figures.of(meter.use(*parts), rows=rows, text_bytes=data.text_bytes) for name, parts in stretches.items()
    }
    worked = sum(stages[name].seconds for name in (COLLECT, PROCESS, DIRECTORY, MAP) if name in stages)
    return Sync(
        package_bytes=data.package.stat().st_size,
        outcome=str(row["outcome"]),
        records=Records(
            rejected=run.reject_count,
            contents=run.changes.contents.add,
            assignments=run.changes.assignments.add,
            completions=run.changes.completions.add,
        ),
        stages=stages,
        waiting_seconds=ended - began - worked,
    )


def _read(log: str) -> tuple[int, dict[str, list[Stretch]]]:
    """Find the number of rows, and when each stage was at work.

    The first command is the look into the folder. Which function processes is a race of two messages; the line
    about the package says what it took. A message may come while another worker is busy, and so the longest
    mapping is the one that mapped. In it the directory is listed, which is Graph's time.
    """
    events = [
        Event(datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S,%f").astimezone().timestamp(), found[2])
        for found in map(_LINE.fullmatch, log.splitlines())
        if found
    ]
    collecting, _ = _first(events, _COLLECTING)
    collected, _ = _first(events, _COLLECTED)
    processed, package = _first(events, _PROCESSED)
    mapped, mapping = max(_all(events, _MAPPED), key=lambda each: int(each[1][1]))
    begun = mapped - int(mapping[1]) / 1000
    stretches = {
        COLLECT: [(collecting, collected)],
        PROCESS: [(processed - float(package[2]), processed)],
        **_mapping(begun, mapped, _find(events, _REFRESHED)),
    }
    stretches[TABLES] = stretches[COLLECT] + stretches[PROCESS]
    stretches[CORE] = stretches[PROCESS] + stretches[MAP]
    stretches[FETCHED] = stretches[COLLECT] + stretches[CORE]
    return int(package[1]), stretches


def _mapping(
    begun: float, mapped: float, refreshings: Sequence[tuple[float, re.Match[str]]]
) -> Mapping[str, list[Stretch]]:
    """Take the listing of the directory out of the mapping, where the log tells of it."""
    for refreshed, listing in refreshings:
        if begun <= refreshed <= mapped:
            listed = max(refreshed - float(listing[1]), begun)
            return {DIRECTORY: [(listed, refreshed)], MAP: [(begun, listed), (refreshed, mapped)]}
    return {MAP: [(begun, mapped)]}


def _first(events: Sequence[Event], pattern: str) -> tuple[float, re.Match[str]]:
    return _all(events, pattern)[0]


def _all(events: Sequence[Event], pattern: str) -> list[tuple[float, re.Match[str]]]:
    found = _find(events, pattern)
    if not found:
        raise BenchError(f"The log of the worker does not hold {pattern!r}.")
    return found


def _find(events: Sequence[Event], pattern: str) -> list[tuple[float, re.Match[str]]]:
    return [(event.time, match) for event in events if (match := re.match(pattern, event.text))]
