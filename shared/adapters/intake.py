"""Sealed packages on their way in, as uncommitted blocks of a blob.

Azure keeps uncommitted blocks for a week, shows them to nobody but us, and fires no trigger for them.
"""

from collections.abc import Sequence
from itertools import count as count_from
from itertools import takewhile

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobBlock

from shared.adapters.storage_account import StorageAccount, speaking_to_storage


class AzureIntake:
    """The port `Intake` over one container."""

    def __init__(self, account: StorageAccount, container: str) -> None:
        self._account = account
        self._container = container

    def list_blocks(self, path: str) -> Sequence[int]:
        """Sizes of the blocks kept so far, without those of a package that was committed before."""
        client = self._account.blob(self._container, path)
        with speaking_to_storage(f"Asking for the blocks of {self._container}/{path}"):
            try:
                _, waiting = client.get_block_list("uncommitted")
            except ResourceNotFoundError:
                return ()
        sizes = {block.id: block.size for block in waiting}
        ids = takewhile(sizes.__contains__, map(_block_id, count_from()))
        return [sizes[block_id] for block_id in ids]

    def put_block(self, path: str, index: int, content: bytes) -> None:
        """Keep the block."""
        client = self._account.blob(self._container, path)
        with speaking_to_storage(f"Writing block {index} of {self._container}/{path}"):
            client.stage_block(_block_id(index), content)

    def commit(self, path: str, count: int) -> None:
        """Make the first `count` blocks the package; a second time it is the same package again."""
        client = self._account.blob(self._container, path)
        with speaking_to_storage(f"Committing {self._container}/{path}"):
            client.commit_block_list([BlobBlock(_block_id(index)) for index in range(count)])


def _block_id(index: int) -> str:
    """Name a block: Azure wants all ids of a blob to have one length, and takes at most 50,000 blocks."""
    return f"{index:08d}"
