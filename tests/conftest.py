"""What all tests share: a storage emulator of their own, and no way out of this machine."""

import ipaddress
import os
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from socket import AF_INET, AF_INET6
from typing import Any

import pytest
from hypothesis import settings

from infra.local.azurite import Azurite
from infra.local.graph import GraphSimulator
from shared.adapters.storage_account import StorageAccount
from tests.company import make_directory
from tests.desk import Desk


def _refuse_to_leave(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse a connection beyond loopback, whichever Python library asks for it.

    It is no `OSError`, so that nobody takes it for a server that is down.
    """
    if event in ("socket.connect", "socket.sendto") and arguments[0].family in (AF_INET, AF_INET6):
        host = str(arguments[1][0])
        if not _is_loopback(host):
            raise AssertionError(f"A test tried to reach {host!r}.")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


sys.addaudithook(_refuse_to_leave)

# The same examples every time, so that a commit is judged by what it changes: HYPOTHESIS_PROFILE=chance looks further.
settings.register_profile("same", derandomize=True)
settings.register_profile("chance")
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """A storage emulator for the tests of this process."""
    with Azurite(tmp_path_factory.mktemp("azurite")) as emulator:
        yield emulator


@pytest.fixture(scope="session")
def account(azurite: Azurite) -> Iterator[StorageAccount]:
    """The emulator's account. Tests take containers, queues and tables of their own."""
    with closing(StorageAccount({"AzureWebJobsStorage": azurite.connection_string})) as account:
        yield account


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A connector of its own, whose Graph knows the small company's directory."""
    with GraphSimulator(tmp_path / "graph") as graph:
        make_directory(graph, tmp_path)
        desk = Desk(graph)
        yield desk
        desk.close()
