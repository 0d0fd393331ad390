"""Work ahead: let one thread make what another one uses, with little in between."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

DEPTH_BYTES = 4 * 1024 * 1024
"""How much may lie between the two; a chunk is let in as long as there is less."""


class _Worker:
    """Reads a source in a thread of its own, at most a few chunks ahead."""

    def __init__(self, source: Iterator[bytes]) -> None:
        self._source = source
        self._made: deque[bytes] = deque()
        self._made_bytes = 0
        self._ended = self._stopped = False
        self._error: BaseException | None = None
        self._change = threading.Condition()
        """Guards all of the above but the source."""
        self._thread = threading.Thread(target=self._work, name="ahead", daemon=True)
        self._thread.start()

    def chunks(self) -> Iterator[bytes]:
        """Yield what the source yields, and raise what it raises."""
        while (chunk := self._take()) is not None:
            yield chunk
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Return when the thread has ended; what it still had is dropped."""
        with self._change:
            self._stopped = True
            self._change.notify_all()
        self._thread.join()

    def _take(self) -> bytes | None:
        with self._change:
            self._change.wait_for(lambda: self._made or self._ended)
            if not self._made:
                return None
            chunk = self._made.popleft()
            self._made_bytes -= len(chunk)
            self._change.notify_all()
            return chunk

    def _work(self) -> None:
        try:
            for chunk in self._source:
                if not self._offer(chunk):
                    break
        except BaseException as error:  # noqa: BLE001 - it is raised again in the other thread
            self._error = error
        with self._change:
            self._ended = True
            self._change.notify_all()

    def _offer(self, chunk: bytes) -> bool:
        """Wait for room; false when nobody wants any more."""
        with self._change:
            self._change.wait_for(lambda: self._made_bytes < DEPTH_BYTES or self._stopped)
            self._made.append(chunk)
            self._made_bytes += len(chunk)
            self._change.notify_all()
            return not self._stopped


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
