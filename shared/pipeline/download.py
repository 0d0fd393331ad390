"""Bring one file from the provider's folder into storage, in blocks, without touching a disk."""

import hashlib
from collections.abc import Callable

from shared.domain.connection import Connection
from shared.domain.errors import TransientError
from shared.domain.turns import FileSeen
from shared.pipeline.parts import Parts
from shared.ports import RemoteFile, RemoteFolder

BLOCK_BYTES = 8 * 1024 * 1024
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
    tell: Callable[[int], None] = lambda _: None,
) -> str | None:
    """Bring the file's blocks into storage and return its content hash; `None` when it has changed meanwhile.

    A broken connection is opened again as long as every one brings at least a block; what an earlier call has
    brought is not fetched again. The content hash is the SHA-256 of the blocks' SHA-256 digests. The package does
    not exist before its blocks are committed. `tell` hears how many bytes are in storage, at the beginning and with
    every block.

    Raises:
        TransientError: several connections in a row brought nothing.
        SettingsError: login or rights have changed meanwhile.
    """
    fruitless = 0
    while True:
        before = len(_kept(parts, path))
        try:
            secret = parts.secrets.get(connection.sftp.secret)
            with parts.folders.open(connection, secret) as folder:
                return _transfer(parts, folder, path, file, tell)
        except FileNotFoundError:
            return None
        except TransientError:
            fruitless = 0 if len(_kept(parts, path)) > before else fruitless + 1
            if fruitless == _CUTS_WITHOUT_PROGRESS:
                raise


def _transfer(
    parts: Parts, folder: RemoteFolder, path: str, file: RemoteFile, tell: Callable[[int], None]
) -> str | None:
    digests = _kept(parts, path)
    offset = len(digests) * BLOCK_BYTES
    tell(min(offset, file.size_bytes))
    if offset < file.size_bytes:
        for block in folder.read(file.name, offset_bytes=offset, block_bytes=BLOCK_BYTES):
            digest = hashlib.sha256(block).hexdigest()
            parts.intake.put_block(path, len(digests), block)
            parts.ledger.put(_partition(path), f"{len(digests):08d}", {"digest": digest, "bytes": len(block)})
            digests.append(digest)
            offset += len(block)
            tell(offset)
    after = folder.stat(file.name)
    if (after.size_bytes, after.modified_at) != (file.size_bytes, file.modified_at) or offset < file.size_bytes:
        return None
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def _kept(parts: Parts, path: str) -> list[str]:
    """Return the digests of the whole blocks that an earlier attempt has brought."""
    sizes = parts.intake.list_blocks(path)
    digests = []
    rows = (row for _, row in parts.ledger.list_rows(_partition(path)))
    for size, row in zip(sizes, rows, strict=False):
        if size != row["bytes"]:
            break
        digests.append(row["digest"])
        if size < BLOCK_BYTES:
            break
    return digests


def forget_blocks(parts: Parts, path: str) -> None:
    """Forget the digests of the blocks that were brought."""
    for key, _ in list(parts.ledger.list_rows(_partition(path))):
        parts.ledger.delete(_partition(path), key)


def _partition(path: str) -> str:
    return f"blocks|{path}"
