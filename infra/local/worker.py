"""The functions host of the local tenant, as a process of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from infra.local.peak_memory import PeakMemory

ROOT = Path(__file__).parents[2]
"""Where the function app is."""
GRACE_SECONDS = 15.0

type Host = Literal["small", "func"]
"""The small host of this project, or Azure Functions Core Tools."""


class WorkerError(RuntimeError):
    """The functions host has ended by itself; the message says where to read why."""


class Worker:
    """Starts, watches and ends one functions host; what it says goes to the log file."""

    def __init__(self, log_file: Path, memory: PeakMemory) -> None:
        self._log_file = log_file
        self._memory = memory
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, environment: Mapping[str, str], *, host: Host = "small", port: int = 0, quiet: bool = True) -> None:
        """Start it with these settings beside the caller's environment."""
        self._log_file.parent.mkdir(parents=True, exist_ok=True)
        with self._log_file.open("ab") as log:
            # A session of its own: Ctrl+C in the terminal must not end it before it is asked to.
            self._process = subprocess.Popen(
                _command(host, port, quiet=quiet),
                cwd=ROOT,
                env={**os.environ, **environment},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._memory.watch(self._process.pid)

    @property
    def process_id(self) -> int | None:
        """The host's; `None` when none was started."""
        return None if self._process is None else self._process.pid

    def check(self) -> None:
        """See that it still runs.

        Raises:
            WorkerError: it does not.
        """
        if self._process is None or self._process.poll() is not None:
            status = None if self._process is None else self._process.returncode
            raise WorkerError(f"The functions host ended by itself with status {status}; see {self._log_file}.")

    def stop(self) -> None:
        """Ask it to end, and wait until it has; one that does not listen is killed."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it without a warning, as when a machine dies."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        self._memory.stop()
        # Core Tools have a worker process below them, and so the whole session is told.
        with process:
            if process.poll() is None:
                os.killpg(process.pid, number)
            try:
                process.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def _command(host: Host, port: int, *, quiet: bool) -> list[str]:
    if host == "func":
        return ["func", "start", "--port", str(port)]
    command = [sys.executable, "-m", "infra.local.lifeline", "infra.local.host"]
    return [*command, "--app", str(ROOT), "--port", str(port), *(["--quiet"] if quiet else [])]
