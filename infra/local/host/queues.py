"""Queues, as the real host listens to them.

* Messages run in parallel: a batch of `batchSize` is fetched whenever no more than `newBatchThreshold` are
  running.
* A message being worked on is invisible for ten minutes at a time, renewed at half time. `visibilityTimeout`
  of `host.json` is something else: how long a message rests after a failure.
* After `maxDequeueCount` tries it goes to `<queue>-poison`. A poison queue has no poison queue of its own:
  there, a failed message simply stays invisible until its ten minutes are over.
* An empty queue is asked after 100 ms, then less and less often, up to `maxPollingInterval`; a message the
  host itself put into the queue is found at once.
* Messages are delivered at least once: a message somebody else has deleted or taken over meanwhile is left
  alone.
"""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.storage.queue import QueueClient, QueueMessage

from infra.local.host.invocations import Invocations, decode
from infra.local.host.protos import Value
from infra.local.host.settings import QueueOptions, Settings
from infra.local.host.storage import Storage
from infra.local.host.waiting import first_of
from infra.local.host.worker import Function, FunctionError

log = logging.getLogger("host")

VISIBILITY = timedelta(minutes=10)
POISON = "-poison"
SHORTEST_DELAY_SECONDS = 0.1
RENEWAL_RETRY_SECONDS = 60.0

type Handler = Callable[[QueueMessage, bytes], Awaitable[None]]
"""Works on one message with its decoded content; raises `FunctionError` when it should be tried again."""


