"""Who calls: an app's roles and a person's scopes open different doors of the Graph simulator."""

import time
from collections.abc import Iterator

import httpx
import pytest

from infra.local.graph import LICENCE_SERVICE_PLAN_ID, PROVIDER_ID, Faults, GraphSimulator
from infra.local.identity import GRAPH_RESOURCE, token_for

PROVIDER = f"/employeeExperience/learningProviders/{PROVIDER_ID}"


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphSimulator]:
    with GraphSimulator(tmp_path_factory.mktemp("graph")) as graph:
        yield graph


def ask(
    graph: GraphSimulator, path: str, *, roles: list[str] | None = None, scopes: tuple[str, ...] = ()
) -> httpx.Response:
    token = token_for(GRAPH_RESOURCE, int(time.time()) + 3600, roles=roles, scopes=scopes)
    return httpx.get(f"{graph.url}/v1.0{path}", headers={"Authorization": f"Bearer {token}"})


def test_only_a_person_reads_the_provider(graph: GraphSimulator) -> None:
    assert ask(graph, PROVIDER).status_code == 403
    assert ask(graph, PROVIDER, scopes=("User.Read",)).status_code == 403
    assert ask(graph, PROVIDER, scopes=("LearningProvider.Read",)).json()["isCourseActivitySyncEnabled"] is True
    graph.inject(Faults(course_activity_sync_off=True))
    off = ask(graph, PROVIDER, scopes=("LearningProvider.Read",)).json()
    graph.inject(Faults())
    assert off["isCourseActivitySyncEnabled"] is False


def test_only_an_app_with_the_role_reads_contents_and_users(graph: GraphSimulator) -> None:
    contents = f"{PROVIDER}/learningContents"

    assert ask(graph, contents).status_code == 200
    assert ask(graph, contents, roles=["User.Read.All"]).status_code == 403
    assert ask(graph, contents, scopes=("LearningContent.Read.All",)).status_code == 403
    assert ask(graph, "/users?$select=id").status_code == 200
    assert ask(graph, "/users?$select=id", roles=["LearningContent.ReadWrite.All"]).status_code == 403
    assert ask(graph, "/users?$select=id", scopes=("User.Read.All",)).status_code == 200


def test_licences_take_a_right_that_the_app_has_no_need_of(graph: GraphSimulator) -> None:
    assert ask(graph, "/subscribedSkus").status_code == 403
    skus = ask(graph, "/subscribedSkus", scopes=("LicenseAssignment.Read.All",)).json()["value"]
    assert LICENCE_SERVICE_PLAN_ID in {plan["servicePlanId"] for sku in skus for plan in sku["servicePlans"]}


def test_answers_say_what_time_it_is(graph: GraphSimulator) -> None:
    assert ask(graph, "/users?$select=id").headers["Date"].endswith("GMT")
