"""The outside of an OpenPGP message: for whom it is sealed, and how; read without any key.

Only the headers before the encrypted part are looked at (RFC 9580, sections 4.2, 5.1 and 6.2).
Decrypting and verifying is left to the OpenPGP software.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from shared.domain.errors import Code, PackageError, SettingsError

HEAD_BYTES = 64 * 1024
"""More than any message needs to name its recipients."""

ANYONE = "0" * 16
"""The key id of a hidden recipient: every key has to be tried."""

_RECOMMENDED_RSA_BITS = 3072

_ARMOR = re.compile(rb"\A\s*-----BEGIN PGP MESSAGE-----[ \t]*\r?\n(?:[^\r\n]+:[^\r\n]*\r?\n)*[ \t]*\r?\n([^-]*)")

_SEALED_KEY, _SEALED_BY_PASSPHRASE, _MARKER, _PADDING = 1, 3, 10, 21
_PROTECTED, _PROTECTED_OCB, _UNPROTECTED = 18, 20, 9
_NOT_SEALED = {2: "signed", 4: "signed", 8: "compressed", 11: "stored"}


@dataclass(frozen=True, slots=True)
class Envelope:
    """For whom a message is sealed."""

    key_ids: tuple[str, ...]
    """Key ids in the order of the message (16 hex digits, upper case), `ANYONE` for a hidden recipient."""

    def __str__(self) -> str:
        named = [f"{key_id} (a hidden recipient)" if key_id == ANYONE else key_id for key_id in self.key_ids]
        return ", ".join(named) or "no key at all, only for a passphrase"


def read_head(sealed: BinaryIO) -> bytes:
    """Read as much as `read_envelope` needs, less only when the stream is shorter."""
    head = b""
    while len(head) < HEAD_BYTES and (more := sealed.read(HEAD_BYTES - len(head))):
        head += more
    return head


def read_envelope(head: bytes) -> Envelope:
    """Read the recipients of a message, binary or armored, from its first bytes.

    Raises:
        PackageError: `NOT_OPENPGP`; `PACKAGE_DAMAGED`, cut off among the recipients; `PACKAGE_UNPROTECTED`,
            not encrypted or encrypted without an integrity check.
    """
    key_ids: list[str] = []
    for tag, body in _packets(_dearmored(head)):
        if tag == _SEALED_KEY:
            key_ids.append(_recipient(body))
        elif tag in {_PROTECTED, _PROTECTED_OCB}:
            return Envelope(tuple(key_ids))
        elif tag == _UNPROTECTED:
            raise PackageError(
                "The package has no integrity protection; it could have been altered unnoticed. "
                "The sender must encrypt with integrity protection (MDC).",
                Code.PACKAGE_UNPROTECTED,
            )
        elif tag in _NOT_SEALED:
            raise PackageError(f"The package is not encrypted, only {_NOT_SEALED[tag]}.", Code.PACKAGE_UNPROTECTED)
        elif tag not in {_SEALED_BY_PASSPHRASE, _MARKER, _PADDING}:
            break
    raise not_openpgp()


def not_openpgp() -> PackageError:
    """The error for anything that is no OpenPGP message."""
    return PackageError("The package is not an OpenPGP message.", Code.NOT_OPENPGP)


def no_matching_key(envelope: Envelope) -> PackageError:
    """The error that says for whom the package was sealed."""
    return PackageError(
        f"None of the enabled OpenPGP keys opens the package; it is sealed for {envelope}. "
        "Enable the version of the key it was sealed for, or give the LMS the current public key.",
        Code.NO_MATCHING_KEY,
    )


def passphrase_refused(envelope: Envelope) -> PackageError:
    """The error for a key that is there and stays locked."""
    return PackageError(
        f"No enabled passphrase unlocks the OpenPGP key the package is sealed for ({envelope}).",
        Code.PASSPHRASE_INVALID,
    )


def unreadable_key(version: str) -> SettingsError:
    """The error for a version of the secret that holds no secret key."""
    return SettingsError(
        f"Version {version} of the OpenPGP secret cannot be read as an armored secret key. "
        "Paste the whole private key block, or disable the version.",
        Code.SETTINGS_INVALID,
    )


def signature_wrong() -> PackageError:
    """The error for a signature that does not belong to the content."""
    return PackageError("The signature of the package is wrong.", Code.SIGNATURE_INVALID)


def signature_missing(doubts: Sequence[str]) -> PackageError:
    """The error for a package that should be signed well and is not."""
    return PackageError(
        f"The package has no good signature by a known key: {'; '.join(doubts) or 'it is not signed'}. "
        "The secret with the OpenPGP key must also hold the public key of whoever signs.",
        Code.SIGNATURE_INVALID,
    )


def signed_by_unknown(key_id: str) -> str:
    """The warning for a signature that nobody can check."""
    return f"signature by unknown key {key_id.upper()}"


def weak_key(key_id: str, rsa_bits: int | None) -> tuple[str, ...]:
    """The warning for a key that is shorter than it should be, if it is; `None` for another kind than RSA."""
    if rsa_bits is None or rsa_bits >= _RECOMMENDED_RSA_BITS:
        return ()
    return (f"the key {key_id} is RSA with {rsa_bits} bits; {_RECOMMENDED_RSA_BITS} or more are recommended",)


def damaged() -> PackageError:
    """The error for a message that is cut off or altered."""
    return PackageError(
        "The package is cut off or altered: its integrity check failed. It has to be delivered again.",
        Code.PACKAGE_DAMAGED,
    )


def _dearmored(head: bytes) -> bytes:
    armor = _ARMOR.match(head)
    if not armor:
        return head
    text = b"".join(armor[1].split())
    text = text.partition(b"=")[0]
    try:
        return base64.b64decode(text[: len(text) // 4 * 4], validate=True)
    except binascii.Error:
        raise not_openpgp() from None


def _packets(head: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield tag and body of each packet; of the encrypted one the tag alone matters."""
    at = 0
    while at < len(head):
        first = head[at]
        if not first & 0x80:
            raise not_openpgp()
        tag, length, start = _new_header(head, at) if first & 0x40 else _old_header(head, at)
        yield tag, head[start : start + length]
        if start + length > len(head):
            raise damaged()
        at = start + length


