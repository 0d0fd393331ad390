"""Blob triggers, as the real host drives them.

* Every container is scanned; a blob (in this version, told by its ETag) that has no receipt is put on the
  internal queue `azure-webjobs-blobtrigger-<host id>`, and its receipt is written under
  `azure-webjobs-hosts/blobreceipts/`. So a version runs once, also across restarts, and a new version of the
  same blob runs again.
* The function runs from that queue, with the tries and visibility of a queue. When they are used up, the
  message goes to `webjobs-blobtrigger-poison`. A version that is gone or replaced by then is dropped.
* `source: EventGrid` needs Event Grid, which has no local stand-in: such triggers are driven by the same
  scan.
"""

import asyncio
import json
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from azure.core import MatchConditions
from azure.core.exceptions import AzureError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobProperties, ContainerClient
from azure.storage.queue import QueueMessage

from infra.local.host.invocations import Invocations, encode
from infra.local.host.protos import ModelBindingData, TypedData, Value
from infra.local.host.queues import QueueListener
from infra.local.host.settings import HOST_STORAGE, HostError, Settings
from infra.local.host.storage import Storage, write_note
from infra.local.host.waiting import first_of
from infra.local.host.worker import Function, FunctionError

log = logging.getLogger("host")

INTERNAL_QUEUE = "azure-webjobs-blobtrigger-{host_id}"
POISON_QUEUE = "webjobs-blobtrigger-poison"
PREFIX = "Host.Functions."
POLLING = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class BlobPath:
    """`container/pattern`, where `{name}` in the pattern is any text, slashes included."""

    container: str
    prefix: str
    pattern: re.Pattern[str]

    @classmethod
    def parse(cls, path: str) -> "BlobPath":
        """Read a trigger's path.

        Raises:
            HostError: it has another shape.
        """
        container, slash, blob = path.partition("/")
        if not container or "{" in container or (slash and not blob):
            raise HostError(f"Blob path {path!r} must be a container, a slash and a pattern.")
        literals = re.split(r"\{(\w+)\}", blob or "{name}")
        parts = [f"(?P<{text}>.*)" if index % 2 else re.escape(text) for index, text in enumerate(literals)]
        try:
            return cls(container, literals[0], re.compile("".join(parts)))
        except re.error as error:
            raise HostError(f"Blob path {path!r} is not a pattern: {error}.") from None

    def captured(self, blob: str) -> Mapping[str, str] | None:
        """Return what the names in braces stand for in this blob's name; `None` when it does not match."""
        match = self.pattern.fullmatch(blob)
        return None if match is None else match.groupdict()


@dataclass(slots=True)
class BlobTrigger:
    """A function with a blob trigger, and the versions it need not look at again."""

    function: Function
    path: BlobPath
    container: ContainerClient
    known: dict[str, str] = field(default_factory=dict)


