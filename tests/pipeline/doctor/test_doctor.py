"""The doctor over a connection in good health: every check passes, says a sentence, and leaves nothing behind."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.errors import Code, SettingsError, TransientError
from shared.pipeline.doctor import Check, Result, examine
from shared.ports import Secret
from tests.clinic import Clinic, Vault, pgp_pair
from tests.company import betrays
from tests.desk import NAME
from tests.fakes import MemoryBlobs, MemoryTable

WANTED = {
    *("SFTP server", "SFTP login", "host key", "folder rights", "file names", "PGP pair", "key expiry"),
    *("vault access", "pepper", "blob storage", "table storage", "queue storage", "messages put aside"),
    *("Graph access", "Graph roles", "provider", "licence plan", "clock", "directory coverage"),
    *("connection", "schedule", "last look", "open run", "packages"),
}


@pytest.fixture(scope="module")
def found(healthy: Clinic) -> dict[str, Check]:
    return healthy.checks()


def test_all_that_was_asked_for_is_checked(found: dict[str, Check]) -> None:
    assert set(found) == WANTED


@pytest.mark.parametrize("name", sorted(WANTED))
def test_a_healthy_connection_passes(found: dict[str, Check], name: str) -> None:
    check = found[name]

    assert check.result is Result.PASSED, check
    assert check.found.endswith(".")
    assert betrays(check.model_dump_json()) == []


def test_nothing_is_changed(healthy: Clinic) -> None:
    """What the storage checks write is gone again, and the app has nothing to do."""
    parts = healthy.desk.parts
    assert isinstance(parts.reports, MemoryBlobs)
    assert isinstance(parts.ledger, MemoryTable)
    before = (dict(parts.reports.content), {name: dict(rows) for name, rows in parts.ledger.rows.items()})
    healthy.graph.reset_counters()

    healthy.checks()

    assert (parts.reports.content, parts.ledger.rows) == before
    assert healthy.desk.messages.sent == []
    assert healthy.graph.counters().writes == 0


def test_a_person_sees_by_the_last_run_what_the_app_may(healthy: Clinic) -> None:
    """A person's token says nothing about the app's roles."""
    healthy.be_person()
    found = healthy.checks()
    healthy.be_app()

    assert found["Graph roles"].result is Result.PASSED
    assert "run" in found["Graph roles"].found
    assert found["provider"].result is Result.PASSED
    assert "sync is on" in found["provider"].found
    assert found["licence plan"].found == "The tenant has the service plans that learners need."


def test_a_person_without_rights_sees_the_provider_by_the_last_run(healthy: Clinic) -> None:
    healthy.be_person("User.Read.All")
    found = healthy.checks()
    healthy.be_app()

    assert found["provider"].result is Result.PASSED
    assert "published with it" in found["provider"].found
    assert "first 2 users" in found["licence plan"].found


def test_the_index_of_the_app_is_counted_when_there_is_one(healthy: Clinic) -> None:
    healthy.graph.reset_counters()
    found = healthy.checks()

    assert "as the app saw them" in found["directory coverage"].found
    assert "2 of 2" in found["directory coverage"].found
    assert healthy.graph.counters().reads.get("delta", 0) == 0


def test_one_failure_stops_no_other_check(healthy: Clinic) -> None:
    """Everything breaks at once; every check still says its own sentence."""
    healthy.lock_out(TransientError("The SFTP server is gone.", Code.SERVER_UNREACHABLE))
    parts, healthy.desk.parts = healthy.desk.parts, replace(healthy.desk.parts, secrets=_NoVault(healthy.desk.now))
    found = healthy.checks()
    healthy.desk.parts = parts
    healthy.let_in()

    assert set(found) == WANTED
    assert found["vault access"].result is Result.FAILED
    assert found["PGP pair"].result is Result.FAILED
    assert found["provider"].result is Result.PASSED
    assert found["packages"].result is Result.PASSED
    for check in found.values():
        assert check.found.endswith("."), check
        assert check.mend or check.result is not Result.FAILED, check


class _NoVault(Vault):
    """One that refuses whatever is asked for."""

    def list_versions(self, name: str) -> Sequence[Secret]:
        raise SettingsError(f"Reading {name!r}: the vault refused us.", Code.VAULT_UNREACHABLE)


def test_a_stale_package_and_a_late_look_are_told(healthy: Clinic) -> None:
    now = healthy.desk.now
    healthy.desk.now = now + timedelta(hours=36)
    warned = healthy.checks()
    healthy.desk.now = now + timedelta(hours=72)
    failed = healthy.checks()
    unreadable = healthy.checks(schedule="%COLLECT_SCHEDULE%")
    healthy.desk.now = now

    assert warned["packages"].result is Result.WARNED
    assert failed["packages"].result is Result.FAILED
    assert failed["packages"].code is Code.DELTA_PACKAGE_NOT_FOUND
    assert failed["schedule"].result is Result.FAILED
    assert "was due" in failed["schedule"].found
    assert unreadable["schedule"].code is Code.SETTINGS_INVALID


def test_a_clock_that_is_off_is_told(healthy: Clinic) -> None:
    """Tokens and times of files are worth nothing then."""
    now = healthy.desk.now
    results = []
    for off in (timedelta(seconds=90), timedelta(minutes=10), -timedelta(minutes=10)):
        healthy.desk.now = now + off
        results.append(healthy.checks()["clock"].result)
    healthy.desk.now = now

    assert results == [Result.WARNED, Result.FAILED, Result.FAILED]


def test_a_tenant_without_a_connection_says_so(healthy: Clinic) -> None:
    last = list(examine(healthy.desk.parts, []))[-1]

    assert (last.name, last.result) == ("connection", Result.FAILED)


def test_the_keys_of_the_pair_are_named(found: dict[str, Check]) -> None:
    assert pgp_pair().key_id in found["PGP pair"].found
    assert found["PGP pair"].connection == NAME
