"""A dry run says what the run then does: counted in what Graph was sent, over random small worlds."""

import csv
import io
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given

from infra.local.graph import GraphSimulator
from infra.local.graph.service import Counters
from shared.domain.runs import Outcome, Run
from shared.pipeline import changes_report
from tests.desk import Desk
from tests.reference import Step, World, worlds
from tests.reference.chance import FEW, MANY, MANY_SECONDS
from tests.test_end_to_end import happened
from tests.test_semantics import drop, load

pytestmark = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")


@given(world=worlds())
@FEW
def test_a_plan_is_what_happens_then(world: World) -> None:
    play(world)


@pytest.mark.slow
@pytest.mark.timeout(MANY_SECONDS)
@given(world=worlds())
@MANY
def test_many_plans_are_what_happens_then(world: World) -> None:
    """More of them: `WORLDS=500 pytest -m slow tests/test_dry_run.py`."""
    play(world)


def play(world: World) -> None:
    """Plan every package before it is published; what a gate halts is approved."""
    with TemporaryDirectory() as folder, GraphSimulator(Path(folder) / "graph") as graph:
        desk = Desk(graph, world.settings)
        try:
            for number, step in enumerate(world.steps):
                _step(desk, step, Path(folder), f"package {number}")
        finally:
            desk.close()


def _step(desk: Desk, step: Step, folder: Path, which: str) -> None:
    graph = desk.simulator
    load(graph, folder, step.directory)
    drop(desk, step.package)
    desk.now = step.now
    before = shown(graph, folder)
    graph.reset_counters()
    planned = desk.sync(dry_run=True).runs
    assert graph.counters().writes == 0, which
    assert shown(graph, folder) == before, which

    graph.reset_counters()
    done = desk.sync().runs
    counted = graph.counters()
    assert [run.package for run in done] == [run.package for run in planned], which
    if not done or done[0].outcome not in (Outcome.DONE, Outcome.PARTIAL, Outcome.HALTED):
        assert [(run.outcome, run.code) for run in done] == [(run.outcome, run.code) for run in planned], which
        return
    ((plan,), (run,)) = (planned, done)
    assert (plan.changes, plan.coverage) == (run.changes, run.coverage), which
    assert (plan.outcome is Outcome.HALTED) == (run.outcome is Outcome.HALTED), which
    if run.outcome is Outcome.HALTED:
        assert counted.writes == 0, which
        assert items(desk, plan) == items(desk, run), which
        assert plan.tally == run.tally, which
        graph.reset_counters()
        (run,) = desk.approve(run.run_id).runs
        counted = graph.counters()
    actions = total(desk, plan)
    assert plan.changes.model_dump() == happened(before, shown(graph, folder)), which
    assert plan.changes.model_dump() == told(actions), which
    assert dict(counted.written) == +calls(actions), which
    assert plan.graph_writes == run.graph_writes == counted.writes, which
    assert plan.graph_requests == run.graph_requests == without_directory(counted), which


def shown(graph: GraphSimulator, folder: Path) -> list[str]:
    graph.export_viva(folder / "viva")
    return (folder / "viva").read_text().splitlines()


def items(desk: Desk, run: Run) -> list[dict[str, str]]:
    """Read the report of changes, but for the run's own id."""
    report = desk.reports.content[changes_report.path(run)].decode("utf-8-sig")
    return [{**row, "run": ""} for row in csv.DictReader(io.StringIO(report, newline=""))]


def total(desk: Desk, run: Run) -> Counter[tuple[str, str]]:
    counts: Counter[tuple[str, str]] = Counter()
    for row in items(desk, run):
        assert row["item_type"], row
        assert row["item_id"], row
        counts[row["kind"], row["action"]] += int(row["count"])
    return counts


def told(actions: Counter[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """Say the same in the words of a run, for which what is made anew has changed."""
    changed = actions["assignment", "change"] + actions["assignment", "recreate"]
    return {
        "contents": {action: actions["content", action] for action in ("add", "change", "deactivate")},
        "assignments": {
            "add": actions["assignment", "add"],
            "change": changed,
            "withdraw": actions["assignment", "withdraw"],
        },
        "completions": {"add": actions["completion", "add"]},
    }


def calls(actions: Counter[tuple[str, str]]) -> Counter[str]:
    """Return the calls that each action takes at Graph."""
    by_call: Counter[str] = Counter()
    for (kind, action), count in actions.items():
        for call in (
            ["PATCH contents"]
            if kind == "content"
            else {
                "add": ["POST activities"],
                "change": ["PATCH activities"],
                "withdraw": ["DELETE activities"],
                "recreate": ["DELETE activities", "POST activities"],
            }[action]
        ):
            by_call[call] += count
    return by_call


def without_directory(counted: Counters) -> int:
    """Count the requests that send, and those that look something up.

    Not those about users (pages of the listing, and one batch about licences), nor whether contents were there before
    the first run.
    """
    first_look = counted.reads.get("contents", 0)
    return counted.requests - counted.reads.get("delta", 0) - bool(counted.reads.get("users")) - first_look
