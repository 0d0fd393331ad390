"""What GnuPG says about what it did: the lines of its status file, and the verdict drawn from them.

GnuPG's exit status alone says too little: it is the same for a signature whose key is unknown as for a
damaged message, and it is good for some cut off ones.
"""

from dataclasses import dataclass
from typing import Self

from shared.domain.envelope import damaged, signature_missing, signature_wrong, signed_by_unknown
from shared.domain.errors import Code, PackageError

_PREFIX = "[GNUPG:] "
_LOCKED_CODES = {11, 177}  # bad passphrase, no passphrase
_LOW_16_BITS = 0xFFFF  # the error's code; the bits above say which part of GnuPG raised it
_LOCKED = ("ERROR", "pkdecrypt_failed")  # harmless when another key has opened the message
_COMPLAINTS = {"ERROR", "FAILURE", "UNEXPECTED", "NODATA", "BADARMOR", "DECRYPTION_FAILED", "BADMDC"}
_GOOD_BUT_OLD = {
    "EXPSIG": "expired",
    "EXPKEYSIG": "made with an expired key",
    "REVKEYSIG": "made with a revoked key",
}
_WHOLE = ["BEGIN_DECRYPTION", "PLAINTEXT", "DECRYPTION_OKAY", "GOODMDC", "END_DECRYPTION"]


@dataclass(frozen=True, slots=True)
class Remarks:
    """The status lines of one run, in order, as words."""

    lines: tuple[tuple[str, ...], ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a status file."""
        found = (line.removeprefix(_PREFIX).split() for line in text.splitlines() if line.startswith(_PREFIX))
        return cls(tuple(tuple(words) for words in found if words))

    def opened_by(self) -> str | None:
        """Return the id of the key that gave the session key, `None` when none did."""
        return next((words[1][-16:].upper() for words in self.lines if words[0] == "DECRYPTION_KEY"), None)

    def is_passphrase_refused(self) -> bool:
        """Tell whether a key was there and its passphrase was not."""
        return bool(self._key_errors() & _LOCKED_CODES)

    def is_session_key_damaged(self) -> bool:
        """Tell whether a key was unlocked and yet could not read what was sealed for it."""
        return bool(self._key_errors() - _LOCKED_CODES)

    def judge(self, exit_status: int, *, require_signature: bool) -> tuple[str, ...]:
        """Return the warnings of a decryption that ended well.

        Raises:
            PackageError: `PACKAGE_UNPROTECTED`, `PACKAGE_DAMAGED` or `SIGNATURE_INVALID`.
        """
        said = {words[0] for words in self.lines}
        if any(words[:2] == ("DECRYPTION_INFO", "0") and words[3:4] in {(), ("0",)} for words in self.lines):
            raise PackageError(
                "The package has no integrity protection; it could have been altered unnoticed.",
                Code.PACKAGE_UNPROTECTED,
            )
        if "BADSIG" in said and "BADMDC" not in said:
            raise signature_wrong()
        # One clear text, inside the encryption, and nothing before or after it.
        is_whole = [words[0] for words in self.lines if words[0] in _WHOLE] == _WHOLE
        complaints = {words[0] for words in self.lines if words[:2] != _LOCKED} & _COMPLAINTS
        if not is_whole or complaints:
            raise damaged()
        if exit_status and "ERRSIG" not in said:
            raise damaged()
        warnings = tuple(dict.fromkeys(self._doubts()))
        if require_signature and ("GOODSIG" not in said or warnings):
            raise signature_missing(warnings)
        return warnings

    def _doubts(self) -> list[str]:
        doubts = []
        for name, *arguments in self.lines:
            if name == "ERRSIG":
                doubts.append(signed_by_unknown(arguments[0]))
            elif name in _GOOD_BUT_OLD:
                doubts.append(f"signature by {arguments[0].upper()} is {_GOOD_BUT_OLD[name]}")
        return doubts

    def _key_errors(self) -> set[int]:
        return {int(words[2].partition("_")[0]) & _LOW_16_BITS for words in self.lines if words[:2] == _LOCKED}
