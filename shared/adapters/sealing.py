"""Encryption at rest by AES-256-GCM."""

from collections.abc import Sequence
from secrets import token_bytes

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.domain.errors import Code, PackageError, SettingsError
from shared.ports import Secret

_MARK = b"LMS1"
_NONCE_BYTES = 12
"""Drawn anew for every content: with one key some four thousand million may be sealed."""
_KEY_BYTES = 32


class AesGcm:
    """The port `Sealing`: mark, length and text of the key's version, nonce, ciphertext with its tag.

    The context and everything before the ciphertext are authenticated too.
    """

    def seal(self, content: bytes, context: str, keys: Sequence[Secret]) -> bytes:
        """Seal with the newest of the keys."""
        if not keys:
            raise SettingsError("There is no key to seal records with.", Code.SECRET_MISSING)
        version = keys[0].version.encode()
        header = _MARK + bytes([len(version)]) + version
        nonce = token_bytes(_NONCE_BYTES)
        return header + nonce + _cipher(keys[0]).encrypt(nonce, content, header + context.encode())

    def open(self, sealed: bytes, context: str, keys: Sequence[Secret]) -> bytes:
        """Return the content."""
        start = len(_MARK) + 1
        if len(sealed) < start or not sealed.startswith(_MARK):
            raise _damaged(context)
        end = start + sealed[start - 1]
        header, version = sealed[:end], sealed[start:end].decode(errors="replace")
        key = next((each for each in keys if each.version == version), None)
        if key is None:
            raise SettingsError(
                f"What is sealed in {context} needs version {version} of its key: enable it again.",
                Code.NO_MATCHING_KEY,
            )
        nonce, text = sealed[end : end + _NONCE_BYTES], sealed[end + _NONCE_BYTES :]
        try:
            return _cipher(key).decrypt(nonce, text, header + context.encode())
        except (InvalidTag, ValueError):
            raise _damaged(context) from None


def _cipher(key: Secret) -> AESGCM:
    try:
        value = bytes.fromhex(key.value)
    except ValueError:
        value = b""
    if len(value) != _KEY_BYTES:
        raise SettingsError(
            f"Version {key.version} of the key for sealing must be 32 random bytes, as 64 hex digits.",
            Code.SETTINGS_INVALID,
        )
    return AESGCM(value)


def _damaged(context: str) -> PackageError:
    return PackageError(f"What is sealed in {context} is cut off, altered, or from elsewhere.", Code.PACKAGE_DAMAGED)
