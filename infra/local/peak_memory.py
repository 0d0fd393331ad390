"""How much memory a process and its children took at most, as the Linux kernel tells it."""

import threading
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_SAMPLE_SECONDS = 0.05
_KIB = 1024


class PeakMemory:
    """Watches processes, one after the other; a child that lives shorter than a sample may be missed.

    Where there is no `/proc`, as on macOS, nothing is known: 0.
    """

    def __init__(self) -> None:
        self._process_bytes = self._child_bytes = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def bytes(self) -> int:
        """The largest process watched, and the largest child beside it."""
        return self._process_bytes + self._child_bytes

    def reset(self) -> None:
        """Forget what was seen so far."""
        self._process_bytes = self._child_bytes = 0

    def watch(self, process_id: int) -> None:
        """Watch this process from now on, and no other."""
        self.stop()
        self._stop.clear()
        self._thread = threading.Thread(target=self._watch, args=(process_id,), name="peak-memory", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Watch nobody any more."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _watch(self, process_id: int) -> None:
        while not self._stop.wait(_SAMPLE_SECONDS):
            # Processes come and go while they are looked at.
            with suppress(OSError):
                self._process_bytes = max(self._process_bytes, _peak_bytes(process_id))
                command = _command(process_id)
                for child in _descendants(process_id):
                    with suppress(OSError):
                        # Between fork and exec a child still is its parent, memory and all.
                        if _command(child) != command:
                            self._child_bytes = max(self._child_bytes, _peak_bytes(child))


def _peak_bytes(process_id: int) -> int:
    """Read the high-water mark of a process's resident memory; a zombie has none."""
    for line in (_PROC / str(process_id) / "status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * _KIB
    return 0


def _command(process_id: int) -> bytes:
    return (_PROC / str(process_id) / "cmdline").read_bytes()


def _descendants(process_id: int) -> list[int]:
    """List children, grandchildren and so on; whoever goes meanwhile is left out."""
    found: list[int] = []
    with suppress(OSError):
        for thread in (_PROC / str(process_id) / "task").iterdir():
            with suppress(OSError):
                found += [int(child) for child in (thread / "children").read_text().split()]
    return found + [below for child in found for below in _descendants(child)]
