"""What a paste is that should have been a private key, in words, and never with a part of it."""

import base64

import pytest

from shared.domain.pasted_key import checksum_of, what_is_wrong

LETTERS = "lFgEabcdSECRETSECRETSECRET"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "empty"),
        ("  \n", "empty"),
        ("correct horse", "Is it the passphrase"),
        ("ssh-ed25519 AAAA me", "SSH public key"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nx\n-----END OPENSSH PRIVATE KEY-----", "SSH or TLS"),
        ("-----BEGIN RSA PRIVATE KEY-----\nx\n-----END RSA PRIVATE KEY-----", "SSH or TLS"),
        ("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----", "certificate"),
        ("-----BEGIN PGP MESSAGE-----\n\nx\n-----END PGP MESSAGE-----", "encrypted message"),
        ("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nx\n-----END PGP PUBLIC KEY BLOCK-----", "public half"),
        (f"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{LETTERS}", "no END line"),
        ("-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n!!\n-----END PGP PRIVATE KEY BLOCK-----", "letters were lost"),
        # What is left of it may look like a public key by chance.
        ("-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nmQEBBAAAAAAA\n-----END PGP PRIVATE KEY BLOCK-----", "is no key"),
        ("mQEBBAAAAAAA", "public half"),
        (f"{LETTERS}!" * 20, "no OpenPGP key in it"),
    ],
)
def test_each_mistake_has_its_own_words(text: str, told: str) -> None:
    answer = what_is_wrong(text)

    assert told in answer
    assert answer.endswith("END PGP PRIVATE KEY BLOCK.")
    assert LETTERS not in answer
    assert "horse" not in answer


def test_a_checksum_tells_a_letter_that_was_changed() -> None:
    """Between BEGIN and END all looks well."""
    content = b"\x95\x01\x01\x04" + bytes(range(252))
    body = base64.b64encode(content).decode()

    def armored(checksum: str) -> str:
        name = "PGP PRIVATE KEY BLOCK"
        return f"-----BEGIN {name}-----\n\n{body}\n{checksum}\n-----END {name}-----\n"

    assert "checksum is wrong" in what_is_wrong(armored("=AAAA"))
    assert "cut off or altered" in what_is_wrong(armored(checksum_of(content)))


def test_the_checksum_is_that_of_the_standard() -> None:
    """The empty text has the start value, which RFC 9580 names."""
    assert checksum_of(b"") == "=" + base64.b64encode(bytes.fromhex("B704CE")).decode()
