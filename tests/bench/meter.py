"""What a process and its descendants use while they run, as samples: a stage is one stretch of them, or several.

A daemon that a descendant leaves behind, as `gpg` does with its agent, is counted too: orphans become children
of this process, and those of `_DAEMONS` are looked at beside the others. Nobody waits for them before the end,
so that what they have used can be read even after they are gone.

It looks twenty times a second, on the processors of what it measures: without `Path`, which takes three times as long.
"""

import ctypes
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

_PROC = "/proc"
_SAMPLE_SECONDS = 0.05
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_BLOCK_BYTES = 512
_CPU_FIELDS = slice(11, 15)
"""Behind the name: user and system time of the process, and of the children it has waited for."""
_DAEMONS = (b"gpg-agent",)
_PR_SET_CHILD_SUBREAPER = 36
_LAST_WORDS = 300


class Sample(NamedTuple):
    """One look at the processes."""

    time: float
    """Seconds since the epoch, as in a log."""
    cpu_seconds: float
    """Since the beginning."""
    memory_bytes: int
    """Resident, of all together, and files in memory: what they share counts for each."""


@dataclass(frozen=True, slots=True)
class Use:
    """What a stretch of time has cost."""

    seconds: float
    cpu_seconds: float
    peak_memory_bytes: int


class CommandError(Exception):
    """A command that was measured did not end well; the message says how."""


