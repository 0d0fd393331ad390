"""The report of rejects: people open it with a spreadsheet."""

import csv
import io
from datetime import UTC, datetime

import pytest

from shared.domain.errors import Code
from shared.domain.help import EXPLANATIONS
from shared.domain.package import Kind
from shared.domain.profile import Column, Table
from shared.domain.runs import Reject, Run
from shared.pipeline.engine import Engine
from shared.pipeline.rejects import as_csv, header
from shared.pipeline.staging import Stager
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
