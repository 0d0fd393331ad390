"""Graph says no, asks for patience, or says nothing at all: nothing is lost, and nothing arrives twice."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from infra.local.graph import Faults
from shared.adapters.graph import HttpxGraph
from shared.domain.errors import Code
from shared.ports import Answer, Call
from tests.bad_input.conftest import Tenant, assert_told
from tests.company import ADA, BEA, FULL, PUBLISHED, done, full, item, plan, rows
from tests.desk import Sync

LEFT = [each for each in rows()["PA_STUD_CPNT"] if each != plan(BEA, 4)]
"""The plan when one of Bea's courses has been taken from her."""


def begin(fresh: Tenant, faults: Faults) -> Sync:
    """Look for the first time, at the first package, while something is wrong with Graph."""
    fresh.desk.drop(FULL, full())
    fresh.graph.inject(faults)
    return fresh.desk.sync()


def assert_all_arrived_once(tenant: Tenant) -> None:
    assert tenant.shown() == PUBLISHED
    assert tenant.graph.duplicate_activities() == 0


@pytest.mark.parametrize(
    ("faults", "code", "words"),
    [
        (Faults(provider_disabled=True), Code.PROVIDER_NOT_ENABLED, "not enabled"),
        (Faults(refuse_learning=True), Code.GRAPH_PERMISSION_MISSING, "app role of the managed identity is missing"),
        (Faults(refuse_users=True), Code.GRAPH_PERMISSION_MISSING, "User.Read.All"),
        (Faults(no_service_plan=True), Code.GRAPH_PERMISSION_MISSING, "service plan"),
        (Faults(reject_tokens=10_000), Code.GRAPH_PERMISSION_MISSING, "managed identity"),
    ],
    ids=["provider", "learning roles", "user role", "service plan", "tokens"],
)
def test_what_only_a_person_can_mend_stops_at_once(tenant: Tenant, faults: Faults, code: Code, words: str) -> None:
    """Not a storm of retries: a handful of requests, then words."""
    tenant.delta(2, PA_CPNT=[item(6)], PA_STUD_CPNT=[plan(ADA, 5)])
    tenant.graph.inject(faults)

    with tenant.nothing_changes():
        sync = tenant.desk.sync()

    assert_told(sync, "failed", code, words)
    assert tenant.graph.counters().requests < 15


def test_what_was_stopped_is_sent_once_it_is_mended(fresh: Tenant) -> None:
    assert begin(fresh, Faults(provider_disabled=True)).outcome == "failed"
    assert fresh.shown() == {}
    fresh.graph.inject(Faults())

    assert_told(fresh.desk.sync(), "done", None)
    assert_all_arrived_once(fresh)


@pytest.mark.slow
def test_activities_that_are_not_enabled_leave_the_contents_shown(fresh: Tenant) -> None:
    """A provider may be registered for contents only."""
    sync = begin(fresh, Faults(course_activity_sync_off=True))

    assert sync.outcome == "failed"
    assert fresh.shown() == {"learningContent": 5}
    fresh.graph.inject(Faults())
    assert_told(fresh.desk.sync(), "done", None)
    assert_all_arrived_once(fresh)


@pytest.mark.parametrize(
    "faults",
    [
        Faults(area="learning", throttle=30, retry_after_seconds=120),
        pytest.param(Faults(throttle_batches=3, retry_after_seconds=120), marks=pytest.mark.slow),
        Faults(area="users", throttle=5, retry_after_seconds=120),
    ],
    ids=["calls", "batches", "users"],
)
def test_a_pause_is_kept_and_nothing_is_lost(fresh: Tenant, faults: Faults) -> None:
    """While it lasts nothing is sent; the clock of this desk moves only when somebody waits."""
    start = fresh.desk.now

    sync = begin(fresh, faults)

    assert_told(sync, "done", None)
    assert_all_arrived_once(fresh)
    assert fresh.desk.now - start >= timedelta(seconds=120)
    assert fresh.graph.counters().requests < 60


@pytest.mark.parametrize(
    "faults",
    [
        Faults(area="learning", fail=4, fail_status=500),
        pytest.param(Faults(area="users", fail=2, fail_status=503), marks=pytest.mark.slow),
        Faults(fail_after_applying=6),
        Faults(hidden_contents=4, upsert_body_without_id=True, empty_pages=3, reject_tokens=1),
    ],
    ids=["500", "users", "done but not said", "slow and terse"],
)
def test_a_hiccup_is_overcome_in_the_same_sync(fresh: Tenant, faults: Faults) -> None:
    sync = begin(fresh, faults)

    assert_told(sync, "done", None)
    assert_all_arrived_once(fresh)


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        pytest.param(
            Faults(area="learning", fail=10_000, fail_status=500),
            "next sync sends what is left",
            marks=pytest.mark.slow,
        ),
        (Faults(offline=True), "Graph could not be read"),
        pytest.param(Faults(fail_after_applying=10_000), "next sync sends what is left", marks=pytest.mark.slow),
    ],
    ids=["never done", "no answer", "done but never said"],
)
def test_after_a_long_failure_the_next_sync_sends_what_is_left(tenant: Tenant, faults: Faults, words: str) -> None:
    """What may have arrived without an answer is looked up first, so that nothing is there twice."""
    tenant.full(
        2,
        PA_CPNT=[*rows()["PA_CPNT"], item(6)],
        PA_STUD_CPNT=[*LEFT, plan(ADA, 5), plan(BEA, 6)],
        PA_CPNT_EVTHST=[*rows()["PA_CPNT_EVTHST"], done(BEA, 3)],
    )
    tenant.graph.inject(faults)

    failed = tenant.desk.sync()
    tenant.graph.inject(Faults())
    recovered = tenant.desk.sync()

    assert_told(failed, "failed", Code.GRAPH_UNAVAILABLE, words)
    assert_told(recovered, "done", None)
    assert recovered.runs[-1].tally.assignments.withdrawn == 1
    assert tenant.shown() == {"learningContent": 6, "learningAssignment": 6, "learningSelfInitiatedCourse": 2}
    assert tenant.graph.duplicate_activities() == 0


