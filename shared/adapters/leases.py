"""One worker at a time, by leases on empty blobs."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from threading import Event, Thread
from time import monotonic
from typing import Any

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.storage.blob import BlobClient, BlobLeaseClient

from shared.adapters.storage_account import StorageAccount, speaking_to_storage
from shared.domain.errors import BusyError, TransientError

LEASE_SECONDS = 15
"""The shortest lease there is: so long a name stays taken after its holder's death."""

_TAKEN = (HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED)
_GONE = (*_TAKEN, HTTPStatus.NOT_FOUND)

_ONE_QUICK_TRY: dict[str, Any] = {"retry_total": 0, "connection_timeout": 4, "read_timeout": 4}


class AzureLeases:
    """The port `Leases` over one container, which holds an empty blob for every name."""

    def __init__(self, account: StorageAccount, container: str = "leases", *, renew_seconds: float = 5) -> None:
        self._account = account
        self._container = container
        self._renew_seconds = renew_seconds

    @contextmanager
    def hold(self, name: str) -> Iterator[None]:
        """Hold the name for the duration of the block, renewing it in a thread.

        Raises:
            BusyError: somebody else holds it.
            TransientError: the block came to a good end, but the name was lost meanwhile, so that somebody
                else may have done the same work. An exception of the block itself comes first.
        """
        client = self._account.blob(self._container, name)
        asked_at = monotonic()
        with speaking_to_storage(f"Taking the lease {name!r}"):
            holding = _Holding(name, _acquire(client, name), asked_at, self._renew_seconds)
        try:
            yield
        finally:
            kept = holding.end()
        if not kept:
            raise TransientError(f"The lease {name!r} was lost during the work.")

    def is_held(self, name: str) -> bool:
        """Tell whether anybody holds it now."""
        client = self._account.blob(self._container, name)
        with speaking_to_storage(f"Looking at the lease {name!r}"):
            try:
                return bool(client.get_blob_properties().lease.status == "locked")
            except ResourceNotFoundError:
                return False

    def forget(self, prefix: str) -> None:
        """Delete the blobs of names that start so; one that is leased stays."""
        container = self._account.container(self._container)
        with speaking_to_storage(f"Forgetting the leases {prefix!r}"):
            for name in list(container.list_blob_names(name_starts_with=prefix)):
                try:
                    container.delete_blob(name)
                except HttpResponseError as error:
                    if error.status_code not in _GONE:
                        raise


def _acquire(client: BlobClient, name: str) -> BlobLeaseClient:
    lease = BlobLeaseClient(client)
    try:
        try:
            lease.acquire(LEASE_SECONDS)
        except ResourceNotFoundError:
            _create(client)
            lease.acquire(LEASE_SECONDS)
    except HttpResponseError as error:
        if error.status_code in _TAKEN:
            raise BusyError(f"Somebody else holds {name!r}.") from None
        raise
    return lease


def _create(client: BlobClient) -> None:
    try:
        client.upload_blob(b"", overwrite=False)
    except HttpResponseError as error:
        # Somebody else was quicker, and may even hold it by now.
        if error.status_code not in _TAKEN:
            raise


class _Holding:
    """A lease that a thread renews until the end."""

    def __init__(self, name: str, lease: BlobLeaseClient, asked_at: float, renew_seconds: float) -> None:
        self._lease = lease
        self._renew_seconds = renew_seconds
        self._ours_until = asked_at + LEASE_SECONDS
        self._lost = False
        self._over = Event()
        self._thread = Thread(target=self._renew, name=f"lease {name}", daemon=True)
        self._thread.start()

    def end(self) -> bool:
        """Give it back; tell whether it was ours all the time."""
        self._over.set()
        self._thread.join()
        if not self._lost:
            try:
                self._lease.release(**_ONE_QUICK_TRY)
            except AzureError as error:
                self._judge(error)
        return not self._lost

    def _renew(self) -> None:
        while not self._lost and not self._over.wait(self._renew_seconds):
            asked_at = monotonic()
            try:
                self._lease.renew(**_ONE_QUICK_TRY)
            except AzureError as error:
                self._judge(error)
            else:
                self._ours_until = asked_at + LEASE_SECONDS

    def _judge(self, error: AzureError) -> None:
        """Without an answer it stays ours until it runs out."""
        refused = isinstance(error, HttpResponseError) and error.status_code in _GONE
        self._lost = refused or monotonic() > self._ours_until
