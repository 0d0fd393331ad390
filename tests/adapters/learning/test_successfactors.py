"""What only the adapter of SuccessFactors does: requests in a learner's name, and looking up what may have arrived."""

import pytest

from infra.local.learning.faults import Faults
from infra.local.learning.web import Answer
from infra.local.successfactors.server import EVENTS, HISTORIES, LEARNER_EVENTS
from shared.domain.errors import Code, SettingsError, TransientError
from shared.domain.write_back import Fate
from tests.adapters.learning.scene import NOW, UNKNOWN, Scene, completion, course, secret
from tests.company import ADA, BEA


@pytest.fixture
def as_learner(successfactors: Scene) -> Scene:
    successfactors.offer("C-1")
    successfactors.target_settings = {"completions_as": "learner"}
    return successfactors


def test_every_completion_has_a_token_of_its_learner(as_learner: Scene) -> None:
    with as_learner.session() as target:
        for learner in (ADA.student, ADA.student):
            target.send_completions([completion(learner)])

    asked = [
        each.body["scope"]["userType"] for each in as_learner.simulator.seen("token") if isinstance(each.body, dict)
    ]
    assert asked == ["admin", "user", "user"]
    assert [each.path for each in as_learner.simulator.seen("completions")] == [LEARNER_EVENTS] * 2


@pytest.mark.parametrize(("learner", "code"), [(BEA.student, Code.LEARNER_INACTIVE), (UNKNOWN, Code.LEARNER_UNKNOWN)])
def test_a_learner_who_cannot_log_in_is_parked(as_learner: Scene, learner: str, code: Code) -> None:
    """And told from a secret that is no longer good: the administrator can still log in with it."""
    receipt = as_learner.send(completion(learner))

    assert (receipt.fate, receipt.code) == (Fate.PARKED, code)


def test_a_secret_that_was_replaced_is_not_taken_for_an_unknown_learner(as_learner: Scene) -> None:
    as_learner.secrets = [secret("newer"), secret(as_learner.simulator.secret, age_days=1)]
    with as_learner.session() as target:
        as_learner.simulator.rotate_secret("newer")
        (receipt,) = target.send_completions([completion()])
        as_learner.simulator.rotate_secret()
        with pytest.raises(SettingsError) as raised:
            target.send_completions([completion()])

    assert receipt.fate is Fate.DONE
    assert raised.value.code is Code.INVALID_CREDENTIALS


def test_a_learners_token_that_is_refused_at_once_is_tried_again_later(as_learner: Scene) -> None:
    as_learner.simulator.inject(Faults(reject_tokens=1, area="completions"))

    with pytest.raises(TransientError, match="401"):
        as_learner.send(completion())

    assert as_learner.simulator.history() == []


def test_a_token_that_is_refused_before_its_time_is_renewed_once(successfactors: Scene) -> None:
    """A refused request was not carried out, so it may go again; but not for ever."""
    successfactors.offer("C-1")
    successfactors.simulator.inject(Faults(reject_tokens=1, area="completions"))
    assert successfactors.send(completion()).fate is Fate.DONE

    successfactors.simulator.inject(Faults(reject_tokens=9, area="completions"))
    with pytest.raises(SettingsError, match="just given") as raised:
        successfactors.send(completion())

    assert raised.value.code is Code.INVALID_CREDENTIALS
    assert len(successfactors.simulator.history()) == 1


def test_the_history_is_asked_about_one_course_of_one_learner(successfactors: Scene) -> None:
    with successfactors.session() as target:
        assert target.is_recorded(completion(course_id="it's")) is False

    (seen,) = successfactors.simulator.seen("reads")
    assert seen.path == HISTORIES
    assert seen.query == {"$filter": f"criteria/targetUserID eq '{ADA.student}' and criteria/itemID eq 'it''s'"}


def test_a_history_that_cannot_be_read_tells_nothing(successfactors: Scene) -> None:
    """No right to it, no such path, another answer; or the setting says so."""
    for answer in (Answer(403, {"error": {"message": "no"}}), Answer(404), Answer(200, {"rows": []})):
        successfactors.simulator.front.answer_next("reads", answer)
        with successfactors.session() as target:
            assert target.is_recorded(completion()) is None

    successfactors.target_settings = {"history_path": None}
    with successfactors.session() as target:
        assert target.is_recorded(completion()) is None


@pytest.mark.parametrize(
    "entry", [{"completionDate": "2026-10-30"}, {"completionDate": True}, {"completionDate": 1e30}]
)
def test_an_entry_that_cannot_be_read_is_about_something_else(successfactors: Scene, entry: dict[str, object]) -> None:
    successfactors.simulator.front.answer_next("reads", Answer(200, {"value": [{"componentID": "C-1", **entry}]}))

    with successfactors.session() as target:
        assert target.is_recorded(completion()) is False


def test_a_list_that_is_none_is_no_answer(successfactors: Scene) -> None:
    successfactors.simulator.front.answer_next("reads", Answer(200, {"value": "none"}))

    with successfactors.session() as target, pytest.raises(TransientError, match="without a list"):
        target.find_users(ADA.key)


def test_users_with_another_external_id_are_not_found(successfactors: Scene) -> None:
    """Should the search be laxer than it says."""
    rows = [{"studentID": "x", "personExternalID": f"{ADA.key}0"}, {"studentID": "y", "personExternalID": ADA.key}]
    successfactors.simulator.front.answer_next("reads", Answer(200, {"value": rows}))

    with successfactors.session() as target:
        assert target.find_users(ADA.key) == ["y"]


def test_throttling_under_another_status_is_understood(successfactors: Scene) -> None:
    body = {"error": {"message": "API calling limit exceeded, Try later", "code": None}}
    successfactors.simulator.front.answer_next("courses", Answer(403, body))

    with pytest.raises(TransientError, match="pause of 300 seconds"):
        successfactors.send_courses(course())


def test_paths_are_settings(successfactors: Scene) -> None:
    successfactors.target_settings = {"events_path": "/elsewhere"}

    with pytest.raises(SettingsError, match="nothing at that path") as raised:
        successfactors.send(completion())

    assert raised.value.code is Code.SETTINGS_INVALID
    assert [each.path for each in successfactors.simulator.seen()][-1] != EVENTS


def test_it_does_not_tell_what_identifies_users(successfactors: Scene) -> None:
    with successfactors.session() as target:
        assert target.describe_identity() is None


def test_one_completion_at_a_time(successfactors: Scene) -> None:
    with successfactors.session() as target, pytest.raises(ValueError, match="one completion"):
        target.send_completions([completion(), completion(completed_at=NOW)])
