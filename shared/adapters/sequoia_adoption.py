"""Gives a secret key a certificate that Sequoia accepts.

Packages are sealed for keys that Sequoia's policy turns away: certified with SHA-1 only, as some connectors
do, or without a word about what they are for. And `pysequoia` picks one key of a certificate by that policy,
not by whom the package is sealed for. For decrypting, none of this matters. So the one secret key that is
needed, still locked, becomes the subkey of a throw-away certificate made here (RFC 9580, sections 5.2 and 5.5).
"""

import hashlib
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_SIGNATURE, _SECRET_KEY, _SECRET_SUBKEY = 2, 5, 7
_EDDSA, _SHA256 = 22, 8
_ED25519 = bytes.fromhex("2b06010401da470f01")
_DIRECT_KEY, _SUBKEY_BINDING = 0x1F, 0x18
_MAY_CERTIFY, _MAY_DECRYPT = 0x01, 0x0C
_CREATED_AT, _ISSUER, _FLAGS, _FEATURES, _ISSUER_FINGERPRINT = 2, 16, 27, 30, 33
_PROTECTION_OF_OLD = b"\1"
"""What is sealed for it is protected the way that everybody understands, GnuPG included."""


@dataclass(frozen=True, slots=True)
class SecretKey:
    """A secret key or subkey of version 4."""

    key_id: str
    rsa_bits: int | None
    body: bytes = field(repr=False)
    """Its packet, without the header."""
    public_bytes: int
    """How much of the body is the public key."""


def adopt(key: SecretKey) -> bytes:
    """Return a certificate of which the key is the one that decrypts."""
    parent = Ed25519PrivateKey.generate()
    created = key.body[1:5]
    point = _number(b"\x40" + parent.public_key().public_bytes_raw())
    public = b"\4" + created + bytes([_EDDSA, len(_ED25519)]) + _ED25519 + point
    secret = _number(parent.private_bytes_raw())
    unlocked = public + b"\0" + secret + (sum(secret) & 0xFFFF).to_bytes(2)
    itself = _hashed_key(public)
    fingerprint = hashlib.sha1(itself, usedforsecurity=False).digest()

    def sign(kind: int, over: bytes, flags: int) -> bytes:
        hashed = _note(_CREATED_AT, created) + _note(_FLAGS, bytes([flags]))
        hashed += _note(_FEATURES, _PROTECTION_OF_OLD) + _note(_ISSUER_FINGERPRINT, b"\4" + fingerprint)
        issuer = _note(_ISSUER, fingerprint[-8:])
        head = bytes([4, kind, _EDDSA, _SHA256]) + len(hashed).to_bytes(2) + hashed
        digest = hashlib.sha256(over + head + b"\4\xff" + len(head).to_bytes(4)).digest()
        signature = parent.sign(digest)
        numbers = _number(signature[:32]) + _number(signature[32:])
        return packet(_SIGNATURE, head + len(issuer).to_bytes(2) + issuer + digest[:2] + numbers)

    return b"".join(
        [
            packet(_SECRET_KEY, unlocked),
            sign(_DIRECT_KEY, itself, _MAY_CERTIFY),
            packet(_SECRET_SUBKEY, key.body),
            sign(_SUBKEY_BINDING, itself + _hashed_key(key.body[: key.public_bytes]), _MAY_DECRYPT),
        ]
    )


def packet(tag: int, body: bytes) -> bytes:
    """Return a packet with its header."""
    return bytes([0xC0 | tag, 0xFF]) + len(body).to_bytes(4) + body


def _note(kind: int, content: bytes) -> bytes:
    return bytes([len(content) + 1, kind]) + content


def _number(octets: bytes) -> bytes:
    stripped = octets.lstrip(b"\0")
    return int.from_bytes(stripped).bit_length().to_bytes(2) + stripped


def _hashed_key(public: bytes) -> bytes:
    return b"\x99" + len(public).to_bytes(2) + public
