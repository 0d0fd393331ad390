"""Tables and snapshots in parts: how they are written, kept in storage, and brought back as relations."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from shared.domain.errors import TransientError
from shared.domain.table_part import PLACES, TablePart
from shared.pipeline.engine import Engine, parquet
from shared.ports import Blobs

ROWS_PER_PASS = 1_000_000
"""How many rows are worked on at a time: what is made of them has to be in memory."""
_ROW_GROUP_ROWS = 16_384
"""Of a part: each costs something to write, and a range of places is read with all that shares groups with it."""


@dataclass(frozen=True, slots=True)
class LocalPart:
    """A part as a file of this machine."""

    file: Path
    rows: int
    first: int
    last: int


def write_part(engine: Engine, sql: str, file: Path, *, in_order: bool = False) -> LocalPart:
    """Write a query's rows, which have a `place`, in the order of their places.

    With `in_order` they come so, nearly, where the engine joins as it is written, and are not sorted. A range of places
    is read from few row groups either way, and no result hangs on it.
    """
    with engine.joining_as_written() if in_order else nullcontext():
        # Most of a row are hashes, which no compression makes smaller: to try costs more than what it saves, a quarter.
        engine.write(
            sql if in_order else f"select * from ({sql}) order by place",
            file,
            compression="uncompressed",
            row_group_rows=_ROW_GROUP_ROWS,
        )
    rows, first, last = engine.rows(
        f"select count(*), coalesce(min(place), 0), coalesce(max(place), 0) from {parquet([file])}"
    )[0]
    return LocalPart(file, rows, first, last)


def upload(blobs: Blobs, part: LocalPart, path: str) -> TablePart:
    """Bring a part into storage."""
    blobs.put_file(path, part.file)
    return TablePart(path=path, rows=part.rows, first=part.first, last=part.last)


class Uploads:
    """Parts on their way into a folder of the storage, one after the other, in a thread of its own."""

    def __init__(self, blobs: Blobs, folder: str, thread: Executor) -> None:
        self._blobs = blobs
        self._folder = folder
        self._thread = thread
        self._coming: dict[str, Future[TablePart]] = {}
        """By path."""

    def begin(self, table: str, part: LocalPart) -> None:
        """Send a part on its way; once more when its file has been written anew."""
        path = self._path(table, part.file.name)
        self._coming[path] = self._thread.submit(upload, self._blobs, part, path)

    def end(self, table: str, parts: Sequence[LocalPart]) -> tuple[TablePart, ...]:
        """Wait until a table is there: these parts, whether or not they were begun, and no others.

        Raises:
            TransientError: the storage account has no time.
        """
        paths = [self._path(table, part.file.name) for part in parts]
        for path, part in zip(paths, parts, strict=True):
            if path not in self._coming:
                self.begin(table, part)
        there = tuple(self._coming[path].result() for path in paths)
        for path in [path for path in self._coming if path.startswith(self._path(table)) and path not in paths]:
            # After what was begun, for there is one thread.
            self._thread.submit(self._blobs.delete, path).result()
            del self._coming[path]
        return there

    def take_back(self) -> None:
        """Delete all that was begun; nothing may be under way."""
        for path in self._coming:
            self._blobs.delete(path)

    def _path(self, table: str, name: str = "") -> str:
        return f"{self._folder}/{table}/{name}"


@contextmanager
def uploading(blobs: Blobs, folder: str) -> Iterator[Uploads]:
    """Bring parts into a folder of the storage while something else is done; after an error nothing is left of them."""
    thread = ThreadPoolExecutor(1, "upload")
    uploads = Uploads(blobs, folder, thread)
    try:
        try:
            yield uploads
        finally:
            thread.shutdown(cancel_futures=True)
    except Exception:
        # If the storage account has no time for it now, it expires with the run's work.
        with suppress(TransientError):
            uploads.take_back()
        raise


def download(blobs: Blobs, parts: Sequence[TablePart], folder: Path) -> list[LocalPart]:
    """Bring parts to this machine."""
    return [_download(blobs, part, folder / f"{number:05d}.parquet") for number, part in enumerate(parts)]


@contextmanager
def downloading(blobs: Blobs, parts: Sequence[TablePart], folder: Path) -> Iterator[Callable[[], list[LocalPart]]]:
    """Bring parts to this machine while something else is done; who calls what this gives waits for all of them.

    What was not begun at the end of the block is left.
    """
    thread = ThreadPoolExecutor(1, "download")
    try:
        coming = [
            thread.submit(_download, blobs, part, folder / f"{number:05d}.parquet") for number, part in enumerate(parts)
        ]
        yield lambda: [each.result() for each in coming]
    finally:
        thread.shutdown(cancel_futures=True)


def _download(blobs: Blobs, part: TablePart, file: Path) -> LocalPart:
    return LocalPart(blobs.get_file(part.path, file), rows=part.rows, first=part.first, last=part.last)


def within(parts: Sequence[LocalPart], first: int, last: int) -> list[LocalPart]:
    """Return those that may hold rows of a range of places."""
    return [part for part in parts if part.first <= last and part.last >= first]


def files(parts: Sequence[LocalPart], first: int, last: int) -> list[Path]:
    """Return the files that may hold rows of a range of places."""
    return [part.file for part in within(parts, first, last)]


def ranges(rows: int) -> list[tuple[int, int]]:
    """Split the places evenly, so that each range holds about `ROWS_PER_PASS` of that many rows."""
    return split(min(max(1, -(-rows // ROWS_PER_PASS)), PLACES))


def split(count: int) -> list[tuple[int, int]]:
    """Split the places evenly into that many ranges: the first and the last place of each."""
    bounds = [number * PLACES // count for number in range(count + 1)]
    return [(first, end - 1) for first, end in pairwise(bounds)]
