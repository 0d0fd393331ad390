"""The host itself: which listener every function gets, from start to a clean stop."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from infra.local.host import worker
from infra.local.host.blobs import BlobListener
from infra.local.host.invocations import Invocations
from infra.local.host.queues import queue_listener
from infra.local.host.settings import HOST_STORAGE, HostError, Settings, load_settings
from infra.local.host.storage import Storage
from infra.local.host.timers import TimerListener
from infra.local.host.web import WebListener
from infra.local.host.worker import Function

log = logging.getLogger("host")

GRACE_SECONDS = 5.0


class Listener(Protocol):
    """Starts functions when something happens."""

    async def listen(self, stop: asyncio.Event) -> None:
        """Work until `stop`, then finish what was begun and return."""
        ...


async def serve(app: Path, stop: asyncio.Event, *, port: int, grace_seconds: float) -> bool:
    """Run the app in that folder until `stop`; tell whether everything that was begun could be finished.

    Raises:
        HostError: the app cannot be loaded, or asks for what this host or its settings do not have.
    """
    settings = load_settings(app)
    settings.connection_string(HOST_STORAGE)
    functions = await worker.load(app)
    storage = Storage(settings)
    try:
        listeners = make_listeners(functions, settings, storage, port)
        log.info("Host started with %d functions.", len(functions))
        return await _listen(listeners, stop, grace_seconds)
    finally:
        storage.close()


def make_listeners(functions: Sequence[Function], settings: Settings, storage: Storage, port: int) -> list[Listener]:
    """Give every function that is not disabled its listener.

    Raises:
        HostError: one of them could never run as it is declared.
    """
    invocations = Invocations(settings, storage)
    by_trigger: defaultdict[str, list[Function]] = defaultdict(list)
    for function in functions:
        if settings.is_disabled(function.name):
            log.info("Function '%s' is disabled.", function.name)
            continue
        invocations.check(function)
        by_trigger[function.trigger_type].append(function)
    timers, queues, blobs, web = (
        by_trigger.pop(kind, []) for kind in ("timerTrigger", "queueTrigger", "blobTrigger", "httpTrigger")
    )
    if by_trigger:
        raise HostError(f"This host has no listener for {', '.join(sorted(by_trigger))}.")
    listeners: list[Listener] = [
        *(TimerListener(each, settings, storage, invocations) for each in timers),
        *(queue_listener(each, settings, storage, invocations) for each in queues),
    ]
    if blobs:
        listeners.append(BlobListener(settings, storage, invocations, blobs))
    if web:
        listeners.append(WebListener(settings, invocations, web, port))
    return listeners


async def _listen(listeners: Sequence[Listener], stop: asyncio.Event, grace_seconds: float) -> bool:
    """Run them all; a listener that breaks takes the host down, as nobody would notice it missing."""
    stopping = asyncio.create_task(stop.wait())
    tasks = {asyncio.create_task(each.listen(stop)) for each in listeners}
    done, _ = await asyncio.wait({*tasks, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    log.info("Host is stopping.")
    pending: set[asyncio.Task[None]] = set()
    if tasks:
        _, pending = await asyncio.wait(tasks, timeout=grace_seconds)
    for task in done & tasks:
        task.result()
    return not pending
