"""Stand-ins for the ports, in memory: honest about what they promise, and nothing more."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from copy import deepcopy
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from shared.domain.errors import BusyError, ConnectorError, TransientError
from shared.ports import Document


class MemoryBlobs:
    """A container; `content` is what it holds, by path."""

    def __init__(self, content: Mapping[str, bytes] | None = None) -> None:
        self.content: dict[str, bytes] = dict(content or {})

    def put(self, path: str, content: bytes) -> None:
        self.content[path] = bytes(content)

    def put_file(self, path: str, file: Path) -> None:
        self.content[path] = file.read_bytes()

    def get(self, path: str) -> bytes:
        if path not in self.content:
            raise FileNotFoundError(path)
        return self.content[path]

    def get_file(self, path: str, file: Path) -> Path:
        content = self.get(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return file

    @contextmanager
    def _open(self, content: bytes) -> Iterator[BinaryIO]:
        with BytesIO(content) as stream:
            yield stream

    def open(self, path: str) -> AbstractContextManager[BinaryIO]:
        return self._open(self.get(path))

    def list_paths(self, prefix: str) -> Iterator[str]:
        yield from sorted(path for path in self.content if path.startswith(prefix))

    def delete(self, path: str) -> None:
        self.content.pop(path, None)

    def release(self, prefix: str) -> None:
        """Nothing is kept elsewhere."""


class MemoryIntake:
    """Packages arriving in blocks; `packages` holds the committed ones."""

    def __init__(self) -> None:
        self.blocks: dict[str, dict[int, bytes]] = {}
        self.packages: dict[str, bytes] = {}

    def list_blocks(self, path: str) -> Mapping[int, int]:
        return {offset: len(content) for offset, content in self.blocks.get(path, {}).items()}

    def put_block(self, path: str, offset_bytes: int, content: bytes) -> None:
        self.blocks.setdefault(path, {})[offset_bytes] = bytes(content)

    def commit(self, path: str, size_bytes: int) -> None:
        package = b""
        while len(package) < size_bytes and (block := self.blocks.get(path, {}).get(len(package))):
            package += block
        if len(package) == size_bytes:
            self.packages[path] = package
            self.blocks.pop(path, None)
        elif len(self.packages.get(path, b"")) != size_bytes:
            raise TransientError(f"{path} has not arrived as a whole.")


class MemoryDocuments:
    """JSON documents with a tag that changes with every write."""

    def __init__(self) -> None:
        self._documents: dict[str, Document] = {}
        self._writes = 0

    def find(self, name: str) -> Document | None:
        found = self._documents.get(name)
        return None if found is None else Document(deepcopy(found.value), found.etag)

    def put(self, name: str, value: Mapping[str, Any], etag: str | None) -> str:
        found = self._documents.get(name)
        if (None if found is None else found.etag) != etag:
            raise BusyError("The document was changed in between.")
        self._writes += 1
        written = Document(deepcopy(dict(value)), f"etag-{self._writes}")
        self._documents[name] = written
        return written.etag

    def list_names(self) -> Iterator[str]:
        yield from sorted(self._documents)

    def delete(self, name: str) -> None:
        self._documents.pop(name, None)


class MemoryTable:
    """Rows by partition and key."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, dict[str, Any]]] = {}

    def find(self, partition: str, key: str) -> dict[str, Any] | None:
        row = self.rows.get(partition, {}).get(key)
        return None if row is None else dict(row)

    def put(self, partition: str, key: str, row: Mapping[str, Any]) -> None:
        self.rows.setdefault(partition, {})[key] = dict(row)

    def add(self, partition: str, key: str, row: Mapping[str, Any]) -> bool:
        if self.find(partition, key) is not None:
            return False
        self.put(partition, key, row)
        return True

    def list_rows(self, partition: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for key, row in sorted(self.rows.get(partition, {}).items()):
            yield key, dict(row)

    def delete(self, partition: str, key: str) -> None:
        rows = self.rows.get(partition, {})
        rows.pop(key, None)
        if not rows:
            self.rows.pop(partition, None)


class MemoryMessages:
    """Queues; `sent` holds queue, body and delay in the order of sending."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, float]] = []

    def send(self, queue: str, body: str, *, delay_seconds: float = 0) -> None:
        self.sent.append((queue, body, delay_seconds))

    def probe(self, queue: str) -> int:
        return sum(each[0] == queue for each in self.sent)

    def take(self) -> list[tuple[str, str, float]]:
        """Hand over everything sent so far, as a host would, and forget it."""
        taken, self.sent = self.sent, []
        return taken


class MemoryWebhook:
    """A channel; `error` is raised instead of taking a message."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, str]] = []
        self.error: ConnectorError | None = None

    def post(self, url: str, text: str) -> None:
        if self.error is not None:
            raise self.error
        self.posted.append((url, text))


class MemoryLeases:
    """Leases within one process; `held` may be filled to play another worker, `known` grows with every name."""

    def __init__(self) -> None:
        self.held: set[str] = set()
        self.known: set[str] = set()

    @contextmanager
    def _hold(self, name: str) -> Iterator[None]:
        if name in self.held:
            raise BusyError("Another worker holds the lease.")
        self.held.add(name)
        self.known.add(name)
        try:
            yield
        finally:
            self.held.discard(name)

    def hold(self, name: str) -> AbstractContextManager[None]:
        return self._hold(name)

    def is_held(self, name: str) -> bool:
        return name in self.held

    def forget(self, prefix: str) -> None:
        self.known -= {name for name in self.known - self.held if name.startswith(prefix)}
