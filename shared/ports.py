"""Whom we need: what the pipeline asks of the outside world, as small promises.

Verbs: `get` returns or raises; `find` returns or `None`; `list` yields, perhaps nothing; `put` twice leaves
one; `delete` is fine when it is already gone; `open` and `hold` are context managers.
Every adapter raises `SettingsError`, `TransientError` or `PackageError` (see `shared.domain.errors`) and never a
vendor's own exception.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from shared.domain.connection import Connection


class Blobs(Protocol):
    """Large things of one kind, by path: one instance a container."""

    def put(self, path: str, content: bytes) -> None:
        """Store the content, replacing what was there."""
        ...

    def put_file(self, path: str, file: Path) -> None:
        """Store a file's content in blocks, replacing what was there."""
        ...

    def get(self, path: str) -> bytes:
        """Return the content; raise `FileNotFoundError` when there is none."""
        ...

    def open(self, path: str) -> AbstractContextManager[BinaryIO]:
        """Read the content as a stream of bounded memory; raise `FileNotFoundError` when there is none."""
        ...

    def list_paths(self, prefix: str) -> Iterator[str]:
        """Yield the paths that start so, in alphabetical order."""
        ...

    def delete(self, path: str) -> None:
        """See that it is gone."""
        ...


class Intake(Protocol):
    """Where sealed packages arrive, in blocks of any size and in any order; nobody sees one before it is whole."""

    def list_blocks(self, path: str) -> Mapping[int, int]:
        """Return the sizes in bytes of the blocks kept so far, by the offset in bytes where each begins."""
        ...

    def put_block(self, path: str, offset_bytes: int, content: bytes) -> None:
        """Keep the block; a second call with the same offset replaces it. Several threads may call at once."""
        ...

    def commit(self, path: str, size_bytes: int) -> None:
        """Make the blocks that follow one another up to this size the package: it exists now, and its trigger fires.

        A second time it is the same package again.

        Raises:
            TransientError: they do not reach so far.
        """
        ...


@dataclass(frozen=True, slots=True)
class Document:
    """A small JSON value with the tag of its version."""

    value: dict[str, Any]
    etag: str


class Documents(Protocol):
    """Small JSON documents that several writers change with care."""

    def find(self, name: str) -> Document | None:
        """Return the newest version, or `None`."""
        ...

    def put(self, name: str, value: Mapping[str, Any], etag: str | None) -> str:
        """Store and return the new tag; `etag` is the version it replaces, `None` for a new document.

        Raises:
            BusyError: somebody else has written in between.
        """
        ...

    def list_names(self) -> Iterator[str]:
        """Yield all names, in alphabetical order."""
        ...

    def delete(self, name: str) -> None:
        """See that it is gone, whatever its version."""
        ...


