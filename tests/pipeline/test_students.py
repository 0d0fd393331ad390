"""Student ids become keyed hashes while they are read, and are never written down, however many there are."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from shared.domain.profile import Column, ColumnType, Table
from shared.pipeline import staging
from shared.pipeline.engine import Engine, engine
from shared.pipeline.reading import TextFile
from shared.pipeline.table_plan import STUDENTS_SEEN
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


@pytest.mark.parametrize("per_mb", [0, staging.STUDENTS_PER_MB])
def test_they_are_the_same_whether_all_or_only_some_are_at_hand(
    columnar: Engine, monkeypatch: pytest.MonkeyPatch, per_mb: int
) -> None:
    """Where many are known, only those that a segment names are joined with it."""
    monkeypatch.setattr(staging, "STUDENTS_PER_MB", per_mb)
    columnar.run("drop table if exists students_seen")
    lines = [f" s{number % 7} ,{number},{f's{number % 5}' if number % 3 else ''},2026-01-01" for number in range(60)]

    result = stage(columnar, TABLE, "\n".join(["STUD_ID,N,BY,AT", *lines, "x,y"]).encode(), segment_bytes=200)

    assert [row[:3] for row in result.rows] == [
        (_hash(columnar, number % 7), str(number), _hash(columnar, number % 5) if number % 3 else None)
        for number in range(60)
    ]
    assert [line for line, *_ in result.rejects] == [62]
    assert columnar.one("select count(*) = count(distinct student) and count(*) = 7 from students_seen")


def _hash(columnar: Engine, number: int) -> UUID:
    return UUID(str(columnar.one(f"select keyed('student', 's{number}')")))


@pytest.mark.slow
def test_no_id_is_on_disk_in_a_company_of_a_million(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To join what is read with all of them, the engine would put parts of both sides to disk."""
    seen: list[int] = []
    attempt = Engine.attempt

    def looked(self: Engine, statement: str) -> bool:
        done = attempt(self, statement)
        found = [file.read_bytes() for file in (self.folder / "spill").glob("*") if file.is_file()]
        seen.append(sum(content.count(b"quokka") for content in found))
        return done

    with engine(160) as large:
        large.set_pepper(as_secret(PEPPER))
        large.run(STUDENTS_SEEN)
        large.run(f"insert into students_seen select md5_number(i::varchar), uuid(), 1 from range({LEARNERS}) each (i)")
        monkeypatch.setattr(Engine, "attempt", looked)

        result = staging.Stager(large, tmp_path, "UTC").stage("SOME", TABLE, "Some.csv", TextFile(_chunks()))

    assert result.rows == ROWS
    assert not any(seen)
    assert len(seen) == 2 * 4


def _chunks() -> Iterator[bytes]:
    yield b"STUD_ID,N,BY,AT,FILLER\n"
    for first in range(0, ROWS, 1000):
        yield "".join(
            f"quokka{each * 7 % LEARNERS:07d},{each},quokka{each * 3 % LEARNERS:07d},2026-01-01 09:00:00,{FILLER}\n"
            for each in range(first, first + 1000)
        ).encode()
