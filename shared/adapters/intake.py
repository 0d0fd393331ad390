"""Sealed packages on their way in, as uncommitted blocks of a blob.

Azure keeps uncommitted blocks for a week, shows them to nobody but us, and fires no trigger for them.
"""

from collections.abc import Iterator, Mapping

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobBlock

from shared.adapters.storage_account import StorageAccount, speaking_to_storage
from shared.domain.errors import TransientError


class AzureIntake:
    """The port `Intake` over one container."""

    def __init__(self, account: StorageAccount, container: str) -> None:
        self._account = account
        self._container = container

    def list_blocks(self, path: str) -> Mapping[int, int]:
        """See the port. Those of a package that was committed before are left out."""
        client = self._account.blob(self._container, path)
        with speaking_to_storage(f"Asking for the blocks of {self._container}/{path}"):
            try:
                _, waiting = client.get_block_list("uncommitted")
            except ResourceNotFoundError:
                return {}
        return {int(block.id): block.size for block in waiting}

    def put_block(self, path: str, offset_bytes: int, content: bytes) -> None:
        """See the port."""
        client = self._account.blob(self._container, path)
        with speaking_to_storage(f"Writing the block at {offset_bytes} of {self._container}/{path}"):
            client.stage_block(_block_id(offset_bytes), content)

    def commit(self, path: str, size_bytes: int) -> None:
        """See the port."""
        offsets = list(_chain(self.list_blocks(path), size_bytes))
        client = self._account.blob(self._container, path)
        with speaking_to_storage(f"Committing {self._container}/{path}"):
            if offsets or size_bytes == 0:
                client.commit_block_list([BlobBlock(_block_id(offset)) for offset in offsets])
                return
            try:
                size_committed = client.get_blob_properties().size
            except ResourceNotFoundError:
                size_committed = None
        if size_committed != size_bytes:
            raise TransientError(f"{self._container}/{path} has not arrived as a whole.")


def _chain(sizes: Mapping[int, int], size_bytes: int) -> Iterator[int]:
    """Yield the offsets of the blocks that follow one another to the end exactly; none if they do not."""
    offsets, at = [], 0
    while at < size_bytes and sizes.get(at):
        offsets.append(at)
        at += sizes[at]
    if at == size_bytes:
        yield from offsets


def _block_id(offset_bytes: int) -> str:
    """Name a block: Azure wants all ids of a blob to have one length."""
    return f"{offset_bytes:013d}"