class Table(Protocol):
    """Small keyed rows: strings, numbers and booleans by name, in partitions."""

    def find(self, partition: str, key: str) -> dict[str, Any] | None:
        """Return the row without its keys, or `None`."""
        ...

    def put(self, partition: str, key: str, row: Mapping[str, Any]) -> None:
        """Store the row, replacing what was there."""
        ...

    def list_rows(self, partition: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield key and row of a partition, in the order of the keys."""
        ...

    def delete(self, partition: str, key: str) -> None:
        """See that the row is gone."""
        ...


class Messages(Protocol):
    """Work to be done, delivered at least once, in any order."""

    def send(self, queue: str, body: str, *, delay_seconds: float = 0) -> None:
        """Send a message that becomes visible after the delay (at most 7 days)."""
        ...


class Leases(Protocol):
    """One worker at a time, across all instances."""

    def hold(self, name: str) -> AbstractContextManager[None]:
        """Hold the name for the duration of the block; it falls free within 20 seconds of a worker's death.

        Raises:
            BusyError: somebody else holds it.
        """
        ...

    def is_held(self, name: str) -> bool:
        """Tell whether anybody holds it now."""
        ...

    def forget(self, prefix: str) -> None:
        """See that nothing is kept about names that start so, but for those that somebody holds."""
        ...


@dataclass(frozen=True, slots=True)
class Secret:
    """One enabled version of a secret; expired ones are still given (the vault does the same)."""

    version: str
    value: str = field(repr=False)
    created_at: datetime
    expires_at: datetime | None = None


class Secrets(Protocol):
    """The vault. Values are cached for a short while (`LMS_SECRET_CACHE_SECONDS`)."""

    def get(self, name: str) -> Secret:
        """Return the newest enabled version.

        Raises:
            SettingsError: no such secret, no enabled version, or no right to read it.
            TransientError: the vault cannot be reached (`VAULT_UNREACHABLE`).
        """
        ...

    def list_versions(self, name: str) -> Sequence[Secret]:
        """Return every enabled version, newest first; raises like `get`."""
        ...


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file in the provider's folder."""

    name: str
    size_bytes: int
    modified_at: datetime


class RemoteFolder(Protocol):
    """The provider's folder, while a session is open."""

    def list_files(self) -> Sequence[RemoteFile]:
        """Return the plain files of the folder, by name; folders and links are left out.

        Raises:
            SettingsError: no such folder (`FOLDER_NOT_FOUND`) or no right to it (`ACCESS_DENIED`).
        """
        ...

    def stat(self, name: str) -> RemoteFile:
        """Look at one file again; raise `FileNotFoundError` when it has gone."""
        ...

    def read(self, name: str, *, offset_bytes: int, block_bytes: int) -> Iterator[bytes]:
        """Yield the content from the offset in blocks of that size; the last one may be smaller.

        When the connection breaks, what has come of a block is yielded first. What is under way is bounded.

        Raises:
            TransientError: the connection broke; what was yielded before is good.
        """
        ...


class RemoteFolders(Protocol):
    """Opens sessions to providers' folders."""

    def open(self, connection: Connection, secret: Secret) -> AbstractContextManager[RemoteFolder]:
        """Log in with the pinned host key, and log out at the end.

        Raises:
            SettingsError: login refused (`INVALID_CREDENTIALS`), host key unknown or changed (`HOST_KEY_CHANGED`).
            TransientError: the server cannot be reached (`SERVER_UNREACHABLE`).
        """
        ...


@dataclass(frozen=True, slots=True)
class Seal:
    """What was found out about the seal of a package; complete once the stream has ended."""

    key_id: str
    """The OpenPGP key id (16 hex digits, upper case) that opened it."""
    warnings: tuple[str, ...] = ()


class OpenedPackage(Protocol):
    """A package being decrypted."""

    def chunks(self) -> Iterator[bytes]:
        """Yield the clear text in pieces of about 1 MiB.

        Nothing of it may be trusted before the iterator has ended without an error: the integrity check is
        at the end of an OpenPGP message.

        Raises:
            PackageError: `NO_MATCHING_KEY`, `PASSPHRASE_INVALID`, `NOT_OPENPGP`, `PACKAGE_DAMAGED`,
                `PACKAGE_UNPROTECTED` or `SIGNATURE_INVALID`.
        """
        ...

    @property
    def seal(self) -> Seal:
        """What is known of the seal; the warnings are complete after the last chunk."""
        ...


class PackageOpener(Protocol):
    """Decrypts OpenPGP messages."""

    def open(
        self, sealed: BinaryIO, keys: Sequence[Secret], passphrases: Sequence[Secret], *, require_signature: bool
    ) -> AbstractContextManager[OpenedPackage]:
        """Decrypt with the first of the keys (newest first) that fits, trying the passphrases newest first.

        Keys are armored secret keys. The clear text never touches a disk, and neither does an unlocked key.
        """
        ...


@dataclass(frozen=True, slots=True)
class Call:
    """One request to Graph: a path below the version, and a JSON body."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """Graph's answer to one call, whether it went alone or in a batch."""

    status: int
    """HTTP status; 0 when no answer came at all (timeout, broken connection)."""
    body: Mapping[str, Any] = field(default_factory=dict)
    retry_after_seconds: float | None = None
    """From the header, or from the minutes in the text of the error; `None` when neither is there."""


class Graph(Protocol):
    """Microsoft Graph, as a plain way to send calls. Judging answers is the pipeline's work."""

    def send(self, calls: Sequence[Call], *, batch: bool) -> Sequence[Answer]:
        """Send the calls, at most 20 of them when `batch`, and return their answers in the same order.

        In a batch, items are judged one by one; a whole batch that fails gives every item the same answer.
        A 401 is retried once with a fresh token before it is returned.
        """
        ...

    def pages(self, url: str) -> Iterator[tuple[bytes, str | None]]:
        """Follow a listing from a path or link; yield each page's raw JSON and its delta link, if it has one.

        Raises:
            SettingsError: `GRAPH_PERMISSION_MISSING`.
            TransientError: throttled or unavailable; with `not_before` when Graph gave one.
            LookupError: 410, the delta link is no longer good; the message is the link to start again from.
        """
        ...
