"""The sample app under a host of its own process: what an app can observe."""

import json
import re
from collections.abc import Iterator
from http import HTTPStatus

import httpx
import pytest

from tests.local.host.conftest import Account, HostProcess, StartHost, only


def test_messages_run_at_the_same_time(host: HostProcess, storage_account: Account) -> None:
    """Each of the four waits for the other three, so one at a time would never end."""
    storage_account.send("four", b"a", b"b", b"c", b"d")

    seen = [json.loads(body) for body in storage_account.take("seen-four", 4)]

    assert {each["body"] for each in seen} == {"a", "b", "c", "d"}
    assert all(each["dequeue_count"] == 1 and each["id"] for each in seen)
    assert host.process.poll() is None


def test_a_failing_message_is_tried_five_times_and_then_set_aside(host: HostProcess, storage_account: Account) -> None:
    """And nothing of what it put out before it failed has arrived."""
    storage_account.send("failing", b"never works")

    assert storage_account.take("failing-poison") == [b"never works"]
    host.expect("failing-poison")
    assert sum("Executed 'failing' (Failed" in line for line in host.said) == 5
    assert any("ValueError: on purpose" in line for line in host.said)
    assert storage_account.queue("seen-failing").get_queue_properties().approximate_message_count == 0
    assert storage_account.queue("failing").get_queue_properties().approximate_message_count == 0


@pytest.mark.usefixtures("host")
def test_a_list_becomes_a_message_an_item(storage_account: Account) -> None:
    storage_account.send("fan-out", b"word")

    assert sorted(storage_account.take("several", 3)) == [b"WORD", b"whole", b"word"]


@pytest.mark.usefixtures("host")
def test_a_blob_runs_once_a_version(storage_account: Account) -> None:
    """The scan sees it ten times a second; only writing it anew makes it news."""
    for content in (b"first", b"second"):
        storage_account.upload("sample-inbox", "acme/a.txt", content)

        (seen,) = storage_account.take("seen-blob")

        assert json.loads(seen) == {
            "content": content.decode(),
            "name": "sample-inbox/acme/a.txt",
            "tries": 1,
        }


@pytest.mark.usefixtures("host")
def test_a_blob_that_failed_runs_again(storage_account: Account) -> None:
    storage_account.upload("sample-inbox", "acme/b.csv", b"does not match the pattern")
    storage_account.upload("sample-inbox", "acme/b.txt", b"fail at first")

    (seen,) = storage_account.take("seen-blob")

    assert json.loads(seen)["tries"] == 2


@pytest.mark.usefixtures("host")
def test_a_blob_that_always_fails_is_set_aside(storage_account: Account) -> None:
    """As the name of the blob, in the queue that all blob triggers share."""
    storage_account.upload("sample-inbox", "acme/d.txt", b"fail always")

    (set_aside,) = storage_account.take("webjobs-blobtrigger-poison")

    assert json.loads(set_aside)["BlobName"] == "acme/d.txt"
    assert json.loads(set_aside)["FunctionId"] == "Host.Functions.on_bytes"


@pytest.mark.usefixtures("host")
def test_an_app_may_ask_for_a_client_instead_of_the_bytes(storage_account: Account) -> None:
    """The SDK type, on a trigger that asks for Event Grid: the scan drives it."""
    storage_account.upload("sample-sealed", "acme/c.pgp", b"sealed")

    (seen,) = storage_account.take("seen-client")

    assert json.loads(seen) == {"content": "sealed", "name": "acme/c.pgp"}


def test_a_restarted_host_knows_what_it_has_done(start_host: StartHost, storage_account: Account) -> None:
    """By its receipts: the old blob is still there, and stays quiet."""
    storage_account.upload("sample-restart", "old.pgp", b"old")
    first = start_host(**only("on_client"), SEALED="sample-restart")
    storage_account.take("seen-client")
    assert first.stop() == 0

    start_host(**only("on_client"), SEALED="sample-restart")
    storage_account.upload("sample-restart", "young.pgp", b"young")
    (seen,) = storage_account.take("seen-client")

    assert json.loads(seen)["name"] == "young.pgp"


def test_a_timer_that_was_missed_runs_at_start(
    start_host: StartHost, environment: dict[str, str], storage_account: Account
) -> None:
    """It last ran in 2024, so its run of 2025 is past due; the other one is disabled."""
    path = f"timers/{environment['AzureFunctionsWebHost__hostid']}/Host.Functions.past_due/status"
    status = {
        "Last": "2024-01-01T00:00:00+00:00",
        "Next": "2025-01-01T00:00:00+00:00",
        "LastUpdated": "2024-01-01T00:00:00+00:00",
    }
    storage_account.upload("azure-webjobs-hosts", path, json.dumps(status).encode())
    host = start_host(**only("past_due"))
    (seen,) = storage_account.take("seen-timer")
    host.stop()

    assert json.loads(seen) == {"past_due": True}
    kept = storage_account.blobs.get_blob_client("azure-webjobs-hosts", path).download_blob().readall()
    assert json.loads(kept)["Next"] > "2026"
    assert any("Function 'switched_off' is disabled." in line for line in host.said)
    assert not any("Executing 'switched_off'" in line for line in host.said)


@pytest.fixture(scope="module")
def web(host: HostProcess) -> Iterator[httpx.Client]:
    """A browser, so to say."""
    line = next((line for line in host.said if "hello: " in line), None)
    match = host.expect(r"hello: (\S+)/hello") if line is None else re.search(r"hello: (\S+)/hello", line)
    assert match is not None
    with httpx.Client(base_url=match[1], trust_env=False) as client:
        yield client


def test_a_request_is_answered(web: httpx.Client) -> None:
    answer = web.post("/hello/J%C3%BCrgen", params={"q": "a b"}, content=b"body")

    assert (answer.status_code, answer.text) == (HTTPStatus.CREATED, "POST Jürgen a b body")
    assert answer.headers["X-Sample"] == "yes"
    assert answer.headers["Set-Cookie"] == "visit=1; Path=/; Max-Age=60; HttpOnly; SameSite=Lax"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", HTTPStatus.NOT_FOUND),
        ("PUT", "/hello/you", HTTPStatus.METHOD_NOT_ALLOWED),
        ("GET", "/hello/you?fail=1", HTTPStatus.INTERNAL_SERVER_ERROR),
    ],
)
def test_a_request_that_cannot_be_answered_says_why(
    web: httpx.Client, method: str, path: str, status: HTTPStatus
) -> None:
    assert web.request(method, path).status_code == status
