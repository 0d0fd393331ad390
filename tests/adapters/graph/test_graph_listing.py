"""Listings, page by page: what ends one, and where the next one starts."""

import json
from datetime import timedelta

import pytest

from infra.local.graph import Faults, GraphSimulator
from shared.adapters.graph import HttpxGraph
from shared.domain.errors import Code, SettingsError, TransientError
from tests.adapters.graph.script import NOW, CountingTokens, Script


def test_a_listing_is_followed_to_its_delta_link(graph: HttpxGraph, simulator: GraphSimulator) -> None:
    """Pages may come empty and still go on."""
    simulator.inject(Faults(empty_pages=1))

    pages = list(graph.pages("/users/delta?$select=id,employeeId"))

    ids = [user["id"] for content, _ in pages for user in json.loads(content)["value"]]
    assert len(set(ids)) == 1500
    assert [link is not None for _, link in pages] == [False] * (len(pages) - 1) + [True]
    assert list(graph.pages(pages[-1][1] or ""))[-1][1]


def test_an_expired_link_says_where_to_start_again(graph: HttpxGraph, simulator: GraphSimulator) -> None:
    *_, (_, link) = graph.pages("/users/delta?$select=id&$deltatoken=latest")
    simulator.expire_delta_tokens()

    with pytest.raises(LookupError, match="/users/delta") as caught:
        list(graph.pages(link or ""))

    assert list(graph.pages(str(caught.value)))


def test_a_missing_app_role_is_named(graph: HttpxGraph, simulator: GraphSimulator) -> None:
    simulator.inject(Faults(refuse_users=True))

    with pytest.raises(SettingsError, match=r"User\.Read\.All") as caught:
        list(graph.pages("/users?$top=999"))

    assert caught.value.code is Code.GRAPH_PERMISSION_MISSING


def test_a_listing_survives_two_failures(graph: HttpxGraph, simulator: GraphSimulator) -> None:
    simulator.inject(Faults(fail=2, fail_status=502))

    assert len(list(graph.pages("/users?$select=id&$top=999"))) == 2


def test_a_listing_gives_up_after_three_failures(graph: HttpxGraph, simulator: GraphSimulator) -> None:
    simulator.inject(Faults(fail=3, fail_status=500))

    with pytest.raises(TransientError) as caught:
        list(graph.pages("/users?$select=id"))

    assert caught.value.not_before is None


@pytest.mark.parametrize(("seconds", "expected"), [(45, 45), (None, 10)])
def test_a_throttled_listing_says_when_to_come_back(
    graph: HttpxGraph, simulator: GraphSimulator, seconds: int | None, expected: int
) -> None:
    simulator.inject(Faults(throttle=1, retry_after_seconds=seconds))

    with pytest.raises(TransientError) as caught:
        list(graph.pages("/users?$select=id"))

    assert caught.value.not_before == NOW + timedelta(seconds=expected)


def test_a_link_to_another_host_is_not_followed(scripted: HttpxGraph, script: Script) -> None:
    """It would carry the token there."""
    script.answer(200, {"value": [], "@odata.nextLink": "http://graph.example/v1.0/users?x"})

    with pytest.raises(SettingsError, match="another host"):
        list(scripted.pages("/users"))


def test_an_answer_without_a_list_is_no_page(scripted: HttpxGraph, script: Script) -> None:
    """Taken for one, it would say that nobody works here."""
    script.answer(200, {})
    script.answer(200, {"value": {"id": "a"}})
    script.answer(200, {"value": [], "@odata.deltaLink": "next"})
    for _ in range(3):
        script.answer(200, {"value": None})

    assert [link for _, link in scripted.pages("/users/delta")] == ["next"]
    with pytest.raises(TransientError):
        list(scripted.pages("/users/delta"))


def test_an_expired_token_is_renewed_within_a_listing(
    graph: HttpxGraph, simulator: GraphSimulator, tokens: CountingTokens
) -> None:
    simulator.inject(Faults(reject_tokens=1))

    assert list(graph.pages("/users?$select=id&$top=999"))
    assert tokens.fresh == 1
