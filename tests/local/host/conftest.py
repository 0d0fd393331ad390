"""The host as a process of its own, as its users run it."""

import base64
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Self

import pytest
from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient, QueueServiceClient

from infra.local.azurite import Azurite

SAMPLE_APP = Path(__file__).parent / "sample_app"
ROOT = Path(__file__).parents[3]
PATIENCE_SECONDS = 20
FUNCTIONS = (
    *("past_due", "switched_off", "four_at_once", "failing", "stuck", "fan_out"),
    *("on_bytes", "on_client", "hello", "open_to_all"),
)


class HostProcess:
    """`python -m infra.local.host`, and what it says."""

    def __init__(self, app: Path, environment: Mapping[str, str], *arguments: str) -> None:
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.said: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "infra.local.host", "--app", str(app), "--port", "0", *arguments],
            cwd=ROOT,
            env={**os.environ, "PYTHONWARNINGS": "default", "CONTAINER_NAME": "a-container", **environment},
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.wait()

    def wait(self) -> int:
        """Return its exit status, once it has said its last word."""
        status = self.process.wait(PATIENCE_SECONDS)
        self._reader.join(PATIENCE_SECONDS)
        if self.process.stderr is not None:
            self.process.stderr.close()
        return status

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop; return its exit status."""
        self.process.send_signal(number)
        return self.wait()

    def expect(self, pattern: str) -> re.Match[str]:
        """Wait until it says that; fail when it does not in time."""
        while True:
            try:
                line = self._lines.get(timeout=PATIENCE_SECONDS)
            except queue.Empty:
                pytest.fail(f"the host did not say {pattern!r} but:\n{''.join(self.said)}")
            if line is None:
                pytest.fail(f"the host ended without {pattern!r}:\n{''.join(self.said)}")
            if match := re.search(pattern, line):
                return match

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line)
            self._lines.put(line)
        self._lines.put(None)


type StartHost = Callable[..., HostProcess]


def _environment(azurite: Azurite) -> dict[str, str]:
    return {
        "AzureWebJobsStorage": azurite.connection_string,
        "AzureFunctionsWebHost__hostid": uuid.uuid4().hex,
        "LOCAL_HOST_BLOB_SCAN_SECONDS": "0.1",
        "YEARLY": "0 0 0 1 1 *",
        "SEALED": "sample-sealed",
    }


def only(*functions: str) -> dict[str, str]:
    """Disable all the sample's functions but these: hosts of one account would take each other's messages."""
    return {f"AzureWebJobs.{name}.Disabled": "true" for name in FUNCTIONS if name not in functions}


@pytest.fixture
def environment(azurite: Azurite) -> dict[str, str]:
    """What the sample app needs, with a host id that no other host has."""
    return _environment(azurite)


@pytest.fixture(scope="session")
def host(azurite: Azurite) -> Iterator[HostProcess]:
    """One host for all tests that only send it something."""
    shared = only("four_at_once", "failing", "fan_out", "on_bytes", "on_client", "hello")
    with HostProcess(SAMPLE_APP, {**_environment(azurite), **shared}) as process:
        yield process


class Account:
    """The emulator as a test sees it."""

    def __init__(self, connection_string: str) -> None:
        self.queues = QueueServiceClient.from_connection_string(connection_string)
        self.blobs = BlobServiceClient.from_connection_string(connection_string)

    def close(self) -> None:
        """Hang up."""
        self.queues.close()
        self.blobs.close()

    def queue(self, name: str) -> QueueClient:
        """Return a queue that exists."""
        queue = self.queues.get_queue_client(name)
        with suppress(ResourceExistsError):
            queue.create_queue()
        return queue

    def send(self, name: str, *bodies: bytes) -> None:
        """Put messages into a queue, as an app does that goes by the default encoding."""
        queue = self.queue(name)
        for body in bodies:
            queue.send_message(base64.b64encode(body).decode())

    def take(self, name: str, count: int = 1) -> list[bytes]:
        """Wait for that many messages, and take them."""
        queue = self.queue(name)
        taken: list[bytes] = []
        until = time.monotonic() + PATIENCE_SECONDS
        while len(taken) < count:
            for message in queue.receive_messages(max_messages=count - len(taken)):
                queue.delete_message(message)
                taken.append(base64.b64decode(message.content))
            if len(taken) < count:
                assert time.monotonic() < until, f"{name} has only {len(taken)} messages"
                time.sleep(0.02)
        return taken

    def upload(self, container: str, name: str, content: bytes) -> None:
        """Write a blob."""
        client = self.blobs.get_container_client(container)
        with suppress(ResourceExistsError):
            client.create_container()
        client.upload_blob(name, content, overwrite=True)


@pytest.fixture(scope="session")
def storage_account(azurite: Azurite) -> Iterator[Account]:
    """The account that the hosts under test listen to."""
    with closing(Account(azurite.connection_string)) as account:
        yield account


@pytest.fixture
def start_host(environment: dict[str, str]) -> Iterator[StartHost]:
    """Start hosts that end with the test."""
    with ExitStack() as hosts:

        def start(app: Path = SAMPLE_APP, *arguments: str, **more: str) -> HostProcess:
            return hosts.enter_context(HostProcess(app, {**environment, **more}, *arguments))

        yield start
