"""OpenPGP keys with Sequoia: what is in a secret, new pairs, and seals for keys that its policy would turn away."""

import hashlib
import secrets
from collections.abc import Iterator, Sequence
from datetime import datetime

import pysequoia
from cryptography.hazmat.decrepit.ciphers.modes import CFB  # what OpenPGP locks keys with (RFC 9580, 5.5.3)
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from pysequoia.packet import HashAlgorithm, Packet, PacketPile, PublicKeyAlgorithm, SignatureType, Tag

from shared.adapters.sequoia_adoption import SecretKey, adopt, packet
from shared.domain.armor import KeyBlock, key_blocks
from shared.ports import KeyPair, OpenPgpKey

_RSA = (PublicKeyAlgorithm.RSAEncryptSign, PublicKeyAlgorithm.RSAEncrypt)
_ENCRYPTS = (*_RSA, PublicKeyAlgorithm.ElGamalEncrypt, PublicKeyAlgorithm.ECDH, PublicKeyAlgorithm.X25519)
_SECRET = (Tag.SecretKey, Tag.SecretSubkey)
_WEAK = (HashAlgorithm.SHA1, HashAlgorithm.MD5, HashAlgorithm.RipeMD)
_VERSION_4 = b"\4"
_OPEN, _LOCKED, _AES256, _ITERATED, _SHA256 = 0, 254, 9, 3, 8
_ROUNDS, _ROUND_BYTES = 0x60, 65_536
"""Few, for the passphrases made here are longer than anybody can guess (RFC 9580, 3.7.1.3)."""


def secret_keys(block: KeyBlock) -> Iterator[SecretKey]:
    """Yield the secret keys of version 4 that a block holds, the primary one first."""
    content = block.armored.encode()
    certificate = pysequoia.Tsk.from_bytes(content).extract_certificate()
    public = {each.key_id: each for each in PacketPile.from_bytes(bytes(certificate))}
    for each in PacketPile.from_bytes(content):
        if each.key_id and each.key_id in public and each.body[:1] == _VERSION_4:
            modulus_bits = int.from_bytes(each.body[6:8])
            yield SecretKey(
                key_id=each.key_id.upper(),
                rsa_bits=modulus_bits if each.key_algorithm in _RSA else None,
                body=each.body,
                public_bytes=len(public[each.key_id].body),
            )


def read(block: KeyBlock, passphrases: Sequence[str]) -> Iterator[OpenPgpKey]:
    """Yield what is known of the secret keys of a block."""
    packets = list(PacketPile.from_bytes(block.armored.encode()))
    starts = {each.key_id.upper(): at for at, each in enumerate(packets) if each.key_id}
    primary = next(iter(starts), None)
    primary_expiry: datetime | None = None
    for key in secret_keys(block):
        at = starts[key.key_id]
        itself = packets[at]
        certificates = list(_certificates(packets[at + 1 :]))
        created_at = itself.key_created
        if created_at is None:
            continue
        expiry = _expiry(created_at, certificates)
        if key.key_id == primary:
            primary_expiry = expiry
        yield OpenPgpKey(
            key_id=key.key_id,
            is_primary=key.key_id == primary,
            encrypts=_encrypts(itself, certificates),
            kind=f"RSA {key.rsa_bits}" if key.rsa_bits else str(itself.key_algorithm).rpartition(".")[2],
            rsa_bits=key.rsa_bits,
            created_at=created_at,
            expires_at=min((each for each in (expiry, primary_expiry) if each), default=None),
            is_weakly_signed=bool(certificates) and all(each.hash_algorithm in _WEAK for each in certificates),
            is_unlocked=_is_unlocked(key, passphrases),
        )


def seal(key: SecretKey, content: bytes) -> bytes:
    """Seal something for the public half of the key."""
    certificate = pysequoia.Tsk.from_bytes(adopt(key)).extract_certificate()
    return bytes(pysequoia.encrypt(content, [certificate], armor=False))


