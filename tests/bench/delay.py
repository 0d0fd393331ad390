"""A line that is far away: a proxy before a port of this machine, whose every byte takes a while.

`python -m tests.bench.delay PORT ONE_WAY_SECONDS` prints the port to connect to, and serves until its input ends.
It has no limit of its own but the machine's: `measure` tells how much goes through.
"""

import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

HOST = "127.0.0.1"
_PIECE_BYTES = 1024 * 1024
_UNDER_WAY_BYTES = 256 * 1024 * 1024
"""What one direction of one connection holds at most: so much at 25 ms would be 10 GB/s."""

_ROOT = Path(__file__).parents[2]


@contextmanager
def delayed(port: int, *, round_trip_seconds: float) -> Iterator[int]:
    """Open a port that leads to the given one, in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.delay", str(port), str(round_trip_seconds / 2)]
    with subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as proxy:
        if proxy.stdin is None or proxy.stdout is None:
            raise RuntimeError("The proxy has neither input nor output.")
        try:
            yield int(proxy.stdout.readline())
        finally:
            proxy.stdin.close()


def measure(*, round_trip_seconds: float, streams: int, bytes_each: int) -> float:
    """Return the bytes a second that the proxy lets through, from a sender that only sends."""
    with socket.create_server((HOST, 0)) as source, ExitStack() as opened:
        sending = threading.Thread(target=_send_to_all, args=(source, streams, bytes_each))
        sending.start()
        port = opened.enter_context(delayed(source.getsockname()[1], round_trip_seconds=round_trip_seconds))
        connections = [opened.enter_context(socket.create_connection((HOST, port))) for _ in range(streams)]
        begin = time.monotonic()
        readers = [threading.Thread(target=_read_all, args=(connection,)) for connection in connections]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
        seconds = time.monotonic() - begin
        sending.join()
    return streams * bytes_each / seconds


def _send_to_all(source: socket.socket, streams: int, bytes_each: int) -> None:
    with ExitStack() as opened:
        accepted = [opened.enter_context(source.accept()[0]) for _ in range(streams)]
        senders = [threading.Thread(target=_send, args=(connection, bytes_each)) for connection in accepted]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()


def _send(connection: socket.socket, count: int) -> None:
    piece = memoryview(bytes(_PIECE_BYTES))
    while count:
        count -= connection.send(piece[:count])


def _read_all(connection: socket.socket) -> None:
    while connection.recv(_PIECE_BYTES):
        pass


class _Line:
    """One direction of a connection."""

    def __init__(self, source: socket.socket, target: socket.socket, delay_seconds: float) -> None:
        self._source, self._target, self._delay_seconds = source, target, delay_seconds
        self._pieces: deque[tuple[float, bytes]] = deque()
        self._changed = threading.Condition()
        self._waiting_bytes = 0

    def start(self) -> None:
        for work in (self._take, self._give):
            threading.Thread(target=work, daemon=True).start()

    def _take(self) -> None:
        piece = b"more"
        while piece:
            try:
                piece = self._source.recv(_PIECE_BYTES)
            except OSError:
                piece = b""
            with self._changed:
                self._changed.wait_for(lambda: self._waiting_bytes < _UNDER_WAY_BYTES)
                self._pieces.append((time.monotonic() + self._delay_seconds, piece))
                self._waiting_bytes += len(piece)
                self._changed.notify_all()

    def _give(self) -> None:
        """Send what is due; the end of one side, or an error of the other, is the end of this direction."""
        with suppress(OSError):
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._pieces)
                    due, piece = self._pieces.popleft()
                    self._waiting_bytes -= len(piece)
                    self._changed.notify_all()
                time.sleep(max(0, due - time.monotonic()))
                if not piece:
                    break
                self._target.sendall(piece)
        for end in (self._source, self._target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RD if end is self._source else socket.SHUT_WR)


def _serve(listener: socket.socket, port: int, delay_seconds: float) -> None:
    while True:
        near, _ = listener.accept()
        far = socket.create_connection((HOST, port))
        for end in (near, far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _Line(near, far, delay_seconds).start()
        _Line(far, near, delay_seconds).start()


def _main(port: str, one_way_seconds: str) -> None:
    with socket.create_server((HOST, 0), backlog=128) as listener:
        threading.Thread(target=_serve, args=(listener, int(port), float(one_way_seconds)), daemon=True).start()
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    _main(*sys.argv[1:])
