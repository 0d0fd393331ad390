"""The peers that read by SFTP, measured on one table behind one sshd."""

import getpass
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from infra.local.private_file import write_private
from infra.local.sftp import find_sshd
from infra.local.sftp_openssh import HOST, OpenSshError, OpenSshServer
from tests.bench import meter
from tests.bench.peers import environment
from tests.bench.peers.sftp_readers import Reader, Server
from tests.bench.result import Figures, Peer

TIMEOUT_SECONDS = 600.0
_RSA_BITS = 2048


@contextmanager
def serving(table: Path) -> Iterator[Server]:
    """Show the folder of a table by OpenSSH's own server.

    Raises:
        OpenSshError: there is none on this machine, or it does not start.
    """
    sshd = find_sshd()
    if sshd is None:
        raise OpenSshError("there is no sshd on this machine")
    with tempfile.TemporaryDirectory(prefix="sshd-") as state, table.open("r", encoding="utf-8") as file:
        columns = tuple(file.readline().rstrip("\n").split(","))
        place = Path(state)
        write_private(place / "host-key", _private(Ed25519PrivateKey.generate(), serialization.PrivateFormat.OpenSSH))
        login = rsa.generate_private_key(65537, _RSA_BITS)
        write_private(place / "login", _private(login, serialization.PrivateFormat.TraditionalOpenSSL))
        public = login.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        user = getpass.getuser()
        server = OpenSshServer(sshd, place, host_key_file=place / "host-key", client_key=public.decode(), user=user)
        port = server.start()
        try:
            folder = str(table.parent.absolute())
            yield Server(HOST, port, user, place / "login", folder, table.name, columns)
        finally:
            server.stop()


def measure(reader: Reader, server: Server, programs: Path, *, rows: int, table_bytes: int) -> Peer:
    """Let the peer read, which is installed; whatever goes wrong is told in its row."""
    version = environment.version(programs.parent, reader.package)
    try:
        figures = _read(reader, programs, server, rows=rows, table_bytes=table_bytes)
    except meter.CommandError as error:
        return Peer(name=reader.name, how=reader.how, version=version, reason=f"failed: {error}")
    return Peer(name=reader.name, how=reader.how, version=version, figures=figures)


def _read(reader: Reader, programs: Path, server: Server, *, rows: int, table_bytes: int) -> Figures:
    with tempfile.TemporaryDirectory(prefix="peer-") as work:
        call = reader.call(programs, Path(work), server)
        done = meter.run(
            call.command,
            folder=Path(work),
            timeout_seconds=TIMEOUT_SECONDS,
            counting=call.counting,
            environment=call.environment,
        )
    read = done.lines if call.counting else int(done.last_line)
    if read != rows:
        raise meter.CommandError(f"read {read:,} of {rows:,} rows")
    return Figures.of(done.use, rows=rows, text_bytes=table_bytes)


def _private(key: rsa.RSAPrivateKey | Ed25519PrivateKey, form: serialization.PrivateFormat) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
