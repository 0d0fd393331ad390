"""What Graph refused, or never had, is sent once its cause is mended: only that, and only once (must-hold 3)."""

from dataclasses import replace

import pytest

from infra.local.graph import Faults
from shared.domain.messages import COMMANDS, Collect, Replay
from shared.pipeline import journal
from shared.pipeline.run_commands import run_command
from tests.bad_input.conftest import Tenant
from tests.cli.conftest import Lms
from tests.company import ADA, BEA, NOBODY, betrays, item, plan, rows
from tests.desk import NAME
from tests.replay.conftest import Mend, cursor, refused, state

pytestmark = pytest.mark.slow

LONG = ("A-VERY-LONG-TYPE", "ANOTHER-LONG-TYPE")


@pytest.fixture
def run_id(tenant: Tenant) -> str:
    """A run in which Graph refused two contents, and the assignment on one of them had to wait."""
    tenant.graph.inject(Faults(max_lengths={"format": 10}))
    tenant.full(
        2,
        PA_CPNT=[*rows()["PA_CPNT"], *(item(number, CPNT_TYP_ID=typ) for number, typ in enumerate(LONG, 6))],
        PA_STUD_CPNT=[*rows()["PA_STUD_CPNT"], plan(ADA, 6, CPNT_TYP_ID=LONG[0])],
    )
    run = tenant.desk.sync().runs[-1]
    assert (run.outcome, run.reject_count) == ("partial", 2)
    assert tenant.shown() == {"learningContent": 5, "learningAssignment": 5, "learningSelfInitiatedCourse": 1}
    return run.run_id


def test_once_the_cause_is_mended_only_what_was_missing_is_sent(tenant: Tenant, run_id: str, mend: Mend) -> None:
    """Five times do what one does, and the cursor stays where it was."""
    tenant.graph.inject(Faults())
    before = cursor(tenant.desk)

    done = [mend("replay", run_id) for _ in range(5)]

    assert [each.writes for each in done] == [3, 0, 0, 0, 0]
    assert [each.sync.outcome for each in done] == ["done"] * 5
    assert tenant.shown() == {"learningContent": 7, "learningAssignment": 6, "learningSelfInitiatedCourse": 1}
    assert tenant.graph.duplicate_activities() == 0
    assert cursor(tenant.desk) == before
    (run,) = done[0].sync.runs
    assert (run.kind, run.run_id) == ("replay", done[0].answer["sync_id"])
    assert (run.tally.contents.published, run.tally.assignments.published) == (2, 1)
    assert betrays(run.model_dump_json() + str(done[0].answer)) == []


def test_while_the_cause_is_there_it_is_refused_again(tenant: Tenant, run_id: str, mend: Mend) -> None:
    done = mend("replay", run_id)

    (run,) = done.sync.runs
    assert (done.sync.outcome, done.writes, run.reject_count) == ("partial", 0, 2)
    assert tenant.shown()["learningContent"] == 5


def test_one_record_alone(tenant: Tenant, run_id: str, mend: Mend) -> None:
    """The other one stays out, and so does the assignment: they were not asked for."""
    tenant.graph.inject(Faults())
    keys = [each.field for each in journal.get_run(tenant.desk.parts, NAME, run_id).rejects]

    first, again = mend("replay", run_id, "--reject", "1"), mend("replay", run_id, "--reject", "1")

    assert keys == [f"{LONG[0]}:C-6", f"{LONG[1]}:C-7"]
    assert (first.writes, again.writes) == (1, 0)
    assert tenant.shown()["learningContent"] == 6
    assert keys[0] in tenant.viva()
    assert keys[1] not in tenant.viva()
    assert mend("replay", run_id).writes == 2


def test_what_a_changed_setting_would_change_is_left_to_the_next_package(
    tenant: Tenant, run_id: str, mend: Mend
) -> None:
    """A new picture is a change of every content, and none of them was missing."""
    tenant.graph.inject(Faults())
    document = tenant.desk.parts.connections.find(NAME)
    assert document is not None
    tenant.desk.set(viva={**document.value["viva"], "default_thumbnail_url": "https://example.com/new.png"})

    assert mend("replay", run_id).writes == 3
    tenant.delta(3)
    tenant.graph.reset_counters()
    tenant.desk.sync()

    assert tenant.graph.counters().writes == 5


def test_whoever_is_found_in_entra_now_gets_what_is_his(tenant: Tenant, mend: Mend) -> None:
    """The mapping was mended in the directory; no package has to come for that."""
    run_id = str(state(tenant.desk).committed.run_id)  # type: ignore[union-attr]  # a package is published
    tenant.people(ADA, BEA, replace(NOBODY, user_id="00000000-0000-4000-8000-0000000000c3"))

    done = mend("replay", run_id)

    assert done.writes == 2
    assert tenant.shown() == {"learningContent": 5, "learningAssignment": 6, "learningSelfInitiatedCourse": 2}
    assert done.sync.runs[0].coverage.mapped == 3
    assert mend("replay", run_id).writes == 0


def test_who_was_refused_for_lack_of_a_licence_is_asked_for_now(tenant: Tenant, mend: Mend) -> None:
    """Packages ask again after `licence_recheck_days`; a person who has just bought a licence does not wait."""
    document = tenant.desk.parts.connections.find(NAME)
    assert document is not None
    tenant.desk.set(viva={**document.value["viva"], "licence_service_plan_ids": ()})
    tenant.people(ADA, replace(BEA, licensed=False))
    tenant.delta(2, PA_STUD_CPNT=[plan(BEA, 5)])
    run = tenant.desk.sync().runs[-1]
    assert run.tally.assignments.parked == 1
    assert mend("replay", run.run_id).writes == 0
    tenant.people(ADA, BEA)

    assert [mend("replay", run.run_id).writes for _ in range(2)] == [1, 0]
    assert tenant.shown()["learningAssignment"] == 6
    assert tenant.graph.duplicate_activities() == 0


