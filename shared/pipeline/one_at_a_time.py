"""Of all that goes on in a process, the work of one thread at a time uses engines.

Two at once would take twice the memory. And what one reads in clear must have left the memory before another one
writes memory to its disk, in whole blocks with whatever lay in them before.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

from shared.domain.errors import BusyError

_working = RLock()


@contextmanager
def one_at_a_time(*, wait: bool = True) -> Iterator[None]:
    """Be the thread that uses engines; one that is may come in again.

    Whoever can come back later does not wait, for there are few threads and other processes may be free.

    Raises:
        BusyError: another thread is, and `wait` is false.
    """
    if not _working.acquire(blocking=wait):
        raise BusyError("Other work in this process uses an engine.")
    try:
        yield
    finally:
        _working.release()
