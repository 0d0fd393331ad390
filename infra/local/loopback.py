"""Serve an ASGI app on a free port of 127.0.0.1, in a thread of this process."""

import asyncio
import socket
import threading
from types import TracebackType
from typing import Any, Self, override

import uvicorn

from infra.local.certificate import Certificate


class LoopbackServer:
    """A web server, answering while the `with` block does.

    With a certificate it speaks TLS. The app's endpoints run on the server's own event loop, so the
    caller's thread is free, whether it runs a loop of its own or none.
    """

    url: str
    """Without a slash at the end; known from the beginning, so that an app can be told its own."""

    def __init__(self, app: Any, certificate: Certificate | None = None) -> None:  # noqa: ANN401 - ASGI apps have no common type
        # The kernel picks the port and keeps early callers waiting until the loop accepts them.
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http{'s' if certificate else ''}://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            ws="none",
            ssl_certfile=certificate.certificate_file if certificate else None,
            ssl_keyfile=certificate.key_file if certificate else None,
        )
        # Whatever is wrong with the app or the certificate is found here and not in the thread.
        config.load()
        self._server = _AnnouncedServer(config)
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
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))


class _AnnouncedServer(uvicorn.Server):
    """Tells when it has started, so that nobody stops one that is still starting; ends at once."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.announced = threading.Event()

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.announced.set()

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Hang up without the polite end of TLS, for which a client with an idle connection has no answer."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        for server in self.servers:
            await server.wait_closed()
