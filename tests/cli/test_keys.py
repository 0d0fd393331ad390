"""`lms keys` as an admin uses it: new pairs go into the vault and only their public halves are seen."""

from datetime import timedelta

import pytest

from shared.domain.runs import Outcome, Step
from shared.pipeline import journal
from shared.ports import KeyPair
from tests.cli.conftest import Lms
from tests.clinic import Clinic, pgp_pair, ssh_pair
from tests.desk import NAME, Desk
from tests.pipeline.doctor.test_doctor_graph import end_run

OWNER = "Acme Learning <learning@acme.example>"


@pytest.fixture
def desk(clinic: Clinic) -> Desk:
    """What `lms` works on."""
    return clinic.desk


@pytest.mark.slow
def test_a_new_pgp_pair_is_in_the_vault_and_the_lines_are_printed(clinic: Clinic, lms: Lms) -> None:
    """The one that takes seconds: for real, from the key to the check that opens a trial with it."""
    made = lms("keys", "generate", "pgp", "--owner", OWNER, "--yes", "--json")

    assert made.status == 0
    newest = clinic.vault.get("pgp-private-key")
    assert made.json["version"] == newest.version
    assert newest.expires_at == clinic.desk.now + timedelta(days=730)
    assert len(clinic.vault.list_versions("pgp-passphrase")) == 2
    assert [line.partition("=")[0] for line in made.json["partner_extract"]] == [
        "defaultJob.email",
        "partners1.partnerID",
        "partners1.encryptionKey",
        "partners1.keyOwner",
        "partners1.enabled",
    ]
    assert f"partners1.keyOwner={OWNER}" in made.json["partner_extract"]
    assert "defaultJob.email=learning@acme.example" in made.json["partner_extract"]
    assert "PRIVATE" not in made.output
    assert clinic.vault.get("pgp-passphrase").value not in made.output
    checked = lms("keys", "check", "--json")
    assert checked.status == 0
    assert checked.json[0]["problems"] == []
    assert made.json["key_id"] in {key["key_id"] for key in checked.json[0]["keys"]}


@pytest.fixture
def quick(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> KeyPair:
    """Pairs of OpenPGP keys come ready-made."""
    pair = pgp_pair()
    monkeypatch.setattr(type(clinic.desk.parts.keys), "make_openpgp", lambda *_: pair)
    return pair


def test_the_lines_are_printed_for_copying(quick: KeyPair, lms: Lms) -> None:
    """Each in one piece, whatever the width of the terminal."""
    answer = lms(
        *("keys", "generate", "pgp", "--owner", OWNER, "--partner-id", "MVL", "--slot", "3"),
        *("--email", "ops@acme.example", "--yes"),
    )

    (key,) = [line for line in answer.output.splitlines() if line.startswith("partners3.encryptionKey=")]
    assert len(key) > 200
    assert quick.public in answer.output
    assert "partners3.partnerID=MVL" in answer.output.splitlines()
    assert "defaultJob.email=ops@acme.example" in answer.output.splitlines()
    assert "connector.ftp.server" in answer.output
    assert quick.private not in answer.output


def test_nothing_is_made_unless_it_is_wanted(clinic: Clinic, quick: KeyPair, lms: Lms) -> None:
    assert quick.public
    answer = lms("keys", "generate", "pgp", "--owner", OWNER, given="n\n")

    assert answer.status == 1
    assert "pgp-private-key" in answer.errors
    assert len(clinic.vault.list_versions("pgp-private-key")) == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--owner", "nobody"), "Name <address>"),
        (("--owner", OWNER, "--partner-id", "ELEVENCHARS"), "1 to 10 characters"),
    ],
)
def test_what_successfactors_would_refuse_is_refused_first(
    clinic: Clinic, lms: Lms, arguments: tuple[str, ...], told: str
) -> None:
    answer = lms("keys", "generate", "pgp", *arguments, "--yes")

    assert answer.status == 1
    assert told in answer.errors
    assert len(clinic.vault.list_versions("pgp-private-key")) == 1