def test_a_command_that_comes_twice_is_carried_out_once(tenant: Tenant, run_id: str) -> None:
    """Queues deliver at least once; also late, when the run has long ended."""
    tenant.graph.inject(Faults())
    command = Replay(connection=NAME, run_id=run_id, sync_id=journal.new_run_id(tenant.desk.now)).model_dump_json()

    for _ in range(2):
        tenant.desk.messages.send(COMMANDS, command)
        tenant.desk.messages.send(COMMANDS, command)
        runs = tenant.desk.deliver(Replay.model_validate_json(command).sync_id).runs

        assert [run.kind for run in runs] == ["replay"]
    assert tenant.shown()["learningContent"] == 7


def test_a_command_whose_worker_died_half_way_is_carried_out(tenant: Tenant, run_id: str) -> None:
    """The run had begun, and nobody was told that its records are to be mapped."""
    tenant.graph.inject(Faults())
    command = Replay(connection=NAME, run_id=run_id, sync_id=journal.new_run_id(tenant.desk.now))
    run_command(tenant.desk.parts, command)
    tenant.desk.messages.take()

    tenant.desk.messages.send(COMMANDS, command.model_dump_json())
    sync = tenant.desk.deliver(command.sync_id)

    assert [(run.kind, run.outcome) for run in sync.runs] == [("replay", "done")]
    assert tenant.shown()["learningContent"] == 7


def test_a_command_waits_for_the_run_that_is_under_way(tenant: Tenant, run_id: str) -> None:
    """It is asked for while a look goes on, and done after it; neither disturbs the other."""
    tenant.graph.inject(Faults())
    tenant.delta(3, PA_CPNT=[item(8)])
    collect = Collect(connection=NAME, sync_id=journal.new_run_id(tenant.desk.now))
    run_command(tenant.desk.parts, collect)
    command = Replay(connection=NAME, run_id=run_id, sync_id=journal.new_run_id(tenant.desk.now))
    tenant.desk.messages.send(COMMANDS, command.model_dump_json())

    sync = tenant.desk.deliver(command.sync_id)

    assert [(run.kind, run.outcome) for run in sync.runs] == [("replay", "done")]
    assert state(tenant.desk).committed.package == "acme_D_20261103000000.zip.pgp"  # type: ignore[union-attr]  # a package is published
    assert tenant.shown()["learningContent"] == 8


def test_what_may_have_arrived_without_an_answer_is_still_looked_up_by_the_next_package(
    tenant: Tenant, mend: Mend
) -> None:
    """A replay of one record ends well, and says nothing about what else a failed run had on its way.

    The package that failed has its turn right after it.
    """
    tenant.graph.inject(Faults(max_lengths={"format": 10}))
    tenant.delta(2, PA_CPNT=[item(6, CPNT_TYP_ID=LONG[0])])
    run = tenant.desk.sync().runs[-1]
    tenant.delta(3, PA_STUD_CPNT=[plan(ADA, 5), plan(BEA, 5)])
    tenant.graph.inject(Faults(fail_after_applying=10_000, max_lengths={"format": 10}))
    assert tenant.desk.sync().outcome == "failed"
    tenant.graph.inject(Faults())
    assert state(tenant.desk).look_up_first

    done = mend("replay", run.run_id, "--reject", "1")

    assert sorted(each.kind for each in done.sync.runs) == ["delta", "replay"]
    assert tenant.graph.duplicate_activities() == 0
    assert tenant.shown()["learningAssignment"] == 7
    assert not state(tenant.desk).look_up_first


def test_a_gate_stands_before_a_replay_too(tenant: Tenant, run_id: str, mend: Mend) -> None:
    tenant.graph.inject(Faults())
    tenant.desk.set(coverage_minimum_percent=100)

    halted = mend("replay", run_id)

    assert (halted.sync.outcome, halted.writes) == ("halted", 0)
    approved = tenant.desk.approve(halted.answer["sync_id"])
    assert approved.outcome == "done"
    assert tenant.shown()["learningContent"] == 7


def test_nothing_goes_past_a_halted_run(tenant: Tenant, run_id: str, lms: Lms) -> None:
    tenant.desk.set(coverage_minimum_percent=100)
    tenant.delta(3, PA_CPNT=[item(8)])
    halted = tenant.desk.sync().runs[-1]
    sync_id = journal.new_run_id(tenant.desk.now)
    tenant.desk.messages.send(COMMANDS, Replay(connection=NAME, run_id=run_id, sync_id=sync_id).model_dump_json())

    told = tenant.desk.deliver(sync_id)

    assert (told.outcome, told.runs) == ("failed", [])
    assert "lms approve" in told.message
    assert "lms approve" in refused(lms("replay", halted.run_id, "--yes"))


def test_it_asks_before_anything_is_sent(tenant: Tenant, run_id: str, lms: Lms) -> None:
    answer = lms("replay", run_id, given="n\n")

    assert "2 records that Graph refused" in answer.errors + answer.output
    assert answer.status == 1
    assert tenant.desk.messages.sent == []
    assert "lms runs 20" in lms("replay", run_id, given="y\n").output
    assert len(tenant.desk.messages.sent) == 1
