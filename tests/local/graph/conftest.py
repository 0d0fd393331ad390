"""A tenant for every test; server and client are shared, since making them takes longer than most tests."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from infra.local.graph import Faults, GraphSimulator
from tests.local.graph.tenant import DIRECTORY, Tenant


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphSimulator]:
    with GraphSimulator(tmp_path_factory.mktemp("graph")) as simulator:
        yield simulator


@pytest.fixture(scope="session")
def client() -> Iterator[httpx.Client]:
    with httpx.Client(headers={"Authorization": "Bearer token"}, timeout=10) as client:
        yield client


@pytest.fixture
def tenant(simulator: GraphSimulator, client: httpx.Client, tmp_path: Path) -> Tenant:
    """An empty Viva Learning, the usual directory, and nothing counted or wrong."""
    with simulator._state.transaction() as db:
        for table in ("users", "removed", "contents", "activities", "payloads", "numbers"):
            db.execute(f"DELETE FROM {table}")
    simulator.inject(Faults())
    tenant = Tenant(simulator, client, tmp_path)
    tenant.load(DIRECTORY)
    simulator.reset_counters()
    return tenant
