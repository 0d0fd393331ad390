"""The report of rejects: people open it with a spreadsheet."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import batched
from pathlib import Path

import pytest

from shared.domain.errors import Code
from shared.domain.help import EXPLANATIONS
from shared.domain.package import Kind
from shared.domain.profile import Column, Table
from shared.domain.runs import Reject, Run
from shared.pipeline import journal, staging
from shared.pipeline.engine import Engine, engine, parquet
from shared.pipeline.reading import TextFile
from shared.pipeline.rejects import add, as_csv, header, path
from shared.pipeline.staging import Stager
from tests.company import FULL, full, item
from tests.desk import Desk
from tests.pipeline.conftest import stage

TABLE = Table(columns={"ID": Column(key=True), "A": Column()})
NOW = datetime(2026, 11, 1, tzinfo=UTC)
RUN = Run(
    run_id="run-1",
    connection="acme",
    sync_id="1",
    package="p",
    kind=Kind.FULL,
    content_hash="",
    sealed_path="",
    timestamp=NOW,
    touched_at=NOW,
    started_at=NOW,
)


@pytest.mark.parametrize("text", ["=cmd|'/c calc'!A1", "+1+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_text_is_a_formula(text: str) -> None:
    reject = Reject(file=text, line=7, field=text, code=Code.FIELD_INVALID, message=text)

    content = header() + as_csv(RUN, [reject])

    (row,) = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    assert {row["file"], row["field"], row["message"]} == {f"'{text}"}
    assert (row["run"], row["line"], row["code"]) == ("run-1", "7", "CONN_ERROR_FIELD_INVALID")


def test_an_ordinary_text_stays_as_it_is() -> None:
    reject = Reject(file="PA_CPNT.csv", line=2, field="REV_DTE", code=Code.FIELD_INVALID, message='a, "b"; größer')

    (row,) = csv.reader(io.StringIO(as_csv(RUN, [reject]).decode()))

    *told, mend = row
    assert told == ["run-1", "PA_CPNT.csv", "2", "REV_DTE", "CONN_ERROR_FIELD_INVALID", 'a, "b"; größer']
    assert mend == EXPLANATIONS[Code.FIELD_INVALID].mend


def test_it_begins_so_that_a_spreadsheet_knows_its_encoding() -> None:
    assert header().startswith(b"\xef\xbb\xbfrun,file,line,field,code,message,how_to_mend")


def test_rejects_are_forgotten_by_table(columnar: Engine) -> None:
    """A package that is read again must not take with it what is known of its keys package."""
    stage(columnar, TABLE, b"ID,A\n,a\n")
    stager = Stager(columnar, columnar.folder, "UTC")

    stager.forget(["OTHER"])
    assert columnar.one("select count(*) from rejects") == 1
    stager.forget(["OTHER", "SOME"])

    assert columnar.one("select count(*) from rejects") == 0


def test_what_is_added_twice_stands_in_the_report_once(desk: Desk) -> None:
    """Whoever folds a run may die after it has written, and the next one writes the same."""
    desk.drop(FULL, full(PA_CPNT=[item(1), item(2, CPNT_LEN="long")]))
    desk.set(reject_limit_percent=100)
    run = desk.sync().runs[0]
    refused = Reject(file="PA_CPNT", line=0, field="COURSE:C-1", code=Code.RECORD_REFUSED, message="Graph answered 400")

    values = add(desk.parts, run, [refused])
    again = add(desk.parts, journal.get_run(desk.parts, run.connection, run.run_id), [refused])

    content = desk.reports.content[path(run)].decode("utf-8-sig")
    found = list(csv.DictReader(io.StringIO(content, newline="")))
    assert [row["code"] for row in found] == [Code.FIELD_INVALID, Code.RECORD_REFUSED]
    assert found[1]["how_to_mend"] == EXPLANATIONS[Code.RECORD_REFUSED].mend
    assert (values["reject_count"], again) == (2, {})
    assert journal.get_run(desk.parts, run.connection, run.run_id).reject_count == 2


def test_rejects_that_are_in_files_are_forgotten_as_well(
    columnar: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where millions are, they are not kept in memory."""
    monkeypatch.setattr(staging, "REJECTS_IN_MEMORY", 1)
    columnar.run("drop table if exists rejects")
    stager = Stager(columnar, tmp_path, "UTC")
    for table in ("SOME", "OTHER", "LAST"):
        stager.stage(table, TABLE, "f.csv", TextFile(iter([b"ID,A\n,a\n,b\n"])))
    assert columnar.one("select count(*) from rejects") == 0

    stager.forget(["SOME", "LAST"])
    stager.save_rejects()

    assert columnar.rows(f"select table_name, line from {parquet(stager.rejects)}") == [("OTHER", 2), ("OTHER", 3)]


@pytest.mark.slow
def test_a_file_of_bad_rows_has_room(tmp_path: Path) -> None:
    """What reads has no disk, and one that is wrong in every row must be told so, however long it is."""
    rows, filler = 600_000, 40 * "x"
    lines = (f"{each},no time at all,{filler}\n" for each in range(rows))
    table = Table.model_validate({"columns": {"ID": {"key": True}, "AT": {"type": "time"}}})
    with engine(128) as small, small.reader() as reader:
        stager = Stager(reader, tmp_path, "UTC")
        staged = stager.stage("SOME", table, "f.csv", TextFile(_chunks(lines)))
        stager.save_rejects()

        assert staged.rejected == rows
        assert reader.one(f"select count(distinct line) from {parquet(stager.rejects)}") == rows


def _chunks(lines: Iterator[str]) -> Iterator[bytes]:
    yield b"ID,AT,FILLER\n"
    for some in batched(lines, 1000, strict=False):
        yield "".join(some).encode()
