"""The directory, its listing and its delta."""

from pathlib import Path

import httpx
import pytest

from infra.local.graph import LICENCE_SERVICE_PLAN_ID, SEEDED_SERVICE_PLAN_ID, Faults, GraphSimulator
from tests.local.graph.tenant import ANNA, BEN, DIRECTORY, UNLICENSED, Tenant, message

SELECT = "$select=id,employeeId,accountEnabled,userType"
HEADER = "id,employeeId,accountEnabled,userType,licensed\n"


def latest(tenant: Tenant, select: str = SELECT) -> str:
    (page,) = tenant.pages(f"/users/delta?{select}&$deltatoken=latest")
    assert page["value"] == []
    link: str = page["@odata.deltaLink"]
    return link


def test_a_user_shows_what_is_selected(tenant: Tenant) -> None:
    (page,) = tenant.pages(f"/users?{SELECT},assignedPlans")

    first, _, last = page["value"]
    assert first["id"] == ANNA
    assert (first["employeeId"], first["accountEnabled"], first["userType"]) == ("1001", True, "Member")
    assert first["assignedPlans"][0]["servicePlanId"] == LICENCE_SERVICE_PLAN_ID
    assert first["assignedPlans"][0]["capabilityStatus"] == "Enabled"
    assert (last["accountEnabled"], last["userType"]) == (False, "Guest")
    assert [plan["servicePlanId"] for plan in last["assignedPlans"]] == [SEEDED_SERVICE_PLAN_ID]


def test_the_employee_id_comes_only_when_selected(tenant: Tenant) -> None:
    (page,) = tenant.pages("/users")

    assert all("employeeId" not in user for user in page["value"])


def test_pages_are_followed_by_their_links(tenant: Tenant) -> None:
    """Every user comes once, and no page is longer than asked for."""
    tenant.load(HEADER + "".join(f"id-{n:04},{n},true,Member,true\n" for n in range(2500)))

    pages = list(tenant.pages("/users?$select=employeeId&$top=999"))

    assert [len(page["value"]) for page in pages] == [999, 999, 502]
    assert {user["employeeId"] for page in pages for user in page["value"]} == {str(n) for n in range(2500)}


def test_a_page_without_a_size_has_a_hundred(tenant: Tenant) -> None:
    tenant.load(HEADER + "".join(f"id-{n:04},{n},true,Member,true\n" for n in range(101)))

    assert [len(page["value"]) for page in tenant.pages("/users")] == [100, 1]


def test_an_empty_page_may_have_a_next_one(tenant: Tenant) -> None:
    tenant.simulator.inject(Faults(empty_pages=1))

    assert [len(page["value"]) for page in tenant.pages("/users?$select=id")] == [0, 3]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("employeeId eq '1001'", [ANNA]),
        ("employeeId eq 'o''Neil'", [BEN]),
        ("employeeId in ('1001','o''Neil', 'nobody')", [ANNA, BEN]),
        (f"id in ('{UNLICENSED}')", [UNLICENSED]),
        (f"id eq '{ANNA.upper()}'", [ANNA]),
    ],
)
def test_users_are_found_by_filter(tenant: Tenant, query: str, found: list[str]) -> None:
    answer = tenant.client.get("/users", params={"$select": "id,employeeId", "$filter": query})

    assert [user["id"] for user in answer.json()["value"]] == found


@pytest.mark.parametrize(
    "query",
    [
        "employeeId in (" + ",".join(f"'{n}'" for n in range(16)) + ")",
        "employeeId ne '1'",
        "startsWith(employeeId,'1')",
        "employeeId eq 1001",
        "employeeId eq 'o'Neil'",
        "employeeId eq '1' or employeeId eq '2'",
        "accountEnabled eq true",
        "employeeId in ()",
        "",
    ],
)
def test_other_filters_are_refused(tenant: Tenant, query: str) -> None:
    answer = tenant.client.get("/users", params={"$filter": query})

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "Request_UnsupportedQuery"


@pytest.mark.parametrize(
    "query",
    [
        "$skip=1",
        "$count=true",
        "$orderby=id",
        "$expand=manager",
        "$top=1000",
        "$top=0",
        "$top=x",
        "$select=nickname",
        "$select=id&$select=employeeId",
        "select=id",
        "$skiptoken=broken",
        "$select=%ff",
        "$select=%zz",
    ],
)
def test_other_options_are_refused(tenant: Tenant, query: str) -> None:
    """The service may ignore some of them silently; nobody should build on that."""
    assert tenant.client.get(f"/users?{query}").status_code == 400


def test_changes_are_told_since_the_link(tenant: Tenant) -> None:
    link = latest(tenant)
    tenant.load(HEADER + f"{ANNA},1001,false,Member,true\n{BEN},o'Neil,true,Member,true\nnew,7,true,Member,true\n")

    (page,) = tenant.pages(link)

    assert sorted(page["value"], key=lambda user: user["id"]) == [
        {"id": ANNA, "employeeId": "1001", "accountEnabled": False, "userType": "Member"},
        {"id": UNLICENSED, "@removed": {"reason": "changed"}},
        {"id": "new", "employeeId": "7", "accountEnabled": True, "userType": "Member"},
    ]
    (quiet,) = tenant.pages(page["@odata.deltaLink"])
    assert quiet["value"] == []


def test_a_user_who_comes_back_is_new(tenant: Tenant) -> None:
    link = latest(tenant)
    tenant.load(HEADER)
    tenant.load(DIRECTORY)

    (page,) = tenant.pages(link)

    assert {user["id"] for user in page["value"]} == {ANNA, BEN, UNLICENSED}
    assert all("@removed" not in user for user in page["value"])


