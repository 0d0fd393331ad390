"""Work ahead: let one thread make what another one uses, with little in between."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, Full, Queue

_DEPTH = 4


class _End:
    """The last thing in the queue: the source ended, or broke with an error."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class _Worker:
    """Reads a source in a thread of its own, at most a few chunks ahead."""

    def __init__(self, source: Iterator[bytes]) -> None:
        self._source = source
        self._queue: Queue[bytes | _End] = Queue(_DEPTH)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="ahead", daemon=True)
        self._thread.start()

    def chunks(self) -> Iterator[bytes]:
        """Yield what the source yields, and raise what it raises."""
        while not isinstance(item := self._queue.get(), _End):
            yield item
        if item.error is not None:
            raise item.error

    def stop(self) -> None:
        """Return when the thread has ended; what it still had is dropped."""
        self._stopped.set()
        while self._thread.is_alive():
            try:
                self._queue.get_nowait()
            except Empty:
                self._thread.join(0.05)

    def _work(self) -> None:
        try:
            for chunk in self._source:
                if not self._offer(chunk):
                    return
        except BaseException as error:  # noqa: BLE001 - it is raised again in the other thread
            self._offer(_End(error))
        else:
            self._offer(_End())

    def _offer(self, item: bytes | _End) -> bool:
        while not self._stopped.is_set():
            try:
                self._queue.put(item, timeout=0.1)
            except Full:
                continue
            return True
        return False


@contextmanager
def ahead(source: Iterator[bytes]) -> Iterator[Iterator[bytes]]:
    """Give the chunks of `source`, made by another thread.

    An error of the source is raised where the chunk was wanted. At the end of the block the thread has ended,
    whether or not all chunks were used.
    """
    worker = _Worker(source)
    try:
        yield worker.chunks()
    finally:
        worker.stop()
