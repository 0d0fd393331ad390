"""The function app as Azure's worker sees it: which triggers there are, and that each reaches its use case."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from shared.domain.messages import COMMANDS, MAP_LEARNERS, PUSH_COMPLETIONS, PUSH_RECORDS
from shared.domain.runs import ATTEMPTS
from shared.pipeline.keep_poison import PACKAGES
from tests.bench import imports
from tests.company import FULL

ROOT = Path(__file__).parents[1]
STORAGE = "AzureWebJobsStorage"
ACCOUNT = "DefaultEndpointsProtocol=http;AccountName=nobody;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:9/nobody;"
EXPENSIVE = ("duckdb", "paramiko", "httpx", "azure.identity", "pydantic", "shared.adapters", "shared.pipeline")
NEVER = {"pandas", "polars", "pyarrow", "numpy", "invoke", "unittest"}
"""What nobody needs; the last two are brought by paramiko unless it is told not to."""
USE_CASES = {
    "accept_completions": ("shared.pipeline.write_back.accept", "shared.adapters.sealing"),
    "accept_content": ("shared.pipeline.write_back.accept", "shared.adapters.sealing"),
    "accept_records": ("shared.pipeline.write_back.take_records", "shared.adapters.sealing"),
    "push_completions": ("shared.pipeline.write_back.push", "shared.adapters.sealing"),
    "read_inbox": ("shared.pipeline.write_back.read_inbox", "shared.adapters.sealing"),
    "show_batch": ("shared.pipeline.write_back.requests",),
}
"""Where a use case is that is not called like its function."""
ENGINE = {"duckdb", "stream_unzip", "pysequoia"}
"""What only those pay who open packages or compute with their rows."""


def run(*command: str) -> Any:  # noqa: ANN401 - whatever JSON it prints
    """Run Python and read what it prints; it has no settings but the storage account's, and no secret."""
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], STORAGE: ACCOUNT},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def functions() -> dict[str, list[dict[str, Any]]]:
    """Bindings of each function."""
    indexed: dict[str, list[dict[str, Any]]] = run("-m", "tests.app_process", "index")
    return indexed


def trigger(bindings: list[dict[str, Any]], *names: str) -> dict[str, Any]:
    only = bindings[0]
    return {name: only.get(name) for name in ("type", *names)}


def test_there_are_exactly_these_functions(functions: dict[str, list[dict[str, Any]]]) -> None:
    """Each has its trigger and an answer at most; what follows is sent by the use case, when it is sure."""
    found = {name: [each["type"] for each in bindings] for name, bindings in functions.items()}

    assert found == {
        "collect_packages": ["timerTrigger"],
        "sweep": ["timerTrigger"],
        "process_package": ["blobTrigger"],
        "read_inbox": ["blobTrigger"],
        "accept_completions": ["httpTrigger", "http"],
        "accept_content": ["httpTrigger", "http"],
        "show_batch": ["httpTrigger", "http"],
        "accept_records": ["queueTrigger"],
        "push_completions": ["queueTrigger"],
        "map_learners": ["queueTrigger"],
        "push_records": ["queueTrigger"],
        "run_commands": ["queueTrigger"],
        "keep_poison_commands": ["queueTrigger"],
        "keep_poison_map_learners": ["queueTrigger"],
        "keep_poison_push_completions": ["queueTrigger"],
        "keep_poison_push_records": ["queueTrigger"],
        "retry_poison_records": ["queueTrigger"],
        "keep_poison_packages": ["queueTrigger"],
    }


@pytest.mark.parametrize(
    ("name", "schedule"), [("collect_packages", "%COLLECT_SCHEDULE%"), ("sweep", "%SWEEP_SCHEDULE%")]
)
def test_a_schedule_is_a_setting(functions: dict[str, list[dict[str, Any]]], name: str, schedule: str) -> None:
    assert trigger(functions[name], "schedule") == {"type": "timerTrigger", "schedule": schedule}


@pytest.mark.parametrize(
    ("name", "queue", "sent_to"),
    [
        ("run_commands", "commands", COMMANDS),
        ("map_learners", "map-learners", MAP_LEARNERS),
        ("push_records", "push-records", PUSH_RECORDS),
        ("accept_records", "records-in", "records-in"),
        ("push_completions", "push-completions", PUSH_COMPLETIONS),
        ("keep_poison_commands", "commands-poison", f"{COMMANDS}-poison"),
        ("keep_poison_map_learners", "map-learners-poison", f"{MAP_LEARNERS}-poison"),
        ("keep_poison_push_completions", "push-completions-poison", f"{PUSH_COMPLETIONS}-poison"),
        ("keep_poison_push_records", "push-records-poison", f"{PUSH_RECORDS}-poison"),
        ("retry_poison_records", "records-in-poison", "records-in-poison"),
        ("keep_poison_packages", "webjobs-blobtrigger-poison", f"{PACKAGES}-poison"),
    ],
)
def test_a_queue_is_the_one_that_is_sent_to(
    functions: dict[str, list[dict[str, Any]]], name: str, queue: str, sent_to: str
) -> None:
    found = trigger(functions[name], "queueName", "connection")

    assert found == {"type": "queueTrigger", "queueName": queue, "connection": STORAGE}
    assert sent_to == queue


@pytest.mark.parametrize(
    ("name", "path"),
    [("process_package", "sealed/{connection}/{version}/{name}"), ("read_inbox", "inbox/{connection}/{name}")],
)
def test_a_blob_is_told_by_event_grid(functions: dict[str, list[dict[str, Any]]], name: str, path: str) -> None:
    """The plan that scales to zero has no other blob trigger; of packages the path is what collecting writes."""
    found = trigger(functions[name], "path", "connection", "source")

    assert found == {
        "type": "blobTrigger",
        "path": path,
        "connection": STORAGE,
        "source": "EventGrid",
    }