def _new_header(head: bytes, at: int) -> tuple[int, int, int]:  # tag, length and start of the body
    octets = head[at + 1 : at + 6].ljust(5, b"\0")
    tag = head[at] & 0x3F
    if octets[0] < 192:  # noqa: PLR2004 - RFC 9580, 4.2.1, as the following
        return tag, octets[0], at + 2
    if octets[0] < 224:  # noqa: PLR2004
        return tag, ((octets[0] - 192) << 8) + octets[1] + 192, at + 3
    if octets[0] < 255:  # noqa: PLR2004 - a first part; only data packets come in parts
        return tag, 1 << (octets[0] & 0x1F), at + 2
    return tag, int.from_bytes(octets[1:]), at + 6


def _old_header(head: bytes, at: int) -> tuple[int, int, int]:  # tag, length and start of the body
    width = (1, 2, 4, 0)[head[at] & 3]
    length = int.from_bytes(head[at + 1 : at + 1 + width]) if width else len(head)
    return (head[at] & 0x3C) >> 2, length, at + 1 + width


def _recipient(body: bytes) -> str:
    """Return the key id out of a packet that holds the sealed session key."""
    match body[:1]:
        case b"\2" | b"\3":
            key_id = body[1:9]
        case b"\6" if not body[1:2].strip(b"\0"):
            key_id = bytes(8)
        case b"\6":  # a fingerprint of version 4 ends with the key id, one of version 6 begins with it
            key_id = body[15:23] if body[2:3] == b"\4" else body[3:11]
        case b"":
            raise damaged()
        case _:
            raise not_openpgp()
    return key_id.hex().upper().ljust(16, "0")
