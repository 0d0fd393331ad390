"""What is past its time is deleted, and nothing that anybody still needs."""

from datetime import timedelta

import pytest

from shared.domain.messages import COMMANDS, Rerun
from shared.domain.runs import Outcome, Run
from shared.pipeline import journal
from shared.pipeline.expire import expire
from shared.pipeline.sweep import sweep
from tests.company import ADA, FULL, NOBODY, files, full, item, plan
from tests.desk import NAME, START, Desk, Sync
from tests.fakes import MemoryBlobs, MemoryLeases, MemoryTable

pytestmark = pytest.mark.slow


def delta(day: int) -> str:
    return f"acme_D_202611{day:02d}000000.zip.pgp"


def news(day: int) -> dict[str, bytes]:
    """A delta in which an item is called by its day."""
    return files({"PA_CPNT": [item(1, CPNT_TITLE=f"Day {day}")]})


def live(desk: Desk, *days: int) -> Run:
    """A full package on the first of November, deltas on these days; return the last run."""
    desk.drop(FULL, full())
    run = desk.sync().runs[-1]
    for day in days:
        desk.now = START + timedelta(days=day - 1)
        desk.drop(delta(day), news(day))
        run = desk.sync().runs[-1]
        assert run.outcome is Outcome.DONE
    return run


def sweep_after(desk: Desk, days: float) -> None:
    desk.now += timedelta(days=days)
    sweep(desk.parts)


def stored(desk: Desk) -> dict[str, set[str]]:
    """Return all paths and keys of the connection, by where they are."""
    parts = desk.parts
    kept = {
        name: set(getattr(parts, name).list_paths(NAME))
        for name in ("sealed", "records", "tables", "pushes", "reports")
    }
    tables = {"ledger": parts.ledger, "syncs": parts.syncs}
    for name, table in tables.items():
        assert isinstance(table, MemoryTable)
        kept[name] = {f"{partition} {key}" for partition, rows in table.rows.items() for key in rows}
    assert isinstance(parts.leases, MemoryLeases)
    return kept | {"runs": set(parts.runs.list_names()), "leases": parts.leases.known}


def runs_in(paths: set[str]) -> set[str]:
    return {path.split("/")[1] for path in paths}


def rerun(desk: Desk, run: Run) -> Sync:
    sync_id = journal.new_run_id(desk.now)
    desk.messages.send(COMMANDS, Rerun(connection=NAME, run_id=run.run_id, sync_id=sync_id).model_dump_json())
    return desk.deliver(sync_id)


def test_work_of_a_run_goes_after_a_week_and_that_of_the_latest_stays(desk: Desk) -> None:
    latest = live(desk, 2, 3)

    sweep_after(desk, 4)
    assert len(runs_in(stored(desk)["records"])) == 3
    sweep_after(desk, 4)

    kept = stored(desk)
    assert runs_in(kept["records"]) == runs_in(kept["pushes"]) == {latest.run_id}
    assert {name for name in kept["leases"] if name.startswith(("push/", "finish/"))} == {
        name for name in kept["leases"] if latest.run_id in name
    }
    assert len(kept["runs"]) == 3
    assert journal.get_state(desk.parts, NAME).paths == kept["tables"]


def test_tables_that_newer_ones_replace_go_at_once(desk: Desk) -> None:
    live(desk, 2, 3)

    assert stored(desk)["tables"] == journal.get_state(desk.parts, NAME).paths


def test_tables_that_were_never_published_go_with_the_work(desk: Desk) -> None:
    """A dry run writes tables as well; nothing ever points to them."""
    live(desk)
    desk.now += timedelta(days=1)
    desk.drop(delta(2), news(2))
    planned = desk.sync(dry_run=True).runs[-1]
    assert planned.run_id in runs_in(stored(desk)["tables"])

    sweep_after(desk, 8)

    assert journal.get_state(desk.parts, NAME).paths == stored(desk)["tables"]


def test_reports_runs_and_looks_go_after_three_months(desk: Desk) -> None:
    desk.drop(FULL, full(PA_STUD_CPNT=[plan(ADA, 1), plan(ADA, 2, ASSGN_DTE="quokka day")]))
    desk.set(reject_limit_percent=100)
    desk.sync()
    desk.now += timedelta(days=1)
    desk.drop(delta(2), news(2))
    latest = desk.sync().runs[-1]

    sweep_after(desk, 88)
    assert (len(stored(desk)["runs"]), len(stored(desk)["syncs"]), len(stored(desk)["reports"])) == (2, 2, 3)
    sweep_after(desk, 3)

    kept = stored(desk)
    assert kept["runs"] == {f"{NAME}/{latest.run_id}"}
    assert kept["syncs"] == set()
    assert kept["reports"] == {f"{NAME}/{latest.run_id}/coverage.csv"}


def test_a_sealed_package_goes_after_a_month_but_for_the_latest_which_can_be_run_again(desk: Desk) -> None:
    latest = live(desk, 2, 3)

    sweep_after(desk, 40)

    (path,) = stored(desk)["sealed"]
    assert path.endswith(delta(3))
    assert rerun(desk, latest).outcome == "done"


