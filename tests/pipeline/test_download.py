"""Downloads into a storage that is slow or fails, and from a server that cannot do two things at once."""

import hashlib
import random
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast, override

import pytest

from shared.domain.connection import Connection
from shared.domain.errors import TransientError
from shared.pipeline.download import download
from shared.pipeline.parts import Parts
from shared.ports import RemoteFile, RemoteFolder, Secret
from tests.desk import DeskFolder, DeskSecrets
from tests.desk_connection import DEFAULTS
from tests.fakes import MemoryIntake, MemoryTable

CONTENT = random.Random(3).randbytes(10_050)  # noqa: S311 - the same in every run
NAME, PATH = "acme_F.zip.pgp", "acme/acme_F.zip.pgp"
FILE = RemoteFile(NAME, len(CONTENT), datetime(2026, 11, 1, 6, tzinfo=UTC))
CONNECTION = Connection.model_validate(DEFAULTS)
AT_ONCE = 3


class FailingIntake(MemoryIntake):
    """Refuses a block once."""

    def __init__(self, refused_offset: int) -> None:
        super().__init__()
        self.refused = [refused_offset]
        self.put_offsets: list[int] = []

    @override
    def put_block(self, path: str, offset_bytes: int, content: bytes) -> None:
        if offset_bytes in self.refused:
            self.refused.remove(offset_bytes)
            raise TransientError("the storage is busy")
        self.put_offsets.append(offset_bytes)
        super().put_block(path, offset_bytes, content)


class SlowIntake(MemoryIntake):
    """Takes its time, and less of it for later blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.stored = 0
        self._lock = threading.Lock()

    @override
    def put_block(self, path: str, offset_bytes: int, content: bytes) -> None:
        time.sleep(0.002 if offset_bytes % 1000 else 0.006)
        super().put_block(path, offset_bytes, content)
        with self._lock:
            self.stored += 1


class Server(DeskFolder):
    """Breaks at once when it is asked for more than one piece at a time."""

    def __init__(self) -> None:
        super().__init__({NAME: CONTENT})
        self.pipelining: list[bool] = []

    @contextmanager
    def _opened(self) -> Iterator[RemoteFolder]:
        yield self

    @override
    def open(self, connection: Connection, secret: Secret) -> AbstractContextManager[RemoteFolder]:
        self.pipelining.append(connection.sftp.pipelining)
        return self._opened()

    @override
    def read(self, name: str, *, offset_bytes: int, block_bytes: int) -> Iterator[bytes]:
        if self.pipelining[-1]:
            raise TransientError("the server hung up")
        yield from super().read(name, offset_bytes=offset_bytes, block_bytes=block_bytes)


def parts(folders: DeskFolder, intake: MemoryIntake) -> Parts:
    """All that a download asks for."""
    made = SimpleNamespace(folders=folders, secrets=DeskSecrets(), intake=intake, ledger=MemoryTable())
    return cast("Parts", made)


def fetch(given: Parts, *, block_bytes: int = 500, file: RemoteFile = FILE) -> str | None:
    return download(given, CONNECTION, file, PATH, block_bytes=block_bytes, piece_bytes=100)


def content_hash(content: bytes = CONTENT) -> str:
    pieces = (content[at : at + 100] for at in range(0, len(content), 100))
    return hashlib.sha256("".join(hashlib.sha256(piece).hexdigest() for piece in pieces).encode()).hexdigest()


@pytest.mark.parametrize("block_bytes", [100, 500, 1700, 20_000])
def test_the_hash_does_not_depend_on_the_blocks(block_bytes: int) -> None:
    intake = MemoryIntake()
    given = parts(DeskFolder({NAME: CONTENT}), intake)

    assert fetch(given, block_bytes=block_bytes) == content_hash()

    intake.commit(PATH, len(CONTENT))
    assert intake.packages[PATH] == CONTENT


def test_an_empty_file_has_a_hash() -> None:
    intake = MemoryIntake()
    given = parts(DeskFolder({NAME: b""}), intake)

    assert fetch(given, file=RemoteFile(NAME, 0, FILE.modified_at)) == content_hash(b"")

    intake.commit(PATH, 0)
    assert intake.packages[PATH] == b""


def test_a_block_that_could_not_be_stored_is_fetched_again() -> None:
    """And of those that were being stored beside it no more than can be at once."""
    intake = FailingIntake(refused_offset=3000)
    given = parts(DeskFolder({NAME: CONTENT}), intake)

    assert fetch(given) == content_hash()

    intake.commit(PATH, len(CONTENT))
    assert intake.packages[PATH] == CONTENT
    assert len(intake.put_offsets) - len(set(intake.put_offsets)) < AT_ONCE


def test_a_storage_that_never_works_ends_the_download() -> None:
    intake = FailingIntake(refused_offset=0)
    intake.refused *= 100

    with pytest.raises(TransientError, match="busy"):
        fetch(parts(DeskFolder({NAME: CONTENT}), intake))


def test_a_slow_storage_holds_up_the_reading() -> None:
    """Otherwise a whole package would wait in memory. Blocks are stored in any order here."""
    intake = SlowIntake()
    ahead: list[int] = []

    class Watched(DeskFolder):
        @override
        def read(self, name: str, *, offset_bytes: int, block_bytes: int) -> Iterator[bytes]:
            blocks = super().read(name, offset_bytes=offset_bytes, block_bytes=block_bytes)
            for count, block in enumerate(blocks, 1):
                ahead.append(count - intake.stored)
                yield block

    assert fetch(parts(Watched({NAME: CONTENT}), intake)) == content_hash()

    intake.commit(PATH, len(CONTENT))
    assert intake.packages[PATH] == CONTENT
    assert max(ahead) <= AT_ONCE + 1


def test_a_server_that_chokes_on_many_requests_is_asked_plainly_in_the_end() -> None:
    server = Server()

    assert fetch(parts(server, MemoryIntake())) == content_hash()
    assert server.pipelining == [True, True, False]


def test_a_file_that_changed_meanwhile_is_not_taken() -> None:
    given = parts(DeskFolder({NAME: CONTENT + b"more"}), MemoryIntake())

    assert fetch(given) is None
