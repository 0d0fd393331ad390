"""A real sshd where it can do it; a server in this process where something has to go wrong."""

import base64
import hashlib
import io
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import paramiko
import pytest

from infra.local.sftp import SftpServer
from shared.adapters import sftp
from shared.adapters.sftp import SftpFolders
from shared.domain.connection import Connection
from shared.domain.errors import Code, SettingsError, TransientError
from shared.ports import RemoteFolders, Secret

FOLDERS: RemoteFolders = SftpFolders(timeout_seconds=10)
HASTY: RemoteFolders = SftpFolders(timeout_seconds=0.3)
PACKAGE = "acme_F_20261101000000zip.pgp"
CONTENT = bytes(range(256)) * 4096 * 5 + b"the end"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "provider"
    folder.mkdir()
    (folder / PACKAGE).write_bytes(CONTENT)
    return folder


@pytest.fixture(params=["sshd", "asyncssh"])
def server(request: pytest.FixtureRequest, folder: Path, tmp_path: Path) -> Iterator[SftpServer]:
    """What works, works with both; they differ in paths and in how they word a refusal."""
    yield from _serve(folder, tmp_path, request.param)


@pytest.fixture
def faulty(folder: Path, tmp_path: Path) -> Iterator[SftpServer]:
    yield from _serve(folder, tmp_path, "asyncssh")


def _serve(folder: Path, tmp_path: Path, prefer: Literal["sshd", "asyncssh"]) -> Iterator[SftpServer]:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    with SftpServer(folder, state, prefer=prefer) as server:
        yield server


def connection(server: SftpServer, **changes: object) -> Connection:
    where = {
        "host": server.host,
        "port": server.port,
        "user": server.user,
        "folder": server.folder_path,
        "host_key": server.host_key,
    }
    viva = {
        "provider_id": "p",
        "bizx_host": "hcm.example.com",
        "learning_host": "learn.example.com",
        "company_id": "acme",
    }
    return Connection.model_validate({"configuration_id": "SF1", "sftp": where | changes, "viva": viva})


def secret(value: str) -> Secret:
    return Secret("v1", value, datetime(2026, 1, 1, tzinfo=UTC))


def key(server: SftpServer) -> Secret:
    return secret(server.client_private_key)


def some_private_key() -> str:
    text = io.StringIO()
    paramiko.ECDSAKey.generate().write_private_key(text)
    return text.getvalue()


def test_plain_files_are_listed_by_name_and_nothing_else(server: SftpServer, folder: Path) -> None:
    """A link could point anywhere on the provider's server."""
    (folder / "z.txt").write_bytes(b"x")
    (folder / "sub").mkdir()
    (folder / "link.pgp").symlink_to(folder / PACKAGE)

    with FOLDERS.open(connection(server), key(server)) as session:
        files = session.list_files()

    assert [(file.name, file.size_bytes) for file in files] == [(PACKAGE, len(CONTENT)), ("z.txt", 1)]
    assert files[0].modified_at == datetime.fromtimestamp(int((folder / PACKAGE).stat().st_mtime), UTC)


def test_an_empty_folder_has_no_files(server: SftpServer, folder: Path) -> None:
    (folder / PACKAGE).unlink()

    with FOLDERS.open(connection(server), key(server)) as session:
        assert session.list_files() == []


def test_one_file_can_be_looked_at_again(server: SftpServer, folder: Path) -> None:
    with FOLDERS.open(connection(server), key(server)) as session:
        before = session.stat(PACKAGE)
        with (folder / PACKAGE).open("ab") as file:
            file.write(b"more")
        after = session.stat(PACKAGE)

    assert (before.size_bytes, after.size_bytes) == (len(CONTENT), len(CONTENT) + 4)


def test_a_file_that_has_gone_is_said_to_be_gone(server: SftpServer, folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "link.pgp").symlink_to(folder / PACKAGE)

    with FOLDERS.open(connection(server), key(server)) as session:
        for name in ("gone.pgp", "sub", "link.pgp"):
            with pytest.raises(FileNotFoundError):
                session.stat(name)
        with pytest.raises(FileNotFoundError):
            list(session.read("gone.pgp", offset_bytes=0, block_bytes=10))


@pytest.mark.parametrize("block_bytes", [1_000_000, 2**20, 333_333, len(CONTENT), 10**8])
def test_blocks_have_exactly_their_size_but_for_the_last(server: SftpServer, block_bytes: int) -> None:
    with FOLDERS.open(connection(server), key(server)) as session:
        blocks = list(session.read(PACKAGE, offset_bytes=0, block_bytes=block_bytes))

    assert b"".join(blocks) == CONTENT
    assert {len(block) for block in blocks[:-1]} <= {block_bytes}


def test_reading_goes_on_where_it_was_left(server: SftpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sftp, "WINDOW_BYTES", 1_000_000)

    with FOLDERS.open(connection(server), key(server)) as session:
        rest = b"".join(session.read(PACKAGE, offset_bytes=3_000_001, block_bytes=400_000))
        at_the_end = list(session.read(PACKAGE, offset_bytes=len(CONTENT), block_bytes=400_000))

    assert rest == CONTENT[3_000_001:]
    assert at_the_end == []


def test_an_empty_file_has_no_blocks(server: SftpServer, folder: Path) -> None:
    (folder / "empty.pgp").touch()

    with FOLDERS.open(connection(server), key(server)) as session:
        assert list(session.read("empty.pgp", offset_bytes=0, block_bytes=10)) == []


