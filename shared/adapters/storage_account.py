"""The storage account: its connection, its clients, and what its errors mean to us.

The connection has the shape that the Functions host reads, so that triggers and adapters share one set of app
settings. `<name>` is `AzureWebJobsStorage` unless told otherwise:

- `<name>`: a connection string (local tenant), or
- `<name>__accountName`, or `<name>__blobServiceUri`, `<name>__queueServiceUri` and `<name>__tableServiceUri`:
  managed identity, user-assigned when `<name>__clientId` names one.
"""

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
)
from azure.storage.blob import BlobClient, BlobServiceClient, ContainerClient
from azure.storage.blob import LinearRetry as BlobRetry

from shared.domain.errors import Code, SettingsError, TransientError

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.data.tables import TableClient, TableServiceClient
    from azure.storage.queue import QueueClient, QueueServiceClient

WHOLE_BYTES = 16 * 1024 * 1024
"""A blob no larger than that travels in one request, which costs half of what four do; most parts of tables are."""
BLOCK_BYTES = 4 * 1024 * 1024
"""How much of a larger one does, but for the first request that reads it: nobody knows its size before."""

_TIMEOUTS: dict[str, Any] = {"connection_timeout": 10, "read_timeout": 60}

_ROLES = "Storage Blob Data Owner, Storage Queue Data Contributor and Storage Table Data Contributor"

_UNSTORABLE = re.compile(r"[\\\x00-\x1f\ufffe\uffff\ud800-\udfff]|(?:^|/)\.{1,2}(?:/|$)")

_MAY_PASS = {
    HTTPStatus.NOT_FOUND,  # a container, queue or table that is being made or removed
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.CONFLICT,
    HTTPStatus.PRECONDITION_FAILED,
    HTTPStatus.TOO_MANY_REQUESTS,
}


@contextmanager
def speaking_to_storage(doing: str) -> Iterator[None]:
    """Turn whatever the Azure SDK raises into what we do next. Answers that mean something are caught inside.

    Raises:
        SettingsError: the identity or key is refused, or the request can never work.
        TransientError: throttled, unavailable, not reachable, or no token at the moment.
    """
    try:
        yield
    except HttpResponseError as error:
        raise _meaning(doing, error) from error
    except AzureError as error:
        raise TransientError(f"{doing}: no answer from the storage account.") from error


def _meaning(doing: str, error: HttpResponseError) -> SettingsError | TransientError:
    status = error.status_code
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return SettingsError(
            f"{doing}: the storage account refused us (status {status}). The app's identity needs the roles "
            f"{_ROLES}, and the account's network rules must let the app in.",
            Code.SETTINGS_INVALID,
        )
    if isinstance(error, ClientAuthenticationError):
        return TransientError(f"{doing}: no token for the storage account at the moment.")
    if status is None or status in _MAY_PASS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TransientError(f"{doing}: the storage account answered {status}.")
    return SettingsError(f"{doing}: the storage account refused the request ({status}).", Code.UNEXPECTED)


