from datetime import UTC, datetime
from threading import Barrier, Thread
from threading import enumerate as enumerate_threads

import pytest
from azure.storage.blob import BlobClient, BlobLeaseClient

from shared.adapters.blobs import AzureBlobs
from shared.adapters.leases import LEASE_SECONDS, AzureLeases
from shared.adapters.storage_account import StorageAccount
from shared.domain.errors import BusyError, TransientError
from shared.ports import Leases
from tests.fakes import MemoryLeases


@pytest.fixture
def leases(account: StorageAccount, name: str, *, on_azure: bool) -> Leases:
    return AzureLeases(account, name) if on_azure else MemoryLeases()


def _new_blob(account: StorageAccount, container: str, name: str = "acme") -> BlobClient:
    blob = account.blob(container, name)
    blob.upload_blob(b"")
    return blob


def _break(account: StorageAccount, container: str) -> None:
    """Take the lease away, as time does when its holder cannot reach the storage."""
    BlobLeaseClient(account.blob(container, "acme")).break_lease(0)


def test_a_name_is_held_for_the_block_only(leases: Leases) -> None:
    assert not leases.is_held("acme")

    with leases.hold("acme"):
        assert leases.is_held("acme")
        assert not leases.is_held("other")

    assert not leases.is_held("acme")
    with leases.hold("acme"):
        assert leases.is_held("acme")


def test_a_name_has_one_holder(leases: Leases) -> None:
    with leases.hold("acme"), pytest.raises(BusyError), leases.hold("acme"):
        pytest.fail("two holders")


def test_a_failure_gives_the_name_back(leases: Leases) -> None:
    with pytest.raises(KeyError), leases.hold("acme"):
        raise KeyError

    assert not leases.is_held("acme")


def test_of_many_who_want_a_new_name_one_gets_it(account: StorageAccount, name: str) -> None:
    """All of them find no blob, all create it."""
    leases = AzureLeases(account, name)
    together, outcomes = Barrier(6), list[str]()

    def try_to_hold() -> None:
        together.wait()
        try:
            with leases.hold("acme"):
                outcomes.append("held")
                together.wait()
        except BusyError:
            outcomes.append("busy")
            together.wait()

    threads = [Thread(target=try_to_hold) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["busy"] * 5 + ["held"]


def test_what_is_forgotten_may_be_held_again_and_what_is_held_stays(account: StorageAccount, name: str) -> None:
    """Every shard of every run has a name of its own; without this they would stay for ever."""
    leases = AzureLeases(account, name)
    for each in ("push/acme/1/a", "push/acme/1/b", "push/acme/11/a"):
        with leases.hold(each):
            pass

    with leases.hold("push/acme/1/b"):
        leases.forget("push/acme/1/")
        kept = list(AzureBlobs(account, name).list_paths(""))

    assert kept == ["push/acme/1/b", "push/acme/11/a"]
    with leases.hold("push/acme/1/a"):
        assert leases.is_held("push/acme/1/a")


def test_a_name_that_somebody_else_got_is_told_at_the_end(account: StorageAccount, name: str) -> None:
    """They may have done the same work, so it must not count as done."""
    leases = AzureLeases(account, name)

    def lose() -> None:
        with leases.hold("acme"):
            _break(account, name)
            with leases.hold("acme"):
                pass

    with pytest.raises(TransientError, match="lost"):
        lose()


def test_a_lost_lease_does_not_hide_what_went_wrong(account: StorageAccount, name: str) -> None:
    leases = AzureLeases(account, name)

    def lose_and_fail() -> None:
        with leases.hold("acme"):
            _break(account, name)
            with leases.hold("acme"):
                raise KeyError

    with pytest.raises(KeyError):
        lose_and_fail()


def test_the_thread_notices_a_loss_and_ends(account: StorageAccount, name: str) -> None:
    """A broken lease cannot be renewed, and whoever breaks one means it."""
    leases = AzureLeases(account, name, renew_seconds=0.02)

    def lose() -> None:
        with leases.hold("acme"):
            [renewing] = set(enumerate_threads()) - before
            _break(account, name)
            renewing.join(5)
            assert not renewing.is_alive()

    before = set(enumerate_threads())
    with pytest.raises(TransientError, match="lost"):
        lose()


def test_a_living_holder_keeps_the_name_and_a_dead_one_loses_it(account: StorageAccount, name: str) -> None:
    """Azure's shortest lease lasts 15 seconds; a dead worker is one that does not renew it."""
    leases = AzureLeases(account, name)
    dead = BlobLeaseClient(_new_blob(account, name, "dead"))

    with leases.hold("alive"):
        started = datetime.now(UTC)
        dead.acquire(LEASE_SECONDS)
        while leases.is_held("dead"):
            assert (datetime.now(UTC) - started).total_seconds() < 20
            assert leases.is_held("alive")
        with leases.hold("dead"), pytest.raises(BusyError), leases.hold("alive"):
            pytest.fail("two holders")
