"""The connection of the local tenant, and the names by which `--set` changes it."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

from infra.local.successfactors import SuccessFactorsSimulator
from infra.local.usage import UsageError
from shared.domain.connection import Connection

NAME = "local"
PASSPHRASE_SECRET = "pgp-passphrase"  # noqa: S105 - the name of a secret
_PARTS = {
    name: field.annotation
    for name, field in Connection.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
}


def first_connection(*, provider_id: str, licence_service_plan_id: str) -> dict[str, Any]:
    """Return the settings that a new tenant begins with; the address of the SFTP server is still missing."""
    return {
        "enabled": True,
        "learner_sync": True,
        "configuration_id": "acme",
        "size_stable_seconds": 0.2,
        "pgp_passphrase_secret": None,
        "viva": {
            "provider_id": provider_id,
            "bizx_host": "hcm.example.com",
            "learning_host": "learning.example.com",
            "company_id": "acme",
            "licence_service_plan_ids": [licence_service_plan_id],
        },
    }


def first_write_back(lms: SuccessFactorsSimulator) -> dict[str, Any]:
    """Return where a new tenant's courses and completions go back to."""
    return {
        "provider_id": lms.provider_id,
        "target": {
            "kind": "successfactors",
            "base_url": lms.url,
            "company_id": lms.company_id,
            "client_id": lms.client_id,
            "admin_user_id": lms.admin_user_id,
        },
    }


def setting_names() -> Iterator[str]:
    """Yield every name that `--set` knows, parts of parts with a dot."""
    for name in Connection.model_fields:
        if part := _PARTS.get(name):
            yield from (f"{name}.{inner}" for inner in part.model_fields)
        else:
            yield name


def read_setting(text: str) -> tuple[str, str]:
    """Read `NAME=VALUE`; a part of `sftp` or `viva` may be given without that prefix.

    Raises:
        UsageError: it has another shape, or there is no such setting.
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--set {text}: it should be NAME=VALUE.")
    known = list(setting_names())
    by_short_name = {full.rpartition(".")[2]: full for full in known}
    name = name.strip()
    if name in known:
        return name, value
    if name in by_short_name:
        return by_short_name[name], value
    close = get_close_matches(name.rpartition(".")[2], by_short_name, n=3, cutoff=0.5)
    hint = f" Did you mean {' or '.join(by_short_name[each] for each in close)}?" if close else ""
    raise UsageError(f"--set {text}: there is no setting {name!r}.{hint} All of them: {', '.join(known)}.")


def change(document: Mapping[str, Any], settings: Iterable[tuple[str, str]]) -> Connection:
    """Return the connection with the settings changed, one after the other.

    Raises:
        UsageError: a value is not one that the setting takes.
    """
    connection = Connection.model_validate(document)
    for name, text in settings:
        connection = _change(connection, name, text)
    return connection


def _change(connection: Connection, name: str, text: str) -> Connection:
    """Take the value as JSON if it is some and fits, else as text, else as a list of texts."""
    complaint = ""
    for value in _readings(text):
        try:
            return Connection.model_validate(_with(connection.model_dump(), name.split("."), value))
        except ValidationError as error:
            complaint = complaint or "; ".join(each["msg"] for each in error.errors())
    raise UsageError(f"--set {name}={text}: {complaint}.")


def _readings(text: str) -> Iterator[object]:
    with suppress(ValueError):
        yield json.loads(text)
    yield text
    yield [part.strip() for part in text.split(",")]


def _with(document: dict[str, Any], path: list[str], value: object) -> dict[str, Any]:
    name, *rest = path
    return document | {name: _with(document[name], rest, value) if rest else value}
