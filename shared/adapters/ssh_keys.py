"""SSH keys: what a secret holds, and new pairs."""

import base64
import hashlib
import io
from typing import Literal

import paramiko
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from shared.domain.errors import Code, SettingsError
from shared.ports import KeyPair, Secret, SshKey

RSA_BITS = 3072
_KEY_TYPES: tuple[type[paramiko.PKey], ...] = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)


def load(secret: Secret) -> paramiko.PKey:
    """Return the private key that a secret holds.

    Raises:
        SettingsError: it is none, or it is locked.
    """
    for key_type in _KEY_TYPES:
        try:
            return key_type.from_private_key(io.StringIO(f"{secret.value.strip()}\n"))
        except (paramiko.SSHException, ValueError, IndexError):
            continue
    raise SettingsError(
        f"Version {secret.version} of the secret for SFTP is no SSH private key without a passphrase. "
        "Paste the whole private key, or set sftp.login to password.",
        Code.SETTINGS_INVALID,
    )


def fingerprint(key: paramiko.PKey) -> str:
    """Return what people compare, as `ssh-keygen -l` shows it."""
    digest = base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")
    return f"SHA256:{digest}"


def read(secret: Secret) -> SshKey:
    """Return what is public of the private key; raises like `load`."""
    key = load(secret)
    bits = f" {key.get_bits()}" if isinstance(key, paramiko.RSAKey) else ""
    return SshKey(f"{key.get_name()}{bits}", f"{key.get_name()} {key.get_base64()}", fingerprint(key))


def make(kind: Literal["ed25519", "rsa"]) -> KeyPair:
    """Make a pair without a passphrase."""
    made = (
        ed25519.Ed25519PrivateKey.generate()
        if kind == "ed25519"
        else rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    )
    private = made.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    loaded = (paramiko.Ed25519Key if kind == "ed25519" else paramiko.RSAKey).from_private_key(io.StringIO(private))
    return KeyPair(fingerprint(loaded), f"{loaded.get_name()} {loaded.get_base64()}", private)
