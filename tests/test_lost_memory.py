"""What a connector does that has forgotten everything: after a restore, a move, or a tear-down that kept the keys."""

import json
from typing import Any

import pytest

from infra.local.graph import Faults
from tests import company
from tests.company import ADA, full, plan
from tests.desk import Desk

LATER = "acme_F_20261102000000.zip.pgp"
EVERYTHING = (
    "states",
    "runs",
    "ledger",
    "syncs",
    "sealed",
    "records",
    "tables",
    "pushes",
    "directory",
    "directory_index",
)


def forget(desk: Desk, *names: str) -> None:
    """Empty these containers and tables."""
    for name in names:
        part: Any = getattr(desk.parts, name)
        for found in ("content", "rows", "_documents"):
            getattr(part, found, {}).clear()
    desk.folder.files.clear()


def published(desk: Desk) -> dict[str, Any]:
    """What Viva Learning shows, by external id; ids of objects are not looked at."""
    path = desk.simulator._folder / "viva.ndjson"
    desk.simulator.export_viva(path)
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return {each.get("externalcourseActivityId") or each["externalId"]: each for each in lines}


@pytest.mark.slow
@pytest.mark.parametrize("lost", [("states",), EVERYTHING], ids=["states", "everything"])
def test_the_next_full_package_heals_without_a_second_copy_of_anything(desk: Desk, lost: tuple[str, ...]) -> None:
    """Creating is not idempotent at Graph: what is there is found by its external id, and brought up to date."""
    desk.drop(company.FULL, full())
    assert desk.sync().outcome == "done"
    before = published(desk)
    forget(desk, *lost)
    desk.now = desk.now.replace(day=2, hour=12)
    desk.drop(LATER, full(PA_STUD_CPNT=[*company.rows()["PA_STUD_CPNT"], plan(ADA, 5)]))

    assert desk.sync().outcome == "done"

    after = published(desk)
    assert desk.simulator.duplicate_activities() == 0
    assert before.items() <= after.items()
    assert len(after) == len(before) + 1


@pytest.mark.slow
def test_once_it_is_healed_nothing_is_looked_for_any_more(desk: Desk) -> None:
    desk.drop(company.FULL, full())
    desk.sync()
    forget(desk, "states")
    desk.now = desk.now.replace(day=2, hour=12)
    desk.drop(LATER, full())
    desk.sync()
    desk.now = desk.now.replace(day=3)
    desk.drop(LATER.replace("02000000", "03000000"), full(PA_STUD_CPNT=[*company.rows()["PA_STUD_CPNT"], plan(ADA, 5)]))
    desk.simulator.reset_counters()

    assert desk.sync().outcome == "done"

    counted = desk.simulator.counters()
    assert counted.written == {"POST activities": 1}
    assert counted.reads.keys() <= {"users", "delta"}


def test_a_provider_that_shows_nothing_is_asked_once(desk: Desk) -> None:
    """A first publication must not cost a look-up a record."""
    desk.drop(company.FULL, full())

    assert desk.sync().outcome == "done"

    reads = desk.simulator.counters().reads
    assert (reads["contents"], reads.get("activities", 0)) == (1, 0)


@pytest.mark.slow
@pytest.mark.parametrize("faults", [Faults(area="learning", fail=1), Faults(area="learning", throttle=1)])
def test_an_answer_that_says_nothing_means_to_look(desk: Desk, faults: Faults) -> None:
    desk.drop(company.FULL, full())
    desk.sync()
    forget(desk, "states")
    desk.now = desk.now.replace(day=2, hour=12)
    desk.drop(LATER, full())
    desk.simulator.inject(faults)

    assert desk.sync().outcome == "done"
    assert desk.simulator.duplicate_activities() == 0
