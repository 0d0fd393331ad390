"""What is sent is counted item by item over all passes, in a room that does not grow with their number."""

from typing import Any

import pytest

from shared.domain.connection import Connection
from shared.domain.state import State
from shared.pipeline import changes_report
from shared.pipeline.engine import Engine, engine
from shared.pipeline.read_package import Manifest
from shared.pipeline.run_data import RunData
from shared.pipeline.show_contents import content_key
from tests.desk import Desk
from tests.desk_connection import DEFAULTS
from tests.pipeline.test_rejects import RUN


def test_the_same_item_in_many_passes_is_one_row(columnar: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many passes have been, few more rows are kept than there are items."""
    monkeypatch.setattr(changes_report, "_ROWS_NOT_SUMMED", 2)
    changes_report.begin(columnar)
    passed = []

    for _ in range(20):
        columnar.run(
            "create or replace table decisions as select * from (values "
            "('assignment', 'add', 1), ('assignment', 'add', 1), ('self', 'add', 2), ('assignment', 'same', 2)) "
            "each (kind, todo, number)"
        )
        changes_report.collect(columnar)
        changes_report.end_pass(columnar)
        passed.append(columnar.one("select count(*) from activity_changes"))

    assert max(passed) <= 4
    assert columnar.rows("select kind, todo, sum(records)::int from activity_changes group by all order by kind") == [
        ("assignment", "add", 40),
        ("self", "add", 20),
    ]


def test_a_catalog_larger_than_memory_is_reported(desk: Desk) -> None:
    """To join the contents, to join the activities and to sort both in one statement had no room at 100,000 items."""
    items = 100_000
    with engine(64) as small:
        small.run(
            "create table contents as select 'COURSE' as typ, i::varchar as id, md5(i::varchar)::uuid as pk, "
            f"'add' as todo, repeat(md5(i::varchar), 20) as body from range({items}) each (i)"
        )
        small.run("create view PA_CPNT as select pk, 2::bigint as line, true as came from contents")
        small.run(f"create table available as select {content_key('typ', 'id')} as key from contents")
        changes_report.begin(small)
        small.run(
            "create table decisions as select kind, 'add' as todo, available.rowid as number "
            "from available, (values ('assignment'), ('self')) each (kind)"
        )
        changes_report.collect(small)
        small.run("drop table decisions")

        known: dict[str, Any] = {"files": {"PA_CPNT": "catalog.csv"}}
        manifest = Manifest.model_construct(**known)
        connection = Connection.model_validate(DEFAULTS)
        changes_report.report(RunData(desk.parts, connection, State(), RUN, manifest, small))

    header, *rows = desk.reports.get(changes_report.path(RUN)).decode("utf-8-sig").splitlines()
    assert header == "run,kind,action,item_type,item_id,count,file,line"
    assert rows[0] == "run-1,content,add,COURSE,0,1,catalog.csv,2"
    assert [rows[items * each].split(",")[1] for each in range(3)] == ["content", "assignment", "completion"]
    assert len(rows) == 3 * items
