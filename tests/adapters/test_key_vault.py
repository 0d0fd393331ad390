import os
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from azure.identity import ManagedIdentityCredential

from infra.local.vault import VaultSimulator
from shared.adapters.key_vault import KeyVaultSecrets
from shared.domain.errors import Code, SettingsError, TransientError
from shared.ports import Secrets

VALUE = "a-value-that-nobody-may-read"


class Clock:
    """Stands still until told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VaultSimulator]:
    with (
        VaultSimulator(tmp_path_factory.mktemp("vault")) as vault,
        pytest.MonkeyPatch.context() as environment,
    ):
        environment.setenv("REQUESTS_CA_BUNDLE", str(vault.ca_file))
        environment.setenv("IDENTITY_ENDPOINT", vault.identity_endpoint)
        environment.setenv("IDENTITY_HEADER", vault.identity_header)
        yield vault


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def credential(vault: VaultSimulator) -> Iterator[ManagedIdentityCredential]:
    assert vault.identity_endpoint == os.environ["IDENTITY_ENDPOINT"]
    with ManagedIdentityCredential() as credential:
        yield credential


@pytest.fixture
def secrets(vault: VaultSimulator, credential: ManagedIdentityCredential, clock: Clock) -> Iterator[KeyVaultSecrets]:
    secrets = KeyVaultSecrets(vault.url, credential, verify_challenge=False, cache_seconds=300, clock=clock)
    with closing(secrets):
        yield secrets


def test_the_newest_version_is_given(vault: VaultSimulator, secrets: Secrets, name: str) -> None:
    vault.put_secret(name, "old")
    newest = vault.put_secret(name, VALUE)

    secret = secrets.get(name)

    assert (secret.version, secret.value, secret.expires_at) == (newest, VALUE, None)
    assert abs(secret.created_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert VALUE not in repr(secret)


def test_a_disabled_newest_version_gives_way_to_the_one_before(
    vault: VaultSimulator, secrets: Secrets, name: str
) -> None:
    """Disabling a version is how an admin takes a rotation back."""
    versions = [vault.put_secret(name, f"value {number}") for number in range(6)]
    vault.disable(name, versions[5])
    vault.disable(name, versions[3])

    assert secrets.get(name).value == "value 4"
    assert [secret.value for secret in secrets.list_versions(name)] == [
        "value 4",
        "value 2",
        "value 1",
        "value 0",
    ]


def test_all_versions_are_listed_also_beyond_a_page(vault: VaultSimulator, secrets: Secrets, name: str) -> None:
    values = [str(number) for number in range(27)]
    for value in values:
        vault.put_secret(name, value)

    assert [secret.value for secret in secrets.list_versions(name)] == values[::-1]


def test_an_expired_secret_is_still_given(vault: VaultSimulator, secrets: Secrets, name: str) -> None:
    """The vault does the same; the expiry is there for whoever warns of it."""
    expires_at = datetime(2020, 1, 1, tzinfo=UTC)
    vault.put_secret(name, VALUE, expires_at=expires_at)

    assert secrets.get(name).expires_at == expires_at


def test_a_secret_is_asked_for_once_in_a_while(
    vault: VaultSimulator, secrets: Secrets, clock: Clock, name: str
) -> None:
    vault.put_secret(name, "old")
    secrets.get(name)
    secrets.list_versions(name)
    vault.put_secret(name, "new")

    clock.now = 299
    assert secrets.get(name).value == "old"
    assert len(secrets.list_versions(name)) == 1

    clock.now = 300
    assert secrets.get(name).value == "new"
    assert len(secrets.list_versions(name)) == 2


@pytest.mark.parametrize("method", ["get", "list_versions"])
def test_a_missing_secret_is_named(secrets: Secrets, name: str, method: str) -> None:
    with pytest.raises(SettingsError, match=name) as caught:
        getattr(secrets, method)(name)

    assert caught.value.code is Code.SECRET_MISSING


@pytest.mark.parametrize("method", ["get", "list_versions"])
def test_a_secret_without_an_enabled_version_is_missing(
    vault: VaultSimulator, secrets: Secrets, name: str, method: str
) -> None:
    vault.disable(name, vault.put_secret(name, VALUE))

    with pytest.raises(SettingsError, match="enabled") as caught:
        getattr(secrets, method)(name)

    assert caught.value.code is Code.SECRET_MISSING


@pytest.mark.parametrize("method", ["get", "list_versions"])
def test_a_missing_right_names_the_role(vault: VaultSimulator, secrets: Secrets, name: str, method: str) -> None:
    vault.put_secret(name, VALUE)
    vault.forbid(name)

    with pytest.raises(SettingsError, match="Key Vault Secrets User") as caught:
        getattr(secrets, method)(name)

    assert caught.value.code is Code.VAULT_UNREACHABLE


def test_an_added_version_is_the_newest_at_once(vault: VaultSimulator, secrets: KeyVaultSecrets, name: str) -> None:
    """Whoever has just added it must not be given the one before out of the cache."""
    vault.put_secret(name, "old")
    assert secrets.get(name).value == "old"
    assert len(secrets.list_versions(name)) == 1
    expires_at = datetime(2030, 1, 1, tzinfo=UTC)

    added = secrets.add_version(name, VALUE, expires_at=expires_at)

    assert (added.value, added.expires_at) == (VALUE, expires_at)
    assert secrets.get(name) == added
    assert [each.version for each in vault.versions(name)][-1] == added.version
    assert [each.value for each in secrets.list_versions(name)] == [VALUE, "old"]


def test_a_version_added_disabled_is_used_once_it_is_enabled(
    vault: VaultSimulator, secrets: KeyVaultSecrets, name: str
) -> None:
    vault.put_secret(name, "old")
    added = secrets.add_version(name, VALUE, enabled=False)
    assert secrets.get(name).value == "old"

    secrets.enable(name, added.version)

    assert secrets.get(name).value == VALUE


def test_whoever_may_not_write_is_told_the_role_for_it(
    vault: VaultSimulator, secrets: KeyVaultSecrets, name: str
) -> None:
    vault.put_secret(name, "old")
    vault.forbid(name)

    with pytest.raises(SettingsError, match="Key Vault Secrets Officer") as adding:
        secrets.add_version(name, VALUE)
    with pytest.raises(SettingsError, match="Key Vault Secrets Officer"):
        secrets.enable(name, "0" * 32)

    assert adding.value.code is Code.VAULT_UNREACHABLE
    assert VALUE not in str(adding.value)


def test_what_a_vault_cannot_take_is_refused_without_a_word_of_it(secrets: KeyVaultSecrets, name: str) -> None:
    with pytest.raises(SettingsError) as caught:
        secrets.add_version(name, VALUE * 1000)

    assert VALUE not in str(caught.value)


def test_a_name_that_is_none_is_a_missing_secret(secrets: Secrets) -> None:
    with pytest.raises(SettingsError) as caught:
        secrets.get("under_score")

    assert caught.value.code is Code.SECRET_MISSING


def test_a_vault_that_is_unavailable_may_come_back(vault: VaultSimulator, secrets: Secrets, name: str) -> None:
    vault.put_secret(name, VALUE)
    vault.offline = True
    try:
        with pytest.raises(TransientError, match="503") as caught:
            secrets.get(name)
    finally:
        vault.offline = False

    assert caught.value.code is Code.VAULT_UNREACHABLE
    assert secrets.get(name).value == VALUE


def test_a_kept_secret_outlives_the_vault(vault: VaultSimulator, secrets: Secrets, name: str) -> None:
    vault.put_secret(name, VALUE)
    secrets.get(name)
    vault.offline = True
    try:
        assert secrets.get(name).value == VALUE
    finally:
        vault.offline = False


def test_a_vault_that_does_not_answer_may_come_back(
    credential: ManagedIdentityCredential, closed_port: int, name: str
) -> None:
    secrets = KeyVaultSecrets(f"https://127.0.0.1:{closed_port}", credential, verify_challenge=False)
    with closing(secrets), pytest.raises(TransientError, match="no answer") as caught:
        secrets.get(name)

    assert caught.value.code is Code.VAULT_UNREACHABLE


def test_an_identity_without_a_token_may_get_one_later(
    vault: VaultSimulator, closed_port: int, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{closed_port}/msi/token")
    with ManagedIdentityCredential(retry_total=0) as credential:
        secrets = KeyVaultSecrets(vault.url, credential, verify_challenge=False)
        with closing(secrets), pytest.raises(TransientError, match="token service") as caught:
            secrets.get(name)

    assert caught.value.code is Code.VAULT_UNREACHABLE


def test_a_vault_outside_azure_gets_no_token(
    vault: VaultSimulator, credential: ManagedIdentityCredential, name: str
) -> None:
    """A wrong address must not receive a token that opens the right vault."""
    with (
        closing(KeyVaultSecrets(vault.url, credential, verify_challenge=True)) as secrets,
        pytest.raises(SettingsError, match="no Azure Key Vault"),
    ):
        secrets.get(name)


def test_a_vault_with_an_unknown_certificate_is_not_believed(
    vault: VaultSimulator,
    credential: ManagedIdentityCredential,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    with (
        closing(KeyVaultSecrets(vault.url, credential, verify_challenge=False)) as secrets,
        pytest.raises(TransientError, match="no answer"),
    ):
        secrets.get(name)
