"""What `LearningTarget` promises of courses, of both adapters, each against its strict simulator."""

import pytest

from infra.local.learning.faults import Faults
from shared.domain.errors import Code, TransientError
from shared.domain.write_back import Fate
from tests.adapters.learning.scene import Scene, course


def test_a_course_waits_for_an_administrator_to_import_it(scene: Scene) -> None:
    """Only then is it something that learners can find, among the MOOCs."""
    receipts = scene.send_courses(course())

    assert [receipt.fate for receipt in receipts] == [Fate.AWAITS_IMPORT]
    assert scene.simulator.items() == []
    assert scene.simulator.import_courses() == ["C-1"]
    (item,) = scene.simulator.items()
    assert (item.item_id, item.title, item.category, item.active) == ("C-1", "Negotiating", "MOOC", True)


def test_sending_a_course_again_replaces_it(scene: Scene) -> None:
    scene.offer("C-1")

    scene.send_courses(course(titles={"English": "Negotiating well"}))
    scene.simulator.import_courses()

    assert [item.title for item in scene.simulator.items()] == ["Negotiating well"]


def test_the_second_of_two_bodies_in_one_request_wins(scene: Scene) -> None:
    scene.send_courses(course(), course(titles={"English": "Negotiating well"}))
    scene.simulator.import_courses()

    assert [item.title for item in scene.simulator.items()] == ["Negotiating well"]


def test_a_course_that_is_made_inactive_after_its_import_stands_under_not_active(scene: Scene) -> None:
    scene.offer("C-1")

    scene.send_courses(course(active=False))
    scene.simulator.import_courses()

    assert [item.active for item in scene.simulator.items()] == [False]


def test_a_course_that_was_first_sent_inactive_is_never_in_the_import_menu(scene: Scene) -> None:
    scene.send_courses(course(active=False))

    assert scene.simulator.import_menu() == []


def test_the_simulator_turns_away_a_second_request_with_courses_for_five_minutes(scene: Scene) -> None:
    scene.send_courses(course())

    scene.clock.move(299)
    with pytest.raises(TransientError, match="pause of 300 seconds") as raised:
        scene.send_courses(course("C-2"))

    assert raised.value.code is Code.LMS_REQUESTS_LIMIT
    scene.clock.move(1)
    assert [receipt.fate for receipt in scene.send_courses(course("C-2"))] == [Fate.AWAITS_IMPORT]


def test_one_course_that_fails_inside_a_success_is_told_from_the_others(scene: Scene) -> None:
    scene.simulator.inject(Faults(refuse_rows=1))

    first, second = scene.send_courses(course("C-1"), course("C-2"))

    assert (first.fate, first.code) == (Fate.REJECTED, Code.RECORD_REFUSED)
    assert "could not be saved" in first.reason
    assert second.fate is Fate.AWAITS_IMPORT
    assert scene.simulator.import_menu() == ["C-2"]


def test_courses_that_are_refused_together_are_parked_and_one_alone_is_rejected(scene: Scene) -> None:
    """Nobody says which of them is at fault; of one there is no doubt."""
    scene.simulator.inject(Faults(fail=2, fail_status=400, area="courses"))

    together = scene.send_courses(course("C-1"), course("C-2"))
    (alone,) = scene.send_courses(course("C-1"))

    assert [(each.fate, each.code) for each in together] == [(Fate.PARKED, Code.RECORD_REFUSED)] * 2
    assert (alone.fate, alone.code) == (Fate.REJECTED, Code.RECORD_REFUSED)


def test_a_course_that_cannot_be_written_down_is_not_sent_and_its_neighbours_are(scene: Scene) -> None:
    receipts = scene.send_courses(
        course("C-1", titles={"tlh": "ghoj"}), course("C-2"), course("C-3", titles={"German": "Verhandeln"})
    )

    assert [(each.fate, each.code) for each in receipts] == [
        (Fate.REJECTED, Code.FIELD_INVALID),
        (Fate.AWAITS_IMPORT, None),
        (Fate.REJECTED, Code.FIELD_REQUIRED),
    ]
    assert scene.simulator.import_menu() == ["C-2"]


def test_nothing_is_asked_when_no_course_can_be_sent(scene: Scene) -> None:
    """A request with courses costs five minutes."""
    scene.send_courses(course(titles={"tlh": "ghoj"}))

    assert scene.simulator.seen("courses") == []
