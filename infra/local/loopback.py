"""Serve an ASGI app on 127.0.0.1, in a thread of this process."""

import asyncio
import socket
import threading
from types import TracebackType
from typing import Any, Self, override

import uvicorn

from infra.local.certificate import Certificate

_HANG_UP_SECONDS = 5


class LoopbackServer:
    """A web server, answering while the `with` block does.

    With a certificate it speaks TLS. The app's endpoints run on the server's own event loop, so the
    caller's thread is free, whether it runs a loop of its own or none.
    """

    url: str
    """Without a slash at the end; known from the beginning, so that an app can be told its own."""

    def __init__(
        self,
        app: Any,  # noqa: ANN401 - ASGI apps have no common type
        certificate: Certificate | None = None,
        *,
        wanted_port: int = 0,
    ) -> None:
        # It listens already: whoever comes before the loop accepts them waits.
        self._socket = _listen(wanted_port)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http{'s' if certificate else ''}://127.0.0.1:{self.port}"
        config = uvicorn.Config(
            app,
            interface="asgi3",
            lifespan="off",
            proxy_headers=False,
            ws="none",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            date_header=False,
            ssl_certfile=certificate.certificate_file if certificate else None,
            ssl_keyfile=certificate.key_file if certificate else None,
        )
        # Whatever is wrong with the app or the certificate is found here and not in the thread.
        config.load()
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._run, name=self.url, daemon=True)

    def __enter__(self) -> Self:
        """Start to answer."""
        self._thread.start()
        self._server.announced.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Hang up on everybody, and wait until that is done."""
        self._server.end()
        self._thread.join()
        self._socket.close()

    def hang_up(self) -> None:
        """End every connection, without a word; to be called by the app."""
        self._server.hang_up()

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))


class _Server(uvicorn.Server):
    """Tells when it has started, so that nobody stops one that is still starting; ends at once."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.announced = threading.Event()
        self._loop: asyncio.AbstractEventLoop
        self._ending: asyncio.Event

    def end(self) -> None:
        """Make it end, from another thread."""
        self._loop.call_soon_threadsafe(self._ending.set)

    def hang_up(self) -> None:
        """End every connection without the polite end of TLS, for which an idle client has no answer."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._ending = asyncio.Event()
        await super().startup(sockets)
        self.announced.set()

    @override
    async def main_loop(self) -> None:
        await self._ending.wait()

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        # Whoever was accepted a moment ago, or is still shaking hands, is no connection yet.
        for _ in range(_HANG_UP_SECONDS * 10):
            self.hang_up()
            waiting = [asyncio.ensure_future(server.wait_closed()) for server in self.servers]
            _, unfinished = await asyncio.wait(waiting, timeout=0.1)
            if not unfinished:
                return
            for each in unfinished:
                each.cancel()


def _listen(port: int) -> socket.socket:
    """Listen on that port if it is free, or on another one."""
    try:
        return _server_socket(port)
    except OSError:
        return _server_socket(0)


def _server_socket(port: int) -> socket.socket:
    """Open a port by a socket that says it speaks TCP: only then does asyncio send answers without waiting.

    Otherwise each answer in two pieces takes 40 ms, until the other side has acknowledged the first one.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen(128)
    except OSError:
        listening.close()
        raise
    return listening
