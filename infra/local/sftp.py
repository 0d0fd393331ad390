"""The provider's SFTP server, as the local tenant has it: a folder of this machine behind a real login.

OpenSSH's sshd serves it where there is one; otherwise, or where faults or a password are wanted, a server
inside this process does. Both are read-only.
"""

import os
import pwd
import shutil
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol, Self

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from infra.local.private_file import write_private
from infra.local.sftp_inprocess import Faults, InProcessServer
from infra.local.sftp_openssh import HOST, OpenSshServer

_SBIN = ("/usr/sbin", "/usr/local/sbin", "/sbin")


class _Server(Protocol):
    """What either server does."""

    def start(self) -> int:
        """Listen, and return the port."""
        ...

    def stop(self) -> None:
        """Hang up on everybody."""
        ...

    def use_host_key(self, file: Path) -> None:
        """Show this key to whoever connects from now on."""
        ...


class SftpServer:
    """A server for one user, with keys of its own, answering while the `with` block does.

    The keys are made once and stay in `state`, so that a pinned host key is good after a restart.
    The folder may be missing: then a client logs in and does not find it.
    """

    host = HOST
    port: int
    """Another one at every start."""

    def __init__(
        self,
        folder: Path,
        state: Path,
        *,
        prefer: Literal["sshd", "asyncssh"] | None = None,
        password: str | None = None,
    ) -> None:
        """Choose the server; a password is accepted beside the key.

        Raises:
            ValueError: sshd was asked for and is not there, or was asked to check a password.
        """
        self._state = state
        self._faults: Faults | None = None
        self._host_key_file, self._client_key_file = state / "host-key", state / "client-key"
        for file in (self._host_key_file, self._client_key_file):
            if not file.exists():
                _make_key(file)
        sshd = find_sshd()
        if prefer is None:
            prefer = "asyncssh" if sshd is None or password is not None else "sshd"
        self.user = pwd.getpwuid(os.geteuid()).pw_name if prefer == "sshd" else "provider"
        """Who logs in. Without being root, sshd lets in nobody but who has started it."""
        self.password = password
        self._server: _Server
        if prefer == "asyncssh":
            self._faults = Faults()
            self.folder_path = "/"
            """What a client names as the folder."""
            self._server = InProcessServer(
                folder,
                host_key_file=self._host_key_file,
                client_key=_public_key(self._client_key_file),
                user=self.user,
                password=password,
                faults=self._faults,
            )
        elif sshd is None or password is not None:
            raise ValueError("sshd checks no password here" if sshd else "there is no sshd on this machine")
        else:
            self.folder_path = str(folder.absolute())
            self._server = OpenSshServer(
                sshd,
                state,
                host_key_file=self._host_key_file,
                client_key=_public_key(self._client_key_file),
                user=self.user,
            )

    def __enter__(self) -> Self:
        """Start to answer.

        Raises:
            OpenSshError: sshd does not accept its configuration.
        """
        self.port = self._server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Hang up on everybody."""
        self._server.stop()

    @property
    def host_key(self) -> str:
        """The public key to pin: its type and its base64."""
        return _public_key(self._host_key_file)

    @property
    def client_private_key(self) -> str:
        """The key that may log in, in OpenSSH's own PEM format."""
        return self._client_key_file.read_text()

    @property
    def faults(self) -> Faults:
        """What goes wrong, to be set at any time; only the server inside this process can do that.

        Raises:
            ValueError: this is sshd.
        """
        if self._faults is None:
            raise ValueError("only the server in this process has faults: prefer='asyncssh'")
        return self._faults

    def change_host_key(self) -> None:
        """Be a server with another key for whoever connects from now on, also after a restart."""
        _make_key(self._host_key_file)
        self._server.use_host_key(self._host_key_file)


def find_sshd() -> Path | None:
    """Return where sshd is, or `None`; it is seldom on an ordinary user's PATH."""
    found = shutil.which("sshd", path=os.pathsep.join((os.environ.get("PATH", os.defpath), *_SBIN)))
    return None if found is None else Path(found).absolute()


def _make_key(file: Path) -> None:
    write_private(
        file,
        Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.OpenSSH,
            serialization.NoEncryption(),
        ),
    )


def _public_key(file: Path) -> str:
    key = serialization.load_ssh_private_key(file.read_bytes(), password=None)
    encoded = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return encoded.decode()
