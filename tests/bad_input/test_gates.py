"""Gates: what looks wrong waits for somebody to look at it; and dry runs and reruns."""

import pytest

from shared.domain.errors import Code
from shared.domain.messages import COMMANDS, Rerun
from shared.domain.runs import Run
from shared.pipeline import journal
from tests.bad_input.conftest import Tenant, assert_told
from tests.company import ADA, BEA, PUBLISHED, item, plan, rows
from tests.desk import Sync

EMPTY: dict[str, list[dict[str, str]]] = {name: [] for name in ("PA_CPNT", "PA_STUD_CPNT", "PA_CPNT_EVTHST")}


def halted(tenant: Tenant, day: int = 2) -> Run:
    """Put a full package without content; return the run that halts."""
    tenant.full(day, **EMPTY)
    with tenant.nothing_changes():
        sync = tenant.desk.sync()
    assert_told(sync, "halted", Code.MASS_CHANGE, "mass_change_percent", "approve the run")
    return sync.runs[0]


def test_an_empty_full_package_halts_until_it_is_approved(tenant: Tenant) -> None:
    """An extract that went wrong looks like a company that has thrown everything away."""
    run = halted(tenant)

    sync = tenant.desk.approve(run.run_id)

    assert_told(sync, "done", None)
    assert [(each.run_id, each.package) for each in sync.runs] == [(run.run_id, run.package)]
    assert sync.runs[0].tally.assignments.withdrawn == 4
    assert sync.runs[0].tally.contents.withdrawn == 5
    assert tenant.viva().count('"isActive": false') == 5
    assert tenant.shown() == {"learningContent": 5, "learningAssignment": 1, "learningSelfInitiatedCourse": 1}


def test_a_halted_run_counts_every_row_once(tenant: Tenant) -> None:
    """It decides about the activities once more, for the report on changes."""
    tenant.full(2, PA_CPNT=[item(1)], PA_STUD_CPNT=[plan(ADA, 1), plan(ADA, 2)])

    planned, run = (tenant.desk.sync(dry_run=dry_run).runs[0] for dry_run in (True, False))

    assert run.code == Code.MASS_CHANGE
    assert (run.tally.contents.read, run.tally.assignments.read, run.tally.completions.read) == (1, 2, 3)
    assert run.tally == planned.tally


@pytest.mark.slow
def test_whatever_comes_waits_behind_it_and_every_look_says_so(tenant: Tenant) -> None:
    run = halted(tenant)
    tenant.delta(3, PA_CPNT=[item(9)])

    with tenant.nothing_changes():
        sync = tenant.desk.sync()
    assert_told(sync, "halted", Code.MASS_CHANGE, "approve the run")
    assert sync.runs == []
    tenant.desk.approve(run.run_id)

    assert tenant.shown()["learningContent"] == 6


@pytest.mark.slow
def test_a_newer_full_package_takes_its_place(tenant: Tenant) -> None:
    run = halted(tenant)
    tenant.full(3)

    with tenant.nothing_changes():
        sync = tenant.desk.sync()

    assert_told(sync, "done", None)
    superseded = journal.get_run(tenant.desk.parts, "desk", run.run_id)
    assert (superseded.step, superseded.outcome) == ("ended", "halted")
    assert "newer full package" in superseded.message


@pytest.mark.slow
def test_what_is_superseded_cannot_be_approved(tenant: Tenant) -> None:
    run = halted(tenant)
    tenant.full(3)
    tenant.desk.sync()

    with tenant.nothing_changes():
        sync = tenant.desk.approve(run.run_id)

    assert_told(sync, "failed", Code.SETTINGS_INVALID, "not halted")


