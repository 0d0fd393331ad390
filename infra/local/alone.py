"""One process at a time works on a tenant's state."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.local.usage import UsageError


@contextmanager
def alone(lock_file: Path) -> Iterator[None]:
    """Keep others from this state; the kernel gives it free however this process ends."""
    with lock_file.open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(
                f"{lock_file.parent} is in use: another sync works on it. Wait for it, or take another --state."
            ) from None
        yield
