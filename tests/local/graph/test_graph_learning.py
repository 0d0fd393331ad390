"""Viva Learning: activities, and what both kinds of object have in common."""

from pathlib import Path
from typing import Any

import pytest

from tests.local.graph.tenant import ANNA, AWKWARD, BEN, CONTENT, UNLICENSED, Tenant, message


def test_an_activity_lives_and_dies(tenant: Tenant) -> None:
    content = tenant.put_content()
    made = tenant.client.post(tenant.activities, json=tenant.assignment(content["id"], AWKWARD))
    assert made.status_code == 201
    path = tenant.by_id(made.json()["id"])
    change = {
        "@odata.type": "#microsoft.graph.learningAssignment",
        "status": "inProgress",
        "notes": {"contentType": "text", "content": "soon"},
    }

    changed = tenant.client.patch(path, json=change)

    assert (changed.status_code, changed.content) == (204, b"")
    found = tenant.client.get(path).json()
    assert (found["status"], found["notes"]["content"], found["learnerUserId"]) == (
        "inProgress",
        "soon",
        ANNA,
    )
    assert found == tenant.client.get(tenant.activity_path(AWKWARD, "c")).json()
    assert found == tenant.client.get(tenant.activity_path(AWKWARD, "C")).json()
    assert found == tenant.client.get(f"/employeeExperience/learningCourseActivities/{found['id']}").json()
    assert tenant.client.delete(path).status_code == 204
    gone = [tenant.client.request(method, path) for method in ("GET", "DELETE")]
    gone += [tenant.client.get(tenant.activity_path(AWKWARD)), tenant.client.patch(path, json=change)]
    assert [answer.status_code for answer in gone] == [404] * 4


def test_an_activity_is_changed_and_deleted_by_its_external_id(tenant: Tenant) -> None:
    content = tenant.put_content()
    tenant.client.post(tenant.activities, json=tenant.completion(content["id"], "it's"))
    path = tenant.activity_path("it's")

    assert tenant.client.patch(path, json={"status": "inProgress"}).status_code == 204
    assert tenant.client.get(path).json()["status"] == "inProgress"
    assert tenant.client.delete(path).status_code == 204
    assert tenant.client.get(path).status_code == 404


def test_answers_spell_the_external_id_with_a_capital(tenant: Tenant) -> None:
    """As the service's samples do; the type has it small. A client reads both."""
    tenant.client.post(tenant.activities, json=tenant.assignment(tenant.put_content()["id"], "one"))

    found = tenant.client.get(tenant.activity_path("one")).json()

    assert found["externalCourseActivityId"] == "one"
    assert found["@odata.type"] == "#microsoft.graph.learningAssignment"


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("assignment", {"notes": {"content": "x"}}),
        ("assignment", {"status": "completed", "learnerUserId": BEN}),
        ("assignment", {"status": "completed", "learningContentId": "x"}),
        ("assignment", {"status": "completed", "externalcourseActivityId": "x"}),
        ("assignment", {"status": "completed", "assignmentType": "required"}),
        ("assignment", {"status": "completed", "dueDateTime": None}),
        ("assignment", {"status": "completed", "completionPercentage": 101}),
        (
            "assignment",
            {"@odata.type": "#microsoft.graph.learningSelfInitiatedCourse", "status": "completed"},
        ),
        ("completion", {"status": "notStarted"}),
        ("completion", {"@odata.type": "#microsoft.graph.learningAssignment", "status": "completed"}),
    ],
)
def test_an_update_changes_only_what_may_change(tenant: Tenant, kind: str, change: dict[str, Any]) -> None:
    """Without its type, an object is only known by what both kinds share."""
    content = tenant.put_content()
    body = tenant.assignment(content["id"]) if kind == "assignment" else tenant.completion(content["id"])
    path = tenant.by_id(tenant.client.post(tenant.activities, json=body).json()["id"])
    before = tenant.client.get(path).json()

    assert tenant.client.patch(path, json=change).status_code == 400
    assert tenant.client.get(path).json() == before


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"learnerUserId": "nobody"}, 404, "user"),
        ({"learnerUserId": UNLICENSED}, 403, "license"),
        ({"learningContentId": "nothing"}, 403, "provider"),
        ({"learningProviderId": "another"}, 403, "provider"),
        ({"@odata.type": None}, 400, "@odata.type"),
        ({"@odata.type": "#microsoft.graph.learningCourseActivity"}, 400, "@odata.type"),
        ({"@odata.type": "learningAssignment"}, 400, "@odata.type"),
        ({"startedDateTime": "2026-03-31T08:00:00Z"}, 400, "startedDateTime"),
        ({"dueDateTime": "2026-03-31T08:00:00Z"}, 400, "dueDateTime"),
    ],
)
def test_an_activity_that_graph_would_refuse_is_refused(
    tenant: Tenant, change: dict[str, Any], status: int, said: str
) -> None:
    body = tenant.assignment(tenant.put_content()["id"]) | change

    answer = tenant.client.post(tenant.activities, json=body)

    assert answer.status_code == status
    assert said in message(answer)
    assert tenant.client.get(tenant.activity_path("one")).status_code == 404


