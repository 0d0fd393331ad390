"""One contract for whatever opens packages; the packages are GnuPG's, as most senders' are."""

import io
import os
import random
import subprocess
import tempfile
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pysequoia
import pytest

from shared.adapters.gnupg import GnupgOpener
from shared.adapters.openpgp import open_with
from shared.adapters.sequoia import SequoiaOpener
from shared.domain.errors import Code, PackageError, SettingsError, TransientError
from shared.ports import PackageOpener, Seal, Secret
from tests.adapters.openpgp import Key, Workshop, as_secret

CLEAR = random.Random(1).randbytes(2_500_000) + bytes(1_000_000)  # noqa: S311 - the same in every run


@dataclass(frozen=True)
class Provider:
    """Keys, and what was sealed for them."""

    workshop: Workshop
    new: Key
    """Locked, with an encryption subkey."""
    old: Key
    """RSA-2048: one primary key that encrypts, certified with SHA-1, as older connectors made them."""
    bare: Key
    """Without a passphrase."""
    sender: Key
    """Signs."""
    sealed: bytes


@pytest.fixture(scope="session")
def provider() -> Iterator[Provider]:
    with tempfile.TemporaryDirectory(prefix="gpg-tests-") as folder, Workshop(Path(folder)) as workshop:
        new = workshop.key("new", passphrase="new horse")  # noqa: S106 - of a key that lives for these tests
        yield Provider(
            workshop=workshop,
            new=new,
            old=workshop.key(
                "old",
                passphrase="old horse",  # noqa: S106 - the same
                kind="rsa2048 sign,cert,encr",
                options=["--cert-digest-algo", "SHA1"],
            ),
            bare=workshop.key("bare"),
            sender=workshop.key("sender", kind="ed25519 sign"),
            sealed=workshop.seal(CLEAR, new),
        )


@pytest.fixture(params=[GnupgOpener(), SequoiaOpener()], ids=["gnupg", "sequoia"])
def opener(request: pytest.FixtureRequest) -> PackageOpener:
    chosen: PackageOpener = request.param
    return chosen


def open_all(
    opener: PackageOpener, sealed: bytes, *keys: Key, passphrases: list[str] | None = None, signed: bool = False
) -> tuple[bytes, Seal]:
    """Open with the keys, newest first, and their own passphrases unless others are given."""
    given = [key.passphrase for key in keys] if passphrases is None else passphrases
    with opener.open(
        io.BytesIO(sealed), secrets(*keys), [as_secret(value) for value in given], require_signature=signed
    ) as package:
        return b"".join(package.chunks()), package.seal


def secrets(*keys: Key) -> list[Secret]:
    return [as_secret(key.secret, f"version-{key.name}") for key in keys]


def refusal(opener: PackageOpener, sealed: bytes, *keys: Key, signed: bool = False) -> PackageError:
    with pytest.raises(PackageError) as refused:
        open_all(opener, sealed, *keys, signed=signed)
    return refused.value


def test_a_package_opens(opener: PackageOpener, provider: Provider) -> None:
    clear, seal = open_all(opener, provider.sealed, provider.new)

    assert clear == CLEAR
    assert seal == Seal(provider.new.encrypts)


def test_clear_text_comes_in_pieces_of_a_mebibyte(opener: PackageOpener, provider: Provider) -> None:
    with opener.open(
        io.BytesIO(provider.sealed), secrets(provider.new), [as_secret("new horse")], require_signature=False
    ) as package:
        sizes = [len(chunk) for chunk in package.chunks()]

    assert sizes == [2**20, 2**20, 2**20, len(CLEAR) - 3 * 2**20]


@pytest.mark.parametrize(
    "options",
    [["--armor"], ["--compress-algo", "none"], ["--compress-algo", "zlib", "--armor", "--comment", "by: somebody"]],
    ids=" ".join,
)  # fmt: skip
def test_any_common_form_opens(opener: PackageOpener, provider: Provider, options: list[str]) -> None:
    sealed = provider.workshop.seal(CLEAR[:50_000], provider.new, options=options)

    assert open_all(opener, sealed, provider.new)[0] == CLEAR[:50_000]


def test_an_empty_clear_text_is_one(opener: PackageOpener, provider: Provider) -> None:
    assert open_all(opener, provider.workshop.seal(b"", provider.new), provider.new)[0] == b""


def test_a_primary_key_may_be_the_one_that_opens(opener: PackageOpener, provider: Provider) -> None:
    """Its only certificate is SHA-1's, which is good enough for a key of one's own; short keys are worth a word."""
    clear, seal = open_all(opener, provider.workshop.seal(b"rows", provider.old), provider.old)

    assert clear == b"rows"
    assert seal.key_id == provider.old.encrypts
    assert [warning for warning in seal.warnings if "2048" in warning] == list(seal.warnings)
    assert len(seal.warnings) == 1


