"""Keyed hashes in plain Python: the same as `Engine.set_pepper` makes, for code that needs no columnar engine."""

import hmac
from hashlib import sha256

from shared.domain.errors import Code, SettingsError
from shared.domain.write_back import Completion, completed_day
from shared.ports import Secret

DIGEST_BYTES = 16
_SEPARATOR = "\x1f"
_PEPPER_BYTES = range(32, 65)


class Keyed:
    """Hashes under the pepper: without it nobody can tell whom or what they stand for."""

    def __init__(self, pepper: Secret) -> None:
        """Take the pepper.

        Raises:
            SettingsError: it is not 32 to 64 bytes, as hex digits.
        """
        try:
            key = bytes.fromhex(pepper.value)
        except ValueError:
            key = b""
        if len(key) not in _PEPPER_BYTES:
            raise SettingsError("The pepper must be 32 to 64 random bytes, as hex digits.", Code.SETTINGS_INVALID)
        self._begun = hmac.new(key, digestmod=sha256)

    def digest(self, kind: str, *values: str | bytes) -> bytes:
        """Return 128 bits for the values; those of one kind say nothing about those of another."""
        mac = self._begun.copy()
        mac.update(kind.encode() + b":")
        for number, value in enumerate(values):
            mac.update(_SEPARATOR.encode() if number else b"")
            mac.update(value if isinstance(value, bytes) else value.encode())
        return mac.digest()[:DIGEST_BYTES]

    def of_completion(self, completion: Completion) -> bytes:
        """Return what tells a completion from every other one: person, course, and the sender's id or the day."""
        which = completion.completion_id or completed_day(completion).isoformat()
        kind = "completion-id" if completion.completion_id else "completion"
        return self.digest(kind, completion.learner, completion.course_id, which)