def test_a_licence_alone_is_no_change(tenant: Tenant) -> None:
    """Graph does not promise it, so the product must not wait for it."""
    link = latest(tenant, "$select=employeeId,assignedPlans")
    tenant.load(DIRECTORY.replace("Guest,false", "Guest,true"))

    (page,) = tenant.pages(link)

    assert page["value"] == []
    assert (
        LICENCE_SERVICE_PLAN_ID in tenant.client.get(f"/users?$select=assignedPlans&$filter=id eq '{UNLICENSED}'").text
    )


def test_only_selected_properties_are_tracked(tenant: Tenant) -> None:
    link = latest(tenant, "$select=employeeId")
    tenant.load(DIRECTORY.replace("true,Member", "false,Member"))

    (page,) = tenant.pages(link)

    assert page["value"] == []


def test_a_different_spelling_of_an_employee_id_is_a_change(tenant: Tenant) -> None:
    link = latest(tenant)
    tenant.load(DIRECTORY.replace("o'Neil", "O'Neil"))

    (page,) = tenant.pages(link)

    assert [user["employeeId"] for user in page["value"]] == ["O'Neil"]


def test_a_long_round_comes_in_pages_that_repeat_themselves(tenant: Tenant) -> None:
    """Graph may send an item twice; the last word counts."""
    tenant.load(HEADER + "".join(f"id-{n:04},{n},true,Member,true\n" for n in range(450)))

    pages = list(tenant.pages("/users/delta?$select=employeeId"))

    ids = [user["id"] for page in pages for user in page["value"]]
    assert [len(page["value"]) for page in pages] == [200, 201, 51]
    assert len(set(ids)) == 450
    assert ["@odata.deltaLink" in page for page in pages] == [False, False, True]


def test_a_change_during_a_round_is_not_lost(tenant: Tenant) -> None:
    people = HEADER + "".join(f"id-{n:04},{n},true,Member,true\n" for n in range(300))
    tenant.load(people)
    first = tenant.client.get("/users/delta?$select=employeeId").json()
    tenant.load(people.replace("id-0250,250,true", "id-0250,changed,true").replace("0251,251,true", "0251,251,false"))

    rest = list(tenant.pages(first["@odata.nextLink"]))

    seen = {user["id"]: user["employeeId"] for page in [first, *rest] for user in page["value"]}
    assert len(seen) == 300
    assert seen["id-0250"] == "changed"


@pytest.mark.parametrize("query", ["$top=5", "$orderby=id", "$expand=manager", "$filter=id eq '1'", "$skip=1"])
def test_a_delta_takes_no_other_options(tenant: Tenant, query: str) -> None:
    assert tenant.client.get(f"/users/delta?{SELECT}&{query}").status_code == 400


def test_nothing_is_added_to_a_link(tenant: Tenant) -> None:
    assert tenant.client.get(f"{latest(tenant)}&$select=id").status_code == 400


def test_an_expired_link_says_where_to_start_again(tenant: Tenant) -> None:
    link = latest(tenant)
    tenant.simulator.expire_delta_tokens()

    answer = tenant.client.get(link)

    assert answer.status_code == 410
    assert answer.headers["Location"].startswith(f"{tenant.simulator.url}/v1.0/users/delta?")
    (page,) = tenant.pages(answer.headers["Location"])
    assert len(page["value"]) == 3
    assert "employeeId" in page["value"][0]


@pytest.mark.parametrize("authorization", ["", "Basic x", "Bearer"])
def test_nobody_enters_without_a_token(tenant: Tenant, authorization: str) -> None:
    answer = tenant.client.get("/users", headers={"Authorization": authorization})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.json()["error"]["code"] == "InvalidAuthenticationToken"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,employeeId\n1,2\n", "needs the columns"),
        (HEADER + "1,2,yes,Member,true\n", "line 2 of"),
        (HEADER + "1,2,true,Member,true\n,3,true,Member,true\n", "line 3 of"),
        (HEADER + "1,2,true\n", "line 2 of"),
        (HEADER + "1,2,true,Member,true\n1,3,true,Member,true\n", "twice"),
    ],
)
def test_a_wrong_directory_file_changes_nothing(tenant: Tenant, text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        tenant.load(text)

    assert len(tenant.client.get("/users").json()["value"]) == 3


def test_without_the_column_everybody_is_licensed(tenant: Tenant) -> None:
    tenant.load("employeeId,id,userType,accountEnabled\n,one,,TRUE\n")

    (user,) = tenant.client.get(f"/users?{SELECT},assignedPlans").json()["value"]

    assert (user["employeeId"], user["userType"], user["accountEnabled"]) == (None, None, True)
    assert user["assignedPlans"][0]["servicePlanId"] == LICENCE_SERVICE_PLAN_ID


def test_other_paths_lead_nowhere(tenant: Tenant) -> None:
    answer = tenant.client.get("/groups")

    assert answer.status_code == 400
    assert message(answer) == "Resource not found for the segment 'groups'."
    assert tenant.client.get(f"{tenant.simulator.url}/beta/users").status_code == 400
    assert tenant.client.post("/users", json={}).status_code == 405


def test_the_tenant_is_found_again(client: httpx.Client, tmp_path: Path) -> None:
    """A delta link of yesterday must still be good: same port, same tokens."""
    with GraphSimulator(tmp_path / "graph") as simulator:
        tenant = Tenant(simulator, client, tmp_path)
        tenant.load(DIRECTORY)
        link = latest(tenant)
    with GraphSimulator(tmp_path / "graph") as simulator:
        tenant = Tenant(simulator, client, tmp_path)
        tenant.load(DIRECTORY.replace("1001", "2002"))

        (page,) = tenant.pages(link)

    assert [user["employeeId"] for user in page["value"]] == ["2002"]
