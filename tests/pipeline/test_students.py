"""Student ids become keyed hashes while they are read, and are never written down, however many there are."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from shared.domain.profile import Column, ColumnType, Table
from shared.pipeline import staging
from shared.pipeline.engine import Engine, engine, parquet
from shared.pipeline.reading import TextFile
from tests.pipeline.conftest import PEPPER, as_secret, stage

TABLE = Table(
    columns={
        "STUD_ID": Column(type=ColumnType.STUDENT, key=True),
        "N": Column(key=True),
        "BY": Column(type=ColumnType.STUDENT),
        "AT": Column(type=ColumnType.TIME),
    }
)
LEARNERS, ROWS, FILLER = 1_000_000, 500_000, 60 * "x"


@pytest.mark.parametrize("segments", [1, 3])
def test_they_are_the_same_wherever_and_however_often_they_stand(
    columnar: Engine, monkeypatch: pytest.MonkeyPatch, segments: int
) -> None:
    """A part may hold several segments; in each, some are new and some have been seen before, or just now."""
    monkeypatch.setattr(staging, "SEGMENTS_PER_PART", segments)
    columnar.run("drop table if exists students_seen")
    lines = [f" s{number % 7} ,{number},{f's{number % 5}' if number % 3 else ''},2026-01-01" for number in range(60)]

    result = stage(columnar, TABLE, "\n".join(["STUD_ID,N,BY,AT", *lines, "x,y"]).encode(), segment_bytes=200)

    assert [row[:3] for row in result.rows] == [
        (_hash(columnar, number % 7), str(number), _hash(columnar, number % 5) if number % 3 else None)
        for number in range(60)
    ]
    assert [line for line, *_ in result.rejects] == [62]
    assert columnar.one("select count(*) = count(distinct student) and count(*) = 7 from students_seen")


def test_whose_a_row_is_is_part_of_its_key(columnar: Engine) -> None:
    """The same texts about somebody else are another row, and the same about the same person the same."""
    lines = [f"s{number % 7},{number % 3},," for number in range(42)]

    staged = stage(columnar, TABLE, "\n".join(["STUD_ID,N,BY,AT", *lines]).encode(), segment_bytes=100).staged

    rows = parquet([part.file for part in staged.parts])
    assert columnar.one(f"select count(distinct pk) from {rows}") == 21


def _hash(columnar: Engine, number: int) -> UUID:
    return UUID(str(columnar.one(f"select keyed('student', 's{number}')")))


@pytest.mark.slow
def test_no_id_is_on_disk_in_a_company_of_a_million(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To join what is read with all of them, the engine would put parts of both sides to disk."""
    seen: list[int] = []
    attempt, run = Engine.attempt, Engine.run

    def look(engine: Engine) -> None:
        found = [file.read_bytes() for file in (engine.folder / "spill").glob("*") if file.is_file()]
        seen.append(sum(content.count(b"quokka") for content in found))

    def attempt_and_look(self: Engine, statement: str) -> bool:
        done = attempt(self, statement)
        look(self)
        return done

    def run_and_look(self: Engine, statement: str, values: Sequence[Any] | None = None) -> None:
        run(self, statement, values)
        look(self)

    with engine(160) as large:
        large.set_pepper(as_secret(PEPPER))
        large.run(staging.STUDENTS_SEEN)
        large.run(f"insert into students_seen select md5_number(i::varchar), uuid(), 1 from range({LEARNERS}) each (i)")
        monkeypatch.setattr(Engine, "attempt", attempt_and_look)
        monkeypatch.setattr(Engine, "run", run_and_look)

        result = staging.Stager(large, tmp_path, "UTC").stage("SOME", TABLE, "Some.csv", TextFile(_chunks()))

    assert result.rows == ROWS
    assert not any(seen)
    assert len(seen) > 2 * 4


def _chunks() -> Iterator[bytes]:
    yield b"STUD_ID,N,BY,AT,FILLER\n"
    for first in range(0, ROWS, 1000):
        yield "".join(
            f"quokka{each * 7 % LEARNERS:07d},{each},quokka{each * 3 % LEARNERS:07d},2026-01-01 09:00:00,{FILLER}\n"
            for each in range(first, first + 1000)
        ).encode()
