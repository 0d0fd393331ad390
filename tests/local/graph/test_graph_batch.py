"""Batches: twenty calls in one request."""

from typing import Any

import httpx
import pytest

from infra.local.graph import Faults
from tests.local.graph.tenant import ANNA, CONTENT, UNLICENSED, Tenant, post


def send(tenant: Tenant, *requests: object) -> httpx.Response:
    return tenant.client.post("/$batch", json={"requests": requests})


def statuses(answer: httpx.Response) -> dict[str, int]:
    assert answer.status_code == 200, answer.text
    return {each["id"]: each["status"] for each in answer.json()["responses"]}


def test_each_item_is_answered_for_itself(tenant: Tenant) -> None:
    content = tenant.put_content()["id"]
    answer = send(
        tenant,
        post("1", tenant.activities, tenant.assignment(content, "a")),
        post("2", tenant.activities, tenant.assignment(content, "b", learnerUserId=UNLICENSED)),
        post("3", tenant.activities.lstrip("/"), tenant.assignment(content, "c", status="done")),
        post("4", tenant.content_path("it's"), CONTENT, "PATCH"),
        {"id": "5", "method": "GET", "url": "/users?$select=id&$filter=employeeId%20in%20('1001')"},
        {"id": "6", "method": "DELETE", "url": tenant.content_path("nothing")},
        {"id": "7", "method": "DELETE", "url": tenant.content_path("course-1")},
        {"id": "8", "method": "GET", "url": "/v1.0/users"},
        {"id": "9", "method": "GET", "url": "/users?$select=%zz"},
    )

    assert statuses(answer) == {
        "1": 201,
        "2": 403,
        "3": 400,
        "4": 202,
        "5": 200,
        "6": 404,
        "7": 204,
        "8": 400,
        "9": 400,
    }
    items = {each["id"]: each for each in answer.json()["responses"]}
    assert items["1"]["headers"]["Content-Type"] == "application/json"
    assert items["5"]["body"]["value"] == [{"id": ANNA}]
    assert "body" not in items["7"]


def test_answers_come_in_another_order(tenant: Tenant) -> None:
    """Only the id says which answer is whose."""
    answer = send(tenant, *({"id": id_, "method": "GET", "url": "/users"} for id_ in "abc"))

    assert list(statuses(answer)) == ["c", "b", "a"]


@pytest.mark.parametrize(
    "requests",
    [
        [],
        [{"id": str(n), "method": "GET", "url": "/users"} for n in range(21)],
        [{"id": id_, "method": "GET", "url": "/users"} for id_ in ("a", "A")],
        [{"method": "GET", "url": "/users"}],
        [{"id": 1, "method": "GET", "url": "/users"}],
        [{"id": "1", "url": "/users"}],
        [{"id": "1", "method": "LIST", "url": "/users"}],
        [{"id": "1", "method": "GET"}],
        [{"id": "1", "method": "GET", "url": "https://graph.microsoft.com/v1.0/users"}],
        [
            {
                "id": "1",
                "method": "POST",
                "url": "/$batch",
                "headers": {"Content-Type": "application/json"},
                "body": {},
            }
        ],
        [{"id": "1", "method": "PATCH", "url": "/users/1", "body": {}}],
        [{"id": "1", "method": "POST", "url": "/users/1", "headers": {"Content-Type": "application/json"}}],
        [{"id": "1", "method": "GET", "url": "/users", "headers": ["x"]}],
        [{"id": "1", "method": "GET", "url": "/users", "dependsOn": ["2"]}],
        ["GET /users"],
        "GET /users",
    ],
)
def test_a_malformed_batch_is_refused_whole(tenant: Tenant, requests: Any) -> None:  # noqa: ANN401 (anything at all)
    answer = tenant.client.post("/$batch", json={"requests": requests})

    assert answer.status_code == 400
    assert "error" in answer.json()
    assert tenant.simulator.counters().items == 0


def test_what_depends_on_a_failure_is_not_tried(tenant: Tenant) -> None:
    upsert = post("2", tenant.content_path("a"), CONTENT, "PATCH") | {"dependsOn": ["1"]}
    failing = {"id": "1", "method": "GET", "url": tenant.content_path("nothing")}
    good = {"id": "1", "method": "GET", "url": "/users"}

    assert statuses(send(tenant, failing, upsert)) == {"1": 404, "2": 424}
    assert statuses(send(tenant, good, upsert)) == {"1": 200, "2": 202}


def test_items_are_throttled_one_by_one(tenant: Tenant) -> None:
    content = tenant.put_content()["id"]
    tenant.simulator.inject(Faults(throttle=2, retry_after_seconds=7, retry_after_minutes=3))

    answer = send(tenant, *(post(str(n), tenant.activities, tenant.assignment(content, f"a{n}")) for n in range(4)))

    assert statuses(answer) == {"3": 201, "2": 201, "1": 429, "0": 429}
    throttled = answer.json()["responses"][-1]
    assert throttled["headers"]["Retry-After"] == "7"
    assert throttled["body"]["error"]["message"] == "Retry after 3 minutes"


def test_a_batch_can_be_throttled_whole(tenant: Tenant) -> None:
    tenant.simulator.inject(Faults(throttle_batches=1, retry_after_seconds=1))
    request = {"id": "1", "method": "GET", "url": "/users"}

    assert [send(tenant, request).status_code for _ in range(2)] == [429, 200]
