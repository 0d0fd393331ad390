"""Doors that do not open: logins, secrets, folders and keys. Each is named, and opens again once it is mended."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import BinaryIO

import pytest

from shared.domain.connection import Connection
from shared.domain.errors import Code, ConnectorError, PackageError, SettingsError, TransientError
from shared.ports import OpenedPackage, RemoteFolder, Secret
from tests.bad_input.conftest import Tenant, assert_told
from tests.company import ADA, PUBLISHED, plan, rows
from tests.desk import START, DeskOpener, DeskSecrets

MORE = {"PA_STUD_CPNT": [*rows()["PA_STUD_CPNT"], plan(ADA, 5)]}


def assert_recovers(tenant: Tenant) -> None:
    assert_told(tenant.desk.sync(), "done", None)
    assert tenant.shown()["learningAssignment"] == PUBLISHED["learningAssignment"] + 1


@pytest.mark.parametrize(
    "error",
    [
        SettingsError("The login was refused. Correct sftp.user, or the secret.", Code.INVALID_CREDENTIALS),
        SettingsError("There is no folder x. Correct sftp.folder.", Code.FOLDER_NOT_FOUND),
        SettingsError("No right to list the folder. Have it granted.", Code.ACCESS_DENIED),
        SettingsError("Another host key. Ask the provider.", Code.HOST_KEY_CHANGED),
        TransientError("Cannot be reached. Check sftp.host and the allow list.", Code.SERVER_UNREACHABLE),
    ],
    ids=lambda error: str(error.code.value),
)
def test_a_server_that_refuses_is_asked_once_and_named(tenant: Tenant, error: ConnectorError) -> None:
    """No storm of logins: accounts get locked by those. Nothing is said of the packages that nobody could see."""
    tenant.full(2, **MORE)
    attempts = []

    @contextmanager
    def refuse(connection: Connection, secret: Secret) -> Iterator[RemoteFolder]:
        attempts.append((connection, secret))
        raise error
        yield

    tenant.desk.folder.open = refuse  # type: ignore[method-assign]  # a server that refuses
    with tenant.nothing_changes():
        sync = tenant.desk.sync()

    assert_told(sync, "failed", error.code, str(error))
    assert len(attempts) == 1


@pytest.mark.parametrize("name", ["sftp-login", "pgp-private-key", "pepper"])
def test_a_missing_secret_is_named(tenant: Tenant, name: str) -> None:
    tenant.full(2, **MORE)
    del tenant.desk.secrets.values[name]

    with tenant.nothing_changes():
        sync = tenant.desk.sync()

    assert sync.outcome == "failed"
    assert name in sync.message


def test_nothing_is_lost_while_secrets_are_missing(tenant: Tenant) -> None:
    """The package stays as it came, whether it was fetched or not."""
    tenant.full(2, **MORE)
    values, tenant.desk.secrets.values = tenant.desk.secrets.values, {}
    for name in ("sftp-login", "pgp-private-key", "pepper"):
        assert tenant.desk.sync().outcome == "failed"
        tenant.desk.secrets.values[name] = values[name]

    assert_recovers(tenant)


def test_a_pepper_that_is_none_is_refused_before_anything_is_read(tenant: Tenant) -> None:
    """With a wrong pepper nobody would be recognised, and everything would be published anew."""
    tenant.full(2, **MORE)
    tenant.desk.secrets.values["pepper"] = "too short"

    with tenant.nothing_changes():
        sync = tenant.desk.sync()

    assert_told(sync, "failed", Code.SETTINGS_INVALID, "pepper")
    assert "too short" not in sync.message


class Rotating(DeskSecrets):
    """The vault while keys change: the OpenPGP secret has as many versions as somebody has added."""

    key_versions = 1

    def list_versions(self, name: str) -> Sequence[Secret]:
        if name != "pgp-private-key":
            return super().list_versions(name)
        return [Secret(str(number), f"key {number}", START) for number in range(self.key_versions, 0, -1)]


class SecondKeyOpener(DeskOpener):
    """Opens only with the key that comes second."""

    @contextmanager
    def open(
        self, sealed: BinaryIO, keys: Sequence[Secret], passphrases: Sequence[Secret], *, require_signature: bool
    ) -> Iterator[OpenedPackage]:
        if "2" not in {key.version for key in keys}:
            raise PackageError(
                "No key opens it; it was sealed for 0123456789ABCDEF. Add that key.", Code.NO_MATCHING_KEY
            )
        with super().open(sealed, keys, passphrases, require_signature=require_signature) as opened:
            yield opened


def test_a_package_for_another_key_is_tried_again_when_a_key_is_added(tenant: Tenant) -> None:
    """And not before: every day the same refusal would bury the one that matters."""
    secrets = Rotating()
    tenant.desk.parts = replace(tenant.desk.parts, secrets=secrets, opener=SecondKeyOpener())
    tenant.full(2, **MORE)

    with tenant.nothing_changes():
        refused = tenant.desk.sync()
        nothing_new = tenant.desk.sync()
    secrets.key_versions = 2

    assert_told(refused, "rejected", Code.NO_MATCHING_KEY, "0123456789ABCDEF", "Add that key")
    assert_told(nothing_new, "done", None)
    assert nothing_new.runs == []
    assert_recovers(tenant)


def test_wrong_settings_are_all_named_and_touch_nothing(tenant: Tenant) -> None:
    tenant.full(2, **MORE)
    tenant.desk.set(source_time_zone="Mars/Olympus", on_gap="maybe", no_such_setting=1)

    with tenant.nothing_changes():
        sync = tenant.desk.sync()

    assert (sync.outcome, sync.code) == ("failed", "CONN_ERROR_SETTINGS_INVALID")
    for name in ("on_gap", "no_such_setting"):
        assert name in sync.message


def test_settings_that_go_wrong_between_two_steps_end_the_look(tenant: Tenant) -> None:
    """An admin saves a typing error while a package is fetched; the message must not go round for ever."""
    tenant.full(2, **MORE)
    sent = tenant.desk.messages.send

    def send(queue: str, body: str, *, delay_seconds: float = 0) -> None:
        sent(queue, body, delay_seconds=delay_seconds)
        if '"process"' in body:
            tenant.desk.set(on_gap="maybe")

    tenant.desk.messages.send = send  # type: ignore[method-assign]  # somebody edits just then
    with tenant.nothing_changes():
        sync = tenant.desk.sync()
    tenant.desk.messages.send = sent  # type: ignore[method-assign]  # and corrects it
    tenant.desk.set(on_gap="stop")

    assert (sync.outcome, sync.code) == ("failed", "CONN_ERROR_SETTINGS_INVALID")
    assert_recovers(tenant)
