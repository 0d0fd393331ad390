"""Who is signed in: told by the token, and by nothing that names anybody."""

import base64
import json
from dataclasses import dataclass

import pytest
from azure.core.credentials import AccessToken

from shared.adapters.identity import ManagedIdentity
from shared.wiring import find_signed_in

OBJECT_ID = "00000000-0000-4000-8000-0000000000ad"


@dataclass
class Credential:
    """Whatever token it was given."""

    token: str

    def get_token(self, *scopes: str, **_: object) -> AccessToken:
        assert scopes == ("scope",)
        return AccessToken(self.token, 0)


def jwt(claims: object) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{body}.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("token", "told"),
    [
        (jwt({"oid": OBJECT_ID, "upn": "quokka@mail.example"}), OBJECT_ID),
        (jwt({"upn": "quokka@mail.example"}), None),
        (jwt({"oid": 7}), None),
        (jwt(["oid"]), None),
        ("no token of this kind", None),
        ("a.ä.b", None),
    ],
)
def test_the_object_id_is_read_and_nothing_else(token: str, told: str | None) -> None:
    identity = ManagedIdentity(None, signed_in=True)
    identity._made = Credential(token)

    assert identity.object_id("scope") == told


def test_the_local_tenant_knows_nobody() -> None:
    """Its storage is reached with a connection string: no token is asked for, which would take seconds."""
    assert find_signed_in({"AzureWebJobsStorage": "UseDevelopmentStorage=true"}) is None