def test_without_a_named_passphrase_none_is_made(clinic: Clinic, quick: KeyPair, lms: Lms) -> None:
    clinic.desk.set(pgp_passphrase_secret=None)

    assert lms("keys", "generate", "pgp", "--owner", OWNER, "--expires-in-days", "0", "--yes").status == 0
    assert clinic.vault.get("pgp-private-key").value == quick.private
    assert clinic.vault.get("pgp-private-key").expires_at is None
    assert len(clinic.vault.list_versions("pgp-passphrase")) == 1


def test_a_first_ssh_pair_is_used_at_once(clinic: Clinic, lms: Lms) -> None:
    clinic.vault.lose("sftp-login")

    made = lms("keys", "generate", "ssh", "--yes", "--json").json

    key = clinic.desk.parts.keys.read_ssh(clinic.vault.get("sftp-login"))
    assert made["enabled"] is True
    assert (made["public_key"], made["fingerprint"]) == (key.public, key.fingerprint)


def test_a_further_ssh_pair_waits_until_the_server_knows_it(clinic: Clinic, lms: Lms) -> None:
    """Enabled at once, it would be used for logins that the server refuses."""
    answer = lms("keys", "generate", "ssh", "--rsa", "--yes")
    assert clinic.vault.get("sftp-login").value == ssh_pair().private
    assert "ssh-rsa " in answer.output
    assert "PRIVATE KEY" not in answer.output
    (version,) = [line.split()[-1] for line in answer.output.splitlines() if "lms keys enable" in line]

    assert lms("keys", "enable", version, "--yes").status == 0

    assert clinic.vault.get("sftp-login").version == version


def test_a_password_is_not_replaced_by_a_key(clinic: Clinic, lms: Lms) -> None:
    """The newest version would be sent as the password."""
    clinic.set("sftp", login="password")

    answer = lms("keys", "generate", "ssh", "--yes")

    assert answer.status == 1
    assert "sftp.login" in answer.errors
    assert len(clinic.vault.list_versions("sftp-login")) == 1


def test_check_says_which_version_is_no_good(clinic: Clinic, lms: Lms) -> None:
    clinic.vault.add_version("pgp-private-key", pgp_pair().public)
    clinic.vault.put("sftp-login", "opensesame", expires_at=clinic.desk.now + timedelta(days=3))

    answer = lms("keys", "check")
    found = lms("keys", "check", "--json").json

    assert answer.status == 1
    assert [bool(version["problems"]) for version in found] == [True, False, True]
    assert "public half" in answer.output
    assert "no SSH private key" in answer.output
    assert "in 3 days" in answer.output
    assert "opensesame" not in answer.output


def test_check_shows_key_ids_and_the_ssh_keys_public_half(clinic: Clinic, lms: Lms) -> None:
    assert clinic.package
    answer = lms("keys", "check")

    assert answer.status == 0
    assert f"{pgp_pair().key_id}  " in answer.output
    assert ssh_pair().public in answer.output


def test_list_says_when_a_key_opened_a_package_last(clinic: Clinic, lms: Lms) -> None:
    """A version that nothing was sealed for during weeks may be disabled."""
    clinic.vault.put("pgp-private-key", "cannot be read")
    clinic.vault.add_version("pgp-private-key", pgp_pair().private)
    parts = clinic.desk.parts
    end_run(clinic, Outcome.DONE)
    (run,) = journal.list_runs(parts, NAME)
    journal.advance(parts, run, Step.ENDED, key_id=pgp_pair().key_id)

    newest, older = lms("keys", "list", "--json").json
    shown = lms("keys", "list").output

    assert (newest["run_id"], newest["package"]) == (run.run_id, clinic.package)
    assert newest["key_ids"] == [pgp_pair().key_id]
    assert (older["used_at"], older["key_ids"]) == (None, [])
    assert pgp_pair().key_id in shown
    assert "cannot be read" in shown


def test_a_vault_without_the_key_says_so(clinic: Clinic, lms: Lms) -> None:
    clinic.vault.lose("pgp-private-key")

    for command in ("check", "list"):
        answer = lms("keys", command)
        assert answer.status == 1
        assert "CONN_ERROR_SECRET_MISSING" in answer.errors
