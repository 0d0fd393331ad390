"""Student ids become keyed hashes while they are read, and are never written down, however many there are."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import pytest

from shared.domain.profile import Column, ColumnType, Table
from shared.pipeline import seen_students, staging
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


@pytest.mark.parametrize("in_memory", [3, staging.STUDENTS_IN_MEMORY])
def test_they_are_the_same_wherever_and_however_often_they_stand(
    columnar: Engine, monkeypatch: pytest.MonkeyPatch, in_memory: int
) -> None:
    """In each segment some are new, and some have been seen before, wherever these are kept."""
    monkeypatch.setattr(staging, "STUDENTS_IN_MEMORY", in_memory)
    columnar.run("drop table if exists students_seen")
    lines = [f" s{number % 7} ,{number},{f's{number % 5}' if number % 3 else ''},2026-01-01" for number in range(60)]

    result = stage(columnar, TABLE, "\n".join(["STUD_ID,N,BY,AT", *lines, "x,y"]).encode(), segment_bytes=200)

    assert [row[:3] for row in result.rows] == [
        (_hash(columnar, number % 7), str(number), _hash(columnar, number % 5) if number % 3 else None)
        for number in range(60)
    ]
    assert [line for line, *_ in result.rejects] == [62]
    kept = columnar.one("select count(*) from students_seen")
    assert kept == 7 if in_memory > 7 else kept <= in_memory


@pytest.mark.parametrize("new", ["new,9,s1,", "s1,9,new,"])
def test_somebody_new_is_noticed_after_others_who_were_not(columnar: Engine, new: str) -> None:
    """Nobody is looked for in a segment after one without anybody new, until a row finds nobody."""
    columnar.run("drop table if exists students_seen")
    lines = [*(f"s1,{number},s1,{60 * 'x'}" for number in range(8)), new, *(f"s1,1{number},," for number in range(8))]
    table = TABLE.model_copy(update={"columns": {**TABLE.columns, "AT": Column()}})

    result = stage(columnar, table, "\n".join(["STUD_ID,N,BY,AT", *lines]).encode(), segment_bytes=100)

    assert len(result.staged.parts) > 3
    known = {id_: columnar.one(f"select keyed('student', '{id_}')") for id_ in ("s1", "new")}
    expected = [line.split(",") for line in lines]
    assert [row[:3] for row in result.rows] == [(known[who], n, known.get(by)) for who, n, by, _ in expected]
    assert columnar.one("select count(*) from students_seen") == 2


@pytest.mark.parametrize(("orderly", "most_descents"), [(seen_students.ORDERLY_STUDENTS, 0), (50, 39)])
def test_rows_come_in_the_order_of_their_places(
    columnar: Engine, monkeypatch: pytest.MonkeyPatch, orderly: int, most_descents: int
) -> None:
    """Sorted, or by the join alone: once through the students for each of the 40 rows that everybody has."""
    monkeypatch.setattr(seen_students, "ORDERLY_STUDENTS", orderly)
    columnar.run("drop table if exists students_seen")
    content = "\n".join(["STUD_ID,N,BY,AT", *(f"s{number * 37 % 50},{number},," for number in range(2000))]).encode()

    staged = stage(columnar, TABLE, content, segment_bytes=len(content)).staged

    (part,) = staged.parts
    places = [place for (place,) in columnar.rows(f"select place from {parquet([part.file])}")]
    assert (part.rows, part.first, part.last) == (2000, min(places), max(places))
    assert sum(after < before for before, after in pairwise(places)) <= most_descents


def test_whose_a_row_is_is_part_of_its_key(columnar: Engine) -> None:
    """The same texts about somebody else are another row, and the same about the same person the same."""
    lines = [f"s{number % 7},{number % 3},," for number in range(42)]

    staged = stage(columnar, TABLE, "\n".join(["STUD_ID,N,BY,AT", *lines]).encode(), segment_bytes=100).staged

    rows = parquet([part.file for part in staged.parts])
    assert columnar.one(f"select count(distinct pk) from {rows}") == 21


def test_when_somebody_was_assigned_enters_a_fingerprint(columnar: Engine) -> None:
    """As often as the time is another, in whatever form it comes; blanks around it change nothing."""
    table = TABLE.model_copy(update={"fingerprints": {"EXT": ("pk", "AT")}})
    times = ["2026-01-01 10:00:00", " 2026-01-01 10:00:00 ", "2026-01-01 10:00:01", "2026-01-01T10:00:00", "2026-01-01"]
    lines = [f"s1,1,,{at}" for at in (*times, " 2026-01-01", "", " ")]
    lines += [f"s{student},{number},,{times[0]}" for student, number in ((2, 1), (1, 2))]

    staged = stage(columnar, table, "\n".join(["STUD_ID,N,BY,AT", *lines]).encode()).staged

    rows = parquet([part.file for part in staged.parts])
    found = [ext for (ext,) in columnar.rows(f"select EXT from {rows} order by record")]
    assert [found.index(ext) for ext in found] == [0, 0, 2, 3, 4, 4, 6, 6, 8, 9]


def _hash(columnar: Engine, number: int) -> UUID:
    return UUID(str(columnar.one(f"select keyed('student', 's{number}')")))


@pytest.mark.slow
@pytest.mark.parametrize("memory_mb", [128, 160])
def test_no_id_is_on_disk_in_a_company_of_a_million(tmp_path: Path, memory_mb: int) -> None:
    """What reads them has no disk, and room for all the same; what it leaves behind in memory is nobody's id."""
    with engine(memory_mb) as large:
        large.set_pepper(as_secret(PEPPER))
        with large.reader() as reader:
            stager = staging.Stager(reader, tmp_path, "UTC")
            others = "select uuid() as alias, uuid() as student, 1::usmallint as place"
            stager.students.files.append(reader.write(f"{others} from range({LEARNERS})", tmp_path / "others.parquet"))
            result = stager.stage("SOME", TABLE, "Some.csv", TextFile(_chunks()))
            assert not (reader.folder / "spill").exists()

        large.run("create table wide as select uuid() as a, uuid() as b from range(8_000_000)")
        spilled = [file.read_bytes() for file in (large.folder / "spill").iterdir()]

    assert result.rows == ROWS
    assert sum(map(len, spilled)) > 50_000_000
    assert sum(content.count(b"quokka") for content in spilled) == 0


def _chunks() -> Iterator[bytes]:
    yield b"STUD_ID,N,BY,AT,FILLER\n"
    for first in range(0, ROWS, 1000):
        yield "".join(
            f"quokka{each * 7 % LEARNERS:07d},{each},quokka{each * 3 % LEARNERS:07d},2026-01-01 09:00:00,{FILLER}\n"
            for each in range(first, first + 1000)
        ).encode()
