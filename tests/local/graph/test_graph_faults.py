"""What goes wrong on purpose, and what is counted."""

from pathlib import Path

import httpx
import pytest

from infra.local.graph import Counters, Faults, GraphSimulator
from tests.local.graph.tenant import CONTENT, Tenant, message, post


def test_throttling_says_minutes_in_the_text_or_seconds_in_the_header(tenant: Tenant) -> None:
    tenant.simulator.inject(Faults(throttle=1, retry_after_minutes=2))
    in_text = tenant.client.get("/users")
    tenant.simulator.inject(Faults(throttle=1, retry_after_seconds=9))
    in_header = tenant.client.get("/users")

    assert (in_text.status_code, in_header.status_code) == (429, 429)
    assert message(in_text) == "Retry after 2 minutes"
    assert "Retry-After" not in in_text.headers
    assert in_header.headers["Retry-After"] == "9"
    assert "minutes" not in message(in_header)
    assert tenant.client.get("/users").status_code == 200


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_failing_call_changes_nothing(tenant: Tenant, status: int) -> None:
    tenant.simulator.inject(Faults.model_validate({"fail": 1, "fail_status": status, "area": "learning"}))

    assert tenant.client.get("/users").status_code == 200
    assert tenant.client.patch(tenant.content_path("a"), json=CONTENT).status_code == status
    assert tenant.client.get(tenant.content_path("a")).status_code == 404


def test_a_failure_may_come_after_the_deed(tenant: Tenant) -> None:
    """The client cannot know whether it was done; only reading by key tells."""
    content = tenant.put_content()["id"]
    tenant.simulator.inject(Faults(fail_after_applying=1))
    tenant.client.get(tenant.content_path("course-1"))

    answer = tenant.client.post(tenant.activities, json=tenant.assignment(content))

    assert answer.status_code == 500
    assert tenant.client.get(tenant.activity_path("one")).status_code == 200
    assert tenant.client.delete(tenant.activity_path("one")).status_code == 204


@pytest.mark.parametrize(
    ("faults", "statuses", "said"),
    [
        (Faults(refuse_users=True), [403, 202, 404], ""),
        (Faults(refuse_learning=True), [200, 403, 403], "doesn't have access"),
        (Faults(no_service_plan=True), [200, 403, 403], "service plan"),
        (Faults(provider_disabled=True), [200, 400, 400], "isn't enabled for the given tenant"),
        (Faults(course_activity_sync_off=True), [200, 202, 400], ""),
    ],
)
def test_what_is_not_set_up_is_refused(tenant: Tenant, faults: Faults, statuses: list[int], said: str) -> None:
    tenant.simulator.inject(faults)
    listing = tenant.client.get("/users")
    upsert = tenant.client.patch(tenant.content_path("a"), json=CONTENT)
    activity = tenant.client.get(tenant.activity_path("one"))

    assert [each.status_code for each in (listing, upsert, activity)] == statuses
    assert said in upsert.text
    if faults.refuse_users:
        assert listing.json()["error"]["code"] == "Authorization_RequestDenied"


def test_a_field_that_is_too_long_is_named_with_its_limit(tenant: Tenant) -> None:
    content = tenant.put_content()["id"]
    tenant.simulator.inject(Faults(max_lengths={"title": 10, "notes": 3, "externalId": 5}))
    title = tenant.client.patch(tenant.content_path("a"), json=CONTENT)
    key = tenant.client.patch(tenant.content_path("abcdef"), json=CONTENT | {"title": "short"})
    notes = tenant.client.post(
        tenant.activities, json=tenant.assignment(content, notes={"contentType": "text", "content": "long"})
    )

    assert [each.status_code for each in (title, key, notes)] == [400] * 3
    assert message(title) == "Input field title length exceeded than 10"
    assert message(key) == "Input field externalId length exceeded than 5"
    assert message(notes) == "Input field notes length exceeded than 3"


def test_an_accepted_content_may_be_without_id_and_invisible_for_a_while(tenant: Tenant) -> None:
    tenant.simulator.inject(Faults(upsert_body_without_id=True, hidden_contents=2))

    assert "id" not in tenant.put_content("a")
    reads = [tenant.client.get(tenant.content_path("a")) for _ in range(3)]
    assert [each.status_code for each in reads] == [404, 404, 200]
    assert reads[-1].json()["id"]


def test_a_token_may_be_rejected_once(tenant: Tenant) -> None:
    tenant.simulator.inject(Faults(reject_tokens=1))

    assert [tenant.client.get("/users").status_code for _ in range(2)] == [401, 200]


def test_offline_connections_break_until_it_is_over(tenant: Tenant) -> None:
    """Established connections break too, and what was sent meanwhile was never done."""
    assert tenant.client.get("/users").status_code == 200
    tenant.simulator.inject(Faults(offline=True))
    with pytest.raises(httpx.TransportError):
        tenant.client.patch(tenant.content_path("a"), json=CONTENT)
    tenant.simulator.inject(Faults())

    assert tenant.client.get(tenant.content_path("a")).status_code == 404


def test_another_process_injects_and_counts_over_http(tenant: Tenant) -> None:
    """Needs no token, also while Graph is offline: it is the simulator that is asked, not Graph."""
    control = f"{tenant.simulator.url}/_simulator"
    assert tenant.client.put(f"{control}/faults", json={"throttle": 2, "offline": True}).status_code == 204
    assert tenant.client.put(f"{control}/faults", json={"throttle": 2}).status_code == 204
    assert tenant.client.get("/users").status_code == 429

    assert tenant.client.get(f"{control}/faults").json()["throttle"] == 1
    assert tenant.simulator.faults.throttle == 1
    assert tenant.client.get(f"{control}/counters").json()["reads"] == {"users": 1}
    assert tenant.client.put(f"{control}/faults", json={"misspelt": 1}).status_code == 400
    assert tenant.client.get(f"{control}/nothing").status_code == 404


def test_requests_items_reads_and_writes_are_counted(tenant: Tenant) -> None:
    content = tenant.put_content()["id"]
    body = tenant.assignment(content)
    items = [
        post("1", tenant.activities, body),
        post("2", tenant.activities, body | {"status": "done"}),
        {"id": "3", "method": "GET", "url": tenant.activity_path("one")},
    ]
    tenant.client.post("/$batch", json={"requests": items})
    tenant.client.get("/users/delta?$select=id")
    tenant.client.get("/users", headers={"Authorization": ""})

    assert tenant.simulator.counters() == Counters(
        requests=4,
        items=3,
        writes=2,
        reads={"activities": 1, "delta": 1},
        written={"PATCH contents": 1, "POST activities": 1},
    )
    tenant.simulator.reset_counters()
    assert tenant.simulator.counters() == Counters(0, 0, 0, {}, {})


def test_a_caller_finds_its_own_request_id(tenant: Tenant) -> None:
    answer = tenant.client.get("/users", headers={"client-request-id": "mine"})

    assert answer.headers["client-request-id"] == "mine"


def test_a_taken_port_is_not_insisted_on(tmp_path: Path) -> None:
    with GraphSimulator(tmp_path) as first, GraphSimulator(tmp_path) as second:
        assert first.url != second.url
