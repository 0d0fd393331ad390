"""An SFTP server inside this process, by asyncssh: it needs no sshd, and it can go wrong on demand."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NoReturn, cast, override

import asyncssh

_WRITES = asyncssh.FXF_WRITE | asyncssh.FXF_APPEND | asyncssh.FXF_CREAT | asyncssh.FXF_TRUNC


@dataclass(slots=True)
class Faults:
    """What goes wrong from now on; set them at any time, from any thread."""

    refuse_login: bool = False
    """Nobody gets in, whatever they show."""
    deny_listing: bool = False
    """Nobody may see what is in a folder."""
    drop_after_bytes: int | None = None
    """The connection breaks when somebody reads beyond so many bytes of a file."""
    delay_seconds: float = 0
    """How long every read takes."""
    longest_answer_bytes: int | None = None
    """A read that wants more gets so much, as a server may answer."""


class InProcessServer:
    """Serves the folder as the root of all there is; the event loop runs in a thread of its own."""

    def __init__(
        self,
        folder: Path,
        *,
        host_key_file: Path,
        client_key: str,
        user: str,
        password: str | None,
        faults: Faults,
    ) -> None:
        self._folder = folder
        self._host_key = asyncssh.read_private_key(host_key_file)
        self._login = _Login(user, password, asyncssh.import_public_key(client_key), faults)
        self._connections: set[asyncssh.SSHServerConnection] = set()
        self._loop: asyncio.AbstractEventLoop
        self._acceptor: asyncssh.SSHAcceptor | None = None
        self._stopping: asyncio.Event
        self._port: int
        self._listening = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def start(self) -> int:
        """Listen, and return the port."""
        self._thread.start()
        self._listening.wait()
        return self._port

    def stop(self) -> None:
        """End every connection."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def use_host_key(self, file: Path) -> None:
        """Show this key to whoever connects from now on."""
        self._host_key = asyncssh.read_private_key(file)
        if self._acceptor is not None:
            change = partial(self._acceptor.update, server_host_keys=[self._host_key])
            self._loop.call_soon_threadsafe(change)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        acceptor = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[self._host_key],
            server_factory=lambda: _Session(self._login, self._connections),
            sftp_factory=lambda channel: _ReadOnlyFolder(channel, self._folder, self._login.faults),
            allow_scp=False,
        )
        self._acceptor = acceptor
        self._port = acceptor.get_port()
        self._listening.set()
        await self._stopping.wait()
        acceptor.close()
        for connection in list(self._connections):
            connection.abort()
        await acceptor.wait_closed()
        await asyncio.gather(*(connection.wait_closed() for connection in list(self._connections)))


@dataclass(frozen=True, slots=True)
class _Login:
    """Who gets in."""

    user: str
    password: str | None
    key: asyncssh.SSHKey
    faults: Faults


class _Session(asyncssh.SSHServer):
    """One connection."""

    def __init__(self, login: _Login, connections: set[asyncssh.SSHServerConnection]) -> None:
        self._login = login
        self._connections = connections

    @override
    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._connections.add(conn)

    @override
    def connection_lost(self, _: Exception | None) -> None:
        self._connections.discard(self._connection)

    @override
    def begin_auth(self, _: str) -> bool:
        return True

    @override
    def public_key_auth_supported(self) -> bool:
        return True

    @override
    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return self._may_log_in(username) and key == self._login.key

    @override
    def password_auth_supported(self) -> bool:
        return self._login.password is not None

    @override
    def validate_password(self, username: str, password: str) -> bool:
        return self._may_log_in(username) and password == self._login.password

    def _may_log_in(self, user: str) -> bool:
        return user == self._login.user and not self._login.faults.refuse_login


class _ReadOnlyFolder(asyncssh.SFTPServer):
    """The folder, with its faults."""

    def __init__(self, channel: "asyncssh.SSHServerChannel[bytes]", folder: Path, faults: Faults) -> None:
        super().__init__(channel, chroot=os.fsencode(folder.absolute()))
        self._faults = faults

    @override
    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        if self._faults.deny_listing:
            raise asyncssh.SFTPPermissionDenied("Permission denied")
        async for name in super().scandir(path):
            yield name

    @override
    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        if pflags & _WRITES:
            _refuse()
        return super().open(path, pflags, attrs)

    @override
    async def read(self, file_obj: object, offset: int, size: int) -> bytes:
        if self._faults.delay_seconds:
            await asyncio.sleep(self._faults.delay_seconds)
        limit = self._faults.drop_after_bytes
        if limit is not None and offset + size > limit:
            if offset >= limit:
                self.connection.abort()
                return b""
            size = limit - offset
        if self._faults.longest_answer_bytes is not None:
            size = min(size, self._faults.longest_answer_bytes)
        # Ours reads from a plain file, which asyncssh does at once.
        return cast("bytes", super().read(file_obj, offset, size))

    @override
    def remove(self, path: bytes) -> None:
        _refuse()

    @override
    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        _refuse()

    @override
    def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        _refuse()

    @override
    def mkdir(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        _refuse()

    @override
    def rmdir(self, path: bytes) -> None:
        _refuse()


def _refuse() -> NoReturn:
    """Answer as sshd does for a folder that may only be read."""
    raise asyncssh.SFTPPermissionDenied("Permission denied")
