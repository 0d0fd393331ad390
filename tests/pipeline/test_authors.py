"""Instructors become a content's contributors, where a connection publishes them, and nowhere else."""

import json
from pathlib import Path

import pytest

from tests.company import ADA, BEA, FULL, done, full, item
from tests.desk import Desk


@pytest.mark.parametrize(("publishes", "contributors"), [(True, [["Kim", "Lee"], []]), (False, [[], []])])
def test_each_instructor_of_an_item_is_named_once(
    desk: Desk, tmp_path: Path, *, publishes: bool, contributors: list[list[str]]
) -> None:
    desk.set(publish_author=publishes)
    history = [
        done(ADA, 1, INST_NAME="Lee"),
        done(BEA, 1, INST_NAME="Kim"),
        done(BEA, 1, INST_NAME="Lee", COMPL_DTE="2026-02-01 09:00:00"),
        done(ADA, 2, INST_NAME=""),
    ]
    desk.drop(FULL, full(PA_CPNT=[item(1), item(2)], PA_CPNT_EVTHST=history))

    assert desk.sync().outcome == "done"

    desk.simulator.export_viva(tmp_path / "viva")
    shown = [json.loads(line) for line in (tmp_path / "viva").read_text("utf-8").splitlines()]
    assert [each["contributors"] for each in shown if each["_type"] == "learningContent"] == contributors