def test_a_key_needs_no_passphrase(opener: PackageOpener, provider: Provider) -> None:
    sealed = provider.workshop.seal(b"rows", provider.bare)

    assert open_all(opener, sealed, provider.bare, passphrases=[])[0] == b"rows"
    assert open_all(opener, sealed, provider.bare, passphrases=["for another key"])[0] == b"rows"


def test_packages_open_across_a_rotation(opener: PackageOpener, provider: Provider) -> None:
    """The key is found by its id, the passphrase by trying."""
    everything = (provider.new, provider.bare, provider.old)
    of_before = open_all(opener, provider.workshop.seal(b"rows", provider.old), *everything)
    of_now = open_all(opener, provider.workshop.seal(b"rows", provider.new), *everything)

    assert (of_before[0], of_before[1].key_id) == (b"rows", provider.old.encrypts)
    assert (of_now[0], of_now[1].key_id) == (b"rows", provider.new.encrypts)


def test_the_newest_key_that_fits_is_the_one(opener: PackageOpener, provider: Provider) -> None:
    sealed = provider.workshop.seal(b"rows", provider.old, provider.new)

    assert open_all(opener, sealed, provider.new, provider.old)[1].key_id == provider.new.encrypts
    assert open_all(opener, sealed, provider.old, provider.new)[1].key_id == provider.old.encrypts


def test_a_locked_key_does_not_keep_another_from_opening(opener: PackageOpener, provider: Provider) -> None:
    sealed = provider.workshop.seal(b"rows", provider.old, provider.new)

    clear, seal = open_all(opener, sealed, provider.new, provider.old, passphrases=["old horse"])

    assert (clear, seal.key_id) == (b"rows", provider.old.encrypts)


def test_hidden_recipients_are_found_by_trying(opener: PackageOpener, provider: Provider) -> None:
    sealed = provider.workshop.seal(b"rows", provider.new, options=["--throw-keyids"])

    clear, seal = open_all(opener, sealed, provider.bare, provider.old, provider.new)

    assert (clear, seal.key_id) == (b"rows", provider.new.encrypts)
    assert refusal(opener, sealed, provider.old).code is Code.NO_MATCHING_KEY


def test_a_line_break_after_the_passphrase_does_not_matter(opener: PackageOpener, provider: Provider) -> None:
    """Whoever reads a passphrase from a file brings one along."""
    for passphrase in ("new horse\n", "new horse\r\n"):
        assert open_all(opener, provider.sealed, provider.new, passphrases=[passphrase])[0] == CLEAR


def test_the_package_says_for_whom_it_is_sealed(opener: PackageOpener, provider: Provider) -> None:
    sealed = provider.workshop.seal(b"rows", provider.new, provider.bare)

    error = refusal(opener, sealed, provider.old)

    assert error.code is Code.NO_MATCHING_KEY
    assert provider.new.encrypts in str(error)
    assert provider.bare.encrypts in str(error)


def test_a_package_for_a_passphrase_is_for_no_key(opener: PackageOpener, provider: Provider) -> None:
    sealed = provider.workshop.run("--passphrase", "new horse", "--symmetric", given=CLEAR)

    assert refusal(opener, sealed, provider.new).code is Code.NO_MATCHING_KEY


def test_wrong_passphrases_are_said_to_be_wrong(opener: PackageOpener, provider: Provider) -> None:
    for passphrases in (["wrong", "worse"], []):
        with pytest.raises(PackageError) as refused:
            open_all(opener, provider.sealed, provider.new, passphrases=passphrases)

        assert refused.value.code is Code.PASSPHRASE_INVALID
        assert provider.new.encrypts in str(refused.value)


@pytest.mark.parametrize(
    "noise",
    [b"", b"a,b\r\n" * 9999,
     b"PK\x03\x04" + bytes(500), b"\xff" * 100_000, b"\x85", b"-----BEGIN PGP MESSAGE-----\n\n!"],
    ids=len,
)  # fmt: skip
def test_anything_else_is_not_openpgp(opener: PackageOpener, provider: Provider, noise: bytes) -> None:
    assert refusal(opener, noise, provider.new).code in {Code.NOT_OPENPGP, Code.PACKAGE_DAMAGED}


def test_a_key_is_not_a_package(opener: PackageOpener, provider: Provider) -> None:
    assert refusal(opener, provider.new.public.encode(), provider.new).code is Code.NOT_OPENPGP


@pytest.mark.parametrize("at", [1, 60, 500, 70_000, -20, -1])
def test_a_cut_package_never_ends_well(opener: PackageOpener, provider: Provider, at: int) -> None:
    assert refusal(opener, provider.sealed[:at], provider.new).code is Code.PACKAGE_DAMAGED


