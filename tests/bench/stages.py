"""The product on the data: one sync as a dry run through the local tenant, and what each of its stages took."""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from infra.local import sync
from infra.local.tenant import Tenant
from tests.bench.data import NOW, Data
from tests.bench.meter import Meter

TIMEOUT_SECONDS = 3600.0
_LINE = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) [A-Z]+ +[\w.]+: (.*)")
_COLLECTING = r"Executing 'run_commands'"
_COLLECTED = r"collect\.collected "
_PROCESSED = r"package\.committed .* rows=(\d+) .*seconds=([\d.]+)"
_MAPPED = r"Executed 'map_learners' \(Succeeded, (\d+)ms"


class BenchError(Exception):
    """There is nothing to measure: the sync did not go as it should; the message says how."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What a part of the work took."""

    name: str
    seconds: float
    cpu_seconds: float
    peak_memory_bytes: int
    """Of the worker and its children together, as sampled."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A sync, from the command to its end."""

    outcome: str
    rows: int
    """Of all files that were read."""
    stages: tuple[Stage, ...]
    """Collect, process, map, and at last the whole."""
    peak_memory_bytes: int
    """Of the worker's process and its largest child, as the kernel knows it."""


class Event(NamedTuple):
    """A line of the log."""

    time: float
    text: str


def measure(data: Data, state: Path, tell: Callable[[sync.Standing], None]) -> Measured:
    """Sync into a state that is new, and read the times from the worker's log.

    Raises:
        BenchError: the sync failed or halted, or did not do all of its stages once.
    """
    with Tenant(state, NOW) as tenant:
        tenant.configure(data.given())
        tenant.worker.start(tenant.environment(), quiet=False)
        process_id = tenant.worker.process_id
        if process_id is None:
            raise BenchError("The functions host did not start.")
        with Meter(process_id) as meter:
            began = time.time()
            sync_id = tenant.collect(dry_run=True)
            row = sync.wait(tenant, sync_id, deadline=time.monotonic() + TIMEOUT_SECONDS, tell=tell)
            ended = time.time()
        tenant.stop_worker()
        if row["outcome"] not in ("done", "partial"):
            raise BenchError(f"The sync ended as {row['outcome']} {row['code']}. {row['message']}".strip())
        rows, stretches = _read(tenant.log_file.read_text("utf-8"))
    stages = []
    for name, (begin, end) in {**stretches, "sync": (began, ended)}.items():
        use = meter.use(begin, end)
        stages.append(Stage(name, end - begin, use.cpu_seconds, use.peak_memory_bytes))
    return Measured(str(row["outcome"]), rows, tuple(stages), tenant.memory.bytes)


def _read(log: str) -> tuple[int, dict[str, tuple[float, float]]]:
    """Find the number of rows, and begin and end of each stage.

    The first command is the look into the folder. Which function processes is a race of two messages; the line
    about the package says what it took. A message may come while another worker is busy, and so the longest
    mapping is the one that mapped.
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
    return int(package[1]), {
        "collect": (collecting, collected),
        "process": (processed - float(package[2]), processed),
        "map": (mapped - int(mapping[1]) / 1000, mapped),
    }


def _first(events: Sequence[Event], pattern: str) -> tuple[float, re.Match[str]]:
    return _all(events, pattern)[0]


def _all(events: Sequence[Event], pattern: str) -> list[tuple[float, re.Match[str]]]:
    found = [(event.time, match) for event in events if (match := re.match(pattern, event.text))]
    if not found:
        raise BenchError(f"The log of the worker does not hold {pattern!r}.")
    return found