@pytest.mark.slow
def test_too_few_learners_halt_it_too(tenant: Tenant) -> None:
    """A directory that has just been emptied by mistake; equal to the limit passes."""
    tenant.desk.set(coverage_minimum_percent=50)
    tenant.people(ADA)
    tenant.full(2, PA_STUD_CPNT=[*rows()["PA_STUD_CPNT"], plan(BEA, 5), plan(ADA, 5)])

    with tenant.nothing_changes():
        sync = tenant.desk.sync()

    assert_told(
        sync, "halted", Code.COVERAGE_BELOW_MINIMUM, "1 of 3 learners (33.3 %)", "employeeId", "approve the run"
    )
    tenant.people(ADA, BEA)
    tenant.desk.set(coverage_minimum_percent=100 * 2 / 3)
    tenant.full(3, PA_STUD_CPNT=[*rows()["PA_STUD_CPNT"], plan(BEA, 5), plan(ADA, 5)])
    assert_told(tenant.desk.sync(), "done", None)
    assert tenant.shown()["learningAssignment"] == PUBLISHED["learningAssignment"] + 2


def test_a_few_withdrawals_pass(tenant: Tenant) -> None:
    """One of five is 20 %, which is the limit."""
    tenant.full(2, PA_STUD_CPNT=rows()["PA_STUD_CPNT"][1:])

    sync = tenant.desk.sync()

    assert_told(sync, "done", None)
    assert tenant.shown()["learningAssignment"] == PUBLISHED["learningAssignment"] - 1


def test_their_number_may_be_limited_as_well(tenant: Tenant) -> None:
    tenant.desk.set(mass_change_count=0)
    tenant.full(2, PA_STUD_CPNT=rows()["PA_STUD_CPNT"][1:])

    with tenant.nothing_changes():
        sync = tenant.desk.sync()

    assert_told(sync, "halted", Code.MASS_CHANGE, "1 of 5 published assignments would be withdrawn")


def test_a_dry_run_sends_nothing_and_the_real_one_does_what_it_said(tenant: Tenant) -> None:
    tenant.full(
        2,
        PA_CPNT=[item(1, CPNT_TITLE="Renamed"), *rows()["PA_CPNT"][1:], item(6)],
        PA_STUD_CPNT=[*rows()["PA_STUD_CPNT"][1:], plan(BEA, 6), plan(BEA, 3)],
    )

    with tenant.nothing_changes():
        dry = tenant.desk.sync(dry_run=True)
    real = tenant.desk.sync()

    assert_told(dry, "done", None)
    assert_told(real, "done", None)
    assert dry.runs[0].dry_run
    assert dry.runs[0].changes == real.runs[0].changes
    assert real.runs[0].changes.model_dump() == {
        "contents": {"add": 1, "change": 1, "deactivate": 0},
        "assignments": {"add": 2, "change": 0, "withdraw": 1},
        "completions": {"add": 0},
    }
    assert tenant.graph.counters().written == {
        "PATCH contents": 2,
        "POST activities": 2,
        "DELETE activities": 1,
    }


def test_a_dry_run_stops_where_the_real_one_would(tenant: Tenant) -> None:
    tenant.full(2, **EMPTY)

    with tenant.nothing_changes():
        dry = tenant.desk.sync(dry_run=True)
        real = tenant.desk.sync()

    for sync in (dry, real):
        assert_told(sync, "halted", Code.MASS_CHANGE)
    assert dry.runs[0].changes == real.runs[0].changes


def rerun(tenant: Tenant, run_id: str) -> Sync:
    sync_id = journal.new_run_id(tenant.desk.now)
    body = Rerun(connection="desk", run_id=run_id, sync_id=sync_id)
    tenant.desk.messages.send(COMMANDS, body.model_dump_json())
    return tenant.desk.deliver(sync_id)


def test_the_latest_package_may_be_processed_again(tenant: Tenant) -> None:
    """It finds that everything is as it should be."""
    (first,) = journal.list_runs(tenant.desk.parts, "desk")

    with tenant.nothing_changes():
        sync = rerun(tenant, first.run_id)

    assert_told(sync, "done", None)
    assert [run.package for run in sync.runs] == [first.package]
    assert sync.runs[0].tally.assignments.unchanged == 5


def test_an_older_one_may_not(tenant: Tenant) -> None:
    """It would bring back what has changed since."""
    (first,) = journal.list_runs(tenant.desk.parts, "desk")
    tenant.delta(2)
    tenant.desk.sync()

    with tenant.nothing_changes():
        sync = rerun(tenant, first.run_id)

    assert_told(sync, "failed", Code.SETTINGS_INVALID, "not the latest one")
