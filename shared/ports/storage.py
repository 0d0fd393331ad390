"""What is asked of the storage account."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol


class Blobs(Protocol):
    """Large things of one kind, by path: one instance a container."""

    def put(self, path: str, content: bytes) -> None:
        """Store the content, replacing what was there."""
        ...

    def put_file(self, path: str, file: Path) -> object:
        """Store a file's content in blocks, replacing what was there."""
        ...

    def get(self, path: str) -> bytes:
        """Return the content; raise `FileNotFoundError` when there is none."""
        ...

    def get_file(self, path: str, file: Path) -> Path:
        """Bring the content to a file of this machine, whose folder is made, and return it.

        Raises:
            FileNotFoundError: there is none.
            TransientError: it was replaced meanwhile, or the storage account has no time.
        """
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

    def release(self, prefix: str) -> None:
        """Let go of what is kept on this machine of blobs whose paths start so; a second call does nothing."""
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

    def add(self, partition: str, key: str, row: Mapping[str, Any]) -> bool:
        """Store the row unless there is one under this key; tell whether it was stored."""
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

    def probe(self, queue: str) -> int:
        """See that the queue can be written and read; return about how many messages wait in it.

        What is written is taken back before anybody can see it.
        """
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
