"""Work ahead: let one thread make what another one uses, with little in between."""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sized
from contextlib import contextmanager

DEPTH_BYTES = 4 * 1024 * 1024
"""How much may lie between the two; as long as there is less, one more is made."""


class _Worker[Made: Sized]:
    """Reads a source in a thread of its own, at most a few pieces ahead."""

    def __init__(self, source: Iterator[Made], take: Callable[[Made], None]) -> None:
        self._source = source
        self._on_take = take
        self._made: deque[Made] = deque()
        self._made_bytes = 0
        self._ended = self._stopped = False
        self._error: BaseException | None = None
        self._change = threading.Condition()
        """Guards all of the above but the source."""
        self._thread = threading.Thread(target=self._work, name="ahead", daemon=True)
        self._thread.start()

    def pieces(self) -> Iterator[Made]:
        """Yield what the source yields, and raise what it raises."""
        while (piece := self._take()) is not None:
            yield piece
            # Whoever made the next one may need the room.
            del piece
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Return when the thread has ended; what it still had is dropped."""
        with self._change:
            self._stopped = True
            self._change.notify_all()
        self._thread.join()

    def _take(self) -> Made | None:
        with self._change:
            self._change.wait_for(lambda: self._made or self._ended)
            if not self._made:
                return None
            piece = self._made.popleft()
        piece_bytes = len(piece)
        self._on_take(piece)
        with self._change:
            self._made_bytes -= piece_bytes
            self._change.notify_all()
        return piece

    def _work(self) -> None:
        try:
            while self._has_room() and (piece := next(self._source, None)) is not None:
                self._offer(piece)
                del piece
        except BaseException as error:  # noqa: BLE001 - it is raised again in the other thread
            self._error = error
        with self._change:
            self._ended = True
            self._change.notify_all()

    def _has_room(self) -> bool:
        """Wait for room before anything is made; false when nobody wants any more."""
        with self._change:
            self._change.wait_for(lambda: self._made_bytes < DEPTH_BYTES or self._stopped)
            return not self._stopped

    def _offer(self, piece: Made) -> None:
        with self._change:
            self._made.append(piece)
            self._made_bytes += len(piece)
            self._change.notify_all()


@contextmanager
def ahead[Made: Sized](
    source: Iterator[Made], take: Callable[[Made], None] = lambda _: None
) -> Iterator[Iterator[Made]]:
    """Give what `source` gives, pieces whose length is in bytes, made by another thread.

    `take` hears of a piece that is asked for, before there is room for another one.
    An error of the source is raised where the piece was wanted. At the end of the block the thread has ended,
    whether or not all pieces were used.
    """
    worker = _Worker(source, take)
    try:
        yield worker.pieces()
    finally:
        worker.stop()
