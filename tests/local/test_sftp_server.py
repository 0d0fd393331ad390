"""The provider's SFTP server, as the connector's own client sees it."""

import base64
import io
import os
import pwd
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, cast

import paramiko
import pytest

from infra.local.sftp import SftpServer, find_sshd
from shared.adapters.sftp_reading import read_ahead

SERVERS = [
    pytest.param("sshd", marks=pytest.mark.skipif(find_sshd() is None, reason="there is no sshd here")),
    "asyncssh",
]
CONTENT = bytes(range(256)) * 4096


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A provider's folder, with a blank in its name as people have them."""
    folder = tmp_path / "out going"
    folder.mkdir()
    folder.joinpath("acme_F.zip.pgp").write_bytes(CONTENT)
    return folder


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, folder: Path, tmp_path: Path) -> Iterator[SftpServer]:
    """Each of the two servers."""
    with SftpServer(folder, tmp_path / "state", prefer=request.param) as server:
        yield server


@pytest.fixture
def faulty(folder: Path, tmp_path: Path) -> Iterator[SftpServer]:
    """The server whose faults can be set."""
    with SftpServer(folder, tmp_path / "state", prefer="asyncssh") as server:
        yield server


@contextmanager
def logged_in(
    server: SftpServer, *, host_key: str | None = None, password: str | None = None
) -> Iterator[paramiko.SFTPClient]:
    """Log in as the connector does: with the pinned host key and with nothing of this machine's own."""
    pinned = paramiko.Ed25519Key(data=base64.b64decode((host_key or server.host_key).split()[1]))
    key = None if password else paramiko.Ed25519Key.from_private_key(io.StringIO(server.client_private_key))
    with paramiko.SSHClient() as client:
        client.get_host_keys().add(f"[{server.host}]:{server.port}", "ssh-ed25519", pinned)
        client.connect(
            server.host,
            server.port,
            username=server.user,
            pkey=key,
            password=password,
            look_for_keys=False,
            allow_agent=False,
            timeout=10,
        )
        with client.open_sftp() as session:
            yield session


def read(session: paramiko.SFTPClient, path: str) -> bytes:
    """Read with many requests under way, as a fast client does."""
    content = io.BytesIO()
    session.getfo(path, content)
    return content.getvalue()


def test_a_client_lists_and_reads_the_folder(server: SftpServer) -> None:
    with logged_in(server) as session:
        names = session.listdir(server.folder_path)
        content = read(session, f"{server.folder_path}/{names[0]}")

    assert names == ["acme_F.zip.pgp"]
    assert content == CONTENT


def test_the_folder_may_only_be_read(server: SftpServer, folder: Path) -> None:
    """Providers seldom let anybody delete or move their packages; a client that tries must fail here too."""
    path = f"{server.folder_path}/acme_F.zip.pgp"

    with logged_in(server) as session:
        with pytest.raises(PermissionError):
            session.remove(path)
        with pytest.raises(PermissionError):
            session.posix_rename(path, f"{path}.done")
        with pytest.raises(PermissionError):
            session.open(f"{server.folder_path}/new", "w")
        with pytest.raises(PermissionError):
            session.mkdir(f"{server.folder_path}/new")

    assert [each.name for each in folder.iterdir()] == ["acme_F.zip.pgp"]


def test_a_missing_folder_is_not_found_after_login(server: SftpServer, folder: Path) -> None:
    folder.joinpath("acme_F.zip.pgp").unlink()
    folder.rmdir()

    with logged_in(server) as session, pytest.raises(FileNotFoundError):
        session.listdir(server.folder_path)


@pytest.mark.parametrize("prefer", SERVERS)
def test_a_pinned_host_key_is_good_after_a_restart(
    folder: Path, tmp_path: Path, prefer: Literal["sshd", "asyncssh"]
) -> None:
    """A connection pins the key once; the local tenant starts and ends with every command."""
    with SftpServer(folder, tmp_path / "state", prefer=prefer) as first:
        pinned, key = first.host_key, first.client_private_key

    with SftpServer(folder, tmp_path / "state", prefer=prefer) as second, logged_in(second, host_key=pinned):
        assert second.client_private_key == key


def test_a_changed_host_key_is_noticed(server: SftpServer) -> None:
    pinned = server.host_key
    server.change_host_key()

    with pytest.raises(paramiko.BadHostKeyException), logged_in(server, host_key=pinned):
        pass
    with logged_in(server) as session:
        assert session.listdir(server.folder_path)


def test_a_strange_key_is_refused(server: SftpServer, tmp_path: Path) -> None:
    stranger = SftpServer(tmp_path, tmp_path / "other", prefer="asyncssh")
    stranger.port, stranger.user = server.port, server.user

    with pytest.raises(paramiko.AuthenticationException), logged_in(stranger, host_key=server.host_key):
        pass


