"""The real client against the simulator, and against a server that misbehaves as told."""

import json
import logging
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import pytest

from infra.local.graph import PROVIDER_ID, Faults, GraphSimulator
from shared.adapters.graph import HttpxGraph
from shared.adapters.identity import managed_identity
from shared.domain.errors import Code, SettingsError, TransientError
from shared.ports import Call

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PROVIDER = f"/employeeExperience/learningProviders/{PROVIDER_ID}"
PRIVATE_PATH = "/users?$filter=employeeId%20eq%20'1234'"


class CountingTokens:
    """Hands out a new token whenever a fresh one is asked for."""

    def __init__(self) -> None:
        self.fresh = 0

    def get_token(self, scope: str, *, fresh: bool = False) -> str:
        assert scope == "scope"
        self.fresh += fresh
        return f"token-{self.fresh}"


class Script:
    """A server on loopback that answers as told, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.released = Event()
        self.silent = False
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                headers = {name.lower(): value for name, value in self.headers.items()}
                script.requests.append((f"{self.command} {self.path}", headers, body))
                if script.silent:
                    script.released.wait()
                    self.close_connection = True
                    return
                status, more, content = script.answers.pop(0)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **more}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815 - http.server looks for these names

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, status: int, body: object = None, **headers: str) -> None:
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        self.answers.append((status, {name.replace("_", "-"): v for name, v in headers.items()}, content))


@pytest.fixture
def script() -> Iterator[Script]:
    script = Script()
    thread = Thread(target=script.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield script
    script.released.set()
    script.server.shutdown()
    script.server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphSimulator]:
    folder = tmp_path_factory.mktemp("graph")
    rows = [f"{number:08}-0000-4000-8000-000000000000,{number},true,Member,true" for number in range(1500)]
    (folder / "users.csv").write_text("\n".join(["id,employeeId,accountEnabled,userType,licensed", *rows]))
    with GraphSimulator(folder / "state") as simulator:
        simulator.load_directory(folder / "users.csv")
        yield simulator


@pytest.fixture(autouse=True)
def _no_faults(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "simulator" in request.fixturenames:
        request.getfixturevalue("simulator").inject(Faults())


@pytest.fixture
def tokens() -> CountingTokens:
    return CountingTokens()


@pytest.fixture
def graph(simulator: GraphSimulator, tokens: CountingTokens) -> Iterator[HttpxGraph]:
    with closing(_graph(simulator.url, tokens)) as graph:
        yield graph


@pytest.fixture
def scripted(script: Script, tokens: CountingTokens) -> Iterator[HttpxGraph]:
    with closing(_graph(script.url, tokens)) as graph:
        yield graph


def _graph(url: str, tokens: CountingTokens, timeout_seconds: float = 10) -> HttpxGraph:
    return HttpxGraph(url, tokens, timeout_seconds=timeout_seconds, scope="scope", clock=lambda: NOW)


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


def test_an_expired_token_is_renewed_once(
    graph: HttpxGraph, simulator: GraphSimulator, tokens: CountingTokens
) -> None:
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
def test_a_success_that_cannot_be_read_is_no_answer(
    scripted: HttpxGraph, script: Script, body: bytes
) -> None:
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


def test_silence_is_no_answer(
    script: Script, tokens: CountingTokens, caplog: pytest.LogCaptureFixture
) -> None:
    """The timeout reaches the socket, and the log names no URL."""
    script.silent = True
    caplog.set_level(logging.DEBUG)
    with closing(_graph(script.url, tokens, timeout_seconds=0.1)) as graph:
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


def test_an_expired_token_is_renewed_within_a_listing(
    graph: HttpxGraph, simulator: GraphSimulator, tokens: CountingTokens
) -> None:
    simulator.inject(Faults(reject_tokens=1))

    assert list(graph.pages("/users?$select=id&$top=999"))
    assert tokens.fresh == 1


def test_the_managed_identity_gives_cached_tokens(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    """The platform's token endpoint is asked once, and again only for a fresh one."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{script.url}/token")
    monkeypatch.setenv("IDENTITY_HEADER", "header")
    expires_on = str(int(datetime.now(UTC).timestamp()) + 86_400)
    for name in ("first", "second"):
        token = {"access_token": name, "expires_on": expires_on, "resource": "r", "token_type": "Bearer"}
        script.answer(200, token, Content_Type="application/json")
    identity = managed_identity(None)

    given = [identity.get_token("https://graph.example/.default") for _ in range(2)]
    given.append(identity.get_token("https://graph.example/.default", fresh=True))

    assert given == ["first", "first", "second"]


def test_an_identity_without_a_token_passes(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{script.url}/token")
    monkeypatch.setenv("IDENTITY_HEADER", "header")
    script.answer(400, {"statusCode": 400, "message": "no identity"}, Content_Type="application/json")

    with pytest.raises(TransientError, match="identity is assigned"):
        managed_identity(None).get_token("https://graph.example/.default")
