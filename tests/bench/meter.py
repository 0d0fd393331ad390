"""What a process and its descendants use while they run, as samples: a stage is a stretch of them."""

import os
import threading
import time
from bisect import bisect_left, bisect_right
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

_PROC = Path("/proc")
_SAMPLE_SECONDS = 0.1
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_CPU_FIELDS = slice(11, 15)
"""Behind the name: user and system time of the process, and of the children it has waited for."""


class Sample(NamedTuple):
    """One look at the processes."""

    time: float
    """Seconds since the epoch, as in a log."""
    cpu_seconds: float
    """Since the beginning."""
    memory_bytes: int
    """Resident, of all together: what they share counts for each."""


@dataclass(frozen=True, slots=True)
class Use:
    """What a stretch of time has cost."""

    cpu_seconds: float
    peak_memory_bytes: int


class Meter:
    """Watches a process while the `with` block lasts. A child that lives shorter than a sample may be missed."""

    def __init__(self, process_id: int) -> None:
        self._process_id = process_id
        self._samples: list[Sample] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="meter", daemon=True)

    def __enter__(self) -> Self:
        """Begin to watch."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop watching; what was seen can still be asked."""
        self._stop.set()
        self._thread.join()

    def use(self, begin: float, end: float) -> Use:
        """Return what was used between two times, exact to a sample on either side."""
        times = [sample.time for sample in self._samples]
        # From the sample before the beginning to the one after the end.
        stretch = self._samples[max(bisect_right(times, begin) - 1, 0) : bisect_left(times, end) + 1]
        if not stretch:
            return Use(0.0, 0)
        return Use(stretch[-1].cpu_seconds - stretch[0].cpu_seconds, max(sample.memory_bytes for sample in stretch))

    def _watch(self) -> None:
        while not self._stop.wait(_SAMPLE_SECONDS):
            # Processes come and go while they are looked at.
            with suppress(OSError):
                self._samples.append(_look(self._process_id))


def _look(process_id: int) -> Sample:
    now = time.time()
    command = _command(process_id)
    cpu_seconds, memory_bytes = _cpu_seconds(process_id), _memory_bytes(process_id)
    for child in _descendants(process_id):
        with suppress(OSError):
            # Between fork and exec a child still is its parent, memory and all.
            if _command(child) != command:
                cpu_seconds += _cpu_seconds(child)
                memory_bytes += _memory_bytes(child)
    return Sample(now, cpu_seconds, memory_bytes)


def _cpu_seconds(process_id: int) -> float:
    # The name, in parentheses, may hold anything.
    fields = (_PROC / str(process_id) / "stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[_CPU_FIELDS])) / _TICKS


def _memory_bytes(process_id: int) -> int:
    return int((_PROC / str(process_id) / "statm").read_text().split()[1]) * _PAGE_BYTES


def _command(process_id: int) -> bytes:
    return (_PROC / str(process_id) / "cmdline").read_bytes()


def _descendants(process_id: int) -> list[int]:
    found: list[int] = []
    for thread in (_PROC / str(process_id) / "task").iterdir():
        with suppress(OSError):
            found += [int(child) for child in (thread / "children").read_text().split()]
    return found + [below for child in found for below in _descendants(child)]