def make(owner: str, passphrase: str | None) -> KeyPair:
    """Make an RSA pair of 3072 bits: a primary key, and a subkey that packages are sealed for."""
    made = pysequoia.Tsk.generate(
        user_id=owner, profile=pysequoia.Profile.RFC4880, cipher_suite=pysequoia.CipherSuite.RSA3k
    )
    whole = list(_without_signing(list(PacketPile.from_bytes(bytes(made)))))
    plain = b"".join(bytes(each) for each in whole)
    (block,) = key_blocks(pysequoia.armor(plain, pysequoia.ArmorKind.SecretKey))
    keys = {key.key_id: key for key in secret_keys(block)}
    public = pysequoia.Tsk.from_bytes(plain).extract_certificate()
    if passphrase is not None:
        locked = b"".join(_locked(each, keys, passphrase) if each.tag in _SECRET else bytes(each) for each in whole)
        (block,) = key_blocks(pysequoia.armor(locked, pysequoia.ArmorKind.SecretKey))
    return KeyPair(
        key_id=list(keys)[-1],
        public="".join(each.armored for each in key_blocks(str(public))),
        private=block.armored,
    )


def _certificates(following: Sequence[Packet]) -> Iterator[Packet]:
    """Yield the signatures by which a key's owner says what it is for; those of others and of revocations are not."""
    for each in following:
        if each.key_id:
            return
        if each.tag == Tag.Signature and each.signature_type in (
            SignatureType.DirectKey,
            SignatureType.GenericCertification,
            SignatureType.PersonaCertification,
            SignatureType.CasualCertification,
            SignatureType.PositiveCertification,
            SignatureType.SubkeyBinding,
        ):
            yield each


def _expiry(created_at: datetime, certificates: Sequence[Packet]) -> datetime | None:
    """Return when the newest certificate lets the key expire."""
    newest = max(certificates, key=lambda each: each.signature_created or created_at, default=None)
    period = newest.key_validity_period if newest else None
    return created_at + period if period else None


def _encrypts(key: Packet, certificates: Sequence[Packet]) -> bool:
    flags = [each.key_flags for each in certificates if each.key_flags is not None]
    if flags:
        return any(each.transport_encryption or each.storage_encryption for each in flags)
    return key.key_algorithm in _ENCRYPTS


def _is_unlocked(key: SecretKey, passphrases: Sequence[str]) -> bool:
    adopted = pysequoia.Tsk.from_bytes(adopt(key))
    for passphrase in (None, *passphrases):
        try:
            adopted.decryptor(passphrase)
        except RuntimeError:
            continue
        return True
    return False


def _without_signing(packets: Sequence[Packet]) -> Iterator[Packet]:
    """Leave out the subkey that signs: some senders seal for whichever key comes last."""
    for at, each in enumerate(packets):
        binding = packets[at + 1] if each.tag == Tag.SecretSubkey else each
        flags = binding.key_flags if binding.signature_type == SignatureType.SubkeyBinding else None
        if flags is None or not flags.signing:
            yield each


def _locked(each: Packet, keys: dict[str, SecretKey], passphrase: str) -> bytes:
    """Return the packet of a secret key, locked."""
    key = keys[(each.key_id or "").upper()]
    public, secret = key.body[: key.public_bytes], key.body[key.public_bytes :]
    if secret[0] != _OPEN:
        raise ValueError("the key is locked already")
    numbers = secret[1:-2]
    salt, start = secrets.token_bytes(8), secrets.token_bytes(16)
    salted = salt + passphrase.encode()
    stretched = (salted * (_ROUND_BYTES // len(salted) + 1))[: max(_ROUND_BYTES, len(salted))]
    cipher = Cipher(algorithms.AES(hashlib.sha256(stretched).digest()), CFB(start)).encryptor()
    hidden = cipher.update(numbers + hashlib.sha1(numbers, usedforsecurity=False).digest()) + cipher.finalize()
    tag = 5 if each.tag == Tag.SecretKey else 7
    return packet(
        tag, public + bytes([_LOCKED, _AES256, _ITERATED, _SHA256]) + salt + bytes([_ROUNDS]) + start + hidden
    )
