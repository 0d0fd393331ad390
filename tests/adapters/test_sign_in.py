"""A person signs in for one task; what goes wrong is told without saying who it was."""

from datetime import UTC, datetime
from typing import NoReturn

import azure.identity
import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from shared.adapters.sign_in import SignIn
from shared.domain.errors import SettingsError
from tests.company import betrays


class Refusing:
    """Entra, saying no to somebody by name."""

    def get_token(self, *_: str, **__: object) -> NoReturn:
        raise ClientAuthenticationError("AADSTS65001: quokka-ada@quokka.example has not consented.")


class Giving:
    """Entra, giving a token a call."""

    calls = 0

    def get_token(self, *scopes: str, **_: object) -> AccessToken:
        assert scopes == ("scope",)
        self.calls += 1
        return AccessToken(f"token-{self.calls}", 0)


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def signing(told: list[str]) -> SignIn:
    return SignIn("client", None, in_browser=False, tell=told.append)


def test_a_refusal_names_its_number_and_nobody(signing: SignIn) -> None:
    signing._made = Refusing()

    with pytest.raises(SettingsError, match=r"AADSTS65001.*--browser") as refused:
        signing.get_token("scope")

    assert betrays(str(refused.value)) == []
    assert refused.value.__cause__ is None


def test_nobody_signs_in_twice(signing: SignIn) -> None:
    """The credential is kept, with its tokens, for as long as the command runs."""
    signing._made = giving = Giving()

    assert [signing.get_token("scope"), signing.get_token("scope", fresh=True)] == ["token-1", "token-2"]
    assert signing._made is giving


def test_the_code_is_told(signing: SignIn, told: list[str]) -> None:
    signing.tell_code("https://login.example/device", "ABCD1234", datetime(2026, 11, 1, 6, 15, tzinfo=UTC))

    assert told == ["Sign in at https://login.example/device with the code ABCD1234, before 06:15 UTC."]


@pytest.mark.parametrize(
    ("way", "kind"),
    [("device", azure.identity.DeviceCodeCredential), ("browser", azure.identity.InteractiveBrowserCredential)],
)
def test_azures_own_credentials_take_what_they_are_given(way: str, kind: type) -> None:
    """They are made without asking anybody anything; a name of an argument that does not exist would raise."""
    signing = SignIn("14d82eec-204b-4c2f-b7e8-296a70dab67e", "tenant-id", in_browser=way == "browser", tell=str)

    made = signing._new_credential()

    assert isinstance(made, kind)
    assert vars(made)["_client_id"] == "14d82eec-204b-4c2f-b7e8-296a70dab67e"
    assert vars(made)["_tenant_id"] == "tenant-id"
