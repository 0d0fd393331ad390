"""What only the adapter of StackOne does."""

import pytest

from infra.local.learning.lms import User
from infra.local.learning.web import Answer
from infra.local.stackone import StackOneSimulator
from shared.domain.errors import Code, SettingsError, TransientError
from shared.domain.write_back import Fate
from tests.adapters.learning.scene import NOW, Scene, completion, course
from tests.company import ADA


def simulator(scene: Scene) -> StackOneSimulator:
    assert isinstance(scene.simulator, StackOneSimulator)
    return scene.simulator


def test_an_account_that_is_not_linked_yet_is_for_a_person(stackone: Scene) -> None:
    simulator(stackone).linked = False

    with pytest.raises(SettingsError, match="15 minutes") as raised:
        stackone.send_courses(course())

    assert raised.value.code is Code.INVALID_CREDENTIALS


def test_the_field_that_identifies_users_is_told(stackone: Scene) -> None:
    with stackone.session() as target:
        assert target.describe_identity() == "external_reference"


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        (Answer(200, {"data": [{"connector_meta_field": "lms_user_id"}]}), "lms_user_id"),
        (Answer(200, {"connector_meta_field": None}), None),
        (Answer(200, {}), None),
        (Answer(404, {"message": "no"}), None),
    ],
)
def test_the_field_is_found_wherever_it_stands(stackone: Scene, answer: Answer, field: str | None) -> None:
    """How the answer is built is not documented, nor that there is one."""
    stackone.simulator.front.answer_next("reads", answer)

    with stackone.session() as target:
        assert target.describe_identity() == field


def test_the_id_of_a_user_cannot_leave_its_place_in_the_path(stackone: Scene) -> None:
    stackone.offer("C-1")
    odd = "a/b?c=d#e ../%2e"
    stackone.simulator.add_users(User(odd, "", active=True))

    receipt = stackone.send(completion(odd))

    assert receipt.fate is Fate.DONE
    assert [event.user_id for event in stackone.simulator.history()] == [odd]


def test_the_search_is_percent_encoded(stackone: Scene) -> None:
    with stackone.session() as target:
        target.find_users("a&b=c d+e")

    (seen,) = stackone.simulator.seen("reads")
    assert seen.query["filter[external_reference]"] == "a&b=c d+e"


def test_only_a_find_proves_something(stackone: Scene) -> None:
    """Whether StackOne shows what SuccessFactors holds of such courses is not known."""
    stackone.offer("C-1")
    with stackone.session() as target:
        assert target.is_recorded(completion()) is None
    stackone.send(completion())
    stackone.clock.move(1)
    with stackone.session() as target:
        assert target.is_recorded(completion()) is True
        simulator(stackone).tells_completions = False
        stackone.clock.move(1)
        assert target.is_recorded(completion()) is None


def test_errors_that_fit_no_item_concern_all(stackone: Scene) -> None:
    stackone.simulator.front.answer_next("courses", Answer(202, {"errors": [["something is wrong"]]}))

    receipts = stackone.send_courses(course("C-1"), course("C-2"))

    assert [(each.fate, each.code) for each in receipts] == [(Fate.PARKED, Code.RECORD_REFUSED)] * 2


def test_an_answer_without_errors_is_a_success(stackone: Scene) -> None:
    """The reference calls them optional."""
    stackone.simulator.front.answer_next("courses", Answer(202, {"statusCode": 202, "message": "Accepted"}))

    assert [each.fate for each in stackone.send_courses(course("C-1"), course("C-2"))] == [Fate.AWAITS_IMPORT] * 2


def test_a_failure_of_the_system_behind_is_read(stackone: Scene) -> None:
    body = {
        "message": "Bad Request",
        "provider_errors": [{"status": 400, "raw": {"message": "user account is inactive"}}],
    }
    stackone.simulator.front.answer_next("completions", Answer(400, body))

    assert stackone.send(completion()).code is Code.LEARNER_INACTIVE


def test_a_path_that_is_not_there_is_told_from_a_user_who_is_not(stackone: Scene) -> None:
    stackone.simulator.front.answer_next("completions", Answer(404, "<title>Not found</title>"))

    with pytest.raises(SettingsError, match="nothing at that path"):
        stackone.send(completion())


@pytest.mark.parametrize("answer", [Answer(200, {"data": None}), Answer(200, [])])
def test_a_list_that_is_none_is_no_answer(stackone: Scene, answer: Answer) -> None:
    stackone.simulator.front.answer_next("reads", answer)

    with stackone.session() as target, pytest.raises(TransientError, match="without a list"):
        target.find_users(ADA.key)


def test_a_search_that_is_refused_is_for_a_person(stackone: Scene) -> None:
    stackone.simulator.front.answer_next("reads", Answer(400, {"message": f"{ADA.key} is wrong"}))

    with stackone.session() as target, pytest.raises(SettingsError, match="did not accept") as raised:
        target.find_users(ADA.key)

    assert ADA.key not in str(raised.value)


def test_one_completion_at_a_time(stackone: Scene) -> None:
    with stackone.session() as target, pytest.raises(ValueError, match="one completion"):
        target.send_completions([completion(), completion(completed_at=NOW)])
