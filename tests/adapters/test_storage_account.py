import logging
import subprocess
from collections.abc import Iterator
from contextlib import closing
from threading import Thread

import pytest

from infra.local.azurite import ACCOUNT_NAME, PROGRAM, Azurite
from infra.local.certificate import Certificate
from infra.local.identity import IdentitySimulator
from shared.adapters.blobs import AzureBlobs
from shared.adapters.queues import AzureMessages
from shared.adapters.storage_account import StorageAccount
from shared.adapters.tables import AzureTable
from shared.domain.errors import Code, SettingsError, TransientError


def test_an_app_without_storage_says_what_to_set() -> None:
    with pytest.raises(SettingsError, match="AzureWebJobsStorage__accountName") as caught:
        StorageAccount({})

    assert caught.value.code is Code.SETTINGS_INVALID


def test_a_broken_connection_string_is_not_repeated() -> None:
    """It holds the account's key."""
    with pytest.raises(SettingsError, match="AzureWebJobsStorage is no") as caught:
        StorageAccount({"AzureWebJobsStorage": "AccountKey=secret"})

    assert "secret" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_containers_queues_and_tables_are_made_when_they_are_missing(
    azurite: Azurite, account: StorageAccount, name: str
) -> None:
    with closing(StorageAccount({"AzureWebJobsStorage": azurite.connection_string})) as other:
        for each in (account, other, account):
            each.container(name)
            each.queue(name)
            each.table(name)


def test_threads_share_the_clients(account: StorageAccount, name: str) -> None:
    account.container(name)
    blobs = AzureBlobs(account, name)
    threads = [Thread(target=blobs.put, args=(f"{number}", b"")) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(list(blobs.list_paths(""))) == 8


@pytest.mark.filterwarnings("ignore:Testing an element:DeprecationWarning")  # azure-data-tables reading errors
def test_a_wrong_key_names_the_roles(azurite: Azurite, name: str) -> None:
    wrong = azurite.connection_string.replace("AccountKey=E", "AccountKey=F")
    with closing(StorageAccount({"AzureWebJobsStorage": wrong})) as account:
        for ask in (account.container, account.queue, account.table):
            with pytest.raises(SettingsError, match="Storage Blob Data Owner") as caught:
                ask(name)

            assert caught.value.code is Code.SETTINGS_INVALID


def test_an_account_that_does_not_answer_may_come_back(closed_port: int, name: str) -> None:
    address = f"http://127.0.0.1:{closed_port}/{ACCOUNT_NAME}"
    text = f"AccountName={ACCOUNT_NAME};AccountKey=a2V5;" + "".join(
        f"{service}Endpoint={address};" for service in ("Blob", "Queue", "Table")
    )
    with closing(StorageAccount({"AzureWebJobsStorage": text}, retries=0)) as account:
        for ask in (account.container, account.queue, account.table):
            with pytest.raises(TransientError, match="no answer"):
                ask(name)


def test_a_request_that_can_never_work_is_not_tried_again(account: StorageAccount, name: str) -> None:
    """A queue message has at most 64 KiB."""
    with pytest.raises(SettingsError, match="413") as caught:
        AzureMessages(account).send(name, "x" * 70_000)

    assert caught.value.code is Code.UNEXPECTED


def test_the_sdk_does_not_fill_the_log(account: StorageAccount, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Request by request, with headers and URLs, costs more than it tells."""
    with caplog.at_level(logging.INFO):
        AzureBlobs(account, name).put("a", b"")
        AzureTable(account, name).put("a", "b", {})

    assert caplog.records == []


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Settings for an emulator that takes tokens only, as an account without shared keys does."""
    tmp_path = tmp_path_factory.mktemp("guarded")
    certificate = Certificate.kept_in(tmp_path)
    emulator = subprocess.Popen(
        [
            *("node", str(PROGRAM), "--silent", "--disableTelemetry", "--skipApiVersionCheck"),
            *("--location", str(tmp_path), "--oauth", "basic"),
            *("--cert", str(certificate.certificate_file), "--key", str(certificate.key_file)),
            *("--blobPort", "0", "--queuePort", "0", "--tablePort", "0"),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    with emulator:
        assert emulator.stdout is not None
        settings = {"AzureWebJobsStorage__credential": "managedidentity"}
        while len(settings) < 4:
            words = emulator.stdout.readline().split()
            if "listening" in words:
                settings[f"AzureWebJobsStorage__{words[1].lower()}ServiceUri"] = f"{words[-1]}/{ACCOUNT_NAME}"
        with IdentitySimulator() as identity, pytest.MonkeyPatch.context() as environment:
            environment.setenv("REQUESTS_CA_BUNDLE", str(certificate.certificate_file))
            environment.setenv("IDENTITY_ENDPOINT", identity.endpoint)
            environment.setenv("IDENTITY_HEADER", identity.header)
            yield settings
        emulator.terminate()


@pytest.mark.parametrize("client_id", ["", "33333333-3333-3333-3333-333333333333"])
def test_a_managed_identity_opens_the_account(guarded: dict[str, str], name: str, client_id: str) -> None:
    """In Azure there is no key at all."""
    with closing(StorageAccount(guarded | {"AzureWebJobsStorage__clientId": client_id})) as account:
        AzureBlobs(account, name).put("a", b"content")
        AzureTable(account, name).put("a", "b", {"n": 1})
        AzureMessages(account).send(name, "work")

        assert AzureBlobs(account, name).get("a") == b"content"
        assert AzureTable(account, name).find("a", "b") == {"n": 1}


def test_the_accounts_name_is_enough() -> None:
    with closing(StorageAccount({"AzureWebJobsStorage__accountName": "acme"})) as account:
        assert account._blobs.url == "https://acme.blob.core.windows.net/"
        assert account._queues.url == "https://acme.queue.core.windows.net/"
        assert account._tables.url == "https://acme.table.core.windows.net"
