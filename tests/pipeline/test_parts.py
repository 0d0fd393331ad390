"""What is read is kept in parts that can be sorted in memory, however short the rows are."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared.domain.profile import Table
from shared.pipeline import staging
from shared.pipeline.engine import Engine, engine, parquet
from shared.pipeline.reading import TextFile
from shared.pipeline.staging import Stager
from tests.pipeline.conftest import stage

ROWS = 1_200_000
TABLE = Table.model_validate({"columns": {"ID": {"key": True}, "OF": {"key": True}}})


def test_rows_of_a_segment_are_in_parts_by_number_and_in_the_order_of_places(
    columnar: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every pass over some learners looks into the parts by place; bad rows have a number as well."""
    monkeypatch.setattr(staging, "ROWS_PER_PART", 10)
    monkeypatch.setattr(staging, "FULL_MEMORY_MB", columnar.memory_mb)
    lines = "".join(f"{number},{'' if number % 5 == 0 else 'x'}\n" for number in range(24))

    result = stage(columnar, TABLE, f"ID,OF\n{lines}".encode())

    assert [part.rows for part in result.staged.parts] == [8, 8, 3]
    assert [row[1] for row in result.rows] == [str(number) for number in range(24) if number % 5]
    for part in result.staged.parts:
        places = [place for (place,) in columnar.rows(f"select place from {parquet([part.file])}")]
        assert places == sorted(places)


@pytest.mark.slow
def test_many_short_rows_have_room(tmp_path: Path) -> None:
    """What reads has no disk; a table of libraries has twice as many rows in a megabyte as one of people."""
    chunks = _chunks("ID,OF", lambda each: f"C-{each:07d},LIBRARY-{each % 9}")

    with engine(128) as small, small.reader() as reader:
        staged = Stager(reader, tmp_path, "UTC").stage("SOME", TABLE, "Some.csv", TextFile(chunks))

    assert (staged.rows, staged.rejected) == (ROWS, 0)
    assert sum(part.rows for part in staged.parts) == staged.rows


@pytest.mark.slow
def test_many_texts_have_room(tmp_path: Path) -> None:
    """In the least memory that may be set, where their lines have to be counted: labels hold newlines."""
    table = Table.model_validate({"columns": {"ID": {"key": True}, "LOCALE": {"key": True}, "VALUE": {}}})
    chunks = _chunks("ID,LOCALE,VALUE", lambda each: f'label.PA_CPNT.TITLE.{each},German,"Brandschutz\nim Büro {each}"')

    with engine(128) as small, small.reader() as reader:
        staged = Stager(reader, tmp_path, "UTC").stage("SOME", table, "Some.csv", TextFile(chunks))

    assert (staged.rows, staged.rejected) == (ROWS, 0)


def _chunks(header: str, row: Callable[[int], str]) -> Iterator[bytes]:
    yield f"{header}\n".encode()
    for first in range(0, ROWS, 1000):
        yield "".join(f"{row(each)}\n" for each in range(first, first + 1000)).encode()