def test_a_reading_may_be_given_up(server: SftpServer) -> None:
    with FOLDERS.open(connection(server), key(server)) as session:
        first = next(iter(session.read(PACKAGE, offset_bytes=0, block_bytes=1000)))
        again = next(iter(session.read(PACKAGE, offset_bytes=1000, block_bytes=1000)))

    assert first + again == CONTENT[:2000]


def test_a_password_logs_in(folder: Path, tmp_path: Path) -> None:
    password = "correct horse"  # noqa: S105 - of a server that lives for this test
    state = tmp_path / "state"
    state.mkdir(mode=0o700)

    with SftpServer(folder, state, password=password) as server:
        with FOLDERS.open(connection(server, login="password"), secret(password)) as session:
            assert len(session.list_files()) == 1
        with (
            pytest.raises(SettingsError, match="refused the login") as refused,
            FOLDERS.open(connection(server, login="password"), secret("wrong")),
        ):
            pass

    assert refused.value.code is Code.INVALID_CREDENTIALS


def test_an_unknown_key_is_refused(server: SftpServer) -> None:
    with (
        pytest.raises(SettingsError, match="refused the login") as refused,
        FOLDERS.open(connection(server), secret(some_private_key())),
    ):
        pass

    assert refused.value.code is Code.INVALID_CREDENTIALS
    assert server.user not in str(refused.value)


def test_a_secret_that_is_no_key_is_named_by_its_version(server: SftpServer) -> None:
    with (
        pytest.raises(SettingsError, match="Version v1") as refused,
        FOLDERS.open(connection(server), secret("opensesame")),
    ):
        pass

    assert refused.value.code is Code.SETTINGS_INVALID
    assert "opensesame" not in str(refused.value)


def test_another_host_key_is_refused_before_the_login(server: SftpServer) -> None:
    """Of the pinned type and of another: whoever stands between must not learn the password."""
    blob = base64.b64decode(server.host_key.split()[1])
    fingerprint = "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    others = [some_host_key(paramiko.ECDSAKey.generate()), some_host_key(paramiko.RSAKey.generate(2048))]
    others.append(server.host_key[:-8] + ("AAAAAAAA" if server.host_key[-8:] != "AAAAAAAA" else "BBBBBBBB"))

    for other in others:
        with (
            pytest.raises(SettingsError, match="another host key") as refused,
            FOLDERS.open(connection(server, host_key=other), key(server)),
        ):
            pass
        assert refused.value.code is Code.HOST_KEY_CHANGED
        assert fingerprint in str(refused.value)


def some_host_key(made: paramiko.PKey) -> str:
    return f"{made.get_name()} {made.get_base64()}"


def test_a_missing_folder_is_said_to_be_missing(server: SftpServer) -> None:
    missing = connection(server, folder=f"{server.folder_path.rstrip('/')}/MVL")

    with (
        FOLDERS.open(missing, key(server)) as session,
        pytest.raises(SettingsError, match="MVL") as refused,
    ):
        session.list_files()

    assert refused.value.code is Code.FOLDER_NOT_FOUND


def test_a_folder_one_may_not_see_is_said_so(faulty: SftpServer) -> None:
    with FOLDERS.open(connection(faulty), key(faulty)) as session:
        faulty.faults.deny_listing = True
        with pytest.raises(SettingsError) as refused:
            session.list_files()

    assert refused.value.code is Code.ACCESS_DENIED


def test_a_connection_that_breaks_leaves_what_was_read(faulty: SftpServer) -> None:
    faulty.faults.drop_after_bytes = 2_500_000
    blocks: list[bytes] = []

    with FOLDERS.open(connection(faulty), key(faulty)) as session:
        reading = session.read(PACKAGE, offset_bytes=0, block_bytes=1_000_000)
        with pytest.raises(TransientError) as broken:
            blocks.extend(reading)

    assert broken.value.code is Code.SERVER_UNREACHABLE
    assert b"".join(blocks) == CONTENT[: len(blocks) * 1_000_000]


# The server's own file is still open when its connection is cut.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_server_that_falls_silent_is_given_up(faulty: SftpServer) -> None:
    with SftpFolders(timeout_seconds=0.5).open(connection(faulty), key(faulty)) as session:
        faulty.faults.delay_seconds = 30
        with pytest.raises(TransientError, match="in time") as broken:
            list(session.read(PACKAGE, offset_bytes=0, block_bytes=1_000_000))

    assert broken.value.code is Code.SERVER_UNREACHABLE


def test_nobody_at_the_port_is_unreachable(faulty: SftpServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    with pytest.raises(TransientError) as broken, FOLDERS.open(connection(faulty, port=port), key(faulty)):
        pass

    assert broken.value.code is Code.SERVER_UNREACHABLE


@pytest.mark.parametrize("banner", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"], ids=["silence", "web server"])
def test_something_else_at_the_port_is_unreachable(faulty: SftpServer, banner: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        accepted: list[socket.socket] = []

        def answer() -> None:
            client, _ = listening.accept()
            client.sendall(banner)
            accepted.append(client)

        answering = threading.Thread(target=answer)
        answering.start()
        wrong = connection(faulty, port=listening.getsockname()[1])
        with pytest.raises(TransientError) as broken, HASTY.open(wrong, key(faulty)):
            pass
        answering.join()
        for client in accepted:
            client.close()

    assert broken.value.code is Code.SERVER_UNREACHABLE


def test_what_the_caller_raises_stays_what_it_is(server: SftpServer) -> None:
    with pytest.raises(PermissionError, match="own"), FOLDERS.open(connection(server), key(server)):
        raise PermissionError("own")