class Meter:
    """Watches a process while the `with` block lasts. Memory of a child that lives shorter than a sample is missed."""

    def __init__(self, process_id: int) -> None:
        self._process_id = process_id
        self._samples: list[Sample] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="meter", daemon=True)
        self._others: frozenset[int] = frozenset()

    def __enter__(self) -> Self:
        """Begin to watch."""
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self._others = frozenset(_daemons())
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
        self._look()
        for daemon in set(_daemons()) - self._others:
            with suppress(ChildProcessError):
                os.waitpid(daemon, os.WNOHANG)

    def use(self, *stretches: tuple[float, float]) -> Use:
        """Return what was used between two times, or several such pairs; exact to a sample on either side."""
        uses = [self._use(begin, end) for begin, end in stretches]
        return Use(
            sum(use.seconds for use in uses),
            sum(use.cpu_seconds for use in uses),
            max((use.peak_memory_bytes for use in uses), default=0),
        )

    @property
    def whole(self) -> Use:
        """All that was seen."""
        first, last = self._samples[0], self._samples[-1]
        return Use(last.time - first.time, last.cpu_seconds, max(sample.memory_bytes for sample in self._samples))

    def _use(self, begin: float, end: float) -> Use:
        times = [sample.time for sample in self._samples]
        # From the sample before the beginning to the one after the end.
        stretch = self._samples[max(bisect_right(times, begin) - 1, 0) : bisect_left(times, end) + 1]
        if not stretch:
            return Use(end - begin, 0.0, 0)
        cpu_seconds = stretch[-1].cpu_seconds - stretch[0].cpu_seconds
        return Use(end - begin, cpu_seconds, max(sample.memory_bytes for sample in stretch))

    def _watch(self) -> None:
        while not self._stop.wait(_SAMPLE_SECONDS):
            self._look()

    def _look(self) -> None:
        # Processes come and go while they are looked at.
        with suppress(OSError):
            self._samples.append(_look(self._process_id, set(_daemons()) - self._others))


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has ended well."""

    use: Use
    lines: int
    """Of its output those that were wanted."""
    last_line: str


def run(
    command: Sequence[str | Path],
    *,
    folder: Path,
    timeout_seconds: float,
    counting: bytes = b"",
    environment: Mapping[str, str] | None = None,
) -> Done:
    """Run a command and measure it with all of its descendants; count the lines that hold `counting`.

    Raises:
        CommandError: it could not be started, failed, or took too long.
    """
    with tempfile.TemporaryFile() as errors:
        began = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
        out_of_time = threading.Event()
        timer = threading.Timer(timeout_seconds, _kill, (process.pid, out_of_time.set))
        timer.start()
        lines, last_line = 0, b""
        with Meter(process.pid) as meter:
            if process.stdout is not None:
                for line in process.stdout:
                    lines += counting in line
                    last_line = line
            # Not yet waited for: its figures stay readable until the meter has read them for the last time.
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        timer.cancel()
        seconds = time.monotonic() - began
        process.wait()
        if out_of_time.is_set():
            raise CommandError(f"did not end within {timeout_seconds:,.0f} s")
        if process.returncode:
            errors.seek(0)
            raise CommandError(_last_words(errors.read()) or f"ended with status {process.returncode}")
    use = Use(seconds, meter.whole.cpu_seconds, meter.whole.peak_memory_bytes)
    return Done(use, lines, last_line.decode(errors="replace"))


def _kill(process_id: int, first: Callable[[], None]) -> None:
    first()
    with suppress(ProcessLookupError):
        os.killpg(process_id, signal.SIGKILL)


def _last_words(text: bytes) -> str:
    """Return the last line that names an error, or the last one."""
    lines = [line.strip() for line in text.decode(errors="replace").splitlines() if line.strip()]
    told = [line for line in lines if re.match(r"[\w.]+(Error|Exception)\b", line)]
    return (told or lines or [""])[-1][:_LAST_WORDS]


def _look(process_id: int, daemons: set[int]) -> Sample:
    now = time.time()
    command = _command(process_id)
    cpu_seconds, memory_bytes = _cpu_seconds(process_id), _memory_bytes(process_id)
    files = _files_in_memory(process_id)
    for child in (*_descendants(process_id), *daemons):
        with suppress(OSError):
            # Between fork and exec a child still is its parent, memory and all.
            if _command(child) != command:
                cpu_seconds += _cpu_seconds(child)
                memory_bytes += _memory_bytes(child)
                files |= _files_in_memory(child)
    return Sample(now, cpu_seconds, memory_bytes + sum(files.values()))


def _cpu_seconds(process_id: int) -> float:
    return sum(map(int, _stat(process_id)[_CPU_FIELDS])) / _TICKS


def _stat(process_id: int) -> list[bytes]:
    # The name, in parentheses, may hold anything.
    return _read(f"{_PROC}/{process_id}/stat").rpartition(b")")[2].split()


def _memory_bytes(process_id: int) -> int:
    return int(_read(f"{_PROC}/{process_id}/statm").split()[1]) * _PAGE_BYTES


def _files_in_memory(process_id: int) -> dict[int, int]:
    """Return the size of each `memfd` by its inode; what is written to one is resident, yet in no process."""
    found = {}
    with suppress(OSError):
        folder = f"{_PROC}/{process_id}/fd"
        for descriptor in os.listdir(folder):
            with suppress(OSError):
                if os.readlink(f"{folder}/{descriptor}").startswith("/memfd:"):
                    status = os.stat(f"{folder}/{descriptor}")
                    found[status.st_ino] = status.st_blocks * _BLOCK_BYTES
    return found


def _command(process_id: int) -> bytes:
    return _read(f"{_PROC}/{process_id}/cmdline")


def _children(process_id: int) -> list[int]:
    found: list[int] = []
    folder = f"{_PROC}/{process_id}/task"
    for thread in os.listdir(folder):
        with suppress(OSError):
            found += map(int, _read(f"{folder}/{thread}/children").split())
    return found


def _descendants(process_id: int) -> list[int]:
    found: list[int] = []
    for child in _children(process_id):
        found.append(child)
        with suppress(OSError):
            found += _descendants(child)
    return found


def _daemons() -> list[int]:
    """Return the orphans that were left to this process."""
    found = []
    for child in _children(os.getpid()):
        with suppress(OSError):
            if _read(f"{_PROC}/{child}/comm").strip() in _DAEMONS:
                found.append(child)
    return found


def _read(file: str) -> bytes:
    """Read one of the kernel's small files."""
    with open(file, "rb", buffering=0) as opened:
        return opened.readall()
