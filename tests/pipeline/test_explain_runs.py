"""Why a learner does not see a course yet, or not any more: what runs and Graph do to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.graph import Faults
from shared.domain.errors import Code, TransientError
from shared.domain.explanation import About, Cause
from shared.domain.messages import COMMAND, COMMANDS, MAP_LEARNERS, Collect, MapLearners, PushRecords
from shared.domain.runs import Step
from shared.pipeline import journal
from shared.pipeline.map_learners import map_learners
from shared.pipeline.push_records import push_records
from shared.pipeline.run_commands import run_command
from tests.company import ADA, full, item, plan, rows
from tests.desk import NAME, Desk
from tests.situations import FIRST, empty_desk, why

pytestmark = pytest.mark.slow


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Desk]:
    with empty_desk(tmp_path) as desk:
        yield desk


def step(desk: Desk) -> None:
    """Deliver one message; what is put off is not waited for."""
    queue, body, _ = desk.messages.sent.pop(0)
    try:
        if queue == COMMANDS:
            run_command(desk.parts, COMMAND.validate_json(body))
        elif queue == MAP_LEARNERS:
            map_learners(desk.parts, MapLearners.model_validate_json(body))
        else:
            push_records(desk.parts, PushRecords.model_validate_json(body))
    except TransientError:
        desk.messages.send(queue, body)


def begin(desk: Desk, until: Step) -> None:
    """Look into the folder and go on until a run has come that far."""
    body = Collect(connection=NAME, sync_id=journal.new_run_id(desk.now))
    desk.messages.send(COMMANDS, body.model_dump_json())
    for _ in range(40):
        runs = journal.list_runs(desk.parts, NAME)
        if runs and runs[-1].step is until:
            return
        step(desk)
    raise AssertionError(f"no run came to {until}")


def test_what_graph_puts_off_is_parked_and_goes_out_later(fresh: Desk) -> None:
    fresh.drop(FIRST, full())
    assert why(fresh, ADA, 1).cause is Cause.NOTHING_PUBLISHED
    begin(fresh, Step.PUSHING_CONTENTS)
    assert why(fresh, ADA, 1).cause is Cause.ON_ITS_WAY
    slow = Faults(area="learning", throttle=100, retry_after_seconds=600)

    fresh.simulator.inject(slow)
    step(fresh)
    course = why(fresh, ADA, 1)
    fresh.simulator.inject(Faults())
    fresh.messages.sent = [(queue, body, 0) for queue, body, _ in fresh.messages.sent]
    while journal.list_runs(fresh.parts, NAME)[-1].step is not Step.PUSHING_ACTIVITIES:
        step(fresh)
    fresh.simulator.inject(slow)
    step(fresh)
    record = why(fresh, ADA, 1)
    fresh.simulator.inject(Faults())
    while fresh.messages.sent:
        step(fresh)

    for found in (course, record):
        assert found.cause is Cause.PARKED_BY_THROTTLE
        assert found.decisive is not None
        assert found.decisive.at is not None
        assert (found.decisive.at - fresh.now).total_seconds() == pytest.approx(600, abs=10)
        assert (found.decisive.package, found.decisive.file, found.decisive.line) == (FIRST, "PA_STUD_CPNT.csv", 2)
    assert why(fresh, ADA, 1).cause is Cause.PUBLISHED


def test_what_was_sent_is_told_before_the_run_has_ended(fresh: Desk) -> None:
    fresh.drop(FIRST, full())
    begin(fresh, Step.PUSHING_ACTIVITIES)
    message = PushRecords.model_validate_json(fresh.messages.sent[0][1])
    (path,) = fresh.parts.pushes.list_paths(f"{NAME}/{message.run_id}/activities/shard-00000.ndjson")
    plan_of_shard = fresh.parts.pushes.get(path)
    fresh.parts.pushes.put(path.replace("00000.ndjson", "00001.ndjson"), plan_of_shard)
    run = journal.get_run(fresh.parts, NAME, message.run_id)
    # A shard that never ends keeps the run open.
    journal.change_run(fresh.parts, run, lambda newest: newest.changed(shards={**newest.shards, "activities": 2}))

    step(fresh)

    assert why(fresh, ADA, 1).cause is Cause.PUBLISHED
    assert journal.list_runs(fresh.parts, NAME)[-1].step is Step.PUSHING_ACTIVITIES


def test_a_halted_run_is_what_it_waits_for(fresh: Desk) -> None:
    fresh.set(coverage_minimum_percent=100)
    fresh.drop(FIRST, full())
    halted = fresh.sync().runs[0]

    found = why(fresh, ADA, 1)

    assert found.cause is Cause.HALTED
    assert found.decisive is not None
    assert (found.decisive.package, found.decisive.line) == (FIRST, 2)
    assert any(fact.run == halted.run_id and fact.code is Code.COVERAGE_BELOW_MINIMUM for fact in found.facts)
    fresh.approve(halted.run_id)
    assert why(fresh, ADA, 1).cause is Cause.PUBLISHED


def test_a_run_that_failed_leaves_it_unsent(fresh: Desk) -> None:
    fresh.drop(FIRST, full())
    fresh.simulator.inject(Faults(provider_disabled=True))
    assert fresh.sync().outcome == "failed"

    found = why(fresh, ADA, 1)

    assert found.cause is Cause.NOT_SENT
    assert any(fact.code is Code.PROVIDER_NOT_ENABLED for fact in found.facts)


def test_what_graph_refuses_is_told_with_its_reason(fresh: Desk) -> None:
    """Of a course, and of a record on a course that it took."""
    fresh.drop(FIRST, full(PA_CPNT=[item(1), item(3, CPNT_TYP_ID="A-VERY-LONG-TYPE"), item(4)]))
    fresh.simulator.inject(Faults(max_lengths={"format": 10, "assignmentType": 3}))
    fresh.sync()

    course = why(fresh, ADA, "A-VERY-LONG-TYPE:C-3")
    record = why(fresh, ADA, "COURSE:C-1")

    assert course.cause is Cause.NEVER_IN_A_PACKAGE
    refused = [fact for fact in course.facts if fact.about is About.PUSH]
    assert refused[0].code is Code.RECORD_REFUSED
    assert record.cause is Cause.RECORD_REJECTED
    assert record.decisive is not None
    assert (record.decisive.code, record.decisive.line) == (Code.RECORD_REFUSED, 2)
    assert "assignmentType" in record.decisive.text


def test_a_course_that_graph_refuses_rejects_its_records(fresh: Desk) -> None:
    typ = "A-VERY-LONG-TYPE"
    fresh.drop(FIRST, full(PA_CPNT=[item(1, CPNT_TYP_ID=typ)], PA_STUD_CPNT=[plan(ADA, 1, CPNT_TYP_ID=typ)]))
    fresh.simulator.inject(Faults(max_lengths={"format": 10}))
    fresh.sync()

    found = why(fresh, ADA, 1)

    assert found.cause is Cause.CONTENT_REJECTED
    assert found.decisive is not None
    assert found.decisive.code is Code.RECORD_REFUSED
    assert (found.decisive.file, found.decisive.line) == ("PA_CPNT.csv", 2)


def test_a_course_without_a_place_rejects_its_records(fresh: Desk) -> None:
    fresh.set(active_item_limit=2)
    fresh.drop(FIRST, full())
    fresh.sync()

    found = why(fresh, ADA, 3)

    assert found.cause is Cause.CONTENT_REJECTED
    assert found.decisive is not None
    assert (found.decisive.code, found.decisive.line) == (Code.ITEM_LIMIT, 4)
    assert why(fresh, ADA, 1).cause is Cause.PUBLISHED


def test_what_was_taken_back_is_told_as_long_as_plans_are_kept(fresh: Desk) -> None:
    fresh.set(mass_change_percent=100)
    fresh.drop(FIRST, full())
    fresh.sync()
    fresh.now = fresh.now.replace(day=2)
    left = [row for row in rows()["PA_STUD_CPNT"] if row != plan(ADA, 3)]
    fresh.drop("acme_F_20261102000000.zip.pgp", full(PA_STUD_CPNT=left, PA_CPNT=[item(4, NOTACTIVE="Y"), item(1)]))
    fresh.sync()

    found = why(fresh, ADA, "COURSE:C-3")
    switched_off = why(fresh, ADA, 4)

    assert found.cause is Cause.WITHDRAWN
    assert found.decisive is not None
    assert found.decisive.package == "acme_F_20261102000000.zip.pgp"
    assert found.shown == ()
    # The assignment is still published, on a course that nobody sees any more.
    assert switched_off.cause is Cause.CONTENT_INACTIVE
    assert switched_off.decisive is not None
    assert (switched_off.decisive.package, switched_off.decisive.line) == ("acme_F_20261102000000.zip.pgp", 2)
