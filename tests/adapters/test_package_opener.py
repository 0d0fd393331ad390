"""One contract for whatever opens packages; the packages are GnuPG's, as most senders' are."""

import io
import os
import tracemalloc
from pathlib import Path

import pytest

from shared.adapters.gnupg import GnupgOpener
from shared.adapters.openpgp import open_with
from shared.adapters.sequoia import SequoiaOpener
from shared.domain.errors import Code, PackageError, SettingsError, TransientError
from shared.ports import PackageOpener, Seal
from tests.adapters.openpgp import as_secret
from tests.adapters.provider import CLEAR, Provider, open_all, refusal, secrets


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


@pytest.mark.slow
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
