"""Records of some days are looked for in Viva Learning itself; no package is touched (delighter 13)."""

import pytest

from infra.local.graph import Faults
from shared.domain.messages import COMMANDS, Backfill
from shared.pipeline import journal
from shared.ports import Call
from tests.bad_input.conftest import Tenant
from tests.cli.conftest import Lms
from tests.company import ADA, BEA, betrays, plan
from tests.desk import NAME
from tests.replay.conftest import Mend, cursor, refused

pytestmark = pytest.mark.slow

MARCH = ("--from", "2026-03-01", "--to", "2026-03-07")
OCTOBER = ("--from", "2026-10-01", "--to", "2026-10-31")


@pytest.fixture
def lost(tenant: Tenant) -> Tenant:
    """Two assignments of March, and whatever else there is, of which somebody has deleted all but one in Viva."""
    tenant.delta(2, PA_STUD_CPNT=[plan(ADA, 5, ASSGN_DTE="2026-03-01"), plan(BEA, 5, ASSGN_DTE="2026-03-08")])
    assert tenant.desk.sync().outcome == "done"
    assert tenant.shown() == {"learningContent": 5, "learningAssignment": 7, "learningSelfInitiatedCourse": 1}
    return tenant


def delete_activities(tenant: Tenant, *, keep: int = 0) -> None:
    """Delete activities in Viva Learning, past the connector."""
    activities = [line for line in tenant.viva().splitlines() if "learnerUserId" in line]
    provider = f"/employeeExperience/learningProviders/{tenant.graph.provider_id}"
    for line in activities[keep:]:
        key = line.split('"externalcourseActivityId": "')[1].split('"')[0]
        path = f"{provider}/learningCourseActivities(externalcourseActivityId='{key}')"
        (answer,) = tenant.desk.graph.send([Call("DELETE", path)], batch=False)
        assert answer.status == 204


def test_what_was_lost_in_these_days_is_made_anew_and_nothing_else(lost: Tenant, mend: Mend) -> None:
    """A second time nothing is missing; the cursor stays where it was, and so does what each package means."""
    delete_activities(lost)
    before = cursor(lost.desk)

    first, again = mend("backfill", *MARCH), mend("backfill", *MARCH)

    assert (first.writes, again.writes) == (1, 0)
    assert lost.shown() == {"learningContent": 5, "learningAssignment": 1}
    assert "2026-03-01" in lost.viva()
    assert cursor(lost.desk) == before
    (run,) = first.sync.runs
    assert (run.kind, run.outcome, run.tally.assignments.published) == ("backfill", "done", 1)
    (run,) = again.sync.runs
    assert (run.tally.assignments.unchanged, run.tally.assignments.published) == (1, 0)
    assert betrays(run.model_dump_json()) == []


def test_completions_are_found_by_their_own_day(lost: Tenant, mend: Mend) -> None:
    """An assignment that was completed on one of the days, and a completion that stands for itself."""
    delete_activities(lost)

    done = mend("backfill", "--from", "2026-10-20", "--to", "2026-10-20")

    assert done.writes == 2
    assert lost.shown() == {"learningContent": 5, "learningAssignment": 1, "learningSelfInitiatedCourse": 1}
    assert lost.viva().count('"status": "completed"') == 2


def test_what_is_there_costs_a_look_and_no_write(lost: Tenant, mend: Mend) -> None:
    with lost.nothing_changes():
        done = mend("backfill", *OCTOBER)

    (run,) = done.sync.runs
    assert (run.outcome, run.tally.assignments.unchanged, run.tally.completions.unchanged) == ("done", 5, 1)


def test_later_packages_know_what_was_made_anew(lost: Tenant, mend: Mend) -> None:
    """Its id at Graph is another one, under which it is changed and withdrawn from now on."""
    delete_activities(lost)
    mend("backfill", *MARCH)
    lost.delta(3, PA_STUD_CPNT=[plan(ADA, 5, ASSGN_DTE="2026-03-01", REQ_DTE="2026-12-24")])
    lost.graph.reset_counters()

    assert lost.desk.sync().outcome == "done"

    assert lost.graph.counters().writes == 1
    assert "2026-12-24" in lost.viva()
    assert lost.shown()["learningAssignment"] == 1


def test_an_unanswered_creation_makes_no_second_one(lost: Tenant, mend: Mend) -> None:
    delete_activities(lost)
    lost.graph.inject(Faults(fail_after_applying=3))

    done = mend("backfill", *OCTOBER)

    assert done.sync.outcome == "done"
    assert lost.shown() == {"learningContent": 5, "learningAssignment": 5, "learningSelfInitiatedCourse": 1}
    assert lost.graph.duplicate_activities() == 0


def test_a_pause_is_kept(lost: Tenant, mend: Mend) -> None:
    """Looks are paced like everything that Graph is asked for."""
    delete_activities(lost)
    lost.graph.inject(Faults(area="learning", throttle=4, retry_after_seconds=120))
    start = lost.desk.now

    assert mend("backfill", *OCTOBER).writes == 6
    assert (lost.desk.now - start).total_seconds() >= 120


def test_what_cannot_be_filled_is_told(tenant: Tenant, lms: Lms) -> None:
    assert "is after the last one" in refused(lms("backfill", "--from", "2026-03-02", "--to", "2026-03-01", "--yes"))
    tenant.desk.set(learner_sync=False)
    assert "learner_sync" in refused(lms("backfill", *MARCH, "--yes"))


def test_before_anything_is_published_nothing_can_be_missing(fresh: Tenant) -> None:
    sync_id = journal.new_run_id(fresh.desk.now)
    body = Backfill.model_validate(
        {"connection": NAME, "sync_id": sync_id, "first": "2026-03-01", "last": "2026-03-02"}
    )
    fresh.desk.messages.send(COMMANDS, body.model_dump_json())

    assert "Nothing is published yet" in fresh.desk.deliver(sync_id).message
