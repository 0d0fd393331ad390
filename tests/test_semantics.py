"""The pipeline against a slow, independent reference of what a package means, over random small worlds.

Every body that is sent on the way is one that Graph takes: the simulator judges each by a table of Graph's types that
the connector does not share, and keeps what it refused.
"""

import csv
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given

from infra.local.graph import GraphSimulator
from shared.domain.runs import Run
from shared.pipeline import package_files, passes, table_parts
from shared.pipeline.reading import TextFile
from tests.desk import Desk
from tests.reference import COLUMNS, Expected, Package, Reference, User, World, difference, read_viva, to_csv, worlds
from tests.reference.chance import FEW, MANY, MANY_SECONDS
from tests.reference.contract import KEYS
from tests.test_payloads import sent

BAD_REQUEST = 400
"""What is wrong with a body; other refusals are about the learner, the content or the provider."""

pytestmark = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")


@given(world=worlds())
@FEW
def test_viva_shows_what_the_packages_mean(world: World) -> None:
    """Every rule at once, in every order that chance finds."""
    play_alone(world)


@pytest.mark.slow
@pytest.mark.timeout(MANY_SECONDS)
@given(world=worlds())
@MANY
def test_viva_shows_what_many_packages_mean(world: World) -> None:
    """The same for longer, for some rules meet rarely: `WORLDS=500 pytest -m slow tests/test_semantics.py`."""
    play_alone(world)


@pytest.mark.slow
@pytest.mark.timeout(MANY_SECONDS)
@given(world=worlds())
@MANY
def test_viva_shows_the_same_whatever_learners_are_decided_about_together(world: World) -> None:
    """In a large company a pass is about some learners, and whoever has several student ids has one for himself."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (passes, table_parts):
            patch.setattr(module, "ROWS_PER_PASS", 4)
        patch.setattr(package_files, "TextFile", partial(TextFile, segment_bytes=300))
        play_alone(world)


def play_alone(world: World) -> None:
    with TemporaryDirectory() as folder:
        play(world, Path(folder))
        assert [each for each in sent(Path(folder) / "graph") if each.status == BAD_REQUEST] == []


def play(world: World, folder: Path) -> None:
    """Live through a world, and compare after every package."""
    with GraphSimulator(folder / "graph") as graph:
        desk = Desk(graph, world.settings)
        reference = Reference(world.settings)
        try:
            for number, step in enumerate(world.steps):
                expected = reference.apply(step.package, step.directory, step.now)
                load(graph, folder, step.directory)
                drop(desk, step.package)
                desk.now = step.now
                graph.reset_counters()
                sync = desk.sync()
                own = [run for run in sync.runs if run.timestamp.strftime("%Y%m%d%H%M%S") == step.package.timestamp]
                graph.export_viva(folder / "viva")
                found = difference(expected.viva, read_viva((folder / "viva").read_text().splitlines()))
                assert not found, f"package {number}, {expected.outcome}:\n{found}"
                assert sync.outcome == (expected.outcome if expected.outcome != "skipped" else "done"), sync
                if own and not expected.blocked:
                    _compare_run(own[-1], expected)
                assert not graph.duplicate_activities()
                # The same folder again: nothing is new, so nothing is sent.
                graph.reset_counters()
                desk.sync()
                assert graph.counters().writes == 0
        finally:
            desk.close()


def _compare_run(run: Run, expected: Expected) -> None:
    assert (run.outcome, run.code) == (expected.outcome, expected.code), (run, expected)
    if expected.tally is not None:
        told = run.tally.model_dump()
        for kind, counts in expected.tally.items():
            assert {name: told[kind][name] for name in counts} == dict(counts), f"{kind}: {told[kind]}, not {counts}"
    if expected.coverage is not None and expected.outcome in ("done", "partial", "halted"):
        assert run.coverage.model_dump() == expected.coverage._asdict(), (run.coverage, expected.coverage)


def load(graph: GraphSimulator, folder: Path, directory: Sequence[User]) -> None:
    with (folder / "directory.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(User._fields)
        for user in directory:
            writer.writerow([str(each).lower() if isinstance(each, bool) else each for each in user])
    graph.load_directory(folder / "directory.csv")


def drop(desk: Desk, package: Package) -> None:
    kind = {"full": "F", "delta": "D"}[package.kind]
    desk.drop(
        f"acme_{kind}_{package.timestamp}.zip.pgp",
        {f"{table}.csv": to_csv(rows, COLUMNS[table]) for table, rows in package.tables.items()},
    )
    if package.keys is not None:
        desk.drop(
            f"acme_K_{package.timestamp}.zip.pgp",
            {f"{table}_K.csv": to_csv(rows, KEYS[table]) for table, rows in package.keys.items()},
        )
