"""What a seal is worth: the protection of a package, and its signature."""

import io

import pysequoia
import pytest

from shared.adapters.gnupg import GnupgOpener
from shared.adapters.sequoia import SequoiaOpener
from shared.domain.errors import Code, PackageError
from shared.ports import PackageOpener
from tests.adapters.openpgp import as_secret
from tests.adapters.provider import CLEAR, Provider, open_all, refusal


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
