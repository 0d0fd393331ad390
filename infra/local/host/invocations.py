"""One run of a function: its two log lines, and its output bindings."""

import base64
import json
import logging
import time
import uuid
from collections.abc import Iterator, Mapping

from azure.core.exceptions import AzureError

from infra.local.host import worker
from infra.local.host.protos import TypedData, Value
from infra.local.host.settings import HostError, Settings
from infra.local.host.storage import Storage
from infra.local.host.worker import Answer, Function, FunctionError

log = logging.getLogger("host")

OUTPUTS = {"queue", "http"}
"""The kinds of output binding this host can write."""


class Invocations:
    """Runs functions and delivers what they put out."""

    def __init__(self, settings: Settings, storage: Storage) -> None:
        self._settings = settings
        self._storage = storage

    def check(self, function: Function) -> None:
        """See that every output of the function can be delivered.

        Raises:
            HostError: it cannot; better now than after the first run.
        """
        for binding in function.outputs:
            if binding["type"] not in OUTPUTS:
                raise HostError(f"Function {function.name}: output {binding['type']!r} is not supported here.")
            if binding["type"] == "queue":
                if "{" in binding["queueName"]:
                    raise HostError(f"Function {function.name}: a queue name cannot hold a binding expression here.")
                self._storage.queue(binding.get("connection", ""), self._settings.resolve(binding["queueName"]))

    async def run(self, function: Function, data: Value, metadata: Mapping[str, Value]) -> Answer:
        """Run it, and put its queue outputs into their queues.

        Raises:
            FunctionError: it failed, or an output could not be delivered. It has been logged.
        """
        invocation_id = str(uuid.uuid4())
        started = time.monotonic()
        log.info("Executing '%s' (%s)", function.name, invocation_id)
        try:
            answer = await worker.invoke(function.name, data, metadata, invocation_id=invocation_id)
            await self._deliver(function, answer)
        except FunctionError as error:
            milliseconds = round((time.monotonic() - started) * 1000)
            log.error(  # noqa: TRY400 - the function's own traceback is the one that helps
                "Executed '%s' (Failed, %dms, %s)\n%s",
                function.name,
                milliseconds,
                invocation_id,
                error.stack.rstrip() or error,
            )
            raise
        milliseconds = round((time.monotonic() - started) * 1000)
        log.info("Executed '%s' (Succeeded, %dms, %s)", function.name, milliseconds, invocation_id)
        return answer

    async def _deliver(self, function: Function, answer: Answer) -> None:
        for binding in function.outputs:
            value = answer.outputs.get(binding["name"])
            if binding["type"] != "queue" or value is None:
                continue
            queue = self._storage.queue(binding.get("connection", ""), self._settings.resolve(binding["queueName"]))
            try:
                for content in messages(value):
                    text = encode(content, self._settings.queues.message_encoding)
                    await self._storage.send(queue, text)
            except AzureError as error:
                raise FunctionError(f"Output {binding['name']} could not be sent ({type(error).__name__}).") from error


def messages(value: TypedData) -> Iterator[bytes]:
    """Yield the messages an output stands for: one for text or bytes, one an item for a list."""
    match value.WhichOneof("data"):
        case "string":
            yield value.string.encode()
        case "bytes":
            yield value.bytes
        case "json":
            content = json.loads(value.json)
            for item in content if isinstance(content, list) else [content]:
                yield _message(item)
        case other:
            raise FunctionError(f"An output of kind {other} cannot be put into a queue.")


def _message(item: object) -> bytes:
    match item:
        case str():
            return item.encode()
        case {"id": _, "body": str(body), **rest} if not rest:
            return body.encode()  # a QueueMessage, as the worker writes it
        case _:
            return json.dumps(item).encode()


def encode(content: bytes, encoding: str) -> str:
    """Write a message's content as `messageEncoding` wants it."""
    return base64.b64encode(content).decode() if encoding == "base64" else content.decode()


def decode(text: str, encoding: str) -> bytes:
    """Read a message's content.

    Raises:
        ValueError: it is not in that encoding.
    """
    return base64.b64decode(text, validate=True) if encoding == "base64" else text.encode()
