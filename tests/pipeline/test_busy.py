"""One worker at a time works for a connection, and a process for one connection at a time.

What comes meanwhile must not be lost, or a run would stand still.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

from infra.local.graph import GraphSimulator
from shared.domain.messages import COMMANDS, MAP_LEARNERS, Approve, MapLearners, Process
from shared.domain.runs import ATTEMPTS, Step
from shared.pipeline import journal
from shared.pipeline.collect_packages import collect
from shared.pipeline.map_learners import map_learners
from shared.pipeline.one_at_a_time import one_at_a_time
from shared.pipeline.process_package import process_next
from shared.pipeline.run_commands import run_command
from shared.pipeline.sweep import sweep
from tests.company import FULL, full, make_directory
from tests.desk import NAME, Desk


@pytest.fixture
def collected(tmp_path: Path) -> Iterator[Desk]:
    """A desk whose package has been collected, and is to be read."""
    with GraphSimulator(tmp_path / "graph") as graph:
        make_directory(graph, tmp_path)
        desk = Desk(graph)
        desk.drop(FULL, full())
        collect(desk.parts, NAME, "sync")
        yield desk
        desk.close()


@pytest.fixture
def desk(collected: Desk) -> Desk:
    """A desk whose package has been read, and is to be mapped."""
    process_next(collected.parts, NAME)
    return collected


def to_map(desk: Desk) -> MapLearners:
    (body,) = [body for queue, body, _ in desk.messages.take() if queue == MAP_LEARNERS]
    return MapLearners.model_validate_json(body)


@contextmanager
def another_connection_at_work() -> Iterator[None]:
    """Let another thread of this process have an engine."""
    begun, over = Event(), Event()

    def work() -> None:
        with one_at_a_time():
            begun.set()
            over.wait(60)

    thread = Thread(target=work)
    thread.start()
    begun.wait(60)
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_a_package_whose_message_was_lost_is_asked_for_by_the_sweeper(collected: Desk) -> None:
    """Not while somebody still collects, who will ask; and where nothing was begun, there is nothing to ask for."""
    desk = collected
    desk.messages.take()

    with desk.parts.leases.hold(f"collect/{NAME}"):
        sweep(desk.parts)
    assert desk.messages.take() == []

    sweep(desk.parts)
    assert [body for _, body, _ in desk.messages.take()] == [Process(connection=NAME).model_dump_json()]

    journal.change_state(desk.parts, NAME, lambda s: s.model_copy(update={"sync": None}))
    sweep(desk.parts)
    assert desk.messages.take() == []


def test_a_package_is_put_off_while_the_process_works_for_another_connection(collected: Desk) -> None:
    """One would hold clear text while the other writes its memory to a disk, and each needs all the memory there is."""
    collected.messages.take()

    with another_connection_at_work():
        process_next(collected.parts, NAME)

    ((queue, body, delay_seconds),) = collected.messages.take()
    assert (queue, body) == (COMMANDS, Process(connection=NAME).model_dump_json())
    assert delay_seconds > 0
    (run,) = journal.list_runs(collected.parts, NAME)
    assert (run.step, run.attempts) == (Step.PROCESSING, 0)
    process_next(collected.parts, NAME)
    assert collected.deliver("sync").outcome == "done"


def test_mapping_is_put_off_while_the_process_works_for_another_connection(desk: Desk) -> None:
    """However long that takes, it uses up none of the attempts."""
    message = to_map(desk)

    with another_connection_at_work():
        for _ in range(ATTEMPTS + 1):
            map_learners(desk.parts, message)
            ((queue, body, delay_seconds),) = desk.messages.take()
            assert (queue, MapLearners.model_validate_json(body)) == (MAP_LEARNERS, message)
            assert delay_seconds > 0

    (run,) = journal.list_runs(desk.parts, NAME)
    assert run.attempts == 0
    map_learners(desk.parts, message)
    assert journal.list_runs(desk.parts, NAME)[0].step is Step.PUSHING_CONTENTS


def test_a_message_is_put_off_while_its_sender_is_still_there(desk: Desk) -> None:
    """It is sent before the name is given back, and queues are quick."""
    message = to_map(desk)
    desk.parts.leases.held.add(f"work/{NAME}")  # type: ignore[attr-defined]

    map_learners(desk.parts, message)

    ((queue, body, delay_seconds),) = desk.messages.sent
    assert (queue, MapLearners.model_validate_json(body)) == (MAP_LEARNERS, message)
    assert 0 < delay_seconds < 10


def test_a_message_that_comes_late_is_not_put_off(desk: Desk) -> None:
    """Otherwise it would go round for as long as anybody works."""
    message = to_map(desk)
    map_learners(desk.parts, message)
    desk.messages.take()
    desk.parts.leases.held.add(f"work/{NAME}")  # type: ignore[attr-defined]

    map_learners(desk.parts, message)

    assert desk.messages.sent == []


def test_a_command_that_finds_somebody_at_work_comes_back(desk: Desk) -> None:
    """Whoever works may have looked for the next package already."""
    desk.messages.take()
    desk.parts.leases.held.add(f"work/{NAME}")  # type: ignore[attr-defined]

    process_next(desk.parts, NAME)

    ((queue, body, delay_seconds),) = desk.messages.sent
    assert (queue, body) == (COMMANDS, Process(connection=NAME).model_dump_json())
    assert delay_seconds > 0


def test_an_approval_waits_until_nobody_works_for_the_connection(desk: Desk) -> None:
    """Whoever does has seen the run halted, and would end the approval's sync as halted too."""
    desk.set(coverage_minimum_percent=100)
    map_learners(desk.parts, to_map(desk))
    (run,) = journal.list_runs(desk.parts, NAME)
    assert run.step is Step.HALTED
    desk.messages.take()
    approval = Approve(connection=NAME, run_id=run.run_id, sync_id="approved")
    desk.parts.leases.held.add(f"work/{NAME}")  # type: ignore[attr-defined]

    run_command(desk.parts, approval)

    ((queue, body, delay_seconds),) = desk.messages.take()
    assert (queue, body) == (COMMANDS, approval.model_dump_json())
    assert delay_seconds > 0
    desk.parts.leases.held.clear()  # type: ignore[attr-defined]
    run_command(desk.parts, approval)
    assert desk.deliver("approved").outcome == "done"


def test_an_approval_that_comes_twice_approves_once(desk: Desk) -> None:
    """A worker may die after it has approved, and before its message is gone."""
    desk.set(coverage_minimum_percent=100)
    map_learners(desk.parts, to_map(desk))
    (run,) = journal.list_runs(desk.parts, NAME)
    approval = Approve(connection=NAME, run_id=run.run_id, sync_id="approved")

    run_command(desk.parts, approval)
    run_command(desk.parts, approval)

    assert desk.deliver("approved").outcome == "done"
