"""The language worker: load a function app through Microsoft's worker library, and run one function of it.

The library keeps its registry for the whole process, so a process holds one app, ever.
Synchronous functions run in the library's own threads (`PYTHON_THREADPOOL_THREAD_COUNT`), asynchronous ones
on the event loop that calls `invoke`.
"""

import json
import os
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime

from infra.local.host import protos
from infra.local.host.protos import TypedData, Value, typed
from infra.local.host.settings import HostError

runtime: Any = azure_functions_runtime  # it carries no types
LOOPBACK = "127.0.0.1"


class FunctionError(Exception):
    """A function failed. The text is `<type>: <message>` of what it raised; `stack` is the traceback."""

    def __init__(self, message: str, stack: str = "") -> None:
        super().__init__(message)
        self.stack = stack


@dataclass(frozen=True, slots=True)
class Function:
    """An indexed function. Bindings are as declared: `%SETTING%` is not resolved, nothing is defaulted."""

    name: str
    id: str
    bindings: Sequence[Mapping[str, Any]]

    @property
    def trigger(self) -> Mapping[str, Any]:
        """The binding that starts it."""
        return next(each for each in self.bindings if each["type"].lower().endswith("trigger"))

    @property
    def trigger_type(self) -> str:
        """Its kind of trigger: `timerTrigger`, `queueTrigger`, `blobTrigger`, `httpTrigger`, ..."""
        return str(self.trigger["type"])

    @property
    def outputs(self) -> Sequence[Mapping[str, Any]]:
        """The bindings it writes to."""
        return [each for each in self.bindings if each["direction"].upper() == "OUT"]

    @property
    def schedule(self) -> str | None:
        """When its timer fires (NCRONTAB)."""
        return self.trigger.get("schedule")

    @property
    def queue_name(self) -> str | None:
        """The queue it is triggered by."""
        return self.trigger.get("queueName")

    @property
    def path(self) -> str | None:
        """The container and pattern it is triggered by."""
        return self.trigger.get("path")

    @property
    def connection(self) -> str:
        """The setting that holds its trigger's storage account; empty means the host's own."""
        return self.trigger.get("connection") or ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a function gave back: output parameters by name, the return value as `$return`."""

    outputs: Mapping[str, TypedData]


_app: Path | None = None
_functions: dict[str, Function] = {}


async def load(app_dir: str | Path) -> list[Function]:
    """Import and index the app in that folder, which becomes the working directory, as in Azure.

    Loading the same app again returns the same functions.

    Raises:
        HostError: the app cannot be imported or indexed, has no function, or the process already holds
        another one.
    """
    global _app  # noqa: PLW0603 - mirrors the library's own process-wide registry
    app = Path(app_dir).resolve()  # noqa: ASYNC240 - once, before anything runs
    if _app is not None:
        if _app != app:
            raise HostError("This process already holds another app; load each in a process of its own.")
        return list(_functions.values())
    os.environ.pop("CONTAINER_NAME", None)  # would make the library believe it is in Azure
    if not app.is_dir():
        raise HostError(f"There is no folder {app}.")
    os.chdir(app)
    sys.path.insert(0, str(app))
    runtime.start_threadpool_executor()
    reply = await runtime.worker_init_request(
        _request(worker_init_request=SimpleNamespace(capabilities={}, function_app_directory=str(app)))
    )
    if reply.result.status != protos.StatusResult.Success:
        raise HostError(f"The app cannot be loaded. {reply.result.exception.stack_trace}")
    indexed = (await runtime.functions_metadata_request(None)).function_metadata_results
    if not indexed:
        raise HostError(f"No functions found in {app}.")
    for each in indexed:
        bindings = [json.loads(text) for text in each.raw_bindings]
        _functions[each.name] = Function(each.name, each.function_id, bindings)
    _app = app
    return list(_functions.values())


async def invoke(
    name: str, data: Value, metadata: Mapping[str, Value] | None = None, *, invocation_id: str | None = None
) -> Answer:
    """Run a loaded function once.

    Raises:
        FunctionError: it raised, or could not be given what it asks for.
    """
    function = _functions[name]
    request = protos.InvocationRequest(
        invocation_id=invocation_id or str(uuid.uuid4()),
        function_id=function.id,
        input_data=[protos.ParameterBinding(name=function.trigger["name"], data=typed(data))],
        trigger_metadata={key: typed(value) for key, value in (metadata or {}).items()},
        trace_context=protos.Message(trace_parent="", trace_state="", attributes={}),
        retry_context=protos.Message(retry_count=0, max_retry_count=0),
    )
    reply = await runtime.invocation_request(_request(invocation_request=request))
    if reply.result.status != protos.StatusResult.Success:
        raise FunctionError(reply.result.exception.message, reply.result.exception.stack_trace)
    outputs = {each.name: each.data for each in reply.output_data}
    if reply.return_value is not None:
        outputs["$return"] = reply.return_value
    return Answer(outputs)


def stop() -> None:
    """End the library's threads, waiting for what they run."""
    runtime.stop_threadpool_executor()


def _request(**content: object) -> SimpleNamespace:
    return SimpleNamespace(request=SimpleNamespace(**content), properties={"host": LOOPBACK, "protos": protos})
