"""The host as a program: how it starts, refuses, and ends."""

import json
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from infra.local.azurite import Azurite
from infra.local.host.service import make_listeners
from infra.local.host.settings import HostError, Settings
from infra.local.host.storage import Storage
from infra.local.host.worker import Function
from tests.local.host.conftest import ROOT, SAMPLE_APP, Account, StartHost, only


def test_ctrl_c_ends_it_cleanly(start_host: StartHost) -> None:
    """As SIGTERM does in the other tests."""
    host = start_host(**only("four_at_once", "on_bytes"))
    host.expect("Host started")

    assert host.stop(signal.SIGINT) == 0
    assert "Traceback" not in "".join(host.said)


def test_a_function_that_never_returns_is_given_up(start_host: StartHost, storage_account: Account) -> None:
    """Its message stays in the queue, for another day."""
    storage_account.send("stuck", b"in")
    host = start_host(SAMPLE_APP, "--grace", "0.2", **only("stuck"))
    host.expect(r"Executing 'stuck' \(")

    assert host.stop() == 0
    assert "Traceback" not in "".join(host.said)
    assert storage_account.queue("stuck").get_queue_properties().approximate_message_count == 1


def test_a_quiet_host_says_nothing_when_all_is_well(start_host: StartHost, storage_account: Account) -> None:
    host = start_host(SAMPLE_APP, "--quiet", **only("past_due"), YEARLY="* * * * * *")
    storage_account.take("seen-timer", 2)

    assert host.stop() == 0
    assert host.said == []


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("@app.no_such_trigger()\ndef one() -> None: ...", "no attribute 'no_such_trigger'"),
        ("", "No functions found"),
    ],
)
def test_an_app_that_cannot_be_loaded_is_refused(
    start_host: StartHost, tmp_path: Path, source: str, reason: str
) -> None:
    tmp_path.joinpath("host.json").write_text('{"version": "2.0"}')
    tmp_path.joinpath("function_app.py").write_text(
        f"import azure.functions as func\napp = func.FunctionApp()\n{source}"
    )
    host = start_host(tmp_path)

    assert host.wait() == 1
    assert reason in "".join(host.said)


@pytest.mark.parametrize(
    ("trigger", "output", "reason"),
    [
        ({"type": "timerTrigger", "schedule": "every day"}, {}, "six fields"),
        ({"type": "timerTrigger", "schedule": "%NOWHERE%"}, {}, "Setting NOWHERE"),
        (
            {"type": "queueTrigger", "queueName": "some", "connection": "OTHER"},
            {},
            "Setting OTHER is missing",
        ),
        ({"type": "blobTrigger", "path": "container/"}, {}, "Blob path"),
        ({"type": "eventHubTrigger"}, {}, "no listener for eventHubTrigger"),
        ({"type": "queueTrigger", "queueName": "some"}, {"type": "blob"}, "output 'blob' is not supported"),
        (
            {"type": "queueTrigger", "queueName": "some"},
            {"type": "queue", "queueName": "{name}"},
            "binding expression",
        ),
    ],
)
def test_a_function_that_could_not_be_driven_is_refused(
    azurite: Azurite, trigger: dict[str, str], output: dict[str, str], reason: str
) -> None:
    """At start: better than a function that is silently never called."""
    settings = Settings({"AzureWebJobsStorage": azurite.connection_string})
    bindings = [{"name": "it", "direction": "IN", **trigger}]
    if output:
        bindings.append({"name": "out", "direction": "OUT", **output})

    with closing(Storage(settings)) as storage, pytest.raises(HostError, match=reason):
        make_listeners([Function("one", "id", bindings)], settings, storage, port=0)


def test_a_folder_without_an_app_is_refused(start_host: StartHost, tmp_path: Path) -> None:
    host = start_host(tmp_path)

    assert host.wait() == 1
    assert host.said == [f"There is no host.json in {tmp_path}: is it a function app?\n"]


WORKER_SCRIPT = """
import asyncio, json, sys
from infra.local.host import worker

async def main():
    functions = {each.name: each for each in await worker.load(sys.argv[1])}
    timer, queue, blob = functions["past_due"], functions["fan_out"], functions["on_client"]
    answer = await worker.invoke("fan_out", "word")
    try:
        await worker.invoke("failing", "word", {"DequeueCount": 3})
    except worker.FunctionError as error:
        failure = str(error)
    worker.stop()
    print(json.dumps([
        [timer.trigger_type, timer.schedule], [queue.queue_name, queue.connection], blob.path,
        answer.outputs["several"].json, failure,
    ]))

asyncio.run(main())
"""


def test_a_test_can_load_an_app_and_call_its_functions(environment: dict[str, str]) -> None:
    """In a process of its own, as the worker library knows one app only."""
    run = subprocess.run(
        [sys.executable, "-c", WORKER_SCRIPT, str(SAMPLE_APP)],
        cwd=ROOT,
        env={**environment, "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(run.stdout) == [
        ["timerTrigger", "%YEARLY%"],
        ["fan-out", "AzureWebJobsStorage"],
        "%SEALED%/{name}",
        '["word", "WORD"]',
        "ValueError: on purpose",
    ]