class BlobListener:
    """Finds new blobs for all blob triggers of the app, and runs them from the internal queue."""

    def __init__(
        self, settings: Settings, storage: Storage, invocations: Invocations, functions: Sequence[Function]
    ) -> None:
        self._settings = settings
        self._storage = storage
        self._invocations = invocations
        self._notes = storage.notes()
        self._queue = storage.queue(HOST_STORAGE, INTERNAL_QUEUE.format(host_id=settings.host_id))
        self._triggers = {each.name: self._trigger(each) for each in functions}

    async def listen(self, stop: asyncio.Event) -> None:
        """Work until `stop`; return when the last blob that was begun is done."""
        runner = QueueListener(
            self._storage,
            self._queue,
            self._storage.queue(HOST_STORAGE, POISON_QUEUE),
            self._settings.blobs.as_queue(POLLING),
            self._run,
        )
        await asyncio.gather(runner.listen(stop), self._scan(stop))

    def _trigger(self, function: Function) -> BlobTrigger:
        path = BlobPath.parse(self._settings.resolve(function.path or ""))
        return BlobTrigger(function, path, self._storage.container(function.connection, path.container))

    async def _scan(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            for trigger in self._triggers.values():
                try:
                    found = await self._storage.call(self._changed, trigger)
                    for blob in found:
                        await self._announce(trigger, blob)
                except AzureError as error:
                    log.warning("Container %s cannot be read (%s).", trigger.path.container, type(error).__name__)
            await first_of(stop, timeout_seconds=self._settings.blob_scan_seconds)

    def _changed(self, trigger: BlobTrigger) -> list[BlobProperties]:
        """List the blobs whose version has no receipt yet, and forget those that are gone. Blocks."""
        try:
            matching = list(_matching(trigger))
        except ResourceNotFoundError:
            matching = []  # the container is made by whoever writes first
        trigger.known = {blob.name: blob.etag for blob in matching if trigger.known.get(blob.name) == blob.etag}
        changed = []
        for blob in matching:
            if blob.name in trigger.known:
                continue
            if self._notes.get_blob_client(self._receipt(trigger, blob)).exists():
                trigger.known[blob.name] = blob.etag
            else:
                changed.append(blob)
        return changed

    def _receipt(self, trigger: BlobTrigger, blob: BlobProperties) -> str:
        """Name the receipt of this version of the blob."""
        function = f"{PREFIX}{trigger.function.name}"
        etag = blob.etag.strip('"')
        return f"blobreceipts/{self._settings.host_id}/{function}/{etag}/{trigger.path.container}/{blob.name}"

    async def _announce(self, trigger: BlobTrigger, blob: BlobProperties) -> None:
        """Queue it, then write the receipt: a crash in between makes it run twice, never not at all."""
        content = {
            "Type": "BlobTrigger",
            "FunctionId": f"{PREFIX}{trigger.function.name}",
            "BlobType": str(blob.blob_type.value),
            "ContainerName": trigger.path.container,
            "BlobName": blob.name,
            "ETag": blob.etag.strip('"'),
        }
        await self._storage.send(self._queue, encode(json.dumps(content).encode(), "base64"))
        receipt = self._receipt(trigger, blob)
        await self._storage.call(write_note, self._notes, receipt, b"", {"Completed": "True"})
        trigger.known[blob.name] = blob.etag

    async def _run(self, _message: QueueMessage, body: bytes) -> None:
        content = json.loads(body)
        trigger = self._triggers.get(content["FunctionId"].removeprefix(PREFIX))
        name = content["BlobName"]
        captured = None if trigger is None else trigger.path.captured(name)
        if trigger is None or captured is None:
            log.info("A blob was dropped: no function is listening for it any more.")
            return
        try:
            blob = await self._storage.call(trigger.container.get_blob_client(name).get_blob_properties)
            if blob.etag.strip('"') != content["ETag"]:
                return  # this version is gone; the scan finds the one that replaced it
            data = await self._data(trigger, blob)
        except (ResourceNotFoundError, ResourceModifiedError):
            return
        except AzureError as error:
            log.warning("A blob of %s cannot be read (%s).", trigger.path.container, type(error).__name__)
            raise FunctionError("The blob cannot be read.") from error
        await self._invocations.run(trigger.function, data, {**_metadata(trigger, blob), **captured})

    async def _data(self, trigger: BlobTrigger, blob: BlobProperties) -> TypedData:
        """Make what the worker is given: a reference for an SDK type, otherwise the content."""
        binding = trigger.function.trigger
        if binding.get("properties", {}).get("SupportsDeferredBinding"):
            reference = {
                "Connection": trigger.function.connection or HOST_STORAGE,
                "ContainerName": trigger.path.container,
                "BlobName": blob.name,
            }
            return TypedData(
                model_binding_data=ModelBindingData(
                    version="1.0",
                    source="AzureStorageBlobs",
                    content_type="application/json",
                    content=json.dumps(reference).encode(),
                )
            )
        client = trigger.container.get_blob_client(blob.name)

        def read() -> bytes:
            unchanged = MatchConditions.IfNotModified
            return client.download_blob(etag=blob.etag, match_condition=unchanged).readall()

        content = await self._storage.call(read)
        if binding.get("dataType", "").upper() == "STRING":
            return TypedData(string=content.decode())
        return TypedData(bytes=content)


def _matching(trigger: BlobTrigger) -> Iterator[BlobProperties]:
    for blob in trigger.container.list_blobs(name_starts_with=trigger.path.prefix or None):
        if trigger.path.captured(blob.name) is not None:
            yield blob


def _metadata(trigger: BlobTrigger, blob: BlobProperties) -> dict[str, Value]:
    uri = trigger.container.get_blob_client(blob.name).url
    return {
        "BlobTrigger": f"{trigger.path.container}/{blob.name}",
        "Uri": TypedData(json=json.dumps(uri)),
        "Properties": {
            "ContentLength": blob.size,
            "Length": blob.size,
            "ContentType": blob.content_settings.content_type,
            "ETag": blob.etag,
            "LastModified": blob.last_modified.isoformat(),
        },
        "Metadata": dict(blob.metadata or {}),
    }
