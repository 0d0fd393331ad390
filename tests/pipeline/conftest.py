"""An engine for the tests of the pipeline, and what staging makes of a file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from shared.domain.profile import Table
from shared.pipeline.engine import Engine, engine, parquet
from shared.pipeline.reading import TextFile
from shared.pipeline.staging import Staged, Stager
from shared.ports import Secret

PEPPER = bytes(range(32))


def as_secret(pepper: bytes) -> Secret:
    """Keep a pepper as the vault does."""
    return Secret("1", pepper.hex(), datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture(scope="module")
def columnar() -> Iterator[Engine]:
    """An engine with the pepper set, one for all tests of a module: each staging begins with no rejects."""
    with engine(64) as created:
        created.set_pepper(as_secret(PEPPER))
        yield created


@dataclass(frozen=True)
class Result:
    """What staging came to."""

    staged: Staged
    rows: list[tuple[Any, ...]]
    """Line and values of the good rows, in their order."""
    rejects: list[tuple[int, str, str]]
    """Line, field and code, by line."""
    messages: list[str]
    """Of the rejects."""


def stage(
    columnar: Engine,
    table: Table,
    content: bytes,
    *,
    zone: str = "UTC",
    segment_bytes: int = 1000,
    chunk_bytes: int = 7,
    windows_1252: bool = False,
    settings: Mapping[str, frozenset[str]] | None = None,
) -> Result:
    """Stage one file named `Some.csv` as table `SOME`, in pieces of few bytes."""
    columnar.run("drop table if exists rejects")
    stager = Stager(columnar, Path(mkdtemp(dir=columnar.folder)), zone, **(settings or {}))
    pieces = (content[at : at + chunk_bytes] for at in range(0, len(content), chunk_bytes))
    source = TextFile(pieces, segment_bytes=segment_bytes, windows_1252=windows_1252)
    staged = stager.stage("SOME", table, "Some.csv", source)
    rows = columnar.rows(f"select * exclude (pk) from {parquet(staged.parts)}") if staged.parts else []
    told = columnar.rows("select line, field, code, message from rejects where file = 'Some.csv' order by line, field")
    return Result(staged, rows, [each[:3] for each in told], [each[3] for each in told])
