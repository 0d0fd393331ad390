"""The secrets of the Key Vault simulator and their versions, as Azure's own SDK sees them."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.keyvault.secrets import SecretClient

from infra.local.vault import VaultSimulator
from infra.local.vault_store import VaultError
from tests.local.vault.sdk import error_codes


def test_a_secret_put_in_here_is_read_with_a_managed_identity(vault: VaultSimulator, client: SecretClient) -> None:
    expires = datetime(2027, 1, 1, tzinfo=UTC)
    version = vault.put_secret("pgp-key", "value", expires_at=expires)

    secret = client.get_secret("pgp-key")

    assert (secret.value, secret.properties.version) == ("value", version)
    assert secret.properties.expires_on == expires
    assert secret.properties.enabled
    assert secret.id == f"{vault.url}/secrets/pgp-key/{version}"
    assert vault.has("pgp-key")
    assert not vault.has("other")


def test_a_secret_set_through_the_sdk_is_kept_with_all_it_has(vault: VaultSimulator, client: SecretClient) -> None:
    expires, starts = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC)
    client.set_secret(
        "pepper",
        "v",
        content_type="text/plain",
        tags={"for": "hashes"},
        expires_on=expires,
        not_before=starts,
    )

    properties = client.get_secret("pepper").properties

    assert properties.content_type == "text/plain"
    assert properties.tags == {"for": "hashes"}
    assert (properties.not_before, properties.expires_on) == (starts, expires)
    assert [each.value for each in vault.versions("pepper")] == ["v"]


def test_the_newest_version_is_the_one_put_last(vault: VaultSimulator, client: SecretClient) -> None:
    """Even when all are put within one second, of which the vault tells no parts."""
    ids = [vault.put_secret("key", f"value {number}") for number in range(5)]

    newest = client.get_secret("key")
    oldest = client.get_secret("key", ids[0])
    by_age = sorted(client.list_properties_of_secret_versions("key"), key=lambda each: each.created_on)  # type: ignore[arg-type,return-value]

    assert (newest.value, oldest.value) == ("value 4", "value 0")
    assert [each.version for each in by_age] == ids
    assert [each.version for each in vault.versions("key")] == ids


def test_listings_come_by_pages(vault: VaultSimulator, client: SecretClient) -> None:
    """A client that reads the first page only must fail here too."""
    for number in range(60):
        vault.put_secret(f"secret-{number}", "value")
        vault.put_secret("key", "value")

    names = [each.name for each in client.list_properties_of_secrets()]
    versions = [each.version for each in client.list_properties_of_secret_versions("key")]
    pages = list(client.list_properties_of_secret_versions("key", max_page_size=7).by_page())

    assert len(set(names)) == len(names) == 61
    assert len(set(versions)) == len(versions) == 60
    assert len(pages) == 9


def test_a_disabled_version_keeps_its_value_to_itself(vault: VaultSimulator, client: SecretClient) -> None:
    """The newest is asked for by default, even when it is disabled and an older one is not."""
    first = vault.put_secret("key", "old")
    second = vault.put_secret("key", "new")
    vault.disable("key", second)

    with pytest.raises(HttpResponseError) as caught:
        client.get_secret("key")

    assert error_codes(caught.value) == (403, "Forbidden", "SecretDisabled")
    assert client.get_secret("key", first).value == "old"
    enabled = {each.version: each.enabled for each in client.list_properties_of_secret_versions("key")}
    assert enabled == {first: True, second: False}


def test_a_version_is_disabled_and_enabled_through_the_sdk(vault: VaultSimulator, client: SecretClient) -> None:
    version = vault.put_secret("key", "value", enabled=False)

    client.update_secret_properties("key", version, enabled=True)
    value = client.get_secret("key").value
    client.update_secret_properties("key", version, enabled=False, tags={"why": "lost"})

    assert value == "value"
    assert [(each.enabled, each.tags) for each in vault.versions("key")] == [(False, {"why": "lost"})]


def test_an_expired_secret_is_still_given(vault: VaultSimulator, client: SecretClient) -> None:
    """The real vault does so as well: to judge the date is the reader's duty."""
    vault.put_secret("key", "value", expires_at=datetime.now(UTC) - timedelta(days=1))

    assert client.get_secret("key").value == "value"


def test_what_is_not_there_is_not_found(vault: VaultSimulator, client: SecretClient) -> None:
    vault.put_secret("key", "value")

    for ask in (
        lambda: client.get_secret("other"),
        lambda: client.get_secret("key", "0" * 32),
        lambda: list(client.list_properties_of_secret_versions("other")),
        lambda: client.update_secret_properties("other", "0" * 32, enabled=False),
    ):
        with pytest.raises(ResourceNotFoundError) as caught:
            ask()
        assert error_codes(caught.value) == (404, "SecretNotFound", None)


def test_a_forbidden_secret_is_refused_until_it_is_permitted(vault: VaultSimulator, client: SecretClient) -> None:
    vault.put_secret("key", "value")
    vault.forbid("key")

    for ask in (
        lambda: client.get_secret("key"),
        lambda: list(client.list_properties_of_secret_versions("key")),
        lambda: client.set_secret("key", "other"),
    ):
        with pytest.raises(HttpResponseError) as caught:
            ask()
        assert error_codes(caught.value) == (403, "Forbidden", "ForbiddenByRbac")
    vault.permit("key")
    assert client.get_secret("key").value == "value"


def test_names_and_values_a_vault_cannot_take_are_refused(vault: VaultSimulator, client: SecretClient) -> None:
    """A key ring of more than 25,000 bytes does not fit into Azure's vault either."""
    for name, value in (("with_underscore", "value"), ("key", "x" * 25_001)):
        with pytest.raises(HttpResponseError) as caught:
            client.set_secret(name, value)
        assert error_codes(caught.value) == (400, "BadParameter", None)
    with pytest.raises(VaultError):
        vault.put_secret("with_underscore", "value")


def test_the_state_outlives_the_vault(tmp_path: Path) -> None:
    """The next call of the local tenant is the next day's sync."""
    with VaultSimulator(tmp_path / "state") as vault:
        first = vault.put_secret("key", "old")
        second = vault.put_secret("key", "new")
        vault.disable("key", second)
        certificate = vault.ca_file.read_bytes()

    with VaultSimulator(tmp_path / "state") as vault:
        kept = [(each.version, each.value, each.enabled) for each in vault.versions("key")]
        assert kept == [(first, "old", True), (second, "new", False)]
        assert vault.ca_file.read_bytes() == certificate


def test_a_value_is_not_shown_with_its_version(vault: VaultSimulator) -> None:
    """A failing assertion or a log line prints objects."""
    vault.put_secret("key", "something private")

    assert "something private" not in repr(vault.versions("key"))


def test_many_clients_are_served_at_once(vault: VaultSimulator, client: SecretClient) -> None:
    """No version gets lost when several are put at the same time, from inside and from outside."""
    work = [
        lambda: client.set_secret("key", "outside"),
        lambda: vault.put_secret("key", "inside"),
    ] * 10
    threads = [threading.Thread(target=each) for each in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(each.value for each in vault.versions("key")) == ["inside"] * 10 + ["outside"] * 10
