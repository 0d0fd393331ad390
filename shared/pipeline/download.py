"""Bring one file from the provider's folder into storage, in blocks, without touching a disk.

Reading and storing go on side by side. What a broken connection has brought is kept but for the last piece, and is
not fetched again, neither in this call nor in a later one.

The content hash is the SHA-256 of the SHA-256 digests of the file's pieces. The pieces have one size, whatever the
blocks had; with each block the digests of its pieces are noted, so that the hash needs no look back.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from shared.domain.connection import Connection
from shared.domain.errors import TransientError
from shared.domain.turns import FileSeen
from shared.pipeline.parts import Parts
from shared.ports import RemoteFile, RemoteFolder

BLOCK_BYTES = 4 * 1024 * 1024
PIECE_BYTES = 256 * 1024

_BLOCKS_AT_ONCE = 3
"""That are being stored while the next is read."""
_CUTS_WITHOUT_PROGRESS = 3


def sealed_path(connection: str, entry: FileSeen) -> str:
    """Return where a file's content goes; the same name with another size or time goes elsewhere."""
    return f"{connection}/{entry.modified_at:%Y%m%dT%H%M%S}-{entry.size_bytes}/{entry.name}"


def download(
    parts: Parts,
    connection: Connection,
    file: RemoteFile,
    path: str,
    *,
    block_bytes: int = BLOCK_BYTES,
    piece_bytes: int = PIECE_BYTES,
    tell: Callable[[int], None] = lambda _: None,
) -> str | None:
    """Bring the file's blocks into storage and return its content hash; `None` when it has changed meanwhile.

    A broken connection is opened again as long as every one brings something; the last one that is tried asks for
    one piece after the other. A cut costs less than a piece and an answer of the server, a server that hangs up what
    was under way, a storage that fails the blocks that were being stored. The package does not exist before its blocks
    are committed. `tell` hears how many bytes have come, at the beginning of every attempt and with every block.

    Raises:
        TransientError: several connections in a row brought nothing.
        SettingsError: login or rights have changed meanwhile.
    """
    arriving = _Arriving(parts, file, path, block_bytes, piece_bytes, tell)
    fruitless = 0
    while True:
        before = arriving.kept().size_bytes
        try:
            secret = parts.secrets.get(connection.sftp.secret)
            is_last = fruitless == _CUTS_WITHOUT_PROGRESS - 1
            with parts.folders.open(_plainly(connection) if is_last else connection, secret) as folder:
                return arriving.transfer(folder)
        except FileNotFoundError:
            return None
        except TransientError:
            fruitless = 0 if arriving.kept().size_bytes > before else fruitless + 1
            if fruitless == _CUTS_WITHOUT_PROGRESS:
                raise


def _plainly(connection: Connection) -> Connection:
    sftp = connection.sftp.model_copy(update={"pipelining": False})
    return connection.model_copy(update={"sftp": sftp})


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is in storage of the file, from its beginning and without gaps."""

    size_bytes: int
    digests: list[str]
    """Of its pieces."""


@dataclass(frozen=True, slots=True)
class _Arriving:
    """One file on its way."""

    parts: Parts
    file: RemoteFile
    path: str
    block_bytes: int
    piece_bytes: int
    tell: Callable[[int], None]

    def transfer(self, folder: RemoteFolder) -> str | None:
        """Bring what is missing; return the content hash, or `None` when the file is another by now."""
        kept = self.kept()
        self.tell(kept.size_bytes)
        if kept.size_bytes < self.file.size_bytes:
            self._bring(folder, kept.size_bytes)
            kept = self.kept()
        after = folder.stat(self.file.name)
        seen = (self.file.size_bytes, self.file.modified_at)
        if (after.size_bytes, after.modified_at) != seen or kept.size_bytes != self.file.size_bytes:
            return None
        return hashlib.sha256("".join(kept.digests).encode()).hexdigest()

    def kept(self) -> _Kept:
        """See what earlier attempts have brought; a block whose digests were not noted does not count."""
        sizes = self.parts.intake.list_blocks(self.path)
        rows = dict(self.parts.ledger.list_rows(self._partition))
        at, digests = 0, list[str]()
        while (row := rows.get(_key(at))) and row["bytes"] == sizes.get(at):
            at += row["bytes"]
            digests += row["digests"].split()
        return _Kept(at, digests)

    def _bring(self, folder: RemoteFolder, begin: int) -> None:
        """Read on from here while what was read is being stored. When one fails, the other finishes what it has."""
        at = begin
        with ThreadPoolExecutor(_BLOCKS_AT_ONCE, thread_name_prefix="storing") as pool:
            storing: deque[Future[None]] = deque()
            for block in folder.read(self.file.name, offset_bytes=begin, block_bytes=self.block_bytes):
                whole = self._whole_pieces(block, at)
                if len(storing) == _BLOCKS_AT_ONCE:
                    storing.popleft().result()
                if whole:
                    storing.append(pool.submit(self._store, at, whole))
                    at += len(whole)
                    self.tell(at)
            for stored in storing:
                stored.result()

    def _whole_pieces(self, block: bytes, offset: int) -> bytes:
        """Cut off the broken piece at the end of what a broken connection has brought."""
        if offset + len(block) == self.file.size_bytes:
            return block
        return block[: len(block) - len(block) % self.piece_bytes]

    def _store(self, offset: int, block: bytes) -> None:
        digests = " ".join(hashlib.sha256(piece).hexdigest() for piece in self._pieces(block))
        self.parts.intake.put_block(self.path, offset, block)
        self.parts.ledger.put(self._partition, _key(offset), {"bytes": len(block), "digests": digests})

    def _pieces(self, block: bytes) -> Iterator[memoryview]:
        view = memoryview(block)
        return (view[at : at + self.piece_bytes] for at in range(0, len(block), self.piece_bytes))

    @property
    def _partition(self) -> str:
        return _partition(self.path)


def forget_blocks(parts: Parts, path: str) -> None:
    """Forget the digests of the blocks that were brought."""
    for key, _ in list(parts.ledger.list_rows(_partition(path))):
        parts.ledger.delete(_partition(path), key)


def _partition(path: str) -> str:
    return f"blocks|{path}"


def _key(offset: int) -> str:
    return f"{offset:013d}"
