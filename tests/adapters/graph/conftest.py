"""The simulator of Graph, a server that misbehaves as told, and a client for either."""

from collections.abc import Iterator
from contextlib import closing
from threading import Thread

import pytest

from infra.local.graph import Faults, GraphSimulator
from shared.adapters.graph import HttpxGraph
from tests.adapters.graph.script import CountingTokens, Script, client_of


@pytest.fixture
def script() -> Iterator[Script]:
    script = Script()
    thread = Thread(target=script.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield script
    script.released.set()
    script.server.shutdown()
    script.server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphSimulator]:
    folder = tmp_path_factory.mktemp("graph")
    rows = [f"{number:08}-0000-4000-8000-000000000000,{number},true,Member,true" for number in range(1500)]
    (folder / "users.csv").write_text("\n".join(["id,employeeId,accountEnabled,userType,licensed", *rows]))
    with GraphSimulator(folder / "state") as simulator:
        simulator.load_directory(folder / "users.csv")
        yield simulator


@pytest.fixture
def tokens() -> CountingTokens:
    return CountingTokens()


@pytest.fixture
def graph(simulator: GraphSimulator, tokens: CountingTokens) -> Iterator[HttpxGraph]:
    with closing(client_of(simulator.url, tokens)) as graph:
        yield graph
    simulator.inject(Faults())


@pytest.fixture
def scripted(script: Script, tokens: CountingTokens) -> Iterator[HttpxGraph]:
    with closing(client_of(script.url, tokens)) as graph:
        yield graph
