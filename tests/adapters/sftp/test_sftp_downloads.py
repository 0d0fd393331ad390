"""A download over a line that is cut, from a real server into real storage."""

import hashlib
import random
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from infra.local.sftp import SftpServer
from shared.adapters.blobs import AzureBlobs
from shared.adapters.intake import AzureIntake
from shared.adapters.storage_account import StorageAccount
from shared.adapters.tables import AzureTable
from shared.domain.errors import TransientError
from shared.pipeline.download import download
from shared.pipeline.parts import Parts
from tests.adapters.sftp.cutting import CuttingProxy
from tests.adapters.sftp.visitor import FOLDERS, PACKAGE, connection, key

RANDOM = random.Random(50)  # noqa: S311 - the same in every run
CONTENT = RANDOM.randbytes(5_300_001)
CUTS_BYTES = [RANDOM.randrange(120_000, 500_000) for _ in range(10)]
PATH = f"acme/{PACKAGE}"
PIECE_BYTES, BLOCK_BYTES = 64 * 1024, 512 * 1024
LONGEST_ANSWER_BYTES = 256 * 1024
HANDSHAKE_BYTES = 16 * 1024
"""Of a connection: keys, login, and what is not content."""


@pytest.fixture
def parts(server: SftpServer, account: StorageAccount, name: str) -> Parts:
    """All that a download asks for."""
    return cast(
        "Parts",
        SimpleNamespace(
            folders=FOLDERS,
            secrets=SimpleNamespace(get=lambda _: key(server)),
            intake=AzureIntake(account, name),
            ledger=AzureTable(account, name),
        ),
    )


def content_hash() -> str:
    pieces = (CONTENT[at : at + PIECE_BYTES] for at in range(0, len(CONTENT), PIECE_BYTES))
    return hashlib.sha256("".join(hashlib.sha256(piece).hexdigest() for piece in pieces).encode()).hexdigest()


def fetch(parts: Parts, server: SftpServer, port: int) -> str | None:
    with FOLDERS.open(connection(server), key(server)) as session:
        file = session.stat(PACKAGE)
    return download(parts, connection(server, port=port), file, PATH, block_bytes=BLOCK_BYTES, piece_bytes=PIECE_BYTES)


def test_ten_cuts_lose_nothing_and_fetch_little_twice(
    parts: Parts, server: SftpServer, folder: Path, account: StorageAccount, name: str
) -> None:
    """A cut costs less than a piece and an answer; and the hash does not know of it."""
    (folder / PACKAGE).write_bytes(CONTENT)
    twice_bytes = len(CUTS_BYTES) * (PIECE_BYTES + LONGEST_ANSWER_BYTES)

    with CuttingProxy(server.port, CUTS_BYTES) as line:
        found = fetch(parts, server, line.port)
        parts.intake.commit(PATH, len(CONTENT))

    assert line.connection_count == len(CUTS_BYTES) + 1
    assert AzureBlobs(account, name).get(PATH) == CONTENT
    assert found == content_hash()
    assert line.delivered_bytes < len(CONTENT) + twice_bytes + line.connection_count * HANDSHAKE_BYTES


def test_a_later_look_goes_on_where_an_earlier_one_gave_up(
    parts: Parts, server: SftpServer, folder: Path, account: StorageAccount, name: str
) -> None:
    """Cuts within the login bring nothing; after three in a row it is somebody else's turn."""
    (folder / PACKAGE).write_bytes(CONTENT)

    with CuttingProxy(server.port, [4_000_000, 1000, 500, 2000]) as line:
        with pytest.raises(TransientError):
            fetch(parts, server, line.port)
        before_bytes = line.delivered_bytes
        found = fetch(parts, server, line.port)
        parts.intake.commit(PATH, len(CONTENT))

    assert found == content_hash()
    assert AzureBlobs(account, name).get(PATH) == CONTENT
    assert line.delivered_bytes - before_bytes < 1_300_001 + PIECE_BYTES + LONGEST_ANSWER_BYTES + 2 * HANDSHAKE_BYTES
