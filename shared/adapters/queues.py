"""Messages in queues of the storage account."""

from math import ceil

from shared.adapters.storage_account import StorageAccount, speaking_to_storage

LONGEST_DELAY_SECONDS = 7 * 24 * 3600
"""What a storage queue allows."""

_NEVER_EXPIRES = -1
_PROBE_SECONDS = 60
"""After which a message that could not be taken back is gone by itself; it is hidden for just as long."""


class AzureMessages:
    """The port `Messages` over the account's queues."""

    def __init__(self, account: StorageAccount) -> None:
        self._account = account

    def send(self, queue: str, body: str, *, delay_seconds: float = 0) -> None:
        """Send a message that never expires; a longer delay than 7 days is cut to 7 days."""
        client = self._account.queue(queue)
        delay = min(max(ceil(delay_seconds), 0), LONGEST_DELAY_SECONDS)
        with speaking_to_storage(f"Sending to the queue {queue!r}"):
            client.send_message(body, visibility_timeout=delay, time_to_live=_NEVER_EXPIRES)

    def probe(self, queue: str) -> int:
        """Send a message that nobody sees, take it back, and return about how many others wait."""
        client = self._account.queue(queue)
        with speaking_to_storage(f"Writing to and reading the queue {queue!r}"):
            waiting = client.get_queue_properties().approximate_message_count or 0
            sent = client.send_message("probe", visibility_timeout=_PROBE_SECONDS - 1, time_to_live=_PROBE_SECONDS)
            client.delete_message(sent)
        return waiting
