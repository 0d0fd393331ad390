"""The managed identity, against an endpoint that answers as told."""

from datetime import UTC, datetime

import pytest

from shared.adapters.identity import managed_identity
from shared.domain.errors import TransientError
from tests.adapters.graph.script import Script


def test_the_managed_identity_gives_cached_tokens(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    """The platform's token endpoint is asked once, and again only for a fresh one."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{script.url}/token")
    monkeypatch.setenv("IDENTITY_HEADER", "header")
    expires_on = str(int(datetime.now(UTC).timestamp()) + 86_400)
    for name in ("first", "second"):
        token = {"access_token": name, "expires_on": expires_on, "resource": "r", "token_type": "Bearer"}
        script.answer(200, token, Content_Type="application/json")
    identity = managed_identity(None)

    given = [identity.get_token("https://graph.example/.default") for _ in range(2)]
    given.append(identity.get_token("https://graph.example/.default", fresh=True))

    assert given == ["first", "first", "second"]


def test_an_identity_without_a_token_passes(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{script.url}/token")
    monkeypatch.setenv("IDENTITY_HEADER", "header")
    script.answer(400, {"statusCode": 400, "message": "no identity"}, Content_Type="application/json")

    with pytest.raises(TransientError, match="identity is assigned"):
        managed_identity(None).get_token("https://graph.example/.default")
