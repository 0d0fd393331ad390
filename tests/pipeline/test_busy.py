"""One worker at a time works for a connection; what comes meanwhile must not be lost, or a run would stand still."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.graph import GraphSimulator
from shared.domain.messages import COMMANDS, MAP_LEARNERS, MapLearners, Process
from shared.domain.runs import Step
from shared.pipeline import journal
from shared.pipeline.collect_packages import collect
from shared.pipeline.map_learners import map_learners
from shared.pipeline.process_package import process_next
from tests.company import FULL, full, make_directory
from tests.desk import NAME, Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk whose package has been read, and is to be mapped."""
    with GraphSimulator(tmp_path / "graph") as graph:
        make_directory(graph, tmp_path)
        desk = Desk(graph)
        desk.drop(FULL, full())
        collect(desk.parts, NAME, "sync")
        process_next(desk.parts, NAME)
        yield desk
        desk.close()


def to_map(desk: Desk) -> MapLearners:
    (body,) = [body for queue, body, _ in desk.messages.take() if queue == MAP_LEARNERS]
    return MapLearners.model_validate_json(body)


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


def test_whoever_has_held_the_name_asks_who_is_next(desk: Desk) -> None:
    """A command that found the name taken did nothing; the last thing after a piece of work makes up for it."""
    message = to_map(desk)
    asks = (COMMANDS, Process(connection=NAME).model_dump_json(), 0)

    map_learners(desk.parts, message)

    assert journal.list_runs(desk.parts, NAME)[0].step is Step.PUSHING_CONTENTS
    assert desk.messages.sent[-1] == asks
    desk.messages.take()
    process_next(desk.parts, NAME)
    assert desk.messages.sent == [], "with nothing done there is nothing to make up for"