@pytest.mark.parametrize("at", [40, 70_000, -100, -1])
def test_an_altered_package_never_ends_well(opener: PackageOpener, provider: Provider, at: int) -> None:
    altered = bytearray(provider.sealed)
    altered[at] ^= 1

    assert refusal(opener, bytes(altered), provider.new).code is Code.PACKAGE_DAMAGED


def test_what_follows_a_package_is_never_part_of_it(opener: PackageOpener, provider: Provider) -> None:
    """Sealed by nobody, it could be taken for a part of the first; GnuPG refuses it, Sequoia may pass over it."""
    appended = provider.sealed + provider.workshop.run("--store", given=b"more rows")

    if isinstance(opener, GnupgOpener):
        assert refusal(opener, appended, provider.new).code is Code.PACKAGE_DAMAGED
    else:
        assert open_all(opener, appended, provider.new)[0] == CLEAR


def test_an_old_cipher_is_a_matter_of_the_software(provider: Provider) -> None:
    """Some LMS may still use one; Sequoia would say so after ten years of AES."""
    sealed = provider.workshop.seal(b"rows", provider.new, options=["--cipher-algo", "3DES"])

    assert open_all(GnupgOpener(), sealed, provider.new)[0] == b"rows"
    assert refusal(SequoiaOpener(), sealed, provider.new).code is Code.PACKAGE_UNPROTECTED


def test_a_package_without_integrity_protection_is_refused(opener: PackageOpener, provider: Provider) -> None:
    """Whoever carries it could change it unnoticed."""
    sealed = provider.workshop.seal(CLEAR, provider.old, options=["--rfc2440", "--disable-mdc"])

    assert refusal(opener, sealed, provider.old).code is Code.PACKAGE_UNPROTECTED


def test_a_package_that_is_not_encrypted_is_refused(opener: PackageOpener, provider: Provider) -> None:
    stored = provider.workshop.run("--store", given=CLEAR)
    signed = provider.workshop.run("--local-user", provider.sender.fingerprint, "--sign", given=CLEAR)

    assert refusal(opener, stored, provider.new).code is Code.PACKAGE_UNPROTECTED
    assert refusal(opener, signed, provider.new).code is Code.PACKAGE_UNPROTECTED


def test_a_signature_by_a_known_key_is_good(opener: PackageOpener, provider: Provider) -> None:
    """Uncompressed, for that is all that Sequoia checks."""
    sealed = provider.workshop.seal(b"rows", provider.new, signer=provider.sender, options=["--compress-algo", "none"])
    trusting = as_secret(provider.new.secret + provider.sender.public)

    with opener.open(io.BytesIO(sealed), [trusting], [as_secret("new horse")], require_signature=True) as package:
        clear = b"".join(package.chunks())

    assert (clear, package.seal.warnings) == (b"rows", ())


def test_a_signature_by_an_unknown_key_is_not_the_one_required(opener: PackageOpener, provider: Provider) -> None:
    sealed = provider.workshop.seal(b"rows", provider.new, signer=provider.sender)

    assert open_all(opener, sealed, provider.new)[0] == b"rows"
    error = refusal(opener, sealed, provider.new, signed=True)
    assert error.code is Code.SIGNATURE_INVALID
    assert provider.sender.encrypts in str(error)


def test_a_signature_by_an_unknown_key_is_worth_a_word(provider: Provider) -> None:
    """With GnuPG; Sequoia does not look at signatures nobody asked for."""
    sealed = provider.workshop.seal(b"rows", provider.new, signer=provider.sender)

    assert open_all(GnupgOpener(), sealed, provider.new)[1].warnings == (
        f"signature by unknown key {provider.sender.encrypts}",
    )


def test_a_missing_signature_is_missed_when_required(opener: PackageOpener, provider: Provider) -> None:
    error = refusal(opener, provider.sealed, provider.new, signed=True)

    assert error.code is Code.SIGNATURE_INVALID
    assert "not signed" in str(error)


def test_a_wrong_signature_is_refused(opener: PackageOpener, provider: Provider) -> None:
    """Sealed well, by somebody who took the signature from another text."""
    sender = pysequoia.Tsk.from_bytes(provider.sender.secret.encode())
    signed = pysequoia.sign(sender.signer(), b"the rows", armor=False).replace(b"the rows", b"my rows!")
    sealed = provider.workshop.run(
        "--no-literal", "-z0", "--recipient", provider.new.fingerprint, "--encrypt", given=signed
    )
    trusting = as_secret(provider.new.secret + provider.sender.public)

    with (
        pytest.raises(PackageError) as refused,
        opener.open(io.BytesIO(sealed), [trusting], [as_secret("new horse")], require_signature=True) as package,
    ):
        list(package.chunks())

    assert refused.value.code is Code.SIGNATURE_INVALID


