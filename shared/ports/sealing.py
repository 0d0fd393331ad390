"""What is asked of encryption at rest."""

from collections.abc import Sequence
from typing import Protocol

from shared.ports.services import Secret


class Sealing(Protocol):
    """Seals what must not rest in clear with a key from the vault, so that any change is noticed."""

    def seal(self, content: bytes, context: str, keys: Sequence[Secret]) -> bytes:
        """Seal with the newest of the keys (they come newest first); it opens in the same context only.

        Raises:
            SettingsError: there is no key, or it is not 32 bytes as hex digits.
        """
        ...

    def open(self, sealed: bytes, context: str, keys: Sequence[Secret]) -> bytes:
        """Return the content, opened with the key that it names.

        Raises:
            SettingsError: that key is not among these (`NO_MATCHING_KEY`), or is no key.
            PackageError: it is not what was sealed in this context (`PACKAGE_DAMAGED`).
        """
        ...
