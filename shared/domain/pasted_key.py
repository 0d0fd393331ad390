"""Says what a pasted text is that should have been an OpenPGP secret key, without a word of it."""

import base64
import binascii
import re

from shared.domain.armor import key_blocks

_BEGIN = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----")
_END = re.compile(r"-----END ([A-Z0-9 ]+)-----")
_CRC24_START, _CRC24_POLYNOMIAL = 0xB704CE, 0x1864CFB
_SHORTEST_KEY = 200
"""Letters; a passphrase is shorter, a key is longer."""

_PASTE = "Paste all of the private key, from BEGIN PGP PRIVATE KEY BLOCK to END PGP PRIVATE KEY BLOCK."
_PUBLIC = "it is the public half of a key, and the private half is needed."
_KINDS = {
    "PGP PUBLIC KEY BLOCK": _PUBLIC,
    "PGP MESSAGE": "it is an encrypted message and no key.",
    "PGP SIGNATURE": "it is a signature and no key.",
    "CERTIFICATE": "it is a certificate, not an OpenPGP key.",
}
_OTHER_KEY = "it is an SSH or TLS key, not an OpenPGP one. Were two secrets confused?"


def what_is_wrong(pasted: str) -> str:
    """Return what the text seems to be instead, and what to do, as the end of a sentence."""
    text = pasted.strip().strip("\ufeff")
    return f"{_other_kind(text) or _damage(text)} {_PASTE}"


def _other_kind(text: str) -> str | None:
    if not text:
        return "it is empty."
    if text.startswith(("ssh-", "ecdsa-", "sk-")):
        return "it is an SSH public key, not an OpenPGP private one."
    begun = _BEGIN.search(text)
    if begun is None or begun[1].startswith("PGP PRIVATE"):
        return None
    return _KINDS.get(begun[1], _OTHER_KEY)


def _damage(text: str) -> str:
    begun = bool(_BEGIN.search(text))
    if begun and not _END.search(text):
        return "its end is missing: there is no END line."
    try:
        blocks = key_blocks(text)
    except ValueError:
        return _no_key(text, begun=begun)
    if not any(block.is_secret for block in blocks):
        # Of what calls itself private, nothing that is left is a key.
        return _no_key(text, begun=True) if begun else _PUBLIC
    if not all(is_checksum_good(block.armored) for block in blocks):
        return "its checksum is wrong: letters were lost or changed in the paste."
    return "it is cut off or altered: it ends in the middle of the key."


def _no_key(text: str, *, begun: bool) -> str:
    if begun:
        return "what stands between the BEGIN and END lines is no key: letters were lost in the paste."
    if len(text) < _SHORTEST_KEY:
        return "it is too short for a key. Is it the passphrase, in the wrong secret?"
    return "there is no OpenPGP key in it."


def is_checksum_good(armored: str) -> bool:
    """Tell whether the checksum of a key in clean armor fits; one that is not there does."""
    body, checksum = armor_body(armored)
    return not checksum or checksum == checksum_of(base64.b64decode(body))


def armor_body(armored: str) -> tuple[str, str]:
    """Return the base64 text of clean armor in one line, and its checksum with the sign before it, if there is one."""
    lines = armored.split("\n\n", 1)[1].splitlines()
    data = [line for line in lines if not line.startswith(("=", "-----"))]
    return "".join(data), next((line for line in lines if line.startswith("=")), "")


def checksum_of(content: bytes) -> str:
    """Return the checksum that armor ends with (RFC 9580, section 6.1), with the sign before it."""
    crc = _CRC24_START
    for octet in content:
        crc ^= octet << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= _CRC24_POLYNOMIAL
    return "=" + binascii.b2a_base64(crc.to_bytes(3), newline=False).decode()
