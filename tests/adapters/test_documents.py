import pytest

from shared.adapters.blobs import AzureBlobs
from shared.adapters.documents import AzureDocuments
from shared.adapters.storage_account import StorageAccount
from shared.domain.errors import BusyError, Code, SettingsError
from shared.ports import Documents
from tests.fakes import MemoryDocuments


@pytest.fixture
def documents(account: StorageAccount, name: str, *, on_azure: bool) -> Documents:
    return AzureDocuments(account, name) if on_azure else MemoryDocuments()


def test_a_document_comes_back_with_the_tag_of_its_version(documents: Documents) -> None:
    value = {"folder": "größer", "list": [1, 2.5, None, {"deep": True}]}

    etag = documents.put("acme", value, None)
    found = documents.find("acme")

    assert found is not None
    assert found.value == value
    assert found.etag == etag


def test_a_document_that_is_not_there_is_none(documents: Documents) -> None:
    assert documents.find("acme") is None


def test_a_new_document_does_not_replace_another(documents: Documents) -> None:
    documents.put("acme", {"by": "first"}, None)

    with pytest.raises(BusyError):
        documents.put("acme", {"by": "second"}, None)


def test_a_change_of_an_old_version_is_refused(documents: Documents) -> None:
    """Two admins who edit at the same time must not undo each other's work."""
    old = documents.put("acme", {"turn": 1}, None)
    new = documents.put("acme", {"turn": 2}, old)

    with pytest.raises(BusyError):
        documents.put("acme", {"turn": "lost"}, old)

    found = documents.find("acme")
    assert found is not None
    assert found.value == {"turn": 2}
    assert found.etag == new


def test_a_change_of_what_is_gone_is_refused(documents: Documents) -> None:
    with pytest.raises(BusyError):
        documents.put("acme", {}, '"0x8D4BCC2E4835CD0"')


def test_names_are_listed_in_order(documents: Documents) -> None:
    """As paths they come in another one: `acme-2.json` before `acme.json`."""
    for name in ("beta", "acme", "acme-2", "acme.old"):
        documents.put(name, {}, None)

    assert list(documents.list_names()) == ["acme", "acme-2", "acme.old", "beta"]


def test_a_deleted_document_is_gone_and_may_be_made_anew(documents: Documents) -> None:
    documents.put("acme/1", {"n": 1}, None)
    documents.put("acme/2", {"n": 2}, None)

    for _ in range(2):
        documents.delete("acme/1")

    assert documents.find("acme/1") is None
    assert list(documents.list_names()) == ["acme/2"]
    documents.put("acme/1", {"n": 3}, None)


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff"])
def test_a_document_broken_by_hand_names_itself(account: StorageAccount, name: str, content: bytes) -> None:
    AzureBlobs(account, name).put("acme.json", content)

    with pytest.raises(SettingsError, match="acme is no JSON object") as caught:
        AzureDocuments(account, name).find("acme")

    assert caught.value.code is Code.SETTINGS_INVALID
