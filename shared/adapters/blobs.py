"""Blobs in a container of the storage account."""

import io
from collections.abc import Buffer, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, override

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import StorageStreamDownloader

from shared.adapters.storage_account import StorageAccount, speaking_to_storage

_UPLOADS_AT_ONCE = 2


class AzureBlobs:
    """The port `Blobs` over one container."""

    def __init__(self, account: StorageAccount, container: str) -> None:
        self._account = account
        self._container = container

    def put(self, path: str, content: bytes) -> None:
        """Store the content."""
        client = self._account.blob(self._container, path)
        with speaking_to_storage(f"Writing {self._container}/{path}"):
            client.upload_blob(content, overwrite=True)

    def put_file(self, path: str, file: Path) -> str:
        """Store a file's content: up to 16 MiB at once, more in blocks of 4 MiB; return the tag of its version."""
        client = self._account.blob(self._container, path)
        with file.open("rb") as content, speaking_to_storage(f"Writing {self._container}/{path}"):
            stored = client.upload_blob(
                content, length=file.stat().st_size, overwrite=True, max_concurrency=_UPLOADS_AT_ONCE
            )
        return str(stored["etag"])

    def get(self, path: str) -> bytes:
        """Return the content."""
        with speaking_to_storage(f"Reading {self._container}/{path}"):
            return self._download(path).readall()

    def get_file(self, path: str, file: Path) -> Path:
        """Bring the content to a file, the first 16 MiB at once and the others in blocks of 4 MiB, and return it."""
        with speaking_to_storage(f"Reading {self._container}/{path}"):
            download = self._download(path)
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("wb") as target:
                download.readinto(target)
        return file

    def find_etag(self, path: str) -> str | None:
        """Return the tag of the version that is stored, or `None`."""
        client = self._account.blob(self._container, path)
        with speaking_to_storage(f"Looking at {self._container}/{path}"):
            try:
                return client.get_blob_properties().etag
            except ResourceNotFoundError:
                return None

    def release(self, prefix: str) -> None:
        """Do nothing: no blob is kept on this machine."""

    @contextmanager
    def open(self, path: str) -> Iterator[BinaryIO]:
        """Read the content as a stream, in the same pieces; when it is replaced meanwhile, `TransientError`."""
        doing = f"Reading {self._container}/{path}"
        with speaking_to_storage(doing):
            download = self._download(path)
        with io.BufferedReader(_Downloading(download, doing)) as stream:
            yield stream

    def list_paths(self, prefix: str) -> Iterator[str]:
        """Yield the paths that start so, in alphabetical order."""
        client = self._account.container(self._container)
        with speaking_to_storage(f"Listing {self._container}/{prefix}"):
            yield from client.list_blob_names(name_starts_with=prefix)

    def delete(self, path: str) -> None:
        """See that it is gone."""
        client = self._account.blob(self._container, path)
        with speaking_to_storage(f"Deleting {self._container}/{path}"):
            try:
                client.delete_blob()
            except ResourceNotFoundError:
                return

    def _download(self, path: str) -> StorageStreamDownloader[bytes]:
        client = self._account.blob(self._container, path)
        try:
            return client.download_blob()
        except ResourceNotFoundError:
            raise FileNotFoundError(f"No such blob: {self._container}/{path}") from None


class _Downloading(io.RawIOBase):
    """A download as a file: it keeps one piece in memory, and every piece is of the same version."""

    def __init__(self, download: StorageStreamDownloader[bytes], doing: str) -> None:
        super().__init__()
        self._download = download
        self._doing = doing

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Buffer) -> int:
        with speaking_to_storage(self._doing):
            piece = self._download.read(memoryview(buffer).nbytes)
        memoryview(buffer).cast("B")[: len(piece)] = piece
        return len(piece)
