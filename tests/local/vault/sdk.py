"""Azure's own client for the simulator of Key Vault, and how it words a refusal."""

import json

from azure.core.exceptions import HttpResponseError
from azure.identity import ManagedIdentityCredential
from azure.keyvault.secrets import SecretClient

from infra.local.vault import VaultSimulator


def client_of(vault: VaultSimulator, credential: ManagedIdentityCredential) -> SecretClient:
    return SecretClient(
        vault.url,
        credential,
        verify_challenge_resource=False,
        connection_verify=str(vault.ca_file),
        retry_total=0,
    )


def error_codes(error: HttpResponseError) -> tuple[int | None, str, str | None]:
    """Status, code and inner code, as the connector's adapter reads them."""
    body = json.loads(error.response.text())["error"]  # type: ignore[union-attr]
    return error.status_code, body["code"], body.get("innererror", {}).get("code")
