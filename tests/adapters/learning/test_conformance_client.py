"""Situations in which edX's client of SuccessFactors is tested, and what this connector does in each.

The names are those of edx-enterprise, `tests/test_integrated_channels/test_sap_success_factors/test_client.py`.

| there | here |
| --- | --- |
| test_get_oauth_access_token | the same: one request, its body as documented |
| test_get_oauth_access_token_response_missing_fields | no answer, to be asked again; nothing is sent |
| test_get_oauth_access_token_response_non_json | likewise |
| test_send_completion_status | a token of the learner, then the completion: done |
| test_failed_completion_reporting_exception_handling | 500: nothing is known of it |
| test_content_import | create, update and delete are the same request, after one for a token |
| test_sap_api_connection_error | nothing is known of it |
| test_sap_api_application_error | 400: a refusal, returned and not raised |
| test_expired_access_token | `expires_in` 0: four requests for two batches of courses |
| test_client_uses_prevent_learner_submit_flag | the administrator sends a boolean, to the administrator's path |
| test_sync_content_metadata_success | two requests |
| test_sync_content_metadata_too_many_requests | not retried within seconds: the pause is told, and kept by the caller |
| test_sync_content_metadata_bad_request | not retried |
| test_sync_content_metadata_retry_logic | after the pause the same request succeeds |
"""

from datetime import timedelta

import pytest

from infra.local.learning.faults import Faults
from infra.local.learning.web import Answer
from infra.local.successfactors.server import COURSES, EVENTS, LEARNER_EVENTS, TOKEN
from shared.domain.errors import Code, TransientError
from shared.domain.write_back import Course, Fate
from tests.adapters.learning.scene import Scene, completion, course
from tests.company import ADA


def paths(scene: Scene) -> list[str]:
    return [each.path for each in scene.simulator.seen()]


def test_get_oauth_access_token(successfactors: Scene) -> None:
    with successfactors.session():
        (seen,) = successfactors.simulator.seen()

    assert (seen.path, seen.status) == (TOKEN, 200)
    assert seen.body == {
        "grant_type": "client_credentials",
        "scope": {
            "userId": "ocn-admin",
            "companyId": "acme",
            "userType": "admin",
            "resourceType": "learning_public_api",
        },
    }


@pytest.mark.parametrize("missing", ["access_token", "expires_in"])
def test_get_oauth_access_token_response_missing_fields(successfactors: Scene, missing: str) -> None:
    successfactors.simulator.inject(Faults(token_without=(missing,)))

    with pytest.raises(TransientError, match="without one that can be used") as raised:
        successfactors.send_courses(course())

    assert raised.value.code is Code.LMS_UNREACHABLE
    assert paths(successfactors) == [TOKEN]


def test_get_oauth_access_token_response_non_json(successfactors: Scene) -> None:
    successfactors.simulator.inject(Faults(unreadable=1, area="token"))

    with pytest.raises(TransientError, match="no JSON"):
        successfactors.send_courses(course())

    assert paths(successfactors) == [TOKEN]


def test_send_completion_status(successfactors: Scene) -> None:
    """Their answer repeats what was sent, beside `"success": "true"`."""
    successfactors.target_settings = {"completions_as": "learner"}
    successfactors.simulator.front.answer_next(
        "completions", Answer(200, {"success": "true", "completion_status": {"userID": "abc123"}})
    )

    receipt = successfactors.send(completion())

    assert receipt.fate is Fate.DONE
    assert paths(successfactors) == [TOKEN, TOKEN, LEARNER_EVENTS]
    whose = [each.body["scope"] for each in successfactors.simulator.seen("token") if isinstance(each.body, dict)]
    assert [(each["userId"], each["userType"]) for each in whose] == [("ocn-admin", "admin"), (ADA.student, "user")]


