import base64

import pytest
from azure.storage.queue import QueueMessage

from shared.adapters.queues import LONGEST_DELAY_SECONDS, AzureMessages
from shared.adapters.storage_account import StorageAccount
from shared.ports import Messages


@pytest.fixture
def messages(account: StorageAccount) -> Messages:
    return AzureMessages(account)


def _receive(account: StorageAccount, queue: str) -> list[QueueMessage]:
    return list(account.queue(queue).receive_messages())


def test_a_message_arrives_as_the_functions_host_reads_it(
    messages: Messages, account: StorageAccount, name: str
) -> None:
    """The host expects base64 by default; plain text would end in the poison queue."""
    messages.send(name, '{"run": "größer"}')

    [message] = _receive(account, name)

    assert base64.b64decode(message.content).decode() == '{"run": "größer"}'


def test_a_message_never_expires(messages: Messages, account: StorageAccount, name: str) -> None:
    """After a week's holiday the work must still be there."""
    messages.send(name, "work")

    [message] = _receive(account, name)

    assert message.expires_on is not None
    assert message.expires_on.year == 9999


def test_a_delayed_message_is_not_seen_yet(messages: Messages, account: StorageAccount, name: str) -> None:
    messages.send(name, "later", delay_seconds=0.5)

    assert _receive(account, name) == []
    assert account.queue(name).get_queue_properties().approximate_message_count == 1


@pytest.mark.parametrize("delay_seconds", [LONGEST_DELAY_SECONDS, 10 * LONGEST_DELAY_SECONDS])
def test_a_delay_beyond_a_week_becomes_a_week(
    messages: Messages, account: StorageAccount, name: str, delay_seconds: float
) -> None:
    """Graph may ask for any pause; who receives the message looks at the time again."""
    messages.send(name, "later", delay_seconds=delay_seconds)

    assert _receive(account, name) == []
    assert account.queue(name).get_queue_properties().approximate_message_count == 1


def test_a_delay_in_the_past_is_none(messages: Messages, account: StorageAccount, name: str) -> None:
    messages.send(name, "now", delay_seconds=-3)

    assert len(_receive(account, name)) == 1


def test_a_probe_leaves_nothing_and_counts_what_waits(messages: Messages, account: StorageAccount, name: str) -> None:
    """The app would take it for a command."""
    messages.send(name, "work")

    assert messages.probe(name) == 1

    [message] = _receive(account, name)
    assert base64.b64decode(message.content) == b"work"
    assert account.queue(name).get_queue_properties().approximate_message_count == 1
