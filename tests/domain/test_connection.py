"""What an admin may write into a connection, and what is said when it is wrong."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from shared.domain.connection import Connection
from shared.domain.errors import Code, SettingsError
from shared.pipeline import journal
from tests.fakes import MemoryDocuments

WANTED: dict[str, Any] = {
    "configuration_id": "acme",
    "sftp": {"host": "sftp.example.com", "user": "acme", "host_key": "ssh-ed25519 AAAA"},
    "viva": {
        "provider_id": "p",
        "bizx_host": "hcm.example.com",
        "learning_host": "learning.example.com",
        "company_id": "ACME",
    },
}


def all_fields(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, field in model.model_fields.items():
        yield f"{prefix}{name}", field
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from all_fields(field.annotation, f"{prefix}{name}.")


def test_every_field_is_described() -> None:
    """The documents and the schema that an editor shows are made from it."""
    for name, field in all_fields(Connection):
        assert field.description, name
        assert field.description.endswith("."), name


def test_the_least_that_is_needed_is_enough_and_switches_nothing_on() -> None:
    connection = Connection.model_validate(WANTED)

    assert not connection.enabled
    assert not connection.learner_sync


def refusal(values: dict[str, Any]) -> SettingsError:
    """Read the connection the way the pipeline does, and return what it says."""
    documents = MemoryDocuments()
    documents.put("acme", values, None)

    class Parts:
        connections = documents

    with pytest.raises(SettingsError) as caught:
        journal.get_connection(Parts, "acme")  # type: ignore[arg-type]  # one part is enough
    return caught.value


def test_all_wrong_fields_are_named_at_once() -> None:
    """An admin corrects them in one go, not one after the other."""
    wrong = {
        **WANTED,
        "configuration_id": "a:b",
        "sftp": {"host": "sftp://x", "port": 0, "user": "acme", "host_key": "ssh-ed25519"},
        "viva": {**WANTED["viva"], "default_thumbnail_url": "http://example.com/x.png"},
        "on_gap": "wait",
        "reject_limit_percent": 101,
        "no_such_field": 1,
    }

    error = refusal(wrong)

    assert error.code is Code.SETTINGS_INVALID
    for field in (
        *("configuration_id", "sftp.host", "sftp.port", "sftp.host_key", "viva.default_thumbnail_url"),
        *("on_gap", "reject_limit_percent", "no_such_field"),
    ):
        assert f"{field}: " in str(error)


def test_missing_fields_are_named_too() -> None:
    error = refusal({"enabled": True})

    for field in ("configuration_id", "sftp", "viva"):
        assert f"{field}: Field required" in str(error)


def test_a_value_is_not_repeated() -> None:
    """Somebody may paste a password into the wrong field."""
    error = refusal({**WANTED, "pgp_passphrase_secret": "correct horse battery staple"})

    assert "pgp_passphrase_secret" in str(error)
    assert "horse" not in str(error)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
def test_a_time_zone_is_one_that_everybody_knows(zone: str) -> None:
    assert Connection.model_validate({**WANTED, "source_time_zone": zone}).source_time_zone == zone


@pytest.mark.parametrize("zone", ["Berlin", "", "../etc/passwd", "Europe", "CET+1", "x" * 300])
def test_another_time_zone_is_refused(zone: str) -> None:
    error = refusal({**WANTED, "source_time_zone": zone})

    assert "source_time_zone" in str(error)
    assert "time zone" in str(error)


def test_a_connection_never_changes() -> None:
    connection = Connection.model_validate(WANTED)

    with pytest.raises(ValidationError, match="frozen"):
        connection.enabled = True  # type: ignore[misc]  # that is the point


def test_secrets_are_named_and_never_held() -> None:
    """Every field about a secret takes what Key Vault takes as a name, and nothing that could be one."""
    for name in ("pgp_key_secret", "pgp_passphrase_secret"):
        with pytest.raises(ValidationError, match=name):
            Connection.model_validate({**WANTED, name: "-----BEGIN PGP PRIVATE KEY BLOCK-----"})


def test_there_is_no_connection_of_that_name() -> None:
    class Parts:
        connections = MemoryDocuments()

    with pytest.raises(SettingsError, match="There is no connection 'acme'"):
        journal.get_connection(Parts, "acme")  # type: ignore[arg-type]  # one part is enough
