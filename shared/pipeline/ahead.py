"""Work ahead: let one thread make what another one uses, with little in between."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, Full, Queue

_DEPTH = 4


class _End:
    """The last thing in the queue: the iterator ended, or broke with an error."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


@contextmanager
def ahead(source: Iterator[bytes]) -> Iterator[Iterator[bytes]]:
    """Give the chunks of `source`, made by a thread of its own at most a few chunks ahead.

    An error of the source is raised where the chunk was wanted. At the end of the block the thread has ended,
    whether or not all chunks were used.
    """
    queue: Queue[bytes | _End] = Queue(_DEPTH)
    stopped = threading.Event()

    def offer(item: bytes | _End) -> bool:
        while not stopped.is_set():
            try:
                queue.put(item, timeout=0.1)
            except Full:
                continue
            return True
        return False

    def work() -> None:
        try:
            for chunk in source:
                if not offer(chunk):
                    return
        except BaseException as error:  # noqa: BLE001 - it is raised again in the other thread
            offer(_End(error))
            return
        offer(_End(None))

    def chunks() -> Iterator[bytes]:
        while True:
            item = queue.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item

    thread = threading.Thread(target=work, name="ahead", daemon=True)
    thread.start()
    try:
        yield chunks()
    finally:
        stopped.set()
        while thread.is_alive():
            try:
                queue.get_nowait()
            except Empty:
                thread.join(0.05)
