"""The simulator's tokens are as hard to get, and as short-lived, as the real ones."""

import base64

import pytest

from infra.local.successfactors.server import COURSES, EVENTS, LEARNER_EVENTS, TOKEN
from tests.local.learning.conftest import Sap, event, ocn_course


def test_a_wrong_secret_is_refused_with_403_and_no_token(sap: Sap) -> None:
    answer = sap.ask_token(secret="wrong")  # noqa: S106 - that it is none

    assert answer.status_code == 403
    assert "access_token" not in answer.json()


def test_the_company_id_is_as_good_a_client_as_the_client_id(sap: Sap) -> None:
    """SAP's own article builds the header from it."""
    login = base64.b64encode(f"acme:{sap.simulator.secret}".encode()).decode()

    answer = sap.client.post(
        TOKEN,
        json={
            "grant_type": "client_credentials",
            "scope": {
                "userId": "ocn-admin",
                "companyId": "acme",
                "userType": "admin",
                "resourceType": "learning_public_api",
            },
        },
        headers={"Authorization": f"Basic {login}"},
    )

    assert answer.json()["expires_in"] == 1800


@pytest.mark.parametrize(
    ("scope", "status"),
    [
        ({"companyId": "other"}, 403),
        ({"userType": "root"}, 403),
        ({"resourceType": "everything"}, 400),
        ({"userId": "ada"}, 403),
        ({"more": "of it"}, 400),
    ],
)
def test_a_scope_that_is_not_quite_right_is_refused(sap: Sap, scope: dict[str, str], status: int) -> None:
    """Nobody but the administrator gets an administrator's token."""
    assert sap.ask_token(**scope).status_code == status


def test_a_form_is_no_json(sap: Sap) -> None:
    answer = sap.client.post(
        TOKEN, data={"grant_type": "client_credentials"}, auth=("acme-client", sap.simulator.secret)
    )

    assert answer.status_code == 400


def test_a_token_is_good_for_half_an_hour(sap: Sap) -> None:
    sap.token()

    sap.clock.move(1799)
    assert sap.post(COURSES, {"ocnCourses": [ocn_course()]}).status_code == 200
    sap.clock.move(1)
    assert sap.post(COURSES, {"ocnCourses": [ocn_course()]}).status_code == 401


def test_a_new_secret_ends_the_old_one_and_its_tokens(sap: Sap) -> None:
    before = sap.simulator.secret
    sap.token()

    after = sap.simulator.rotate_secret()

    assert sap.post(COURSES, {"ocnCourses": [ocn_course()]}).status_code == 401
    assert sap.ask_token(secret=before).status_code == 403
    assert sap.ask_token(secret=after).status_code == 200


def test_learners_have_tokens_of_their_own_for_their_own_path(imported: Sap) -> None:
    assert imported.complete_oneself().status_code == 201
    assert imported.post(LEARNER_EVENTS, event(courseCompleted="true")).status_code == 403
    assert imported.post(EVENTS, event(courseCompleted=True), user="ada", kind="user").status_code == 403
    assert imported.ask_token("nobody", "user").status_code == 403


def test_a_learner_cannot_complete_for_somebody_else(imported: Sap) -> None:
    assert imported.complete_oneself(userID="bea").status_code == 403
    assert imported.simulator.history() == []


def test_without_a_token_nothing_is_said(sap: Sap) -> None:
    for path in (COURSES, EVENTS, LEARNER_EVENTS):
        assert sap.client.post(path, json={}).status_code == 401
    assert sap.client.get("/learning/odatav4/elsewhere").status_code == 404