def test_a_key_that_lost_its_lines_opens(opener: PackageOpener, provider: Provider) -> None:
    body = "".join(line for line in provider.new.secret.splitlines() if line and not line.startswith("-"))

    with opener.open(
        io.BytesIO(provider.sealed), [as_secret(body)], [as_secret("new horse")], require_signature=False
    ) as package:
        assert b"".join(package.chunks()) == CLEAR


def test_a_key_that_cannot_be_read_is_named_by_its_version(opener: PackageOpener, provider: Provider) -> None:
    whole = provider.new.secret
    for unreadable in ("opensesame", provider.new.public, "", whole[: len(whole) // 2]):
        with (
            pytest.raises(SettingsError, match="Version v7 ") as refused,
            opener.open(io.BytesIO(provider.sealed), [as_secret(unreadable, "v7")], [], require_signature=False),
        ):
            pass
        assert refused.value.code is Code.SETTINGS_INVALID
        assert "opensesame" not in str(refused.value)


class Breaking(io.BytesIO):
    """A stream whose storage goes away after a while."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() > 1_000_000:
            raise TransientError("storage went away")
        return super().read(size)


def test_a_stream_that_breaks_is_not_the_fault_of_the_package(opener: PackageOpener, provider: Provider) -> None:
    with (
        pytest.raises(TransientError, match="went away"),
        opener.open(
            Breaking(provider.sealed), secrets(provider.new), [as_secret("new horse")], require_signature=False
        ) as package,
    ):
        list(package.chunks())


def test_a_package_may_be_left_half_read(opener: PackageOpener, provider: Provider) -> None:
    sealed = provider.workshop.seal(CLEAR * 10, provider.new, options=["--compress-algo", "none"])

    for read_count in (0, 1):
        with opener.open(
            io.BytesIO(sealed), secrets(provider.new), [as_secret("new horse")], require_signature=False
        ) as package:
            chunks = package.chunks()
            for _ in range(read_count):
                next(chunks)


def test_memory_does_not_grow_with_the_package(opener: PackageOpener, provider: Provider, tmp_path: Path) -> None:
    sealed_file = tmp_path / "sealed"
    sealed_file.write_bytes(provider.workshop.seal(bytes(200_000_000), provider.new))
    tracemalloc.start()

    with (
        sealed_file.open("rb") as sealed,
        opener.open(sealed, secrets(provider.new), [as_secret("new horse")], require_signature=False) as package,
    ):
        clear_bytes = sum(len(chunk) for chunk in package.chunks())
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert clear_bytes == 200_000_000
    assert peak_bytes < 8_000_000


@pytest.fixture
def memory() -> Iterator[Path]:
    """A place with a short path, as a home directory needs it."""
    with tempfile.TemporaryDirectory(prefix="gpg-test-") as name:
        yield Path(name)


def test_gnupg_leaves_neither_home_nor_agent(provider: Provider, memory: Path) -> None:
    """Whether a package was read, given up or damaged."""
    opener = GnupgOpener(memory=memory)
    while_open: list[str] = []

    def agents() -> list[str]:
        listing = subprocess.run(["pgrep", "-fa", f"gpg-agent --homedir {memory}"], capture_output=True, check=False)
        return listing.stdout.decode().splitlines()

    with opener.open(
        io.BytesIO(provider.sealed), secrets(provider.new), [as_secret("new horse")], require_signature=False
    ) as package:
        next(package.chunks())
        while_open = agents()
        home = next(memory.iterdir())
        private_mode = home.stat().st_mode & 0o777
        kept = "".join(file.read_text(errors="replace") for file in (home / "private-keys-v1.d").iterdir())
    refusal(opener, provider.sealed[:-1], provider.new)

    assert len(while_open) == 1
    assert private_mode == 0o700
    assert "protected-private-key" in kept
    assert list(memory.iterdir()) == []


def test_gnupg_knows_no_settings_but_ours(provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine's own configuration may say anything, in any language."""
    (tmp_path / "gpg.conf").write_text("this is no option\n")
    monkeypatch.setenv("GNUPGHOME", str(tmp_path))
    monkeypatch.setenv("LANGUAGE", "de")

    assert open_all(GnupgOpener(), provider.sealed, provider.new)[0] == CLEAR


def test_the_setting_chooses_the_software(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_gpg = [type(open_with(choice)) for choice in ("auto", "gnupg", "sequoia")]
    monkeypatch.setitem(os.environ, "PATH", str(tmp_path))
    without_gpg = [type(open_with(choice)) for choice in ("auto", "sequoia")]

    assert with_gpg == [GnupgOpener, GnupgOpener, SequoiaOpener]
    assert without_gpg == [SequoiaOpener, SequoiaOpener]
    with pytest.raises(SettingsError, match="not installed"):
        open_with("gnupg")
    with pytest.raises(SettingsError, match="'pgpy'"):
        open_with("pgpy")
