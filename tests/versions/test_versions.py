"""What a version has stored is read by every version after it, and a connector goes on where the old one stopped.

The fixtures are never changed once their version is out. If a test says that something has none: `python -m
tests.versions`, for a version that is not out yet.
"""

import json
from functools import cache
from pathlib import Path

import pytest

from infra.local.graph.service import Counters
from shared.domain.messages import COMMANDS, Approve
from shared.domain.runs import Step
from shared.domain.strict import Strict
from shared.pipeline import journal, keep_poison
from tests.company import betrays
from tests.desk import NAME, START, Desk, Sync
from tests.versions import kept, models, store, story
from tests.versions.__main__ import main
from tests.versions.store import Files

VERSIONS = kept.versions()
MESSAGES = sorted(kept.FOLDER.glob("*/messages/*/*.json"))


@cache
def scene(version: str, name: str) -> Files:
    return store.read(kept.FOLDER / version / f"{name}.zip")


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Files]:
    """What the present code stores in the same story."""
    return story.play(tmp_path_factory.mktemp("story"))[0]


def goes_on(desk: Desk, files: Files, *to_come: str) -> tuple[Sync, Counters]:
    """Look into the folder once more, with these packages in it; say how it ended, and what Graph was asked for."""
    desk.folder.files.update({name: files[f"to-come/{name}"] for name in to_come})
    desk.simulator.reset_counters()
    return desk.sync(), desk.simulator.counters()


def test_this_version_has_fixtures() -> None:
    assert kept.VERSION in VERSIONS


@pytest.mark.parametrize("path", MESSAGES, ids=[str(path.relative_to(kept.FOLDER)) for path in MESSAGES])
def test_every_message_is_understood(path: Path) -> None:
    """Messages lie in their queues while an app is upgraded."""
    text = path.read_text("utf-8")

    read = models.read_message(path.parent.name, text)

    assert json.loads(text).items() <= read.model_dump(mode="json").items()


def test_every_type_of_message_has_fixtures_with_all_of_its_fields() -> None:
    found: dict[type, set[str]] = {}
    for path in (kept.FOLDER / kept.VERSION / "messages").glob("*/*.json"):
        text = path.read_text("utf-8")
        message = models.read_message(path.parent.name, text)
        found.setdefault(type(message), set()).update(json.loads(text))

    assert found == {each: set(each.model_fields) for each in models.MESSAGES}


def test_every_stored_type_has_fixtures() -> None:
    """A new type is either stored, and in `STORED`, or says in `NOT_STORED` why it is not."""
    covered = {part for model in (*models.STORED, *models.MESSAGES) for part in models.parts_of(model)}
    spared = {
        part for each in models.all_values() if each.__name__ in models.NOT_STORED for part in models.parts_of(each)
    }

    assert {each.__name__ for each in models.all_values() - covered - spared} == set()
    assert {each.__name__ for each in spared} >= models.NOT_STORED.keys()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("model", models.STORED, ids=lambda model: model.__name__)
def test_every_stored_value_is_read(version: str, model: type[Strict]) -> None:
    found = [value for name in story.SCENES for value in models.STORED[model](scene(version, name))]

    read = [model.model_validate_json(json.dumps(each)) for each in found]

    assert read


@pytest.mark.slow
def test_the_fixtures_hold_all_that_the_code_stores(fresh: dict[str, Files]) -> None:
    """Every kind of file, document and row, with all of its fields: one that is new has no fixture yet."""
    for name, files in fresh.items():
        now, then = models.shapes(files), models.shapes(scene(kept.VERSION, name))
        missing = {kind: fields - then.get(kind, set()) for kind, fields in now.items()}

        assert now.keys() - then.keys() == set(), name
        assert {kind: fields for kind, fields in missing.items() if fields} == {}, name


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", story.SCENES)
def test_no_fixture_says_anything_about_a_person(version: str, name: str) -> None:
    """But the packages, which are what the LMS sent, and the directory, which is Graph's."""
    ours = {
        k: v for k, v in scene(version, name).items() if not k.startswith(("sealed/", "folder/", "to-come/", "intake/"))
    }
    told = b"\n".join(content for path, content in ours.items() if path != "directory.csv")

    assert betrays(told.decode("latin-1")) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_is_sent_again_after_an_upgrade(version: str, tmp_path: Path) -> None:
    """The same tables once more, in a new full package: snapshots, mapping and the directory's index are read."""
    files = scene(version, "rest")
    with story.on_desk(files, tmp_path) as desk:
        desk.now = START.replace(day=4)
        sync, asked = goes_on(desk, files, "acme_F_20261104000000.zip.pgp")

        assert (sync.outcome, asked.writes) == ("partial", 0)  # the row that could never be read
        (run,) = sync.runs
        assert run.tally.assignments.unchanged > 0
        assert run.tally.completions.unchanged > 0


