"""Tables and snapshots in parts: how they are written, kept in storage, and brought back as relations."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from shared.domain.table_part import PLACES, TablePart
from shared.pipeline.engine import Engine, parquet
from shared.ports import Blobs

ROWS_PER_PASS = 800_000
"""How many rows are worked on at a time: what is made of them has to be in memory."""


@dataclass(frozen=True, slots=True)
class LocalPart:
    """A part as a file of this machine."""

    file: Path
    rows: int
    first: int
    last: int


def write_part(engine: Engine, sql: str, file: Path) -> LocalPart:
    """Write a query's rows, which have a `place`, in the order of their places."""
    # Most of a row are hashes, which no compression makes smaller: to try costs more than the quarter that it saves.
    engine.write(f"select * from ({sql}) order by place", file, compression="uncompressed")
    rows, first, last = engine.rows(
        f"select count(*), coalesce(min(place), 0), coalesce(max(place), 0) from {parquet([file])}"
    )[0]
    return LocalPart(file, rows, first, last)


def upload(blobs: Blobs, part: LocalPart, path: str) -> TablePart:
    """Bring a part into storage."""
    blobs.put_file(path, part.file)
    return TablePart(path=path, rows=part.rows, first=part.first, last=part.last)


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
    count = min(max(1, -(-rows // ROWS_PER_PASS)), PLACES)
    bounds = [number * PLACES // count for number in range(count + 1)]
    return [(first, end - 1) for first, end in pairwise(bounds)]
