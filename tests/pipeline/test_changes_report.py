"""What is sent is counted item by item over all passes, in a room that does not grow with their number."""

import pytest

from shared.pipeline import changes_report
from shared.pipeline.engine import Engine

ITEM, OTHER = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"


def test_the_same_item_in_many_passes_is_one_row(columnar: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many passes have been, few more rows are kept than there are items."""
    monkeypatch.setattr(changes_report, "_ROWS_NOT_SUMMED", 2)
    changes_report.begin(columnar)
    passed = []

    for _ in range(20):
        columnar.run(
            "create or replace table decisions as select * from (values "
            f"('assignment', 'add', '{ITEM}'::uuid), ('assignment', 'add', '{ITEM}'::uuid), "
            f"('self', 'add', '{OTHER}'::uuid), ('assignment', 'same', '{OTHER}'::uuid)) each (kind, todo, content)"
        )
        changes_report.collect(columnar)
        passed.append(columnar.one("select count(*) from activity_changes"))

    assert max(passed) <= 4
    assert columnar.rows("select kind, todo, sum(records)::int from activity_changes group by all order by kind") == [
        ("assignment", "add", 40),
        ("self", "add", 20),
    ]