def test_a_repeated_post_makes_a_duplicate_that_is_counted(tenant: Tenant) -> None:
    """The service promises no uniqueness; tests ask whether the product ever relied on it."""
    body = tenant.assignment(tenant.put_content()["id"])
    answers = [tenant.client.post(tenant.activities, json=body) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [201] * 3
    assert len({answer.json()["id"] for answer in answers}) == 3
    assert tenant.client.get(tenant.activity_path("one")).json()["id"] == answers[0].json()["id"]
    assert tenant.simulator.duplicate_activities() == 2


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/learningContents"),
        ("GET", "/learningCourseActivities"),
        ("POST", "/learningCourseActivities/x"),
        ("PUT", "/learningContents(externalId='x')"),
        ("GET", "/learningContents/x/$ref"),
        ("DELETE", "/learningCourseActivities/x/$ref"),
        ("DELETE", "/learningContents"),
    ],
)
def test_other_methods_are_not_allowed(tenant: Tenant, method: str, path: str) -> None:
    body: dict[str, Any] | None = {} if method in ("POST", "PATCH") else None

    assert tenant.client.request(method, tenant.provider + path, json=body).status_code == 405


def test_a_provider_is_a_persons_business(tenant: Tenant) -> None:
    """Registering, reading and switching one on is delegated only, and this client is an app."""
    answers = [
        tenant.client.get(tenant.provider),
        tenant.client.get("/employeeExperience/learningProviders"),
        tenant.client.patch(tenant.provider, json={"isCourseActivitySyncEnabled": True}),
    ]

    assert [answer.status_code for answer in answers] == [403] * 3


def test_an_unknown_provider_is_refused(tenant: Tenant) -> None:
    path = tenant.content_path("a").replace(tenant.simulator.provider_id, "another")

    answer = tenant.client.patch(path, json=CONTENT)

    assert answer.status_code == 400
    assert "registrationId" in message(answer)


def test_a_body_must_be_one_json_object(tenant: Tenant) -> None:
    path = tenant.content_path("a")
    kind = {"Content-Type": "application/json"}
    answers = [
        tenant.client.patch(path),
        tenant.client.patch(path, json=[]),
        tenant.client.patch(path, content=b'{"title": "a", "title": "b"}', headers=kind),
        tenant.client.patch(path, content=b"{", headers=kind),
        tenant.client.patch(path, content=b"{}", headers={"Content-Type": "text/plain"}),
        tenant.client.request("DELETE", path, json={}),
    ]

    assert [answer.status_code for answer in answers] == [400, 400, 400, 400, 415, 400]


def test_a_selection_narrows_an_answer(tenant: Tenant) -> None:
    content = tenant.put_content()

    assert tenant.client.get(f"{tenant.content_path('course-1')}?$select=id").json() == {"id": content["id"]}
    assert tenant.client.get(f"{tenant.content_path('course-1')}?$select=nothing").status_code == 400
    assert tenant.client.get(f"{tenant.content_path('course-1')}?$expand=x").status_code == 400


def test_every_learning_object_that_is_sent_is_noted(tenant: Tenant) -> None:
    """A type checker reads them later, whatever the simulator made of them."""
    content = tenant.put_content()
    body = tenant.assignment(content["id"])
    tenant.client.post(tenant.activities, json=body | {"status": "done"})
    made = tenant.client.post(tenant.activities, json=body)
    tenant.client.patch(tenant.by_id(made.json()["id"]), json={"status": "completed"})

    noted = [(each.type, each.purpose, each.status) for each in tenant.simulator.payloads()]

    assert noted == [
        ("learningContent", "upsert", 202),
        ("learningAssignment", "create", 400),
        ("learningAssignment", "create", 201),
        ("learningCourseActivity", "update", 204),
    ]
    assert [each.accepted for each in tenant.simulator.payloads()] == [True, False, True, True]
    assert next(tenant.simulator.payloads()).body == CONTENT


def test_the_export_holds_everything_by_external_id(tenant: Tenant, tmp_path: Path) -> None:
    second, first = tenant.put_content("b"), tenant.put_content("a", title="Ünï\u2028code")
    tenant.client.post(tenant.activities, json=tenant.completion(second["id"], "z"))
    made = tenant.client.post(tenant.activities, json=tenant.assignment(first["id"], "y")).json()
    tenant.client.delete(tenant.content_path("b"))

    content, assignment, completion = tenant.export(tmp_path / "viva.ndjson")

    assert content == {"_type": "learningContent", **first}
    assert assignment == {
        "_type": "learningAssignment",
        "_contentExternalId": "a",
        **{name: value for name, value in made.items() if name != "@odata.type"},
    }
    assert (completion["_type"], completion["_contentExternalId"]) == ("learningSelfInitiatedCourse", None)
    assert completion["externalcourseActivityId"] == "z"
