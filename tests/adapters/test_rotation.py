"""Rotation in mid-stream, from the vault to the opened package: overlap opens, what is disabled is named."""

import io
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from azure.identity import ManagedIdentityCredential

from infra.local.vault import VaultSimulator
from shared.adapters.key_vault import KeyVaultSecrets
from shared.domain.errors import Code, PackageError
from shared.ports import PackageOpener, Secrets
from tests.adapters.provider import Provider

KEY, PASSPHRASE = "pgp-private-key", "pgp-passphrase"


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VaultSimulator]:
    with VaultSimulator(tmp_path / "vault") as vault:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(vault.ca_file))
        monkeypatch.setenv("IDENTITY_ENDPOINT", vault.identity_endpoint)
        monkeypatch.setenv("IDENTITY_HEADER", vault.identity_header)
        yield vault


@pytest.fixture
def secrets(vault: VaultSimulator) -> Iterator[KeyVaultSecrets]:
    """As the app has them, and no cache, so that a test needs no clock."""
    with (
        ManagedIdentityCredential() as credential,
        closing(KeyVaultSecrets(vault.url, credential, verify_challenge=False, cache_seconds=0)) as secrets,
    ):
        yield secrets


def opened_by(opener: PackageOpener, sealed: bytes, secrets: Secrets) -> str:
    """Open as the pipeline does, with all that the vault has enabled."""
    keys, passphrases = secrets.list_versions(KEY), secrets.list_versions(PASSPHRASE)
    with opener.open(io.BytesIO(sealed), keys, passphrases, require_signature=False) as package:
        assert b"".join(package.chunks()) == b"rows"
        return package.seal.key_id


def test_two_packages_under_two_keys_both_open_and_a_disabled_version_is_named(
    opener: PackageOpener, provider: Provider, vault: VaultSimulator, secrets: KeyVaultSecrets
) -> None:
    """The new key is added while packages for the old one still lie there; then the old one is taken away."""
    before = provider.workshop.seal(b"rows", provider.old)
    after = provider.workshop.seal(b"rows", provider.new)
    old = vault.put_secret(KEY, provider.old.secret)
    vault.put_secret(PASSPHRASE, provider.old.passphrase)
    with pytest.raises(PackageError, match=provider.new.encrypts) as too_early:
        opened_by(opener, after, secrets)

    secrets.add_version(PASSPHRASE, provider.new.passphrase)
    secrets.add_version(KEY, provider.new.secret)
    assert opened_by(opener, before, secrets) == provider.old.encrypts
    assert opened_by(opener, after, secrets) == provider.new.encrypts

    vault.disable(KEY, old)
    with pytest.raises(PackageError, match=provider.old.encrypts) as disabled:
        opened_by(opener, before, secrets)
    assert opened_by(opener, after, secrets) == provider.new.encrypts
    assert too_early.value.code is disabled.value.code is Code.NO_MATCHING_KEY

    secrets.enable(KEY, old)
    assert opened_by(opener, before, secrets) == provider.old.encrypts


def test_a_rotation_that_is_taken_back_opens_with_the_key_before(
    opener: PackageOpener, provider: Provider, vault: VaultSimulator, secrets: KeyVaultSecrets
) -> None:
    """Disabling the new version is all it takes; the package that was sealed for it waits and is named."""
    vault.put_secret(PASSPHRASE, provider.old.passphrase)
    vault.put_secret(PASSPHRASE, provider.new.passphrase)
    vault.put_secret(KEY, provider.old.secret)
    vault.disable(KEY, vault.put_secret(KEY, provider.new.secret))

    assert opened_by(opener, provider.workshop.seal(b"rows", provider.old), secrets) == provider.old.encrypts
    with pytest.raises(PackageError, match=provider.new.encrypts):
        opened_by(opener, provider.workshop.seal(b"rows", provider.new), secrets)
