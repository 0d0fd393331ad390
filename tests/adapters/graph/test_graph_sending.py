"""Calls, alone and in batches: against the simulator, and against a server that misbehaves as told."""

import json
import logging
from contextlib import closing
from typing import Any

import pytest

from infra.local.graph import PROVIDER_ID, Faults, GraphSimulator
from shared.adapters.graph import HttpxGraph
from shared.ports import Call
from tests.adapters.graph.script import CountingTokens, Script, client_of

PROVIDER = f"/employeeExperience/learningProviders/{PROVIDER_ID}"
PRIVATE_PATH = "/users?$filter=employeeId%20eq%20'1234'"


def _content(key: str) -> Call:
    body = {"title": key, "contentWebUrl": "https://lms.example/1", "languageTag": "en-us"}
    return Call("PATCH", f"{PROVIDER}/learningContents(externalId='{key}')", body)


@pytest.mark.parametrize("batch", [True, False])
def test_answers_come_in_the_order_of_the_calls(graph: HttpxGraph, *, batch: bool) -> None:
    """The simulator answers a batch backwards, as Graph may."""
    keys = [f"order-{number}" for number in range(20)]

    answers = graph.send([_content(key) for key in keys], batch=batch)

    assert [(answer.status, answer.body["externalId"]) for answer in answers] == [(202, key) for key in keys]


def test_a_batch_is_one_request(graph: HttpxGraph, simulator: GraphSimulator) -> None:
    simulator.reset_counters()

    graph.send([_content("a"), _content("b")], batch=True)

    assert simulator.counters().requests == 1


def test_more_than_twenty_calls_are_no_batch(graph: HttpxGraph) -> None:
    with pytest.raises(ValueError, match="at most 20"):
        graph.send([_content("x")] * 21, batch=True)


def test_an_expired_token_is_renewed_once(graph: HttpxGraph, simulator: GraphSimulator, tokens: CountingTokens) -> None:
    simulator.inject(Faults(reject_tokens=1))

    answers = graph.send([_content("a"), _content("b")], batch=True)

    assert [answer.status for answer in answers] == [202, 202]
    assert tokens.fresh == 1


def test_a_token_that_is_refused_twice_is_reported(graph: HttpxGraph, simulator: GraphSimulator) -> None:
    simulator.inject(Faults(reject_tokens=2))

    assert [answer.status for answer in graph.send([_content("a")], batch=False)] == [401]


@pytest.mark.parametrize(
    ("seconds", "minutes", "expected"), [(30, None, 30), (None, 2, 120), (300, 2, 300), (30, 2, 120)]
)
def test_the_longer_wait_counts(
    graph: HttpxGraph,
    simulator: GraphSimulator,
    seconds: int | None,
    minutes: int | None,
    expected: float,
) -> None:
    """Viva Learning writes minutes into the text, the rest of Graph seconds into a header."""
    simulator.inject(Faults(throttle=1, retry_after_seconds=seconds, retry_after_minutes=minutes))

    first, second = graph.send([_content("a"), _content("b")], batch=True)

    assert (first.status, first.retry_after_seconds) == (429, expected)
    assert (second.status, second.retry_after_seconds) == (202, None)


def test_a_wait_until_a_date_is_understood(scripted: HttpxGraph, script: Script) -> None:
    script.answer(503, Retry_After="Sun, 22 Nov 2026 12:01:30 GMT")

    (answer,) = scripted.send([Call("GET", "/users")], batch=False)

    assert answer.retry_after_seconds == 90


def test_a_batch_that_fails_as_a_whole_fails_each_item(graph: HttpxGraph, simulator: GraphSimulator) -> None:
    simulator.inject(Faults(throttle_batches=1, retry_after_seconds=7))

    answers = graph.send([_content("a"), _content("b")], batch=True)

    assert [(answer.status, answer.retry_after_seconds) for answer in answers] == [(429, 7), (429, 7)]


def test_a_batch_that_is_not_taken_is_sent_call_by_call(scripted: HttpxGraph, script: Script) -> None:
    script.answer(400, {"error": {"code": "BadRequest"}})
    script.answer(202, {"id": "1"})
    script.answer(202, {"id": "2"})

    answers = scripted.send([_content("a"), _content("b")], batch=True)

    assert [answer.body["id"] for answer in answers] == ["1", "2"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"<html>"])
def test_a_success_that_cannot_be_read_is_no_answer(scripted: HttpxGraph, script: Script, body: bytes) -> None:
    """What was done is unknown, exactly as after a timeout."""
    script.answer(202, body)

    assert [answer.status for answer in scripted.send([_content("a")], batch=False)] == [0]


def test_an_item_that_is_missing_in_the_answer_was_not_answered(scripted: HttpxGraph, script: Script) -> None:
    responses: list[Any] = [
        {"id": "2", "status": 204},
        {"id": "9", "status": 200},
        {"id": "x", "status": 200},
    ]
    script.answer(200, {"responses": responses})

    answers = scripted.send([_content("a"), _content("b")], batch=True)

    assert [answer.status for answer in answers] == [0, 204]


def test_silence_is_no_answer(script: Script, tokens: CountingTokens, caplog: pytest.LogCaptureFixture) -> None:
    """The timeout reaches the socket, and the log names no URL."""
    script.silent = True
    caplog.set_level(logging.DEBUG)
    with closing(client_of(script.url, tokens, timeout_seconds=0.1)) as graph:
        answers = graph.send([Call("GET", PRIVATE_PATH)], batch=False)

    assert [answer.status for answer in answers] == [0]
    assert "graph.no_answer" in caplog.text
    assert "1234" not in caplog.text


def test_a_broken_connection_is_no_answer(graph: HttpxGraph, simulator: GraphSimulator) -> None:
    simulator.inject(Faults(offline=True))

    assert [answer.status for answer in graph.send([_content("a")] * 2, batch=True)] == [0, 0]


def test_calls_carry_what_support_and_throttling_need(scripted: HttpxGraph, script: Script) -> None:
    script.answer(200, {"value": []})
    script.answer(200, {"responses": []})

    scripted.send([Call("GET", "/users", headers={"ConsistencyLevel": "eventual"})], batch=False)
    scripted.send([Call("GET", "/users"), _content("a")], batch=True)

    (_, alone, _), (line, outer, body) = script.requests
    directory, content = json.loads(body)["requests"]
    assert alone["x-ms-throttle-priority"] == "low"
    assert alone["consistencylevel"] == "eventual"
    assert alone["client-request-id"] != outer["client-request-id"]
    assert line == "POST /v1.0/$batch"
    assert directory["headers"] == {"x-ms-throttle-priority": "low"}
    assert content["headers"] == {"Content-Type": "application/json"}
