"""Reads providers' folders over SFTP, with paramiko.

A server is known by its pinned host key alone: no `known_hosts`, no agent, no keys lying about.

Small packets are sent at once (`TCP_NODELAY`): paramiko leaves Nagle's algorithm on, and requests would then wait
for the other side's delayed acknowledgement. How files are read: `sftp_reading`.
"""

import hmac
import posixpath
import socket
import stat
import time
from collections.abc import Buffer, Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from typing import Any, Self, cast, override

import paramiko
from paramiko.buffered_pipe import BufferedPipe

from shared.adapters import ssh_keys
from shared.adapters.sftp_reading import (
    SMALL_REQUEST_BYTES,
    WINDOW_BYTES,
    Arrivals,
    ask_request_bytes,
    read_ahead,
    window_for,
)
from shared.domain.connection import Connection, Sftp
from shared.domain.errors import Code, ConnectorError, SettingsError, TransientError
from shared.ports import RemoteFile, Secret

_FASTEST_CIPHER = "aes128-gcm@openssh.com"
_RSA = "ssh-rsa"
_RSA_SIGNATURES = ("rsa-sha2-512", "rsa-sha2-256")
_NOT_A_REFUSAL = ("timeout", "transport shut down")


class SftpFolders:
    """Opens sessions; the server may be silent for `timeout_seconds` at any step."""

    def __init__(self, *, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds

    @contextmanager
    def open(self, connection: Connection, secret: Secret) -> Iterator["SftpFolder"]:
        """See the port."""
        where = connection.sftp
        login: dict[str, Any] = (
            {"password": secret.value} if where.login == "password" else {"pkey": ssh_keys.load(secret)}
        )
        client = paramiko.SSHClient()
        client.set_missing_host_key_policy(_PinnedKey(where))
        with ExitStack() as ending:
            with _speaking_to(where):
                dialled = ending.enter_context(self._dial(where))
                ending.callback(client.close)
                client.connect(
                    where.host,
                    where.port,
                    where.user,
                    **login,
                    sock=dialled,
                    timeout=self._timeout_seconds,
                    banner_timeout=self._timeout_seconds,
                    auth_timeout=self._timeout_seconds,
                    channel_timeout=self._timeout_seconds,
                    allow_agent=False,
                    look_for_keys=False,
                    transport_factory=_Transports(where.host_key),
                )
                transport = client.get_transport()
                if transport is None:
                    raise EOFError
                channel = transport.open_session(window_size=WINDOW_BYTES)
                channel.in_buffer = cast("BufferedPipe[bytes]", Arrivals())
                channel.settimeout(self._timeout_seconds)
                channel.invoke_subsystem("sftp")
                folder = SftpFolder(paramiko.SFTPClient(channel), channel, where)
            yield folder

    def _dial(self, where: Sftp) -> socket.socket:
        dialled = _Line.dial(where.host, where.port, self._timeout_seconds)
        dialled.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return dialled


class _Line(socket.socket):
    """A connection whose end is met by whoever reads, behind all that had still come.

    paramiko makes room for more whenever it hands out what has come, and loses that when nobody takes the word.
    """

    @classmethod
    def dial(cls, host: str, port: int, timeout_seconds: float) -> Self:
        plain = socket.create_connection((host, port), timeout=timeout_seconds)
        line = cls(plain.family, plain.type, plain.proto, fileno=plain.detach())
        line.settimeout(timeout_seconds)
        return line

    @override
    def send(self, data: Buffer, flags: int = 0, /) -> int:
        try:
            return super().send(data, flags)
        except (BlockingIOError, InterruptedError, TimeoutError):
            raise
        except OSError:
            return memoryview(data).nbytes


class SftpFolder:
    """One folder, while its session is open."""

    def __init__(self, sftp: paramiko.SFTPClient, channel: paramiko.Channel, where: Sftp) -> None:
        self._sftp = sftp
        self._channel = channel
        self._where = where
        self._request_bytes: int | None = None

    def list_files(self) -> Sequence[RemoteFile]:
        """See the port."""
        with _speaking_to(self._where):
            try:
                found = self._sftp.listdir_attr(self._where.folder)
            except FileNotFoundError:
                raise SettingsError(
                    f"The folder {self._where.folder!r} does not exist on {_address(self._where)}. "
                    "Correct the setting sftp.folder, or have the folder made.",
                    Code.FOLDER_NOT_FOUND,
                ) from None
        files = [_remote_file(entry.filename, entry) for entry in found if stat.S_ISREG(entry.st_mode or 0)]
        return sorted(files, key=lambda file: file.name)

    def stat(self, name: str) -> RemoteFile:
        """See the port."""
        with _speaking_to(self._where):
            found = self._sftp.lstat(self._path(name))
        if not stat.S_ISREG(found.st_mode or 0):
            raise FileNotFoundError(name)
        return _remote_file(name, found)

    def read(self, name: str, *, offset_bytes: int, block_bytes: int) -> Iterator[bytes]:
        """See the port. Reads as far as the file went when the reading began.

        Raises:
            FileNotFoundError: it has gone.
        """
        size_bytes = self.stat(name).size_bytes
        waiting: list[bytes] = []
        waiting_bytes = 0
        with closing(self._pieces(name, offset_bytes, size_bytes)) as pieces:
            try:
                for piece in pieces:
                    rest = piece
                    while waiting_bytes + len(rest) >= block_bytes:
                        waiting.append(rest[: block_bytes - waiting_bytes])
                        rest = rest[block_bytes - waiting_bytes :]
                        block, waiting, waiting_bytes = b"".join(waiting), [], 0
                        yield block
                    waiting.append(rest)
                    waiting_bytes += len(rest)
            except TransientError:
                if waiting_bytes:
                    yield b"".join(waiting)
                raise
        if waiting_bytes:
            yield b"".join(waiting)

    def _pieces(self, name: str, begin: int, end: int) -> Generator[bytes]:
        with _speaking_to(self._where):
            asked = time.monotonic()
            file = self._sftp.open(self._path(name), "rb")
            round_trip_seconds = time.monotonic() - asked
            if self._request_bytes is None:
                pipelining = self._where.pipelining
                self._request_bytes = ask_request_bytes(self._channel) if pipelining else SMALL_REQUEST_BYTES
            try:
                yield from read_ahead(
                    self._channel,
                    cast("bytes", file.handle),  # the stub confuses it with a server's
                    begin,
                    end,
                    request_bytes=self._request_bytes,
                    window_bytes=window_for(round_trip_seconds) if self._where.pipelining else self._request_bytes,
                )
            except GeneratorExit:
                file.close()
                raise
            # Of one that broke nothing more is asked: it would only keep us waiting once more.
            file.close()

    def _path(self, name: str) -> str:
        return posixpath.join(self._where.folder, name)


class _PinnedKey(paramiko.MissingHostKeyPolicy):
    """Accepts one host key. No key is ever known to the client otherwise, so that this is asked for each."""

    def __init__(self, where: Sftp) -> None:
        self._where = where

    @override
    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        offered = f"{key.get_name()} {key.get_base64()}"
        if not hmac.compare_digest(offered, self._where.host_key):
            raise SettingsError(
                f"{_address(self._where)} shows another host key than the pinned one: "
                f"{key.get_name()} {ssh_keys.fingerprint(key)}. "
                "Ask the provider whether it was changed before you correct sftp.host_key.",
                Code.HOST_KEY_CHANGED,
            )


class _Transports:
    """Makes the encrypted connection: the fastest cipher first, and the host key of the pinned type."""

    def __init__(self, host_key: str) -> None:
        self._host_key_type = host_key.partition(" ")[0]

    def __call__(
        self,
        sock: str | tuple[str, int] | socket.socket | paramiko.Channel | paramiko.ProxyCommand,
        /,
        **_: object,
    ) -> paramiko.Transport:
        transport = paramiko.Transport(sock)
        wanted = transport.get_security_options()
        wanted.ciphers = _first((_FASTEST_CIPHER,), wanted.ciphers)
        is_rsa = self._host_key_type == _RSA
        wanted.key_types = _first(_RSA_SIGNATURES if is_rsa else (self._host_key_type,), wanted.key_types)
        return transport


def _first(preferred: Sequence[str], available: Sequence[str]) -> tuple[str, ...]:
    return (
        *(name for name in preferred if name in available),
        *(name for name in available if name not in preferred),
    )


def _remote_file(name: str, found: paramiko.SFTPAttributes) -> RemoteFile:
    return RemoteFile(
        name=name,
        size_bytes=found.st_size or 0,
        modified_at=datetime.fromtimestamp(found.st_mtime or 0, UTC),
    )


@contextmanager
def _speaking_to(where: Sftp) -> Iterator[None]:
    """Turn what paramiko and the network raise into what we do next; a missing file stays as it is."""
    try:
        yield
    except (ConnectorError, FileNotFoundError):
        raise
    except paramiko.AuthenticationException as error:
        if any(words in str(error) for words in _NOT_A_REFUSAL):
            raise _broken(where, "it hung up during the login") from None
        raise SettingsError(
            f"{_address(where)} refused the login of the user in sftp.user with this {where.login}.",
            Code.INVALID_CREDENTIALS,
        ) from None
    except PermissionError:
        raise SettingsError(
            f"The user in sftp.user may not read in the folder {where.folder!r} on {_address(where)}.",
            Code.ACCESS_DENIED,
        ) from None
    except TimeoutError:
        raise _broken(where, "it did not answer in time") from None
    except (paramiko.SSHException, paramiko.SFTPError, OSError, EOFError) as error:
        raise _broken(where, type(error).__name__) from None


def _broken(where: Sftp, reason: str) -> TransientError:
    return TransientError(f"{_address(where)} cannot be reached or hung up: {reason}.", Code.SERVER_UNREACHABLE)


def _address(where: Sftp) -> str:
    return f"The SFTP server {where.host}:{where.port}"
