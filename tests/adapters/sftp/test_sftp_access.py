"""Who is let in where: logins, host keys, folders, and servers nobody can reach."""

import base64
import hashlib
import io
import socket
import threading
from pathlib import Path

import paramiko
import pytest

from infra.local.sftp import SftpServer
from shared.adapters.sftp import SftpFolders
from shared.domain.errors import Code, SettingsError, TransientError
from shared.ports import RemoteFolders
from tests.adapters.sftp.visitor import FOLDERS, connection, key, secret

HASTY: RemoteFolders = SftpFolders(timeout_seconds=0.3)


def some_private_key() -> str:
    text = io.StringIO()
    paramiko.ECDSAKey.generate().write_private_key(text)
    return text.getvalue()


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
