"""Makes and examines keys: OpenPGP with Sequoia, SSH with paramiko's own library."""

from collections.abc import Sequence
from typing import Literal

from shared.adapters import sequoia_keys, ssh_keys
from shared.adapters.decrypting import first_lines
from shared.domain.armor import KeyBlock, key_blocks
from shared.domain.errors import Code, SettingsError
from shared.domain.pasted_key import what_is_wrong
from shared.ports import KeyPair, OpenPgpKey, Secret, SshKey


class KeyMaker:
    """The port `Keys`."""

    def make_openpgp(self, owner: str, passphrase: str | None) -> KeyPair:
        """Make a pair for sealing packages."""
        return sequoia_keys.make(owner, passphrase)

    def make_ssh(self, kind: Literal["ed25519", "rsa"]) -> KeyPair:
        """Make a pair for logging in."""
        return ssh_keys.make(kind)

    def read_openpgp(self, secret: Secret, passphrases: Sequence[Secret]) -> Sequence[OpenPgpKey]:
        """Return the keys that a version of the secret holds."""
        unlocking = first_lines(passphrases)
        try:
            found = [key for block in _secret_blocks(secret) for key in sequoia_keys.read(block, unlocking)]
        except (ValueError, RuntimeError):
            found = []
        if not found:
            raise SettingsError(
                f"Version {secret.version} of the OpenPGP secret: {what_is_wrong(secret.value)}",
                Code.SETTINGS_INVALID,
            )
        return found

    def seal(self, secret: Secret, key_id: str, content: bytes) -> bytes:
        """Seal something for the public half of a key."""
        for block in _secret_blocks(secret):
            for key in sequoia_keys.secret_keys(block):
                if key.key_id == key_id:
                    return sequoia_keys.seal(key, content)
        raise LookupError(key_id)

    def read_ssh(self, secret: Secret) -> SshKey:
        """Return what is public of an SSH private key."""
        return ssh_keys.read(secret)


def _secret_blocks(secret: Secret) -> list[KeyBlock]:
    return [block for block in key_blocks(secret.value) if block.is_secret]
