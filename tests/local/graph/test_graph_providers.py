"""Learning providers of the simulator: what a person may do with them, and what no app may."""

import time
from collections.abc import Iterator

import httpx
import pytest

from infra.local.graph import PROVIDER_ID, GraphSimulator
from infra.local.identity import GRAPH_RESOURCE, token_for

PATH = "/employeeExperience/learningProviders"
READ, WRITE = ("LearningProvider.Read",), ("LearningProvider.ReadWrite",)
ACME = {
    "displayName": "Acme",
    "squareLogoWebUrlForLightTheme": "https://acme.example/1.png",
    "squareLogoWebUrlForDarkTheme": "https://acme.example/2.png",
    "longLogoWebUrlForLightTheme": "https://acme.example/3.png",
    "longLogoWebUrlForDarkTheme": "https://acme.example/4.png",
}


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphSimulator]:
    with GraphSimulator(tmp_path_factory.mktemp("graph")) as graph:
        yield graph


def ask(
    graph: GraphSimulator, method: str, path: str = PATH, body: object = None, scopes: tuple[str, ...] = WRITE
) -> httpx.Response:
    token = token_for(GRAPH_RESOURCE, int(time.time()) + 3600, scopes=scopes)
    return httpx.request(method, f"{graph.url}/v1.0{path}", json=body, headers={"Authorization": f"Bearer {token}"})


def test_a_person_registers_one_and_finds_it_in_the_list(graph: GraphSimulator) -> None:
    made = ask(graph, "POST", body=ACME)

    assert made.status_code == 201
    assert made.json() == {**ACME, "id": made.json()["id"], "isCourseActivitySyncEnabled": False}
    listed = ask(graph, "GET", scopes=READ).json()["value"]
    assert [each["id"] for each in listed] == [PROVIDER_ID, made.json()["id"]]
    assert ask(graph, "GET", f"{PATH}/{made.json()['id'].upper()}", scopes=READ).json() == made.json()


@pytest.mark.parametrize("scopes", [(), READ, ("User.Read",)])
def test_nobody_else_registers_one(graph: GraphSimulator, scopes: tuple[str, ...]) -> None:
    """Without a scope it is an app that asks; and to read is not to write."""
    assert ask(graph, "POST", body=ACME, scopes=scopes).status_code == 403


def test_activity_sync_is_switched_on(graph: GraphSimulator) -> None:
    provider = f"{PATH}/{ask(graph, 'POST', body=ACME).json()['id']}"

    assert ask(graph, "PATCH", provider, {"isCourseActivitySyncEnabled": True}, READ).status_code == 403
    assert ask(graph, "PATCH", provider, {"isCourseActivitySyncEnabled": True}).status_code == 204
    assert ask(graph, "GET", provider).json()["isCourseActivitySyncEnabled"] is True
    assert ask(graph, "GET", provider).json()["displayName"] == "Acme"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"displayName": ""}, "displayName shouldn't be empty"),
        ({"longLogoWebUrlForDarkTheme": None}, "longLogoWebUrlForDarkTheme shouldn't be empty"),
        ({"isCourseActivitySyncEnabled": "yes"}, "isCourseActivitySyncEnabled is invalid"),
        ({"isCourseAcitvitySyncEnabled": True}, "no such property"),
        ({"id": "mine"}, "no such property"),
    ],
)
def test_wrong_fields_are_named(graph: GraphSimulator, changes: dict[str, object], told: str) -> None:
    """One of them is how Microsoft's own page misspells it."""
    answer = ask(graph, "POST", body={**ACME, **changes})

    assert answer.status_code == 400
    assert told in answer.json()["error"]["message"]


def test_every_picture_is_needed(graph: GraphSimulator) -> None:
    answer = ask(graph, "POST", body={"displayName": "Acme"})

    assert answer.status_code == 400
    assert answer.json()["error"]["message"].count("is required") == 4


def test_an_unknown_one_is_refused(graph: GraphSimulator) -> None:
    assert ask(graph, "GET", f"{PATH}/another").status_code == 400
    assert ask(graph, "PUT", f"{PATH}/{PROVIDER_ID}", {}).status_code == 405