def test_a_file_that_stays_in_the_folder_is_never_taken_again(desk: Desk) -> None:
    """Neither under its name, nor as a copy that is called newer."""
    live(desk, 2, 3)
    for _ in range(4):
        sweep_after(desk, 30)
        desk.sync()
    assert len(stored(desk)["sealed"]) == 1

    desk.folder.files["acme_D_20270401000000.zip.pgp"] = desk.folder.files[delta(2)]
    desk.now += timedelta(days=60)

    assert desk.sync().runs == []
    assert len(stored(desk)["sealed"]) == 1


def test_the_ledger_forgets_what_has_left_the_folder_long_ago(desk: Desk) -> None:
    latest = live(desk, 2, 3)
    gone = {name: desk.folder.files.pop(name) for name in (FULL, delta(2))}
    desk.now += timedelta(days=1)
    desk.sync()

    sweep_after(desk, 29)
    assert len(stored(desk)["ledger"]) == 6
    sweep_after(desk, 2)

    assert stored(desk)["ledger"] == {f"{NAME}|files {delta(3)}", f"{NAME}|packages {latest.content_hash}"}
    desk.folder.files |= gone
    again = desk.sync().runs
    assert [(run.package, run.outcome) for run in again] == [(delta(2), Outcome.SKIPPED)]


def test_the_file_of_a_package_that_is_kept_is_known_though_it_left_the_folder_long_ago(desk: Desk) -> None:
    latest = live(desk, 2, 3)
    desk.folder.files.clear()
    desk.now += timedelta(days=1)
    desk.sync()

    sweep_after(desk, 40)

    assert stored(desk)["ledger"] == {f"{NAME}|files {delta(3)}", f"{NAME}|packages {latest.content_hash}"}


def test_a_file_that_was_away_for_a_while_is_still_known(desk: Desk) -> None:
    live(desk, 2, 3)
    away = dict(desk.folder.files)
    desk.folder.files.clear()
    desk.now += timedelta(days=20)
    desk.sync()
    desk.folder.files |= away
    desk.sync()

    sweep_after(desk, 25)

    assert len(stored(desk)["ledger"]) == 6
    assert desk.sync().runs == []


def test_a_refused_package_stays_until_a_newer_one_is_published(desk: Desk) -> None:
    """It is tried again when a setting changes, and may have left the folder by then."""
    live(desk)
    desk.now += timedelta(days=1)
    desk.drop(delta(2), files({"PA_STUD_CPNT": [plan(NOBODY, 1, ASSGN_DTE="quokka day")]}))
    assert desk.sync().outcome == "rejected"
    desk.folder.files.pop(delta(2))
    sweep_after(desk, 70)

    desk.set(reject_limit_percent=100)
    tried = desk.sync().runs

    assert [(run.package, run.outcome) for run in tried] == [(delta(2), Outcome.PARTIAL)]


def test_a_halted_run_can_be_approved_after_any_time(desk: Desk) -> None:
    desk.set(coverage_minimum_percent=90)
    desk.drop(FULL, full())
    halted = desk.sync().runs[-1]
    assert halted.outcome is Outcome.HALTED
    for _ in range(4):
        sweep_after(desk, 50)

    assert desk.approve(halted.run_id).outcome == "done"


class Killed(BaseException):
    """The worker ends, whatever it does."""


def test_whoever_is_killed_in_between_is_followed_by_one_who_goes_on(desk: Desk) -> None:
    live(desk, 2, 3)
    del desk.folder.files[FULL], desk.folder.files[delta(2)]
    desk.now += timedelta(days=1)
    desk.sync()
    desk.now += timedelta(days=95)
    deletions = 0

    def delete(blobs: MemoryBlobs, path: str) -> None:
        nonlocal deletions
        deletions += 1
        if deletions % 3 == 0:
            raise Killed
        del blobs.content[path]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MemoryBlobs, "delete", delete)
        kills = 0
        while journal.get_state(desk.parts, NAME).expired_at is None:
            try:
                expire(desk.parts, NAME)
            except Killed:
                kills += 1

    assert kills > 3
    kept = stored(desk)
    assert {
        name: len(each) for name, each in kept.items() if name not in ("leases", "records", "pushes", "tables")
    } == {
        "sealed": 1,
        "reports": 1,
        "runs": 1,
        "ledger": 2,
        "syncs": 0,
    }
    assert len(runs_in(kept["records"] | kept["pushes"])) == 1


def test_it_is_done_once_a_day_and_not_while_somebody_works(desk: Desk) -> None:
    live(desk, 2)
    held = desk.parts.leases.held  # type: ignore[attr-defined]
    for lease in (f"collect/{NAME}", f"work/{NAME}"):
        held.add(lease)
        sweep_after(desk, 40)
        held.discard(lease)
        assert len(stored(desk)["sealed"]) == 2

    sweep_after(desk, 0)
    first = journal.get_state(desk.parts, NAME).expired_at
    sweep_after(desk, 0.9)
    assert journal.get_state(desk.parts, NAME).expired_at == first
    sweep_after(desk, 0.2)
    assert journal.get_state(desk.parts, NAME).expired_at == desk.now


def test_a_connection_with_wrong_settings_keeps_all_and_disturbs_no_other(desk: Desk) -> None:
    live(desk, 2)
    desk.parts.connections.put("a-broken-one", {"enabled": "perhaps"}, None)
    desk.parts.states.put("a-broken-one", {}, None)

    sweep_after(desk, 40)

    assert len(stored(desk)["sealed"]) == 1
