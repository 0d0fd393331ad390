"""The queue listener against the storage emulator, in this process: what an app cannot observe."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from datetime import timedelta

import pytest
from azure.storage.queue import QueueClient, QueueMessage

from infra.local.azurite import Azurite
from infra.local.host.queues import QueueListener
from infra.local.host.settings import QueueOptions, Settings
from infra.local.host.storage import Storage
from infra.local.host.worker import FunctionError

PATIENCE_SECONDS = 20


@pytest.fixture
def storage(azurite: Azurite) -> Iterator[Storage]:
    with closing(Storage(Settings({"AzureWebJobsStorage": azurite.connection_string}))) as storage:
        yield storage


@pytest.fixture
def queue(storage: Storage) -> QueueClient:
    """A queue of its own, that exists."""
    queue = storage.queue("", f"q{uuid.uuid4().hex}")
    queue.create_queue()
    return queue


@pytest.fixture
def poison(storage: Storage, queue: QueueClient) -> QueueClient:
    """The queue's poison queue, which does not exist yet."""
    return storage.queue("", f"{queue.queue_name}-poison")


def options(**values: object) -> QueueOptions:
    """Plain text, asked for often."""
    quick = timedelta(milliseconds=100)
    return QueueOptions.model_validate({"messageencoding": "none", "maxpollinginterval": quick, **values})


async def it_is_true(condition: Callable[[], object]) -> None:
    """Look again and again: what is waited for happens in the storage account, or tells nobody."""
    while not condition():  # noqa: ASYNC110 - see above
        await asyncio.sleep(0.02)


def _changed(message: QueueMessage) -> Callable[[], bool]:
    """Tell, from now on, whether the message has got another receipt."""
    receipt = message.pop_receipt
    return lambda: message.pop_receipt != receipt


def listen(listener: QueueListener, until: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Let the listener work while `until` does; it may set the event to stop earlier."""

    async def both() -> None:
        stop = asyncio.Event()
        listening = asyncio.create_task(listener.listen(stop))
        await asyncio.wait_for(until(stop), PATIENCE_SECONDS)
        stop.set()
        await asyncio.wait_for(listening, PATIENCE_SECONDS)

    asyncio.run(both())


def test_a_long_run_keeps_its_message(storage: Storage, queue: QueueClient, poison: QueueClient) -> None:
    """Renewed twice, it has outlived its two seconds; with the last receipt it can be deleted."""
    queue.send_message("long")
    renewed_twice = asyncio.Event()
    visible: list[QueueMessage] = []

    async def work(message: QueueMessage, _body: bytes) -> None:
        for _ in range(2):
            await it_is_true(_changed(message))
        visible.extend(queue.peek_messages())
        renewed_twice.set()

    async def until(_stop: asyncio.Event) -> None:
        await renewed_twice.wait()

    listener = QueueListener(storage, queue, poison, options(), work, visibility=timedelta(seconds=2))
    listen(listener, until)

    assert visible == []
    assert queue.get_queue_properties().approximate_message_count == 0


def test_a_failed_message_rests_before_its_next_try(storage: Storage, queue: QueueClient, poison: QueueClient) -> None:
    queue.send_message("tired")
    begun: list[float] = []
    tried_again = asyncio.Event()

    async def work(message: QueueMessage, _body: bytes) -> None:
        begun.append(time.monotonic())
        if message.dequeue_count == 1:
            raise FunctionError("on purpose")
        tried_again.set()

    async def until(_stop: asyncio.Event) -> None:
        await tried_again.wait()

    listen(QueueListener(storage, queue, poison, options(visibilitytimeout="00:00:01"), work), until)

    assert 0.9 < begun[1] - begun[0] < 5


def test_stopping_waits_for_what_was_begun(storage: Storage, queue: QueueClient, poison: QueueClient) -> None:
    """And the message it finished is gone."""
    queue.send_message("begun")
    begun, allowed = asyncio.Event(), asyncio.Event()

    async def work(_message: QueueMessage, _body: bytes) -> None:
        begun.set()
        await allowed.wait()

    async def until(stop: asyncio.Event) -> None:
        await begun.wait()
        stop.set()
        allowed.set()

    listen(QueueListener(storage, queue, poison, options(), work), until)

    assert queue.get_queue_properties().approximate_message_count == 0


def test_no_more_run_than_batch_and_threshold_allow(storage: Storage, queue: QueueClient, poison: QueueClient) -> None:
    for number in range(9):
        queue.send_message(str(number))
    running, most, done = 0, 0, 0
    all_done = asyncio.Event()

    async def work(_message: QueueMessage, _body: bytes) -> None:
        nonlocal running, most, done
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.05)
        running -= 1
        done += 1
        if done == 9:
            all_done.set()

    async def until(_stop: asyncio.Event) -> None:
        await all_done.wait()

    listen(QueueListener(storage, queue, poison, options(batchsize=2, newbatchthreshold=1), work), until)

    assert 2 <= most <= 3


def test_a_message_in_another_encoding_is_set_aside_unread(
    storage: Storage, queue: QueueClient, poison: QueueClient
) -> None:
    """No further try would change it."""
    queue.send_message("not base64!")
    poison.create_queue()

    async def until(_stop: asyncio.Event) -> None:
        await it_is_true(poison.peek_messages)

    listen(QueueListener(storage, queue, poison, options(messageencoding="base64"), _never), until)

    assert [message.content for message in poison.peek_messages()] == ["not base64!"]
    assert queue.get_queue_properties().approximate_message_count == 0


def test_a_poison_queue_has_none_of_its_own(storage: Storage, queue: QueueClient) -> None:
    """A failed message stays where it is, invisible, instead of being tried over and over."""
    queue.send_message("poison")
    failed = asyncio.Event()

    async def work(_message: QueueMessage, _body: bytes) -> None:
        failed.set()
        raise FunctionError("on purpose")

    async def until(_stop: asyncio.Event) -> None:
        await failed.wait()

    listen(QueueListener(storage, queue, None, options(), work), until)

    assert queue.peek_messages() == []
    assert queue.get_queue_properties().approximate_message_count == 1


def test_what_the_host_sends_is_found_at_once(storage: Storage, queue: QueueClient, poison: QueueClient) -> None:
    """However long it has been asking in vain."""
    found = asyncio.Event()

    async def work(_message: QueueMessage, _body: bytes) -> None:
        found.set()

    async def until(_stop: asyncio.Event) -> None:
        await it_is_true(lambda: listener.empty_count >= 4)
        await storage.send(queue, "news")
        await asyncio.wait_for(found.wait(), 0.5)

    listener = QueueListener(storage, queue, poison, options(maxpollinginterval="00:01:00"), work)
    listen(listener, until)


def test_an_empty_queue_is_asked_less_and_less_often(storage: Storage, queue: QueueClient, poison: QueueClient) -> None:
    """From 100 ms up to `maxPollingInterval`."""
    listener = QueueListener(storage, queue, poison, options(maxpollinginterval="00:00:02"), _never)

    delays = [listener.delay_seconds(count) for count in range(40)]

    assert delays[0] == 0.1
    assert 0.18 <= delays[1] <= 0.22
    assert delays[1] < delays[2] < delays[3] < 2
    assert set(delays[6:]) == {2.0}


async def _never(_message: QueueMessage, _body: bytes) -> None:
    pytest.fail("this message cannot be read")
