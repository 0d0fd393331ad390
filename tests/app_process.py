"""The function app in a process of its own, for `test_function_app.py`: the worker library knows one app only.

`index` prints the bindings of every function. `sync` lets messages travel as in Azure, over parts in memory, and
prints what each function was called for and how the sync ended. `poison` prints what is kept of messages that failed.
"""

import asyncio
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from infra.local.graph import GraphSimulator
from infra.local.host import worker
from infra.local.host.protos import ModelBindingData, TypedData, Value
from shared import wiring
from shared.pipeline import journal
from shared.pipeline.keep_poison import list_poison
from tests.company import FULL, full, make_directory
from tests.desk import NAME, Desk

ROOT = Path(__file__).parents[1]
TIMER: Value = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": None, "IsPastDue": False}


async def index() -> dict[str, Any]:
    return {each.name: [dict(binding) for binding in each.bindings] for each in await worker.load(ROOT)}


async def sync() -> dict[str, Any]:
    functions = await worker.load(ROOT)
    by_queue = {each.queue_name: each.name for each in functions if each.queue_name}
    calls: list[str] = []

    async def call(name: str, data: Value) -> None:
        calls.append(name)
        await worker.invoke(name, data)

    with TemporaryDirectory() as folder, GraphSimulator(Path(folder) / "graph") as graph:
        make_directory(graph, Path(folder))
        desk = Desk(graph)
        wiring.parts = lambda: desk.parts  # type: ignore[assignment]  # the one place where stand-ins may be handed in
        desk.drop(FULL, full())
        await call("collect_packages", TIMER)
        for path in desk.intake.packages:
            await call("process_package", _blob_client(path))
        while desk.messages.sent:
            queue, body, _ = desk.messages.sent.pop(0)
            await call(by_queue[queue], body)
        await call("sweep", TIMER)
        runs = [[run.package, run.outcome] for run in journal.list_runs(desk.parts, NAME)]
        activities = graph.counters().written
        desk.close()
    return {"calls": calls, "runs": runs, "written": activities}


def _blob_client(path: str) -> TypedData:
    """Refer to a blob as the host does; nobody goes there."""
    content = {"Connection": "AzureWebJobsStorage", "ContainerName": "sealed", "BlobName": path}
    return TypedData(
        model_binding_data=ModelBindingData(
            version="1.0",
            source="AzureStorageBlobs",
            content_type="application/json",
            content=json.dumps(content).encode(),
        )
    )


async def poison() -> list[list[str]]:
    functions = await worker.load(ROOT)
    with TemporaryDirectory() as folder, GraphSimulator(Path(folder) / "graph") as graph:
        desk = Desk(graph)
        wiring.parts = lambda: desk.parts  # type: ignore[assignment]  # as above
        for name in sorted(each.name for each in functions if each.name.startswith("keep_poison")):
            told: dict[str, Value] = {
                "Id": f"message of {name}",
                "DequeueCount": 1,
                "InsertionTime": TypedData(json=json.dumps("2026-11-01T06:00:00+00:00")),
            }
            await worker.invoke(name, "{}", told)
        kept = [[each.message, each.queue, each.first_seen.isoformat()] for each in list_poison(desk.parts)]
        desk.close()
    return kept


async def main() -> None:
    try:
        print(json.dumps(await {"index": index, "sync": sync, "poison": poison}[sys.argv[1]]()))  # noqa: T201 - for the test
    finally:
        worker.stop()


if __name__ == "__main__":
    asyncio.run(main())
