"""Viva Learning: contents, and how their keys are written."""

import pytest

from infra.local.graph import Faults
from tests.local.graph.tenant import AWKWARD, CONTENT, Tenant


def test_a_content_is_created_then_replaced_under_its_key(tenant: Tenant) -> None:
    first = tenant.put_content(AWKWARD)
    second = tenant.put_content(AWKWARD, title="Fire safety II", isActive=False)

    assert first["externalId"] == AWKWARD
    assert second["id"] == first["id"]
    assert tenant.client.get(tenant.content_path(AWKWARD)).json() == second
    by_id = tenant.client.get(f"{tenant.provider}/learningContents/{first['id']}")
    assert by_id.json() == second
    assert (second["title"], second["isActive"]) == ("Fire safety II", False)


def test_what_an_upsert_omits_is_kept_or_cleared(tenant: Tenant) -> None:
    """The service's page says both, so a client must not depend on either."""
    tenant.put_content(description="old")
    kept = tenant.put_content()
    tenant.simulator.inject(Faults(upsert_replaces=True))
    cleared = tenant.put_content()

    assert kept["description"] == "old"
    assert "description" not in cleared
    assert cleared["id"] == kept["id"]


def test_a_content_is_updated_by_id(tenant: Tenant) -> None:
    path = f"{tenant.provider}/learningContents/{tenant.put_content()['id']}"

    answer = tenant.client.patch(path, json={"isActive": False})

    assert answer.status_code == 202
    assert answer.json()["isActive"] is False
    assert tenant.client.patch(path + "x", json={"isActive": False}).status_code == 404


@pytest.mark.parametrize("suffix", ["", "/$ref"])
@pytest.mark.parametrize("by_id", [True, False])
def test_a_content_is_deleted_in_both_spellings(tenant: Tenant, suffix: str, by_id: bool) -> None:  # noqa: FBT001 (a parameter of the test)
    content = tenant.put_content(AWKWARD)
    path = f"{tenant.provider}/learningContents/{content['id']}" if by_id else tenant.content_path(AWKWARD)

    assert tenant.client.delete(path + suffix).status_code == 204
    assert tenant.client.delete(path + suffix).status_code == 404
    assert tenant.client.get(path).status_code == 404


@pytest.mark.parametrize(
    "key",
    [
        "learningContents(externalId='it's')",
        "learningContents(externalId=course)",
        "learningContents(externalId='')",
        "learningContents(externalID='a')",
        "learningContents(id='a')",
        "learningContents(externalId='a/b')",
        "learningContents(externalId='a%ff')",
        "learningContents(externalId='a')/title",
        "courses(externalId='a')",
    ],
)
def test_a_badly_written_key_is_refused(tenant: Tenant, key: str) -> None:
    """Quotes are doubled, then everything is percent-encoded; half of that loses records."""
    assert tenant.client.patch(f"{tenant.provider}/{key}", json=CONTENT).status_code == 400


def test_all_wrong_fields_are_named_together(tenant: Tenant) -> None:
    answer = tenant.client.patch(tenant.content_path("a"), json={"title": "", "level": "Beginner", "x": 1})

    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == "badRequest"
    assert {each["message"] for each in error["details"]} == {
        "Input field title shouldn't be empty",
        "Input field level is invalid",
        "Input field x is invalid: the type has no such property",
        "Input field contentWebUrl is required",
        "Input field languageTag is required",
    }
    assert set(error["innerError"]) == {"date", "request-id", "client-request-id"}


def test_the_key_in_the_body_is_that_of_the_url(tenant: Tenant) -> None:
    assert tenant.put_content("a", externalId="a")["externalId"] == "a"
    assert tenant.client.patch(tenant.content_path("a"), json=CONTENT | {"externalId": "b"}).status_code == 400


def test_contents_are_listed_in_pages(tenant: Tenant) -> None:
    for number in range(101):
        tenant.put_content(f"course-{number}")

    pages = list(tenant.pages(f"{tenant.provider}/learningContents"))

    assert [len(page["value"]) for page in pages] == [100, 1]