@pytest.mark.parametrize(
    ("name", "method", "route"),
    [
        ("accept_completions", "POST", "completions"),
        ("accept_content", "POST", "content"),
        ("show_batch", "GET", "batches/{batch}"),
    ],
)
def test_the_interface_asks_for_a_key(
    functions: dict[str, list[dict[str, Any]]], name: str, method: str, route: str
) -> None:
    found = trigger(functions[name], "methods", "route", "authLevel")

    assert found == {"type": "httpTrigger", "methods": [method], "route": route, "authLevel": "FUNCTION"}


def test_the_host_tries_a_message_as_often_as_a_run_its_steps() -> None:
    """With fewer tries a run would stand still in the poison queue; with more, nobody would make them."""
    host = json.loads((ROOT / "host.json").read_text())

    assert host["extensions"]["queues"]["maxDequeueCount"] == ATTEMPTS


def test_every_function_does_its_part_of_a_sync() -> None:
    """From the timer to Viva Learning, through the worker that Azure runs."""
    done = run("-m", "tests.app_process", "sync")

    calls = Counter(done["calls"])
    assert calls.pop("run_commands") >= 2
    assert calls == {"collect_packages": 1, "process_package": 1, "map_learners": 2, "push_records": 2, "sweep": 1}
    assert done["runs"] == [[FULL, "done"]]
    assert done["written"] == {"PATCH contents": 5, "POST activities": 6}


def test_every_queue_has_somebody_who_keeps_what_failed(functions: dict[str, list[dict[str, Any]]]) -> None:
    """Nobody else reads a poison queue, and after seven days it is empty. Blobs have one queue for all of them."""
    queues = {each["queueName"] for each, *_ in functions.values() if each["type"] == "queueTrigger"}
    worked_on = {queue for queue in queues if not queue.endswith("-poison")}

    assert queues - worked_on == {f"{queue}-poison" for queue in (*worked_on, PACKAGES)}


def test_what_failed_is_kept_under_its_own_queue() -> None:
    """Through the worker that Azure runs; the ids and times are those that the host tells."""
    kept = run("-m", "tests.app_process", "poison")

    assert kept == [
        [f"message of keep_poison_{name}", queue, "2026-11-01T06:00:00+00:00"]
        for name, queue in (
            ("commands", COMMANDS),
            ("map_learners", MAP_LEARNERS),
            ("packages", PACKAGES),
            ("push_completions", PUSH_COMPLETIONS),
            ("push_records", PUSH_RECORDS),
        )
    ]


def test_loading_the_app_loads_nothing_expensive() -> None:
    """Azure loads it for every cold start, also for a sweep that finds nothing to do.

    Microsoft's blob binding brings `azure.identity`, whoever asks; what counts is what we add.
    """
    script = (
        "import json, sys, azurefunctions.extensions.bindings.blob; before = set(sys.modules); import function_app; "
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )

    loaded = run("-c", script)

    assert [name for name in loaded if name.startswith(EXPENSIVE)] == []


@pytest.mark.parametrize(
    ("function", "others"),
    [
        ("accept_completions", ENGINE | {"paramiko", "httpx"}),
        ("accept_content", ENGINE | {"paramiko", "httpx"}),
        ("accept_records", ENGINE | {"paramiko", "httpx"}),
        ("push_completions", ENGINE | {"paramiko"}),
        ("read_inbox", ENGINE | {"paramiko", "httpx"}),
        ("show_batch", ENGINE | {"paramiko", "httpx", "shared.adapters.sealing"}),
        ("collect_packages", ENGINE | {"httpx"}),
        ("push_records", ENGINE | {"paramiko", "azure.keyvault"}),
        ("run_commands", ENGINE | {"httpx"}),
        ("sweep", ENGINE | {"paramiko", "httpx", "azure.keyvault"}),
    ],
)
def test_a_light_function_does_not_wait_for_the_libraries_of_others(function: str, others: set[str]) -> None:
    """How long it waits is measured by `make bench`; what for is known here."""
    loaded = imports.loaded(function)

    assert set(USE_CASES.get(function, (f"shared.pipeline.{function}",))) <= loaded
    assert (others | NEVER) & loaded == set()


def test_nothing_is_looked_through_or_built_before_it_is_needed() -> None:
    """What made starts slow and is no module: searches for garbage and plugins, and validators that nobody has used."""
    script = (
        "import gc, json, sys; import function_app; from importlib import metadata; looked = [];"
        "metadata.entry_points = lambda **asked: looked.append(asked) or ();"
        "from shared.domain.connection import Connection; built = Connection.__pydantic_complete__;"
        "Connection.model_rebuild();"
        "print(json.dumps([gc.isenabled(), gc.get_freeze_count() > 10_000, looked, built]))"
    )

    enabled, frozen, looked, built = run("-c", script)

    assert enabled
    assert frozen
    assert looked == []
    assert not built


def test_what_the_bench_hides_is_not_deployed() -> None:
    """Else it would not measure what Azure loads."""
    deployed = {line.partition("==")[0] for line in (ROOT / "requirements.txt").read_text().splitlines()}

    assert set(imports.NOT_DEPLOYED) & deployed == set()


@pytest.mark.parametrize("function", ["map_learners", "process_package"])
def test_nobody_brings_a_second_engine(function: str) -> None:
    """One columnar engine is in the package; each further one would cost every start up to half a second."""
    loaded = imports.loaded(function)

    assert "duckdb" in loaded
    assert NEVER & loaded == set()


def test_every_function_is_measured() -> None:
    files = {file.stem for file in (ROOT / "functions").glob("*.py")} - {"__init__"}

    assert imports.names() == [imports.APP, *sorted(files)]
