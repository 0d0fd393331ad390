from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.adapters.blobs import AzureBlobs
from shared.adapters.intake import AzureIntake
from shared.adapters.storage_account import StorageAccount
from shared.domain.errors import TransientError
from shared.ports import Intake
from tests.fakes import MemoryIntake

PATH = "acme/pack ä.zip.pgp"


@pytest.fixture
def intake(account: StorageAccount, name: str, *, on_azure: bool) -> Intake:
    return AzureIntake(account, name) if on_azure else MemoryIntake()


def test_a_new_package_has_no_blocks(intake: Intake) -> None:
    assert intake.list_blocks(PATH) == {}


def test_blocks_of_a_dead_attempt_are_found_by_their_place(intake: Intake) -> None:
    """A worker that died at 1.9 GB must not begin again."""
    for offset in (1, 0, 2_000_000_000):
        intake.put_block(PATH, offset, b"x")
    intake.put_block(PATH, 1, b"replaced")

    assert intake.list_blocks(PATH) == {0: 1, 1: 8, 2_000_000_000: 1}


def test_blocks_may_come_at_once(intake: Intake) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda offset: intake.put_block(PATH, offset, b"0123456789"), range(0, 200, 10)))

    assert intake.list_blocks(PATH) == dict.fromkeys(range(0, 200, 10), 10)


def test_what_does_not_reach_to_the_end_is_no_package(intake: Intake) -> None:
    """There is a gap after the first, and the one at the gap would reach too far."""
    intake.put_block(PATH, 0, b"one ")
    intake.put_block(PATH, 8, b"three")
    with pytest.raises(TransientError, match="whole"):
        intake.commit(PATH, 13)
    intake.put_block(PATH, 4, b"two, and too much")
    with pytest.raises(TransientError, match="whole"):
        intake.commit(PATH, 13)

    intake.put_block(PATH, 4, b"two ")
    intake.commit(PATH, 13)


def test_a_package_is_seen_when_it_is_whole_and_not_before(account: StorageAccount, name: str) -> None:
    """Blocks come in any order, and those that an earlier attempt had cut elsewhere are left over."""
    intake, seen = AzureIntake(account, name), AzureBlobs(account, name)
    for offset, content in ((8, b"three"), (4, b"two "), (6, b"o three"), (0, b"one ")):
        intake.put_block(PATH, offset, content)

    assert list(seen.list_paths("")) == []
    with pytest.raises(FileNotFoundError):
        seen.get(PATH)

    intake.commit(PATH, 13)

    assert list(seen.list_paths("")) == [PATH]
    assert seen.get(PATH) == b"one two three"


def test_committing_twice_leaves_the_same_package(intake: Intake) -> None:
    """The worker may die between the commit and its note of it."""
    intake.put_block(PATH, 0, b"whole")

    intake.commit(PATH, 5)
    intake.commit(PATH, 5)

    with pytest.raises(TransientError, match="whole"):
        intake.commit(PATH, 6)


def test_an_empty_package_has_no_blocks(account: StorageAccount, name: str) -> None:
    AzureIntake(account, name).commit(PATH, 0)

    assert AzureBlobs(account, name).get(PATH) == b""


def test_blocks_of_a_committed_package_do_not_count(account: StorageAccount, name: str) -> None:
    """A provider may replace a file; the new one starts from nothing while the old one stays."""
    intake, seen = AzureIntake(account, name), AzureBlobs(account, name)
    intake.put_block(PATH, 0, b"old ")
    intake.put_block(PATH, 4, b"package")
    intake.commit(PATH, 11)

    assert intake.list_blocks(PATH) == {}

    intake.put_block(PATH, 0, b"new")

    assert intake.list_blocks(PATH) == {0: 3}
    assert seen.get(PATH) == b"old package"

    intake.commit(PATH, 3)

    assert seen.get(PATH) == b"new"
