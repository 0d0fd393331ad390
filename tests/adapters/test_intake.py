import pytest

from shared.adapters.blobs import AzureBlobs
from shared.adapters.intake import AzureIntake
from shared.adapters.storage_account import StorageAccount
from shared.ports import Intake
from tests.fakes import MemoryIntake

PATH = "acme/pack ä.zip.pgp"


@pytest.fixture
def intake(account: StorageAccount, name: str, *, on_azure: bool) -> Intake:
    return AzureIntake(account, name) if on_azure else MemoryIntake()


def test_a_new_package_has_no_blocks(intake: Intake) -> None:
    assert list(intake.list_blocks(PATH)) == []


def test_blocks_of_a_dead_attempt_can_be_counted(intake: Intake) -> None:
    """A worker that died at 1.9 GB must not begin again."""
    for index in (1, 0, 2):
        intake.put_block(PATH, index, b"x" * (index + 1))
    intake.put_block(PATH, 1, b"replaced")

    assert list(intake.list_blocks(PATH)) == [1, 8, 3]


def test_blocks_after_a_gap_do_not_count(intake: Intake) -> None:
    for index in (0, 1, 3):
        intake.put_block(PATH, index, b"x")

    assert list(intake.list_blocks(PATH)) == [1, 1]


def test_blocks_stay_in_order_beyond_ten(intake: Intake) -> None:
    for index in range(12):
        intake.put_block(PATH, index, b"x" * (index + 1))

    assert list(intake.list_blocks(PATH)) == list(range(1, 13))


def test_a_package_is_seen_when_it_is_whole_and_not_before(account: StorageAccount, name: str) -> None:
    intake, seen = AzureIntake(account, name), AzureBlobs(account, name)
    for index, content in enumerate((b"one ", b"two ", b"left over")):
        intake.put_block(PATH, index, content)

    assert list(seen.list_paths("")) == []
    with pytest.raises(FileNotFoundError):
        seen.get(PATH)

    intake.commit(PATH, 2)

    assert list(seen.list_paths("")) == [PATH]
    assert seen.get(PATH) == b"one two "


def test_committing_twice_leaves_the_same_package(account: StorageAccount, name: str) -> None:
    """The worker may die between the commit and its note of it."""
    intake = AzureIntake(account, name)
    intake.put_block(PATH, 0, b"whole")

    intake.commit(PATH, 1)
    intake.commit(PATH, 1)

    assert AzureBlobs(account, name).get(PATH) == b"whole"


def test_blocks_of_a_committed_package_do_not_count(account: StorageAccount, name: str) -> None:
    """A provider may replace a file; the new one starts from nothing while the old one stays."""
    intake, seen = AzureIntake(account, name), AzureBlobs(account, name)
    intake.put_block(PATH, 0, b"old ")
    intake.put_block(PATH, 1, b"package")
    intake.commit(PATH, 2)

    assert list(intake.list_blocks(PATH)) == []

    intake.put_block(PATH, 0, b"new")

    assert list(intake.list_blocks(PATH)) == [3]
    assert seen.get(PATH) == b"old package"

    intake.commit(PATH, 1)

    assert seen.get(PATH) == b"new"
