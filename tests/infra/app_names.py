"""What the app names: found by running its wiring, and by indexing its functions as Azure does."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Never, get_type_hints

import pytest

from shared import wiring
from shared.adapters import key_vault, storage_account
from shared.adapters.storage_account import StorageAccount
from shared.domain import messages
from shared.pipeline.parts import Parts
from shared.ports import Blobs, Documents, Intake, Leases, Messages, Table
from shared.settings import Settings
from tests.infra.names import Names

ROOT = Path(__file__).parents[2]

NOT_IN_AZURE = {
    "LMS_NOW": "only for rehearsals",
    "LMS_VAULT_VERIFY_CHALLENGE": "only for the local tenant's vault",
    "AzureWebJobsStorage": "a connection string, which holds a key",
    "AzureWebJobsStorage__blobServiceUri": "the account's name says it",
    "AzureWebJobsStorage__queueServiceUri": "the account's name says it",
    "AzureWebJobsStorage__tableServiceUri": "the account's name says it",
}
"""Settings that the code can read and no template sets, and why."""

PLATFORM_SETTINGS = {
    "AzureWebJobsStorage__credential": "the functions host needs it for a user-assigned identity",
    "APPLICATIONINSIGHTS_CONNECTION_STRING": "where the functions host sends logs to",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": "that it does so with the app's identity",
}
"""Settings that not the code reads but the platform that runs it, and why."""

PLATFORM_ROLES = {
    "Monitoring Metrics Publisher": "the functions host sends logs with the app's identity",
    "AcrPull": "the platform pulls the image with the app's identity, where the app is an image",
}
"""Roles beside those that the adapters ask for when they are refused."""

_PROBES: Mapping[object, Callable[[Any], object]] = {
    Blobs: lambda port: port.delete("any"),
    Documents: lambda port: port.find("any"),
    Intake: lambda port: port.list_blocks("any"),
    Table: lambda port: port.find("any", "any"),
    Leases: lambda port: port.is_held("any"),
}
"""For every port over the storage account, a call after which we know where it works."""

_ELSEWHERE = {"Secrets", "RemoteFolders", "PackageOpener", "Graph", "Keys", "Webhook", "Sealing", "LearningTargets"}
"""Ports that do not work on the storage account."""


class _Asked(Exception):  # noqa: N818 - no error: it ends a call once we know what was asked for
    pass


class _Recorder(StorageAccount):
    """An account that notes what it is asked for and gives nothing."""

    asked: set[tuple[str, str]]

    def container(self, name: str) -> Never:
        self._note("container", name)

    def blob(self, container: str, path: str) -> Never:  # noqa: ARG002 - the signature is StorageAccount's
        self._note("container", container)

    def queue(self, name: str) -> Never:
        self._note("queue", name)

    def table(self, name: str) -> Never:
        self._note("table", name)

    def _note(self, kind: str, name: str) -> Never:
        self.asked.add((kind, name))
        raise _Asked


class _Environment(dict[str, str]):
    """An environment that notes what it is asked for by name."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(values)
        self.asked: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - the signature is dict's
        self.asked.add(name)
        return super().get(name, default)


def app_names() -> Names:
    """Return all names that the code needs."""
    environment = _Environment({"AzureWebJobsStorage__accountName": "acme", "LMS_VAULT_URL": "https://vault.example"})
    functions = indexed_functions()
    asked = _ask_all_ports(environment)
    settings = {f"LMS_{field.upper()}" for field in Settings.model_fields} | environment.asked
    settings |= {name for each in functions.values() for name in re.findall(r"%([^%]+)%", json.dumps(each))}
    queues = {name for kind, name in asked if kind == "queue"}
    queues |= {value for name, value in vars(messages).items() if name.isupper() and isinstance(value, str)}
    queues |= {each["queueName"] for each in functions.values() if "queueName" in each}
    return Names(
        settings=frozenset((settings - NOT_IN_AZURE.keys()) | PLATFORM_SETTINGS.keys()),
        containers=frozenset(name for kind, name in asked if kind == "container"),
        queues=frozenset(queues),
        tables=frozenset(name for kind, name in asked if kind == "table"),
        roles=frozenset({*re.split(", | and ", storage_account._ROLES), key_vault._READER, *PLATFORM_ROLES}),
        triggers=frozenset(f"{name} {each['path'].partition('/')[0]}" for name, each in _by_packages(functions)),
    )


def _by_packages(functions: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return ((name, each) for name, each in functions.items() if each["type"] == "blobTrigger")


@cache
def indexed_functions() -> dict[str, dict[str, Any]]:
    """Return the trigger of every function, as Azure's worker indexes it."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.app_process", "index"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "AzureWebJobsStorage": "UseDevelopmentStorage=true"},
        capture_output=True,
        text=True,
        check=True,
    )
    return {name: bindings[0] for name, bindings in json.loads(done.stdout).items()}


def _ask_all_ports(environment: Mapping[str, str]) -> set[tuple[str, str]]:
    """Call every port of the parts that wiring makes, and return what they asked the storage account for."""
    asked: set[tuple[str, str]] = set()
    _Recorder.asked = asked
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage_account, "StorageAccount", _Recorder)
        parts = wiring.make_parts(environment)
        for name, kind in get_type_hints(Parts).items():
            if probe := _PROBES.get(kind):
                with pytest.raises(_Asked):
                    probe(getattr(parts, name))
            elif getattr(kind, "_is_protocol", False) and kind is not Messages and kind.__name__ not in _ELSEWHERE:
                pytest.fail(f"Say in _PROBES how to find out where the port {kind.__name__} works.")
    return asked
