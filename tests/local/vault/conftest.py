"""A vault, and the client that the connector uses."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.identity import ManagedIdentityCredential
from azure.keyvault.secrets import SecretClient

from infra.local.vault import VaultSimulator
from tests.local.vault.sdk import client_of


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VaultSimulator]:
    """A vault, and this process has its identity."""
    with VaultSimulator(tmp_path / "state") as vault:
        monkeypatch.setenv("IDENTITY_ENDPOINT", vault.identity_endpoint)
        monkeypatch.setenv("IDENTITY_HEADER", vault.identity_header)
        yield vault


@pytest.fixture
def client(vault: VaultSimulator) -> Iterator[SecretClient]:
    """The client that the connector uses, with its usual identity."""
    with ManagedIdentityCredential() as credential, client_of(vault, credential) as client:
        yield client