@pytest.mark.parametrize("version", VERSIONS)
def test_what_was_published_is_changed_and_not_made_anew(version: str, tmp_path: Path) -> None:
    """Ids that Graph gave to the old version are used: a title, a due date, a completion, and one new assignment."""
    files = scene(version, "rest")
    with story.on_desk(files, tmp_path) as desk:
        desk.now = START.replace(day=5)
        sync, asked = goes_on(desk, files, "acme_D_20261105000000.zip.pgp")

        assert sync.outcome == "done"
        assert asked.written == {"PATCH contents": 1, "PATCH activities": 2, "POST activities": 1}
        assert desk.simulator.duplicate_activities() == 0


@pytest.mark.parametrize("version", VERSIONS)
def test_records_of_the_old_version_are_listed(version: str, tmp_path: Path) -> None:
    """Runs, syncs and the poison table are what an admin reads after an upgrade."""
    files = scene(version, "rest")
    with story.on_desk(files, tmp_path) as desk:
        assert len(journal.list_runs(desk.parts, NAME)) == sum(path.startswith("runs/") for path in files)
        assert [each.queue for each in keep_poison.list_poison(desk.parts)] == ["push-records"]
        assert {row["outcome"] for _, row in desk.parts.syncs.list_rows(NAME)} == {"partial", "done"}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_download_is_resumed_after_an_upgrade(version: str, tmp_path: Path) -> None:
    """Blocks that have come are not asked for again."""
    with story.on_desk(scene(version, "arriving"), tmp_path) as desk:
        folder = story.CutFolder(desk.folder.files, cuts=False)
        object.__setattr__(desk.parts, "folders", folder)

        assert desk.sync().outcome == "done"
        assert folder.reads == []


@pytest.mark.parametrize("version", VERSIONS)
def test_a_run_is_finished_after_an_upgrade(version: str, tmp_path: Path) -> None:
    """Its message waits in the queue; contents that were sent are not sent again."""
    files = scene(version, "midway")
    (sync_id,) = (json.loads(each)["sync"]["sync_id"] for path, each in files.items() if path.startswith("states/"))
    with story.on_desk(files, tmp_path) as desk:
        sync = desk.deliver(sync_id)

        assert sync.outcome == "done"
        assert desk.simulator.counters().written == {"PATCH activities": 2, "POST activities": 1}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_halted_run_goes_on_after_an_upgrade(version: str, tmp_path: Path) -> None:
    with story.on_desk(scene(version, "halted"), tmp_path) as desk:
        (halted,) = (run for run in journal.list_runs(desk.parts, NAME) if run.step is Step.HALTED)
        command = Approve(connection=NAME, run_id=halted.run_id, sync_id=journal.new_run_id(desk.now))
        desk.messages.send(COMMANDS, command.model_dump_json())

        assert desk.deliver(command.sync_id).outcome in ("done", "partial")
        assert desk.simulator.counters().written["DELETE activities"] > 0


def test_a_version_that_is_out_is_never_written_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Others have stored what it stored; new fixtures would prove nothing about theirs."""
    monkeypatch.setattr(kept, "is_released", lambda: True)

    assert main() == 1
    assert f"Version {kept.VERSION} is out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("heading", "is_out"),
    [("## Unreleased ({})", False), ("## {} - 2026-12-01", True), ("## [{}] - 2026-12-01", True), ("## 9.9.9", False)],
)
def test_a_version_is_out_once_the_changelog_gives_it_a_heading(
    heading: str, *, is_out: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "CHANGELOG.md").write_text(f"# Changelog\n\n{heading.format(kept.VERSION)}\n", "utf-8")
    monkeypatch.setattr(kept, "ROOT", tmp_path)

    assert kept.is_released() is is_out