class StorageAccount:
    """Clients of one storage account, for all threads; nothing is asked of it before a client is used.

    Containers, queues and tables that are missing are created when they are first asked for.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        connection: str = "AzureWebJobsStorage",
        *,
        retries: int = 3,
        signed_in: bool = False,
    ) -> None:
        """Read the connection. `retries` are quick: after a longer hiccup the platform delivers again.

        `signed_in` uses the identity of whoever sits at the terminal, not the app's.

        Raises:
            SettingsError: the environment holds neither a good connection string nor an account's name.
        """
        # The SDK logs every request and every token at INFO, with its URL.
        for noisy in ("azure.core", "azure.identity", "azure.storage"):
            logging.getLogger(noisy).setLevel(logging.WARNING)
        self._made: set[tuple[str, str]] = set()
        self._retries = retries
        self._environment = environment
        self._connection = connection
        self._signed_in = signed_in
        # The client of the blobs is made at once, so that a connection that is wrong is told when the app starts.
        self._blobs = self._make(BlobServiceClient, "blob", self._blob_options())

    @cached_property
    def _queues(self) -> "QueueServiceClient":
        from azure.storage.queue import QueueServiceClient  # noqa: PLC0415 - paid by those who send

        return self._make(QueueServiceClient, "queue", self._queue_options())

    @cached_property
    def _tables(self) -> "TableServiceClient":
        from azure.data.tables import TableServiceClient  # noqa: PLC0415 - paid by those who keep rows

        return self._make(TableServiceClient, "table", self._table_options())

    @cached_property
    def _identity(self) -> "TokenCredential":
        # A connection string needs none of it.
        from azure.identity import DefaultAzureCredential, ManagedIdentityCredential  # noqa: PLC0415

        client_id = self._environment.get(f"{self._connection}__clientId") or None
        identity: TokenCredential = (
            DefaultAzureCredential() if self._signed_in else ManagedIdentityCredential(client_id=client_id)
        )
        return identity

    def _make[Client: (BlobServiceClient, "QueueServiceClient", "TableServiceClient")](
        self, client: type[Client], service: str, options: dict[str, Any]
    ) -> Client:
        """Make a service's client.

        Raises:
            SettingsError: the environment holds neither a good connection string nor an account's name.
        """
        if text := self._environment.get(self._connection):
            try:
                return client.from_connection_string(text, **options)
            except ValueError:
                # Not chained: the text holds the account's key.
                raise SettingsError(
                    f"{self._connection} is no storage connection string.", Code.SETTINGS_INVALID
                ) from None
        return client(self._url(service), credential=self._identity, **options)

    def _url(self, service: str) -> str:
        if given := self._environment.get(f"{self._connection}__{service}ServiceUri"):
            return given
        if account := self._environment.get(f"{self._connection}__accountName"):
            return f"https://{account}.{service}.core.windows.net"
        raise SettingsError(
            f"No storage account: set {self._connection}__accountName, or {self._connection} to a connection string.",
            Code.SETTINGS_INVALID,
        )

    def container(self, name: str) -> ContainerClient:
        """Return a client of the blob container, which exists."""
        client = self._blobs.get_container_client(name)
        self._see_to("container", name, client.create_container)
        return client

    def blob(self, container: str, path: str) -> BlobClient:
        """Return a client of the blob, which may not exist; its container does.

        Raises:
            ValueError: the path cannot be kept as it is: clients and servers resolve `.` and `..`, turn a
                backslash into a slash, and cannot list control characters, U+FFFE, U+FFFF or half characters.
        """
        if _UNSTORABLE.search(path) or not path:
            raise ValueError(f"No path for a blob: {path!r}")
        return self.container(container).get_blob_client(path)

    def queue(self, name: str) -> "QueueClient":
        """Return a client of the queue, which exists; texts are base64, as the Functions host expects."""
        from azure.storage.queue import TextBase64EncodePolicy  # noqa: PLC0415 - paid by those who send

        client = self._queues.get_queue_client(name, message_encode_policy=TextBase64EncodePolicy())
        self._see_to("queue", name, client.create_queue)
        return client

    def table(self, name: str) -> "TableClient":
        """Return a client of the table, which exists."""
        client = self._tables.get_table_client(name)
        self._see_to("table", name, client.create_table)
        return client

    def close(self) -> None:
        """Close the connections."""
        for made in ("_blobs", "_queues", "_tables"):
            if client := self.__dict__.get(made):
                client.close()

    def _see_to(self, kind: str, name: str, create: Callable[[], object]) -> None:
        if (kind, name) in self._made:
            return
        with speaking_to_storage(f"Creating the {kind} {name!r}"):
            try:
                create()
            except ResourceExistsError as error:
                if "BeingDeleted" in error.message:
                    raise
        self._made.add((kind, name))

    def _blob_options(self) -> dict[str, Any]:
        return {
            "retry_policy": BlobRetry(backoff=1, retry_total=self._retries, random_jitter_range=1),
            "max_single_get_size": WHOLE_BYTES,
            "max_chunk_get_size": BLOCK_BYTES,
            "max_single_put_size": WHOLE_BYTES,
            "max_block_size": BLOCK_BYTES,
            **_TIMEOUTS,
        }

    def _queue_options(self) -> dict[str, Any]:
        from azure.storage.queue import LinearRetry  # noqa: PLC0415 - paid by those who send

        return {
            "retry_policy": LinearRetry(backoff=1, retry_total=self._retries, random_jitter_range=1),
            **_TIMEOUTS,
        }

    def _table_options(self) -> dict[str, Any]:
        return {"retry_total": self._retries, "retry_backoff_factor": 0.5, **_TIMEOUTS}
