"""Keys that are made here work everywhere: in GnuPG, in Sequoia, at an SFTP server."""

import io
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import asyncssh
import pytest

from shared.adapters.key_maker import KeyMaker
from shared.domain.errors import Code, SettingsError
from shared.domain.pasted_key import armor_body
from shared.ports import KeyPair, PackageOpener
from tests.adapters.openpgp import Workshop, as_secret
from tests.adapters.provider import Provider

OWNER = "Acme Learning <learning@acme.example>"
PASSPHRASE = "a passphrase with ümlauts"  # noqa: S105 - of a key that lives for these tests


@pytest.fixture(scope="module")
def keys() -> KeyMaker:
    return KeyMaker()


@pytest.fixture(scope="module")
def made(keys: KeyMaker) -> KeyPair:
    return keys.make_openpgp(OWNER, PASSPHRASE)


@pytest.fixture(scope="module")
def sender() -> Iterator[Workshop]:
    """Somebody who has the public half alone."""
    with tempfile.TemporaryDirectory(prefix="gpg-tests-") as folder, Workshop(Path(folder)) as workshop:
        yield workshop


def test_a_new_pair_is_rsa_with_one_subkey_for_encryption(keys: KeyMaker, made: KeyPair) -> None:
    """Some senders seal for whichever key comes last: there is no other one."""
    primary, subkey = keys.read_openpgp(as_secret(made.private), [as_secret(PASSPHRASE)])

    assert (primary.is_primary, primary.encrypts, primary.kind) == (True, False, "RSA 3072")
    assert (subkey.is_primary, subkey.encrypts, subkey.kind) == (False, True, "RSA 3072")
    assert subkey.key_id == made.key_id
    assert {primary.expires_at, subkey.expires_at} == {None}
    assert not primary.is_weakly_signed
    assert primary.is_unlocked
    assert subkey.is_unlocked


def test_the_private_half_is_locked_and_unseen(keys: KeyMaker, made: KeyPair) -> None:
    for passphrases in ([], [as_secret("another")]):
        assert not any(key.is_unlocked for key in keys.read_openpgp(as_secret(made.private), passphrases))
    assert armor_body(made.private)[0] not in repr(made)
    assert "PRIVATE" not in made.public


def test_what_a_sender_seals_for_the_public_half_opens(made: KeyPair, sender: Workshop, opener: PackageOpener) -> None:
    sender.run("--import", given=made.public.encode())
    sealed = sender.run("--recipient", "learning@acme.example", "--encrypt", given=b"rows")

    with opener.open(
        io.BytesIO(sealed), [as_secret(made.private)], [as_secret(PASSPHRASE)], require_signature=False
    ) as package:
        assert b"".join(package.chunks()) == b"rows"
        assert package.seal.key_id == made.key_id


def test_a_trial_opens_for_every_key_of_the_pair(keys: KeyMaker, made: KeyPair, opener: PackageOpener) -> None:
    """A sender who ignores what keys are for may seal for the primary one."""
    secret = as_secret(made.private)
    for key in keys.read_openpgp(secret, []):
        sealed = keys.seal(secret, key.key_id, b"trial")
        with opener.open(io.BytesIO(sealed), [secret], [as_secret(PASSPHRASE)], require_signature=False) as package:
            assert b"".join(package.chunks()) == b"trial"
            assert package.seal.key_id == key.key_id


def test_the_keys_of_others_are_read_as_they_are(keys: KeyMaker, provider: Provider) -> None:
    (old,) = keys.read_openpgp(as_secret(provider.old.secret), [as_secret("old horse")])
    new = keys.read_openpgp(as_secret(provider.new.secret), [])

    assert (old.key_id, old.is_primary, old.encrypts, old.rsa_bits) == (provider.old.encrypts, True, True, 2048)
    assert old.is_weakly_signed
    assert old.is_unlocked
    assert [key.key_id for key in new if key.encrypts] == [provider.new.encrypts]
    assert not any(key.is_weakly_signed for key in new)


def test_an_expiry_is_that_of_the_key_or_of_its_primary_key(keys: KeyMaker, sender: Workshop) -> None:
    sender.run("--passphrase", "", "--quick-generate-key", "ending@example.com", "ed25519", "cert", "10d")
    listed = sender.run("--with-colons", "-k", "ending@example.com").decode().splitlines()
    fingerprint = next(line.split(":")[9] for line in listed if line.startswith("fpr"))
    sender.run("--passphrase", "", "--quick-add-key", fingerprint, "cv25519", "encr", "3d")
    sender.run("--passphrase", "", "--quick-add-key", fingerprint, "cv25519", "encr", "never")
    secret = as_secret(sender.run("--passphrase", "", "--armor", "--export-secret-keys", fingerprint).decode())

    lives = [key.expires_at and key.expires_at - key.created_at for key in keys.read_openpgp(secret, [])]

    assert [life and round(life / timedelta(days=1)) for life in lives] == [10, 3, 10]


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_a_new_ssh_pair_is_what_servers_and_we_take(keys: KeyMaker, kind: str) -> None:
    pair = keys.make_ssh("rsa" if kind == "rsa" else "ed25519")
    read = keys.read_ssh(as_secret(pair.private))

    assert (read.public, read.fingerprint) == (pair.public, pair.key_id)
    assert asyncssh.import_public_key(pair.public).get_algorithm() == f"ssh-{kind}"
    assert pair.private.splitlines()[1] not in repr(pair)


def test_a_secret_that_is_no_key_says_what_it_looks_like(keys: KeyMaker, provider: Provider) -> None:
    whole = provider.new.secret
    for text, told in (
        ("opensesame", "too short for a key"),
        (provider.new.public, "public half"),
        (whole[: len(whole) // 2], "no END line"),
        (whole.replace("\n", "", 12)[:-200] + whole[-60:], "cut off|checksum|no key"),
    ):
        with pytest.raises(SettingsError, match=told) as refused:
            keys.read_openpgp(as_secret(text, "v7"), [])
        assert "v7" in str(refused.value)
        assert "opensesame" not in str(refused.value)
        assert refused.value.code is Code.SETTINGS_INVALID
    with pytest.raises(SettingsError, match="no SSH private key"):
        keys.read_ssh(as_secret(whole))
