"""Ports whose adapter is made when it is first asked for anything.

Their libraries take up to a quarter of a second to import (SSH, HTTP, OpenPGP, the vault's client), which a sweep that
finds nothing to do, for example, should not pay. Threads that come first at the same time may both make one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from functools import cache
from typing import Any, BinaryIO, Literal

from shared.domain.connection import Connection
from shared.domain.write_back import WriteBack
from shared.ports import (
    Answer,
    Call,
    Graph,
    KeyPair,
    Keys,
    LearningTarget,
    LearningTargets,
    OpenedPackage,
    OpenPgpKey,
    PackageOpener,
    RemoteFolder,
    RemoteFolders,
    Sealing,
    Secret,
    Secrets,
    SshKey,
    Table,
    Webhook,
)


class LateTable:
    """The port `Table`."""

    def __init__(self, make: Callable[[], Table]) -> None:
        self._made = cache(make)

    def find(self, partition: str, key: str) -> dict[str, Any] | None:
        """Return the row without its keys, or `None`."""
        return self._made().find(partition, key)

    def put(self, partition: str, key: str, row: Mapping[str, Any]) -> None:
        """Store the row, replacing what was there."""
        self._made().put(partition, key, row)

    def add(self, partition: str, key: str, row: Mapping[str, Any]) -> bool:
        """Store the row unless there is one under this key."""
        return self._made().add(partition, key, row)

    def list_rows(self, partition: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield key and row of a partition, in the order of the keys."""
        return self._made().list_rows(partition)

    def delete(self, partition: str, key: str) -> None:
        """See that the row is gone."""
        self._made().delete(partition, key)


class LateSecrets:
    """The port `Secrets`."""

    def __init__(self, make: Callable[[], Secrets]) -> None:
        self._made = cache(make)

    def get(self, name: str) -> Secret:
        """Return the newest enabled version."""
        return self._made().get(name)

    def list_versions(self, name: str) -> Sequence[Secret]:
        """Return every enabled version, newest first."""
        return self._made().list_versions(name)

    def add_version(self, name: str, value: str, *, expires_at: datetime | None = None, enabled: bool = True) -> Secret:
        """Add a version, which is the newest from now on."""
        return self._made().add_version(name, value, expires_at=expires_at, enabled=enabled)

    def enable(self, name: str, version: str) -> None:
        """Let a version be used."""
        self._made().enable(name, version)


class LateKeys:
    """The port `Keys`."""

    def __init__(self, make: Callable[[], Keys]) -> None:
        self._made = cache(make)

    def make_openpgp(self, owner: str, passphrase: str | None) -> KeyPair:
        """Make a pair for sealing packages."""
        return self._made().make_openpgp(owner, passphrase)

    def make_ssh(self, kind: Literal["ed25519", "rsa"]) -> KeyPair:
        """Make a pair for logging in."""
        return self._made().make_ssh(kind)

    def read_openpgp(self, secret: Secret, passphrases: Sequence[Secret]) -> Sequence[OpenPgpKey]:
        """Return the keys that a version of the secret holds."""
        return self._made().read_openpgp(secret, passphrases)

    def seal(self, secret: Secret, key_id: str, content: bytes) -> bytes:
        """Seal something for the public half of a key."""
        return self._made().seal(secret, key_id, content)

    def read_ssh(self, secret: Secret) -> SshKey:
        """Return what is public of an SSH private key."""
        return self._made().read_ssh(secret)


class LateFolders:
    """The port `RemoteFolders`."""

    def __init__(self, make: Callable[[], RemoteFolders]) -> None:
        self._made = cache(make)

    def open(self, connection: Connection, secret: Secret) -> AbstractContextManager[RemoteFolder]:
        """Log in, and log out at the end."""
        return self._made().open(connection, secret)


class LateOpener:
    """The port `PackageOpener`."""

    def __init__(self, make: Callable[[], PackageOpener]) -> None:
        self._made = cache(make)

    def open(
        self, sealed: BinaryIO, keys: Sequence[Secret], passphrases: Sequence[Secret], *, require_signature: bool
    ) -> AbstractContextManager[OpenedPackage]:
        """Decrypt with the first of the keys that fits."""
        return self._made().open(sealed, keys, passphrases, require_signature=require_signature)


class LateSealing:
    """The port `Sealing`."""

    def __init__(self, make: Callable[[], Sealing]) -> None:
        self._made = cache(make)

    def seal(self, content: bytes, context: str, keys: Sequence[Secret]) -> bytes:
        """Seal with the newest of the keys."""
        return self._made().seal(content, context, keys)

    def open(self, sealed: bytes, context: str, keys: Sequence[Secret]) -> bytes:
        """Return the content, opened with the key that it names."""
        return self._made().open(sealed, context, keys)


class LateGraph:
    """The port `Graph`."""

    def __init__(self, make: Callable[[], Graph]) -> None:
        self._made = cache(make)

    def send(self, calls: Sequence[Call], *, batch: bool) -> Sequence[Answer]:
        """Send the calls, and return their answers in the same order."""
        return self._made().send(calls, batch=batch)

    def pages(self, url: str) -> Iterator[tuple[bytes, str | None]]:
        """Follow a listing from a path or link."""
        return self._made().pages(url)


class LateWebhook:
    """The port `Webhook`."""

    def __init__(self, make: Callable[[], Webhook]) -> None:
        self._made = cache(make)

    def post(self, url: str, text: str) -> None:
        """Send a message there."""
        self._made().post(url, text)


class LateTargets:
    """The port `LearningTargets`."""

    def __init__(self, make: Callable[[], LearningTargets]) -> None:
        self._made = cache(make)

    def open(
        self, write_back: WriteBack, secrets: Sequence[Secret], now: datetime
    ) -> AbstractContextManager[LearningTarget]:
        """Log in with the newest of the secrets that is accepted."""
        return self._made().open(write_back, secrets, now)