def test_private_keys_are_for_the_owner_only(server: SftpServer, tmp_path: Path) -> None:
    files = [tmp_path / "state" / name for name in ("host-key", "client-key")]

    assert server.port
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_leaving_ends_open_connections(folder: Path, tmp_path: Path) -> None:
    """Whoever forgets to log out must not keep the tenant from stopping."""
    for prefer in ("sshd", "asyncssh") if find_sshd() else ("asyncssh",):
        with SftpServer(folder, tmp_path / "state", prefer=prefer) as server:
            session = logged_in(server)
            session.__enter__().listdir(server.folder_path)
        with suppress(EOFError):  # the link may be found gone while saying goodbye
            session.__exit__(None, None, None)

        with pytest.raises(OSError), logged_in(server):  # noqa: PT011 - refused, on every platform
            pass


def test_many_clients_are_served_at_once(server: SftpServer) -> None:
    contents: list[bytes] = []

    def work() -> None:
        with logged_in(server) as session:
            contents.append(read(session, f"{server.folder_path}/acme_F.zip.pgp"))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert contents == [CONTENT] * 4


def test_a_password_lets_in_where_one_was_given(folder: Path, tmp_path: Path) -> None:
    with SftpServer(folder, tmp_path / "state", password="open sesame") as server:  # noqa: S106 - of this test
        with logged_in(server, password="open sesame") as session:  # noqa: S106 - of this test
            assert session.listdir(server.folder_path)
        with pytest.raises(paramiko.AuthenticationException), logged_in(server, password="wrong"):  # noqa: S106 - of this test
            pass


def test_sshd_cannot_be_asked_for_passwords_or_faults(folder: Path, tmp_path: Path) -> None:
    """It would ignore them, and a test that relies on them would prove nothing."""
    with pytest.raises(ValueError, match="sshd"):
        SftpServer(folder, tmp_path / "state", prefer="sshd", password="open sesame")  # noqa: S106 - of this test
    if find_sshd():
        with pytest.raises(ValueError, match="only the server in this process has faults"):
            assert SftpServer(folder, tmp_path / "state", prefer="sshd").faults


def test_without_sshd_the_server_in_this_process_serves(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("infra.local.sftp._SBIN", ())

    with SftpServer(folder, tmp_path / "state") as server, logged_in(server) as session:
        assert session.listdir(server.folder_path) == ["acme_F.zip.pgp"]


def test_fault_login_is_refused(faulty: SftpServer) -> None:
    faulty.faults.refuse_login = True

    with pytest.raises(paramiko.AuthenticationException), logged_in(faulty):
        pass


def test_fault_listing_is_denied(faulty: SftpServer) -> None:
    faulty.faults.deny_listing = True

    with logged_in(faulty) as session, pytest.raises(PermissionError):
        session.listdir(faulty.folder_path)


def test_fault_the_connection_breaks_within_a_file(faulty: SftpServer) -> None:
    """What comes before the break is good, and what comes after it can be had by a second session."""
    limit = 300_000
    faulty.faults.drop_after_bytes = limit

    with logged_in(faulty) as session, session.open("/acme_F.zip.pgp") as file:
        assert file.read(limit) == CONTENT[:limit]
        with pytest.raises((paramiko.SSHException, OSError)):
            file.read(1)
    faulty.faults.drop_after_bytes = None
    with logged_in(faulty) as session, session.open("/acme_F.zip.pgp") as file:
        file.seek(limit)
        assert file.read() == CONTENT[limit:]


def test_fault_every_read_is_slow(faulty: SftpServer) -> None:
    faulty.faults.delay_seconds = 0.3

    with logged_in(faulty) as session, session.open("/acme_F.zip.pgp") as file:
        before = time.monotonic()
        file.read(100)

    assert time.monotonic() - before >= 0.3


def test_fault_answers_are_short(faulty: SftpServer) -> None:
    faulty.faults.longest_answer_bytes = 1000

    with logged_in(faulty) as session, session.open("/acme_F.zip.pgp") as file:
        channel, handle = session.get_channel(), cast("bytes", file.handle)
        assert channel is not None
        pieces = list(read_ahead(channel, handle, 0, 3000, request_bytes=3000, window_bytes=3000))

    assert pieces == [CONTENT[:1000], CONTENT[1000:2000], CONTENT[2000:3000]]


def test_nothing_outside_the_folder_is_served_in_this_process(faulty: SftpServer) -> None:
    with logged_in(faulty) as session, pytest.raises(FileNotFoundError):
        session.stat("../../../../etc/passwd")


@pytest.mark.skipif(find_sshd() is None, reason="there is no sshd here")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_an_ordinary_user_can_serve_with_sshd() -> None:
    """Who runs the local tenant is seldom root; sshd then lets in nobody else but that user."""
    script = (
        "import encodings.idna, os, pathlib, tempfile; from infra.local.sftp import SftpServer\n"
        "import tests.local.test_sftp_server as client\n"
        "os.setgroups([]); os.setgid(1); os.setuid(1)\n"
        "with tempfile.TemporaryDirectory(dir='/tmp') as name:\n"
        "    home = pathlib.Path(name); home.joinpath('f').write_bytes(b'x')\n"
        "    with SftpServer(home, home / 'state', prefer='sshd') as s, client.logged_in(s) as session:\n"
        "        print(s.user, sorted(session.listdir(s.folder_path)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )

    assert done.stdout.strip() == f"{pwd.getpwuid(1).pw_name} ['f', 'state']", done.stderr