class QueueListener:
    """Listens to one queue until it is told to stop."""

    def __init__(
        self,
        storage: Storage,
        queue: QueueClient,
        poison: QueueClient | None,
        options: QueueOptions,
        handle: Handler,
        *,
        visibility: timedelta = VISIBILITY,
    ) -> None:
        self._storage = storage
        self._queue = queue
        self._poison = poison
        self._options = options
        self._handle = handle
        self._visibility_seconds = int(visibility.total_seconds())
        self._running: set[asyncio.Task[None]] = set()
        self.empty_count = 0

    async def listen(self, stop: asyncio.Event) -> None:
        """Work until `stop`; return when the last message that was begun is done."""
        sent = self._storage.sent(self._queue)
        while not stop.is_set():
            sent.clear()
            found = await self._fetch()
            for message in found:
                task = asyncio.create_task(self._process(message), name=f"message of {self._queue.queue_name}")
                self._running.add(task)
                task.add_done_callback(self._running.discard)
            if found:
                self.empty_count = 0
                await self._until_room(stop)
            else:
                await first_of(stop, sent, timeout_seconds=self.delay_seconds(self.empty_count))
                self.empty_count += 1
        if self._running:
            await asyncio.wait(self._running)

    def delay_seconds(self, empty_count: int) -> float:
        """Tell how long to wait when the queue has been empty so many times before."""
        longest = self._options.max_polling_interval.total_seconds()
        if empty_count == 0:
            return min(SHORTEST_DELAY_SECONDS, longest)
        spread = random.uniform(0.8, 1.2)  # noqa: S311 - spreads polls, no secret
        growth = spread * 2.0 ** min(empty_count - 1, 20)
        return float(min(SHORTEST_DELAY_SECONDS * (1 + growth), longest))

    async def _until_room(self, stop: asyncio.Event) -> None:
        stopping = asyncio.create_task(stop.wait())
        while len(self._running) > self._options.threshold and not stop.is_set():
            await asyncio.wait({*self._running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()

    async def _fetch(self) -> list[QueueMessage]:
        try:
            return await self._storage.call(self._receive)
        except ResourceNotFoundError:
            return []  # the queue is made by whoever sends first
        except AzureError as error:
            log.warning("Queue %s cannot be read (%s).", self._queue.queue_name, type(error).__name__)
            return []

    def _receive(self) -> list[QueueMessage]:
        pages = self._queue.receive_messages(
            messages_per_page=self._options.batch_size, visibility_timeout=self._visibility_seconds
        ).by_page()
        return list(next(pages, []))

    async def _process(self, message: QueueMessage) -> None:
        try:
            if await self._is_done(message):
                await self._storage.call(self._queue.delete_message, message)
            elif self._poison is None:
                return
            elif (message.dequeue_count or 0) >= self._options.max_dequeue_count:
                await self._bury(message, self._poison)
            else:
                rest_seconds = int(self._options.visibility_timeout.total_seconds())
                await self._storage.call(self._queue.update_message, message, visibility_timeout=rest_seconds)
        except AzureError as error:
            if not _is_taken(error):
                log.warning("Queue %s cannot be updated (%s).", self._queue.queue_name, type(error).__name__)

    async def _is_done(self, message: QueueMessage) -> bool:
        """Work on it, unless it has had its tries, or cannot be read, which no further try will change."""
        if (message.dequeue_count or 0) > self._options.max_dequeue_count:
            return False
        try:
            body = decode(message.content, self._options.message_encoding)
        except ValueError:
            log.error(  # noqa: TRY400 - the traceback would show the message
                "Queue %s: a message is not %s.", self._queue.queue_name, self._options.message_encoding
            )
            message.dequeue_count = self._options.max_dequeue_count
            return False
        async with self._kept_invisible(message):
            try:
                await self._handle(message, body)
            except FunctionError:
                return False
        return True

    async def _bury(self, message: QueueMessage, poison: QueueClient) -> None:
        await self._storage.send(poison, message.content)
        log.warning("Queue %s: a message was moved to %s.", self._queue.queue_name, poison.queue_name)
        await self._storage.call(self._queue.delete_message, message)

    @asynccontextmanager
    async def _kept_invisible(self, message: QueueMessage) -> AsyncGenerator[None]:
        """Renew while the body runs.

        The renewal is never cut off half way: it changes the pop receipt, without which the message cannot
        be deleted.
        """
        done = asyncio.Event()
        renewal = asyncio.create_task(self._renew(message, done))
        try:
            yield
        finally:
            done.set()
            await renewal

    async def _renew(self, message: QueueMessage, done: asyncio.Event) -> None:
        half_time_seconds = self._visibility_seconds / 2
        delay_seconds = half_time_seconds
        while True:
            await first_of(done, timeout_seconds=delay_seconds)
            if done.is_set():
                return
            try:
                renewed = await self._storage.call(
                    self._queue.update_message, message, visibility_timeout=self._visibility_seconds
                )
            except AzureError as error:
                if _is_taken(error):
                    return
                delay_seconds = min(RENEWAL_RETRY_SECONDS, half_time_seconds)
                continue
            message.pop_receipt = renewed.pop_receipt
            delay_seconds = half_time_seconds


def _is_taken(error: AzureError) -> bool:
    """Tell whether the message is gone, or in somebody else's hands."""
    return isinstance(error, ResourceNotFoundError) or (
        isinstance(error, HttpResponseError) and getattr(error, "error_code", None) == "PopReceiptMismatch"
    )


def queue_listener(function: Function, settings: Settings, storage: Storage, invocations: Invocations) -> QueueListener:
    """Make the listener of a function with a queue trigger.

    Raises:
        HostError: a setting it names is missing.
    """
    name = settings.resolve(function.queue_name or "")

    async def run(message: QueueMessage, body: bytes) -> None:
        text = _text(body)
        metadata: dict[str, Value] = {
            "QueueTrigger": text,
            "Id": message.id,
            "PopReceipt": message.pop_receipt,
            "DequeueCount": message.dequeue_count,
            "InsertionTime": message.inserted_on,
            "ExpirationTime": message.expires_on,
            "NextVisibleTime": message.next_visible_on,
        }
        await invocations.run(function, text, metadata)

    return QueueListener(
        storage,
        storage.queue(function.connection, name),
        None if name.endswith(POISON) else storage.queue(function.connection, f"{name}{POISON}"),
        settings.queues,
        run,
    )


def _text(body: bytes) -> str | bytes:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body
