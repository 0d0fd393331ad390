"""The doctor at the vault: secrets, pepper, keys that open, and what expires."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from shared.domain.errors import Code
from shared.pipeline import journal
from shared.pipeline.doctor import Result
from shared.pipeline.doctor.keys import check_versions
from shared.pipeline.key_expiry import list_expiring
from tests.adapters.openpgp import Workshop
from tests.clinic import Clinic, pgp_pair, ssh_pair
from tests.desk import NAME


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    with TemporaryDirectory(prefix="gpg-tests-") as folder, Workshop(Path(folder)) as workshop:
        yield workshop


@pytest.mark.parametrize("name", ["sftp-login", "pgp-private-key", "pgp-passphrase", "pepper"])
def test_a_missing_secret_is_named(clinic: Clinic, name: str) -> None:
    clinic.vault.lose(name)

    check = clinic.checks()["vault access"]

    assert check.result is Result.FAILED
    assert name in check.found
    assert check.code is Code.SECRET_MISSING
    assert check.mend


def test_all_missing_secrets_are_named_at_once(clinic: Clinic) -> None:
    clinic.vault.lose("sftp-login")
    clinic.vault.lose("pgp-passphrase")

    found = clinic.checks()["vault access"].found

    assert "sftp-login" in found
    assert "pgp-passphrase" in found


def test_a_pepper_that_is_none_fails(clinic: Clinic) -> None:
    clinic.vault.put("pepper", "too short")

    check = clinic.checks()["pepper"]

    assert check.result is Result.FAILED
    assert "hex" in check.found
    assert "too short" not in check.found


def test_a_pepper_that_was_replaced_fails(clinic: Clinic) -> None:
    """People were hashed under another version, which nobody may read any more."""
    journal.get_pepper(clinic.desk.parts, NAME)
    clinic.vault.add_version("pepper", "6b" * 32)
    assert clinic.checks()["pepper"].result is Result.PASSED
    clinic.vault.disabled.add("pepper-1")

    check = clinic.checks()["pepper"]

    assert (check.result, check.code) == (Result.FAILED, Code.SECRET_MISSING)


def test_looking_settles_nothing_about_the_pepper(clinic: Clinic) -> None:
    clinic.checks()

    assert journal.get_state(clinic.desk.parts, NAME).pepper_version is None


@pytest.mark.parametrize(
    ("key", "passphrase", "told"),
    [
        (lambda: pgp_pair().private, "another", "No enabled passphrase unlocks"),
        (lambda: pgp_pair().public, "another", "public half"),
        (lambda: ssh_pair().private, "another", "SSH or TLS key"),
        (lambda: pgp_pair().private[:400], "another", "no END line"),
    ],
    ids=["passphrase", "public", "ssh", "cut"],
)
def test_a_pair_that_opens_nothing_fails(clinic: Clinic, key: Callable[[], str], passphrase: str, told: str) -> None:
    clinic.vault.put("pgp-private-key", key())
    clinic.vault.put("pgp-passphrase", passphrase)

    check = clinic.checks()["PGP pair"]

    assert check.result is Result.FAILED
    assert told in check.found
    assert "lms keys check" in check.mend


def test_an_old_version_that_cannot_be_read_fails_too(clinic: Clinic) -> None:
    """It keeps every package from being opened."""
    clinic.vault.put("pgp-private-key", "opensesame")
    clinic.vault.add_version("pgp-private-key", pgp_pair().private)

    check = clinic.checks()["PGP pair"]

    assert check.result is Result.FAILED
    assert "pgp-private-key-1" in check.found
    assert "opensesame" not in check.found


def test_a_locked_key_without_a_named_passphrase_says_which_setting(clinic: Clinic) -> None:
    clinic.desk.set(pgp_passphrase_secret=None)

    assert "pgp_passphrase_secret" in clinic.checks()["PGP pair"].found


def test_a_key_as_microsofts_tool_makes_them_passes_with_a_remark(clinic: Clinic, workshop: Workshop) -> None:
    """RSA, one primary key that encrypts, certified with SHA-1 only."""
    made = workshop.key("viva", kind="rsa3072 sign,cert,encr", options=["--cert-digest-algo", "SHA1"])
    clinic.vault.put("pgp-private-key", made.secret)

    (version,) = check_versions(clinic.desk.parts, journal.get_connection(clinic.desk.parts, NAME))

    assert version.problems == ()
    assert [key.key_id for key in version.keys] == [made.encrypts]
    assert any("SHA-1" in remark for remark in version.remarks)
    assert any("primary key" in remark for remark in version.remarks)
    assert clinic.checks()["PGP pair"].result is Result.PASSED


def test_a_key_that_only_signs_is_good_for_nothing(clinic: Clinic, workshop: Workshop) -> None:
    clinic.vault.put("pgp-private-key", workshop.key("signs", kind="ed25519 sign").secret)

    assert "meant for encryption" in clinic.checks()["PGP pair"].found


@pytest.mark.parametrize(
    ("days", "result"),
    [(31, Result.PASSED), (29, Result.WARNED), (6, Result.WARNED), (0.5, Result.WARNED), (-1, Result.FAILED)],
)
def test_a_version_that_expires_is_told_in_time(clinic: Clinic, days: float, result: Result) -> None:
    clinic.vault.put("sftp-login", ssh_pair().private, expires_at=clinic.desk.now + timedelta(days=days))

    check = clinic.checks()["key expiry"]

    assert check.result is result
    assert "sftp-login" in check.found
    assert check.mend or result is Result.PASSED


def test_the_keys_own_expiry_counts_and_an_expired_key_still_opens(clinic: Clinic, workshop: Workshop) -> None:
    """A sender may refuse it; what was sealed before is no less ours."""
    name = "ending@example.com"
    workshop.run("--passphrase", "", "--quick-generate-key", name, "rsa3072", "cert", "20d")
    fingerprint = workshop.run("--with-colons", "-k", name).decode().split("fpr:::::::::")[1][:40]
    workshop.run("--passphrase", "", "--quick-add-key", fingerprint, "rsa3072", "encr", "5d")
    secret = workshop.run("--passphrase", "", "--armor", "--export-secret-keys", name).decode()
    clinic.vault.put("pgp-private-key", secret)

    soon = clinic.checks()
    clinic.desk.now += timedelta(days=6)
    later = clinic.checks()

    assert soon["key expiry"].result is Result.WARNED
    assert "The OpenPGP key" in soon["key expiry"].found
    assert later["key expiry"].result is Result.FAILED
    assert later["PGP pair"].result is Result.PASSED


def test_a_key_that_was_replaced_may_expire(clinic: Clinic) -> None:
    """Rotating is what one is told to do; it must silence the warning."""
    clinic.vault.put("pgp-private-key", pgp_pair().private, expires_at=clinic.desk.now + timedelta(days=1))
    connection = journal.get_connection(clinic.desk.parts, NAME)
    assert list_expiring(clinic.desk.parts, connection)
    clinic.vault.add_version("pgp-private-key", pgp_pair().private)

    assert list_expiring(clinic.desk.parts, connection) == []
