"""A line to a server that is cut every now and then."""

import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self


class CuttingProxy:
    """Leads to the port; every connection ends after so many bytes from the server, those beyond the list never.

    The end is a polite one: what has arrived can still be read.
    """

    def __init__(self, port: int, cuts_bytes: Sequence[int]) -> None:
        self._server_port = port
        self._cuts_bytes = cuts_bytes
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.connection_count = 0
        self.delivered_bytes = 0
        """From the server, over all connections."""

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Closing alone would leave the thread in its accept.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                number, self.connection_count = self.connection_count, self.connection_count + 1
                cut_bytes = self._cuts_bytes[number] if number < len(self._cuts_bytes) else None
                server = socket.create_connection(("127.0.0.1", self._server_port))
                threading.Thread(target=self._answer, args=(server, client, cut_bytes), daemon=True).start()
                threading.Thread(target=self._ask, args=(client, server), daemon=True).start()

    def _answer(self, server: socket.socket, client: socket.socket, left_bytes: int | None) -> None:
        with suppress(OSError):
            while left_bytes != 0 and (data := server.recv(min(left_bytes or 65536, 65536))):
                client.sendall(data)
                self.delivered_bytes += len(data)
                if left_bytes is not None:
                    left_bytes -= len(data)
        with suppress(OSError):
            client.shutdown(socket.SHUT_WR)

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        """Closes both when the client has."""
        with client, server, suppress(OSError):
            while data := client.recv(65536):
                server.sendall(data)
            server.shutdown(socket.SHUT_RDWR)