@pytest.mark.parametrize("completions_as", ["admin", "learner"])
def test_failed_completion_reporting_exception_handling(successfactors: Scene, completions_as: str) -> None:
    """They keep the answer's text with the record; it may name the person, so ours stays without."""
    successfactors.target_settings = {"completions_as": completions_as}
    successfactors.simulator.front.answer_next("completions", Answer(500, {"message": f"no luck for {ADA.student}"}))

    with pytest.raises(TransientError, match=r"status 500") as raised:
        successfactors.send(completion())

    assert raised.value.code is Code.LMS_UNREACHABLE
    assert ADA.student not in str(raised.value)


@pytest.mark.parametrize("sent", [course(), course(titles={"English": "Another"}), course(active=False)])
def test_content_import(successfactors: Scene, sent: Course) -> None:
    successfactors.offer("C-1")

    (receipt,) = successfactors.send_courses(sent)

    assert receipt.fate is Fate.AWAITS_IMPORT
    assert paths(successfactors) == [TOKEN, COURSES]


def test_sap_api_connection_error(successfactors: Scene) -> None:
    successfactors.simulator.inject(Faults(cut=1, area="courses"))

    with pytest.raises(TransientError, match="gave no answer") as raised:
        successfactors.send_courses(course())

    assert raised.value.code is Code.LMS_UNREACHABLE


def test_sap_api_application_error(successfactors: Scene) -> None:
    successfactors.simulator.front.answer_next("courses", Answer(400, {"message": "error"}))

    (receipt,) = successfactors.send_courses(course())

    assert (receipt.fate, receipt.code) == (Fate.REJECTED, Code.RECORD_REFUSED)
    assert "error" in receipt.reason


def test_expired_access_token(successfactors: Scene) -> None:
    successfactors.simulator.inject(Faults(token_expires_in=0))

    with successfactors.session() as target:
        target.send_courses([course()])
        successfactors.clock.move(300)
        target.send_courses([course()])

    assert paths(successfactors) == [TOKEN, COURSES, TOKEN, COURSES]


def test_a_token_that_lasts_is_used_again(successfactors: Scene) -> None:
    """The other side of the case above."""
    with successfactors.session() as target:
        target.send_courses([course()])
        successfactors.clock.move(300)
        target.send_courses([course()])

    assert paths(successfactors) == [TOKEN, COURSES, COURSES]


def test_client_uses_prevent_learner_submit_flag(successfactors: Scene) -> None:
    successfactors.offer("C-1")

    receipt = successfactors.send(completion())

    assert receipt.fate is Fate.DONE
    assert paths(successfactors) == [TOKEN, EVENTS]
    (seen,) = successfactors.simulator.seen("completions")
    assert isinstance(seen.body, dict)
    assert seen.body["courseCompleted"] is True


def test_sync_content_metadata_success(successfactors: Scene) -> None:
    (receipt,) = successfactors.send_courses(course())

    assert receipt.fate is Fate.AWAITS_IMPORT
    assert [each.status for each in successfactors.simulator.seen()] == [200, 200]


def test_sync_content_metadata_too_many_requests(successfactors: Scene) -> None:
    """Their four retries take 15 seconds in all, of 300 that SAP asks for."""
    successfactors.simulator.inject(Faults(throttle=9, area="courses"))

    with pytest.raises(TransientError) as raised:
        successfactors.send_courses(course())

    assert raised.value.code is Code.LMS_REQUESTS_LIMIT
    assert raised.value.not_before is not None
    assert raised.value.not_before >= successfactors.clock.now + timedelta(seconds=300)
    assert paths(successfactors) == [TOKEN, COURSES]


def test_sync_content_metadata_bad_request(successfactors: Scene) -> None:
    successfactors.simulator.front.answer_next("courses", Answer(400, {"message": "error"}))

    successfactors.send_courses(course())

    assert paths(successfactors) == [TOKEN, COURSES]


def test_sync_content_metadata_retry_logic(successfactors: Scene) -> None:
    successfactors.simulator.inject(Faults(throttle=1, area="courses"))
    with successfactors.session() as target:
        with pytest.raises(TransientError):
            target.send_courses([course()])
        successfactors.clock.move(300)
        (receipt,) = target.send_courses([course()])

    assert receipt.fate is Fate.AWAITS_IMPORT
    assert [each.status for each in successfactors.simulator.seen()] == [200, 429, 200]
