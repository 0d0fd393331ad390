"""Messages in queues of the storage account."""

from math import ceil

from shared.adapters.storage_account import StorageAccount, speaking_to_storage

LONGEST_DELAY_SECONDS = 7 * 24 * 3600
"""What a storage queue allows."""

_NEVER_EXPIRES = -1


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
