"""The storage account, as the listeners use it.

The synchronous SDK in a few threads: the asynchronous one would bring aiohttp into a process whose memory is
being watched.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from functools import cache, partial

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobServiceClient, ContainerClient
from azure.storage.blob import LinearRetry as BlobRetry
from azure.storage.queue import LinearRetry as QueueRetry
from azure.storage.queue import QueueClient, QueueServiceClient

from infra.local.host.settings import HOST_STORAGE, HostError, Settings

THREADS = 4
HOSTS_CONTAINER = "azure-webjobs-hosts"
"""Where the host keeps its own notes."""
CONNECT_SECONDS = 5
READ_SECONDS = 60


class Storage:
    """Clients for every connection the app names, and the threads that wait for them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="storage")
        self._sent: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._clients = ExitStack()
        self._queues = cache(self._queue_service)
        self._blobs = cache(self._blob_service)

    async def call[**P, T](self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a call that blocks in one of the threads."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(function, *args, **kwargs))

    def queue(self, connection: str, name: str) -> QueueClient:
        """Return the client of a queue, which may not exist yet."""
        return self._queues(connection).get_queue_client(name)

    async def send(self, queue: QueueClient, text: str) -> None:
        """Put a message into the queue, which is made when it is missing, and tell its listener."""
        await self.call(_send, queue, text)
        self.sent(queue).set()

    def sent(self, queue: QueueClient) -> asyncio.Event:
        """Return the event that is set whenever this host has put something into the queue."""
        return self._sent[queue.url]

    def container(self, connection: str, name: str) -> ContainerClient:
        """Return the client of a container, which may not exist yet."""
        return self._blobs(connection).get_container_client(name)

    def notes(self) -> ContainerClient:
        """Return the container of the host's own notes."""
        return self.container(HOST_STORAGE, HOSTS_CONTAINER)

    def close(self) -> None:
        """Let the threads end once they have nothing to do, and hang up."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._clients.close()

    def _queue_service(self, connection: str) -> QueueServiceClient:
        try:
            client = QueueServiceClient.from_connection_string(
                self._settings.connection_string(connection),
                retry_policy=QueueRetry(backoff=1, random_jitter_range=0),
                connection_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
            )
        except ValueError:
            raise HostError(f"Setting {connection or HOST_STORAGE} is not a storage connection string.") from None
        return self._clients.enter_context(closing(client))

    def _blob_service(self, connection: str) -> BlobServiceClient:
        try:
            client = BlobServiceClient.from_connection_string(
                self._settings.connection_string(connection),
                retry_policy=BlobRetry(backoff=1, random_jitter_range=0),
                connection_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
            )
        except ValueError:
            raise HostError(f"Setting {connection or HOST_STORAGE} is not a storage connection string.") from None
        return self._clients.enter_context(closing(client))


def _send(queue: QueueClient, text: str) -> None:
    try:
        queue.send_message(text)
    except ResourceNotFoundError:
        with suppress(ResourceExistsError):  # somebody else was quicker
            queue.create_queue()
        queue.send_message(text)


def write_note(notes: ContainerClient, path: str, content: bytes, metadata: dict[str, str] | None = None) -> None:
    """Store one of the host's notes; its container is created when it is missing. Blocks."""
    blob = notes.get_blob_client(path)
    try:
        blob.upload_blob(content, overwrite=True, metadata=metadata)
    except ResourceNotFoundError:
        with suppress(ResourceExistsError):  # another listener was quicker
            notes.create_container()
        blob.upload_blob(content, overwrite=True, metadata=metadata)
