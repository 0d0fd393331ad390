"""What `sync` is given: the settings of a connection, keys and their passphrases."""

from pathlib import Path

import pytest

from infra.local.connection import change, first_connection, read_setting, setting_names
from infra.local.given import Given
from infra.local.usage import UsageError
from shared.domain.connection import Connection

SFTP = {"host": "127.0.0.1", "port": 2222, "user": "provider", "host_key": "ssh-ed25519 AAAA"}
NEW = first_connection(provider_id="provider", licence_service_plan_id="plan") | {"sftp": SFTP}


def changed(*texts: str) -> Connection:
    return change(NEW, [read_setting(text) for text in texts])


def test_a_new_tenant_is_ready_to_sync() -> None:
    connection = changed()

    assert (connection.enabled, connection.learner_sync) == (True, True)
    assert connection.pgp_passphrase_secret is None


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("coverage_minimum_percent=80", "coverage_minimum_percent", 80),
        ("learner_sync=false", "learner_sync", False),
        ("mass_change_count=null", "mass_change_count", None),
        ("locale=German", "locale", "German"),
        ('require_fields=["PA_CPNT.CPNT_TITLE"]', "require_fields", ("PA_CPNT.CPNT_TITLE",)),
        ("require_fields=PA_CPNT.CPNT_TITLE, A.B", "require_fields", ("PA_CPNT.CPNT_TITLE", "A.B")),
        ("sftp.folder=/out=put", "sftp.folder", "/out=put"),
        ("folder=/out", "sftp.folder", "/out"),
        ("batch=false", "viva.batch", False),
        ("company_id=4711", "viva.company_id", "4711"),
        ("configuration_id=true", "configuration_id", "true"),
    ],
)
def test_a_value_is_json_where_that_fits_and_text_elsewhere(text: str, name: str, value: object) -> None:
    found: object = changed(text)
    for part in name.split("."):
        found = getattr(found, part)

    assert found == value


def test_every_field_of_a_connection_has_a_name() -> None:
    assert {name.partition(".")[0] for name in setting_names()} == set(Connection.model_fields)


def test_short_names_are_not_ambiguous() -> None:
    """`--set host=...` must not mean two things one day."""
    short = [name.rpartition(".")[2] for name in setting_names()]

    assert len(short) == len(set(short))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("coverage_minimum=80", "Did you mean coverage_minimum_percent"),
        ("xyzzy=1", "there is no setting 'xyzzy'. All of them: enabled"),
        ("learner_sync", "it should be NAME=VALUE"),
        ("coverage_minimum_percent=much", "valid number"),
        ("coverage_minimum_percent=101", "less than or equal to 100"),
        ("source_time_zone=Mars/Olympus", "no IANA time zone"),
    ],
)
def test_what_is_no_setting_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        changed(text)


def test_passphrases_are_one_for_all_or_one_for_each(tmp_path: Path) -> None:
    file = tmp_path / "text"
    file.write_text("word\r\n")

    def given(keys: int, passphrases: int) -> Given:
        return Given.read(
            sftp=None,
            private_key_files=[file] * keys,
            passphrase_files=[file] * passphrases,
            directory=None,
            settings=[],
        )

    assert given(3, 1).passphrases == ("word",)
    assert len(given(3, 3).passphrases) == 3
    with pytest.raises(UsageError, match="3 private keys and 2 passphrase files"):
        given(3, 2)
