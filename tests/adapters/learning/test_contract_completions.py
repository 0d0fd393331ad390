"""What `LearningTarget` promises of completions, of both adapters, each against its strict simulator."""

from datetime import timedelta

import pytest

from infra.local.learning.faults import Faults
from shared.domain.errors import Code, TransientError
from shared.domain.write_back import Fate
from tests.adapters.learning.scene import NOW, UNKNOWN, Scene, completion
from tests.company import ADA, BEA

ADA_DONE = completion()


def test_a_completion_stands_in_the_learners_history(scene: Scene) -> None:
    scene.offer("C-1")

    receipt = scene.send(ADA_DONE)

    assert (receipt.fate, receipt.code) == (Fate.DONE, None)
    (event,) = scene.simulator.history()
    assert (event.user_id, event.item_id, event.passed) == (ADA.student, "C-1", True)
    assert event.completed_ms == ADA_DONE.completed_at.timestamp() * 1000


def test_a_course_that_was_failed_is_recorded_as_failed(scene: Scene) -> None:
    scene.offer("C-1")

    scene.send(completion(passed=False))

    assert [event.passed for event in scene.simulator.history()] == [False]


def test_a_completion_that_is_sent_twice_stands_there_twice(scene: Scene) -> None:
    """The interface knows no update: that nothing is sent again is the sender's affair, and the tests' to look for."""
    scene.offer("C-1")

    scene.send(ADA_DONE)
    scene.send(ADA_DONE)

    assert len(scene.simulator.history()) == 2
    assert scene.simulator.duplicate_events() == 1


def test_a_completion_that_lies_in_the_future_is_not_sent(scene: Scene) -> None:
    scene.offer("C-1")

    receipt = scene.send(completion(completed_at=NOW + timedelta(days=1)))

    assert (receipt.fate, receipt.code) == (Fate.REJECTED, Code.FIELD_INVALID)
    assert scene.simulator.seen("completions") == []


@pytest.mark.parametrize(("learner", "code"), [(BEA.student, Code.LEARNER_INACTIVE), (UNKNOWN, Code.LEARNER_UNKNOWN)])
def test_a_completion_of_somebody_who_cannot_have_it_now_is_parked(scene: Scene, learner: str, code: Code) -> None:
    scene.offer("C-1")

    receipt = scene.send(completion(learner))

    assert (receipt.fate, receipt.code) == (Fate.PARKED, code)


def test_any_other_refusal_of_a_completion_is_for_good(scene: Scene) -> None:
    """As of a course that nobody has imported."""
    receipt = scene.send(ADA_DONE)

    assert (receipt.fate, receipt.code) == (Fate.REJECTED, Code.RECORD_REFUSED)
    assert scene.simulator.history() == []


def test_a_completion_that_fails_although_the_request_came_through_is_rejected(scene: Scene) -> None:
    scene.offer("C-1")
    scene.simulator.inject(Faults(refuse_rows=1))

    assert scene.send(ADA_DONE).fate is Fate.REJECTED
    assert scene.send(ADA_DONE).fate is Fate.DONE


@pytest.mark.parametrize("fault", ["fail", "cut"])
def test_what_did_not_arrive_may_be_sent_again(scene: Scene, fault: str) -> None:
    scene.offer("C-1")
    scene.simulator.inject(Faults.model_validate({fault: 1, "area": "completions"}))

    with pytest.raises(TransientError) as raised:
        scene.send(ADA_DONE)

    assert raised.value.code is Code.LMS_UNREACHABLE
    assert scene.simulator.history() == []


@pytest.mark.parametrize("fault", ["fail_after_applying", "cut_after_applying", "slow", "unreadable"])
def test_what_arrived_without_an_answer_can_be_looked_up(scene: Scene, fault: str) -> None:
    """Sending it again without a look would make a second row."""
    scene.offer("C-1")
    scene.timeout_seconds = 0.2 if fault == "slow" else 10
    scene.simulator.inject(Faults.model_validate({fault: 1, "slow_seconds": 0.4, "area": "completions"}))

    with scene.session() as target:
        with pytest.raises(TransientError) as raised:
            target.send_completions([ADA_DONE])
        recorded = target.is_recorded(ADA_DONE)

    assert raised.value.code is Code.LMS_UNREACHABLE
    assert recorded is True


def test_what_is_not_recorded_is_never_said_to_be(scene: Scene) -> None:
    """Another course, another day and another learner are somebody else's completions."""
    scene.offer("C-1", "C-2")
    scene.send(ADA_DONE)

    for other in (
        completion(course_id="C-2"),
        completion(completed_at=ADA_DONE.completed_at - timedelta(days=1)),
        completion(BEA.student),
    ):
        scene.clock.move(1)
        with scene.session() as target:
            assert target.is_recorded(other) is not True
