"""The one-off registration of the learning provider, against the Graph simulator: only a person may do it."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from infra.local.graph import PROVIDER_ID, Faults, GraphSimulator
from shared import wiring
from shared.adapters import sign_in
from shared.adapters.graph import HttpxGraph
from shared.pipeline.register_provider import SCOPE, Provider, list_providers
from tests.cli.conftest import Lms, lms

__all__ = ["lms"]

PICTURES = ("--square-logo", "https://acme.example/square.png", "--long-logo", "https://acme.example/long.png")
ACME = ("provider", "register", "--name", "Acme Learning", *PICTURES)


def person(*scopes: str) -> str:
    """Return the token of somebody who has signed in."""
    claims = base64.urlsafe_b64encode(json.dumps({"scp": " ".join(scopes)}).encode()).decode().rstrip("=")
    return f"e30.{claims}.c2ln"


class SignedIn:
    """Whoever has signed in, and what was asked of them."""

    def __init__(self) -> None:
        self.token = person(SCOPE)
        self.asked: list[tuple[Any, ...]] = []

    def get_token(self, scope: str, *, fresh: bool = False) -> str:
        del fresh
        self.asked.append((scope,))
        return self.token


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphSimulator]:
    with GraphSimulator(tmp_path_factory.mktemp("graph")) as graph:
        yield graph


@pytest.fixture
def desk() -> None:
    """No storage is needed: a provider may be registered before there is a deployment."""


@pytest.fixture
def somebody(tenant: GraphSimulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[SignedIn]:
    """Somebody at the terminal, in a tenant with no other provider than the local one."""
    signed_in = SignedIn()

    def sign(*arguments: object, **options: object) -> SignedIn:
        signed_in.asked.append((*arguments, options["in_browser"]))
        return signed_in

    monkeypatch.setattr(sign_in, "SignIn", sign)
    monkeypatch.setenv("LMS_GRAPH_URL", tenant.url)
    monkeypatch.chdir(tenant._folder)
    with tenant._state.transaction() as db:
        db.execute("DELETE FROM providers")
    yield signed_in
    tenant.inject(Faults())


@pytest.fixture
def registered(tenant: GraphSimulator) -> Iterator[Callable[[], list[Provider]]]:
    """What the tenant holds, as a person sees it."""
    with closing(
        HttpxGraph(tenant.url, SignedIn(), timeout_seconds=20, scope="x", clock=wiring.make_clock(None))
    ) as graph:
        yield lambda: [each for each in list_providers(graph) if each.provider_id != PROVIDER_ID]


def test_a_provider_is_registered_and_its_id_is_told(
    somebody: SignedIn, lms: Lms, registered: Callable[[], list[Provider]]
) -> None:
    answer = lms(*ACME, given="y\n")

    (provider,) = registered()
    assert (provider.name, provider.learner_sync) == ("Acme Learning", True)
    assert answer.status == 0, answer.errors
    assert f"Registration id: {provider.provider_id}" in answer.output
    assert f'"provider_id": "{provider.provider_id}"' in answer.output
    assert f"Registered already: Local LMS, {PROVIDER_ID}" in answer.errors
    assert somebody.asked[0] == ("14d82eec-204b-4c2f-b7e8-296a70dab67e", None, False)
    assert somebody.asked[1][0].endswith("/LearningProvider.ReadWrite")


def test_nothing_is_registered_without_a_yes(
    somebody: SignedIn, lms: Lms, registered: Callable[[], list[Provider]]
) -> None:
    answer = lms(*ACME, given="n\n")

    assert answer.status == 1
    assert somebody.asked
    assert registered() == []


def test_what_was_not_said_is_asked_for(somebody: SignedIn, lms: Lms, registered: Callable[[], list[Provider]]) -> None:
    answer = lms("provider", "register", given="Acme\nhttps://a.example/1.png\nhttps://a.example/2.png\ny\n")

    assert answer.status == 0, answer.errors
    assert [each.name for each in registered()] == ["Acme"]
    assert somebody.asked


def test_a_second_time_the_id_is_found(somebody: SignedIn, lms: Lms, registered: Callable[[], list[Provider]]) -> None:
    """Graph takes the same name twice, and contents would be split between the two."""
    first = lms(*ACME, "--yes", "--json").json
    second = lms("provider", "register", "--name", " acme LEARNING", "--json").json

    assert somebody.asked
    assert (first["was_registered"], second["was_registered"]) == (False, True)
    assert second["provider_id"] == first["provider_id"]
    assert len(registered()) == 1


def test_activity_sync_is_switched_on_where_it_was_off(
    somebody: SignedIn, lms: Lms, registered: Callable[[], list[Provider]]
) -> None:
    """Without it no assignment can be sent, and nobody should register anew for that."""
    lms(*ACME, "--yes", "--without-learners")
    assert [each.learner_sync for each in registered()] == [False]

    answer = lms(*ACME, given="y\n")

    assert answer.status == 0, answer.errors
    assert "is registered already" in answer.output
    assert [each.learner_sync for each in registered()] == [True]
    assert somebody.asked


def test_the_id_is_told_to_whoever_leaves_activity_sync_off(
    somebody: SignedIn, lms: Lms, registered: Callable[[], list[Provider]]
) -> None:
    lms(*ACME, "--yes", "--without-learners")

    answer = lms(*ACME, given="n\n")

    (provider,) = registered()
    assert somebody.asked
    assert (answer.status, provider.learner_sync) == (1, False)
    assert provider.provider_id in answer.errors


def test_an_answer_that_got_lost_does_not_lead_to_two(
    somebody: SignedIn, lms: Lms, tenant: GraphSimulator, registered: Callable[[], list[Provider]]
) -> None:
    tenant.inject(Faults(fail_after_applying=1))

    answer = lms(*ACME, "--yes", "--json")

    assert somebody.asked
    assert answer.status == 0, answer.errors
    assert [each.provider_id for each in registered()] == [answer.json["provider_id"]]


@pytest.mark.parametrize("token", ["app", person("LearningProvider.Read"), person("User.Read")])
def test_who_may_not_is_told_what_it_takes(
    token: str, somebody: SignedIn, lms: Lms, registered: Callable[[], list[Provider]]
) -> None:
    """An app, and people with lesser scopes."""
    somebody.token = token

    answer = lms(*ACME, "--yes")

    assert answer.status == 1
    assert "Knowledge Administrator" in answer.errors
    assert "CONN_ERROR_GRAPH_PERMISSION_MISSING" in answer.errors
    assert registered() == []


def test_a_tenant_without_viva_learning_is_told(somebody: SignedIn, lms: Lms, tenant: GraphSimulator) -> None:
    tenant.inject(Faults(no_service_plan=True))

    answer = lms(*ACME, "--yes")

    assert somebody.asked
    assert answer.status == 1
    assert "Viva Learning or Viva Suite licence" in answer.errors


def test_a_busy_graph_is_no_refusal(somebody: SignedIn, lms: Lms, tenant: GraphSimulator) -> None:
    tenant.inject(Faults(throttle=5))

    answer = lms(*ACME, "--yes")

    assert somebody.asked
    assert answer.status == 1
    assert "Try again later" in answer.errors


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (
            ("--name", "Acme", "--square-logo", "http://a.example/1.png", "--long-logo", "https://a.example/2.png"),
            "--square-logo",
        ),
        (("--name", "Acme", "--square-logo", "https://a.example/1.png"), "long picture"),
        ((), "Name that learners see"),
    ],
)
def test_pictures_and_a_name_are_needed(
    wrong: tuple[str, ...], told: str, somebody: SignedIn, lms: Lms, registered: Callable[[], list[Provider]]
) -> None:
    answer = lms("provider", "register", *wrong, "--yes")

    assert answer.status == 1
    assert told in answer.errors
    assert registered() == []
    assert somebody
