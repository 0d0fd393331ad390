"""A provider with keys and a package, and a receiver who opens what it sealed."""

import io
import random
from dataclasses import dataclass

import pytest

from shared.domain.errors import PackageError
from shared.ports import PackageOpener, Seal, Secret
from tests.adapters.openpgp import Key, Workshop, as_secret

CLEAR = random.Random(1).randbytes(2_500_000) + bytes(1_000_000)  # noqa: S311 - the same in every run


@dataclass(frozen=True)
class Provider:
    """Keys, and what was sealed for them."""

    workshop: Workshop
    new: Key
    """Locked, with an encryption subkey."""
    old: Key
    """RSA-2048: one primary key that encrypts, certified with SHA-1, as older connectors made them."""
    bare: Key
    """Without a passphrase."""
    sender: Key
    """Signs."""
    sealed: bytes


def open_all(
    opener: PackageOpener, sealed: bytes, *keys: Key, passphrases: list[str] | None = None, signed: bool = False
) -> tuple[bytes, Seal]:
    """Open with the keys, newest first, and their own passphrases unless others are given."""
    given = [key.passphrase for key in keys] if passphrases is None else passphrases
    with opener.open(
        io.BytesIO(sealed), secrets(*keys), [as_secret(value) for value in given], require_signature=signed
    ) as package:
        return b"".join(package.chunks()), package.seal


def secrets(*keys: Key) -> list[Secret]:
    return [as_secret(key.secret, f"version-{key.name}") for key in keys]


def refusal(opener: PackageOpener, sealed: bytes, *keys: Key, signed: bool = False) -> PackageError:
    with pytest.raises(PackageError) as refused:
        open_all(opener, sealed, *keys, signed=signed)
    return refused.value