def test_a_withdrawal_that_graph_refuses_is_sent_again_by_the_next_package(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The activity is still shown, so it is not forgotten."""
    send = HttpxGraph.send

    def refuse_deletes(graph: HttpxGraph, calls: Sequence[Call], *, batch: bool) -> Sequence[Answer]:
        if any(call.method == "DELETE" for call in calls):
            return [Answer(405) for _ in calls]
        return send(graph, calls, batch=batch)

    tenant.full(2, PA_STUD_CPNT=LEFT)
    with monkeypatch.context() as patch:
        patch.setattr(HttpxGraph, "send", refuse_deletes)
        refused = tenant.desk.sync()
    tenant.full(3, PA_STUD_CPNT=LEFT, PA_CPNT=[*rows()["PA_CPNT"], item(6)])

    then = tenant.desk.sync()

    assert [reject.code for reject in refused.runs[0].rejects] == [Code.RECORD_REFUSED]
    assert_told(then, "done", None)
    assert then.runs[0].tally.assignments.withdrawn == 1
    assert tenant.shown()["learningAssignment"] == PUBLISHED["learningAssignment"] - 1


def test_who_has_no_licence_waits_for_one(fresh: Tenant) -> None:
    """Records are parked, nothing fails, and they go out with the next package once he has it."""
    fresh.people(ADA, replace(BEA, licensed=False))
    fresh.desk.drop(FULL, full())

    parked = fresh.desk.sync()
    assert_told(parked, "done", None)
    assert (parked.runs[0].tally.assignments.parked, parked.runs[0].coverage.mapped) == (2, 2)
    assert fresh.shown() == {"learningContent": 5, "learningAssignment": 3, "learningSelfInitiatedCourse": 1}
    fresh.people(ADA, BEA)
    fresh.delta(2)

    assert fresh.desk.sync(dry_run=True).runs[0].changes.assignments.add == 2
    assert_told(fresh.desk.sync(), "done", None)
    assert_all_arrived_once(fresh)


@pytest.mark.slow
def test_whoever_has_lost_the_licence_keeps_what_is_shown(tenant: Tenant) -> None:
    """Graph takes a deletion, and would then refuse what is made anew; and its delta does not tell of licences."""
    tenant.people(ADA, replace(BEA, licensed=False))
    tenant.delta(2, PA_STUD_CPNT=[plan(BEA, 4, RTYP_ID="OPT")], PA_RQMT_TYPE=[{"RTYP_ID": "OPT", "REQUIRED": "N"}])
    with tenant.nothing_changes():
        assert tenant.desk.sync().runs[-1].tally.assignments.parked == 1
    tenant.delta(3)
    tenant.keys(3, PA_STUD_CPNT=LEFT)
    with tenant.nothing_changes():
        assert_told(tenant.desk.sync(), "done", None)
    tenant.people(ADA, BEA)
    tenant.delta(4)

    assert tenant.desk.sync().runs[-1].tally.assignments.withdrawn == 1


@pytest.mark.slow
def test_a_refusal_for_lack_of_a_licence_is_tried_again_after_a_while(fresh: Tenant) -> None:
    """Where nobody has said which licences count, only Graph knows; it is not asked every day."""
    viva = {**fresh.desk.parts.connections.find("desk").value["viva"], "licence_service_plan_ids": ()}  # type: ignore[union-attr]  # it is there
    fresh.desk.set(viva=viva)
    fresh.people(ADA, replace(BEA, licensed=False))
    fresh.desk.drop(FULL, full(PA_CPNT_EVTHST=[*rows()["PA_CPNT_EVTHST"], done(BEA, 2)]))
    tally = fresh.desk.sync().runs[0].tally
    assert (tally.assignments.parked, tally.completions.parked) == (2, 2)
    fresh.people(ADA, BEA)

    shown = []
    for day in (2, 9):
        fresh.delta(day)
        assert fresh.desk.sync().outcome == "done"
        found = fresh.shown()
        shown.append((found["learningAssignment"], found["learningSelfInitiatedCourse"]))

    assert shown == [(3, 1), (5, 2)]
    assert fresh.graph.duplicate_activities() == 0


def test_one_record_that_graph_refuses_costs_only_itself(tenant: Tenant) -> None:
    """It is named by its key, which is nobody's name, and by the field that Graph named."""
    tenant.graph.inject(Faults(max_lengths={"format": 10}))
    tenant.full(2, PA_CPNT=[*rows()["PA_CPNT"], item(6), item(7, CPNT_TYP_ID="A-VERY-LONG-TYPE")])

    sync = tenant.desk.sync()

    assert_told(sync, "partial", None)
    (reject,) = sync.runs[0].rejects
    assert (reject.field, reject.code) == ("A-VERY-LONG-TYPE:C-7", Code.RECORD_REFUSED)
    assert "format" in reject.message
    assert tenant.shown()["learningContent"] == 6


def test_a_title_that_is_too_long_is_cut(tenant: Tenant) -> None:
    tenant.graph.inject(Faults(max_lengths={"title": 20}))
    tenant.full(2, PA_CPNT=[*rows()["PA_CPNT"], item(6, CPNT_TITLE="A title that goes on and on")])

    sync = tenant.desk.sync()

    assert_told(sync, "done", None)
    assert '"title": "A title that goes on"' in tenant.viva()
