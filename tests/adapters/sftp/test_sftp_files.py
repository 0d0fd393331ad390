"""Listing and reading a provider's files, to their end or until the connection breaks."""

import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import paramiko
import pytest

from infra.local.sftp import SftpServer
from shared.adapters.sftp import SftpFolders
from shared.adapters.sftp_reading import WINDOW_BYTES, window_for
from shared.domain.errors import Code, TransientError
from tests.adapters.sftp.cutting import CuttingProxy
from tests.adapters.sftp.visitor import CONTENT, FOLDERS, PACKAGE, connection, key


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


def test_reading_goes_on_where_it_was_left(server: SftpServer) -> None:
    with FOLDERS.open(connection(server), key(server)) as session:
        rest = b"".join(session.read(PACKAGE, offset_bytes=3_000_001, block_bytes=400_000))
        at_the_end = list(session.read(PACKAGE, offset_bytes=len(CONTENT), block_bytes=400_000))

    assert rest == CONTENT[3_000_001:]
    assert at_the_end == []


def test_an_empty_file_has_no_blocks(server: SftpServer, folder: Path) -> None:
    (folder / "empty.pgp").touch()

    with FOLDERS.open(connection(server), key(server)) as session:
        assert list(session.read("empty.pgp", offset_bytes=0, block_bytes=10)) == []


@pytest.mark.parametrize("pipelining", [True, False])
def test_short_answers_are_pieced_together(faulty: SftpServer, *, pipelining: bool) -> None:
    """A server may answer less than it was asked for."""
    faulty.faults.longest_answer_bytes = 20_000

    with FOLDERS.open(connection(faulty, pipelining=pipelining), key(faulty)) as session:
        blocks = list(session.read(PACKAGE, offset_bytes=1, block_bytes=1_000_000))

    assert b"".join(blocks) == CONTENT[1:]
    assert {len(block) for block in blocks[:-1]} == {1_000_000}


def test_a_server_that_chokes_on_many_requests_can_be_asked_one_by_one(server: SftpServer) -> None:
    with FOLDERS.open(connection(server, pipelining=False), key(server)) as session:
        blocks = list(session.read(PACKAGE, offset_bytes=0, block_bytes=1_000_000))
        again = session.stat(PACKAGE)

    assert b"".join(blocks) == CONTENT
    assert again.size_bytes == len(CONTENT)


def test_a_file_that_becomes_shorter_while_it_is_read_is_said_to_be_broken(server: SftpServer, folder: Path) -> None:
    """Its provider is writing it anew."""
    size = 4 * WINDOW_BYTES
    with (folder / "long.pgp").open("wb") as file:
        file.truncate(size)

    with FOLDERS.open(connection(server), key(server)) as session:
        reading = session.read("long.pgp", offset_bytes=0, block_bytes=1_000_000)
        next(reading)
        os.truncate(folder / "long.pgp", 1_000_000)
        with pytest.raises(TransientError) as broken:
            assert sum(map(len, reading)) < size

    assert broken.value.code is Code.SERVER_UNREACHABLE


def test_as_much_is_under_way_as_the_line_needs() -> None:
    """More than that makes OpenSSH's server slow, and less the line."""
    assert [window_for(seconds) for seconds in (0.0, 0.001, 0.025, 0.05, 1.0)] == [
        *(WINDOW_BYTES // 4, WINDOW_BYTES // 4),
        *(WINDOW_BYTES // 2, WINDOW_BYTES, WINDOW_BYTES),
    ]


def test_a_reading_may_be_given_up(server: SftpServer) -> None:
    """And the session is as good as before."""
    with FOLDERS.open(connection(server), key(server)) as session:
        first = next(iter(session.read(PACKAGE, offset_bytes=0, block_bytes=1000)))
        again = next(iter(session.read(PACKAGE, offset_bytes=1000, block_bytes=1000)))
        assert session.stat(PACKAGE).size_bytes == len(CONTENT)

    assert first + again == CONTENT[:2000]


def test_a_line_that_breaks_leaves_what_has_come(server: SftpServer) -> None:
    """Also to who reads it only when the line is gone, and cannot ask for more."""
    with (
        CuttingProxy(server.port, [2_500_000]) as line,
        FOLDERS.open(connection(server, port=line.port), key(server)) as session,
    ):
        reading = session.read(PACKAGE, offset_bytes=0, block_bytes=1_000_000)
        blocks = [next(reading)]
        for thread in threading.enumerate():
            if isinstance(thread, paramiko.Transport):
                thread.join(timeout=20)
        _read_until_it_breaks(reading, blocks)

    read = b"".join(blocks)
    assert read == CONTENT[: len(read)]
    assert len(read) > 2_000_000


def test_a_server_that_hangs_up_leaves_nothing_wrong(faulty: SftpServer) -> None:
    """How much is left is the network's affair: who hangs up with requests unread takes back what is on its way."""
    faulty.faults.drop_after_bytes = 2_500_000
    blocks: list[bytes] = []

    with FOLDERS.open(connection(faulty), key(faulty)) as session:
        _read_until_it_breaks(session.read(PACKAGE, offset_bytes=0, block_bytes=1_000_000), blocks)

    read = b"".join(blocks)
    assert len(read) <= 2_500_000
    assert read == CONTENT[: len(read)]


def _read_until_it_breaks(reading: Iterator[bytes], blocks: list[bytes]) -> None:
    with pytest.raises(TransientError) as broken:
        blocks.extend(reading)
    assert broken.value.code is Code.SERVER_UNREACHABLE


# The server's own file is still open when its connection is cut.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_server_that_falls_silent_is_given_up(faulty: SftpServer) -> None:
    with SftpFolders(timeout_seconds=0.5).open(connection(faulty), key(faulty)) as session:
        faulty.faults.delay_seconds = 30
        with pytest.raises(TransientError, match="in time") as broken:
            list(session.read(PACKAGE, offset_bytes=0, block_bytes=1_000_000))

    assert broken.value.code is Code.SERVER_UNREACHABLE


def test_what_the_caller_raises_stays_what_it_is(server: SftpServer) -> None:
    with pytest.raises(PermissionError, match="own"), FOLDERS.open(connection(server), key(server)):
        raise PermissionError("own")
