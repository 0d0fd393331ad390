"""The Key Vault simulator as a server: whom it trusts, who trusts it, and when it is there."""

import os
import ssl
import stat
import time
from pathlib import Path

import httpx
import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ServiceRequestError
from azure.identity import ManagedIdentityCredential
from azure.keyvault.secrets import SecretClient

from infra.local.vault import VaultSimulator
from tests.local.vault.sdk import client_of


def test_an_unknown_api_version_is_refused(vault: VaultSimulator) -> None:
    with (
        ManagedIdentityCredential() as credential,
        SecretClient(
            vault.url,
            credential,
            verify_challenge_resource=False,
            connection_verify=str(vault.ca_file),
            api_version="9.9",
        ) as client,
        pytest.raises(HttpResponseError, match=r"9\.9"),
    ):
        client.get_secret("key")


def test_offline_it_answers_503_and_then_again_as_before(vault: VaultSimulator, client: SecretClient) -> None:
    vault.put_secret("key", "value")
    vault.offline = True

    with pytest.raises(HttpResponseError) as caught:
        client.get_secret("key")

    assert caught.value.status_code == 503
    vault.offline = False
    assert client.get_secret("key").value == "value"


def test_what_it_keeps_is_for_the_owner_only(vault: VaultSimulator) -> None:
    vault.put_secret("key", "value")
    state = vault.ca_file.parent

    for name in ("vault.json", "certificate-key.pem"):
        assert stat.S_IMODE(state.joinpath(name).stat().st_mode) == 0o600


def test_a_strict_client_trusts_the_certificate(vault: VaultSimulator) -> None:
    """Python's default context has checked certificates strictly since 3.13."""
    context = ssl.create_default_context(cafile=vault.ca_file)

    answer = httpx.get(f"{vault.url}/secrets/key?api-version=7.4", verify=context)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer authorization=")


def test_a_client_that_trusts_nobody_does_not_speak_to_it(vault: VaultSimulator) -> None:
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"{vault.url}/secrets", verify=ssl.create_default_context())


def test_a_token_for_something_else_opens_nothing(vault: VaultSimulator) -> None:
    with ManagedIdentityCredential() as credential:
        token = credential.get_token("https://graph.microsoft.com/.default").token

    answer = httpx.get(
        f"{vault.url}/secrets?api-version=7.4",
        headers={"Authorization": f"Bearer {token}"},
        verify=ssl.create_default_context(cafile=vault.ca_file),
    )

    assert answer.status_code == 401


def test_the_identity_gives_nothing_to_who_does_not_know_its_header(
    vault: VaultSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_HEADER", "a guess")

    with ManagedIdentityCredential() as credential, pytest.raises(ClientAuthenticationError):
        credential.get_token("https://vault.azure.net/.default")

    assert os.environ["IDENTITY_ENDPOINT"] == vault.identity_endpoint


def test_tokens_last_a_day(vault: VaultSimulator) -> None:
    assert vault.url
    with ManagedIdentityCredential() as credential:
        token = credential.get_token("https://graph.microsoft.com/.default")

    assert token.expires_on - time.time() == pytest.approx(24 * 3600, abs=60)


def test_it_starts_in_no_time(tmp_path: Path) -> None:
    before = time.monotonic()
    with VaultSimulator(tmp_path / "state"):
        taken = time.monotonic() - before

    assert taken < 1


def test_after_the_end_nobody_answers(tmp_path: Path) -> None:
    with VaultSimulator(tmp_path / "state") as vault, ManagedIdentityCredential() as credential:
        client = client_of(vault, credential)

    with client, pytest.raises(ServiceRequestError):
        client.get_secret("key")
