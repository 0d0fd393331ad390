"""An SFTP server by OpenSSH's sshd, one process a connection."""

import os
import socket
import socketserver
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, override

HOST = "127.0.0.1"

PRIVILEGE_SEPARATION_FOLDER = Path("/run/sshd")
"""Where sshd, when started by root, locks up the part of it that talks to strangers."""


class OpenSshError(RuntimeError):
    """sshd does not accept its configuration; the message is what it says."""


class OpenSshServer:
    """Listens, and hands every connection to an sshd of its own.

    That is sshd's inetd mode: the port is free from the first moment to the last, and no daemon is left
    behind, because an sshd ends with its connection and the connection with this process.
    """

    def __init__(self, program: Path, state: Path, *, host_key_file: Path, client_key: str, user: str) -> None:
        self._program = program
        self._configuration_file = state / "sshd_config"
        self._authorized_keys_file = state / "authorized_keys"
        self._client_key = client_key
        self._user = user
        self._host_key_file = host_key_file
        self._log_file = state / "sshd.log"
        self._listener: _Listener
        self._thread: threading.Thread

    def start(self) -> int:
        """Listen, and return the port.

        Raises:
            OpenSshError: sshd does not accept its configuration.
        """
        if os.geteuid() == 0:
            PRIVILEGE_SEPARATION_FOLDER.mkdir(mode=0o755, exist_ok=True)
        self._authorized_keys_file.write_text(f"{self._client_key}\n")
        self._configuration_file.write_text(self._configuration())
        command = [str(self._program), "-f", str(self._configuration_file.absolute())]
        check = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
        if check.returncode != 0:
            raise OpenSshError(check.stderr.strip())
        self._listener = _Listener([*command, "-i", "-e"], self._log_file)
        self._thread = threading.Thread(target=self._listener.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.daemon = True
        self._thread.start()
        port: int = self._listener.server_address[1]
        return port

    def stop(self) -> None:
        """End every connection."""
        self._listener.shutdown()
        self._listener.end_connections()
        self._listener.server_close()
        self._thread.join()

    def use_host_key(self, file: Path) -> None:
        """Do nothing: every sshd reads the file of the key anew, and it is always the same file."""

    def _configuration(self) -> str:
        """Keys only, one user, files only, nothing to be written.

        No chroot: its folder and all above it would have to belong to root. `StrictModes` would want
        the same of the keys' folders, which may be below /tmp.
        """
        authorized_keys = str(self._authorized_keys_file.absolute()).replace("%", "%%")
        return "\n".join(
            [
                f'HostKey "{self._host_key_file.absolute()}"',
                f'AuthorizedKeysFile "{authorized_keys}"',
                f"AllowUsers {self._user}",
                "AuthenticationMethods publickey",
                "PermitRootLogin prohibit-password",
                "StrictModes no",
                "UsePAM no",
                "UseDNS no",
                "PidFile none",
                "PrintMotd no",
                "DisableForwarding yes",
                "PermitTTY no",
                "PermitUserRC no",
                "LogLevel ERROR",
                "Subsystem sftp internal-sftp -R",
                "ForceCommand internal-sftp -R",
                "",
            ]
        )


class _Listener(socketserver.ThreadingTCPServer):
    """A thread and an sshd a connection."""

    request_queue_size = 128

    def __init__(self, command: list[str], log_file: Path) -> None:
        super().__init__((HOST, 0), _Connection)
        self.command = command
        self.log_file = log_file
        self._connections: set[socket.socket] = set()

    @override
    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    @override
    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def end_connections(self) -> None:
        """Hang up; every sshd ends when it notices."""
        for connection in list(self._connections):
            # It may have come to its own end in this moment.
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Connection(socketserver.BaseRequestHandler):
    server: _Listener

    @override
    def handle(self) -> None:
        with self.server.log_file.open("ab") as log:
            subprocess.run(self.server.command, stdin=self.request, stdout=self.request, stderr=log, check=False)
