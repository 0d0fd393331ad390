"""An engine for the tests of the pipeline, what staging makes of a file, and a tenant to push to."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from infra.local.graph import Faults, GraphSimulator
from shared.adapters.graph import HttpxGraph
from shared.domain.messages import Stage
from shared.domain.profile import Table
from shared.pipeline.engine import Engine, engine, parquet
from shared.pipeline.reading import TextFile
from shared.pipeline.staging import Staged, Stager
from shared.ports import Secret
from tests.pipeline.push_tenant import LEARNER, NOW, UNLICENSED, FixedToken, Tenant, upsert_content

PEPPER = bytes(range(32))


def as_secret(pepper: bytes) -> Secret:
    """Keep a pepper as the vault does."""
    return Secret("1", pepper.hex(), datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture(scope="module")
def columnar() -> Iterator[Engine]:
    """An engine with the pepper set, one for all tests of a module: each staging begins with no rejects."""
    with engine(64) as created:
        created.set_pepper(as_secret(PEPPER))
        yield created


@dataclass(frozen=True)
class Result:
    """What staging came to."""

    staged: Staged
    rows: list[tuple[Any, ...]]
    """Line and values of the good rows, in their order."""
    rejects: list[tuple[int, str, str]]
    """Line, field and code, by line."""
    messages: list[str]
    """Of the rejects."""


def stage(
    columnar: Engine,
    table: Table,
    content: bytes,
    *,
    zone: str = "UTC",
    segment_bytes: int = 1000,
    chunk_bytes: int = 7,
    windows_1252: bool = False,
    settings: Mapping[str, Any] | None = None,
) -> Result:
    """Stage one file named `Some.csv` as table `SOME`, in pieces of few bytes."""
    columnar.run("drop table if exists rejects")
    stager = Stager(columnar, Path(mkdtemp(dir=columnar.folder)), zone, **(settings or {}))
    pieces = (content[at : at + chunk_bytes] for at in range(0, len(content), chunk_bytes))
    source = TextFile(pieces, segment_bytes=segment_bytes, windows_1252=windows_1252)
    staged = stager.stage("SOME", table, "Some.csv", source)
    files = [part.file for part in staged.parts]
    rows = columnar.rows(f"select * exclude (record, pk, place) from {parquet(files)} order by record") if files else []
    told = columnar.rows("select line, field, code, message from rejects where file = 'Some.csv' order by line, field")
    return Result(staged, rows, [each[:3] for each in told], [each[3] for each in told])


@pytest.fixture(scope="module")
def tenant_of_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    folder = tmp_path_factory.mktemp("graph")
    lines = ["id,employeeId,accountEnabled,userType,licensed"]
    lines += [f"{LEARNER},1,true,Member,true", f"{UNLICENSED},2,true,Member,false"]
    (folder / "users.csv").write_text("\n".join(lines))
    with GraphSimulator(folder / "state") as simulator:
        simulator.load_directory(folder / "users.csv")
        client = HttpxGraph(simulator.url, FixedToken(), timeout_seconds=10, scope="scope", clock=lambda: NOW)
        with closing(client) as graph:
            tenant = Tenant(simulator, graph, folder)
            message = tenant.plan([upsert_content(0, "C'1 / é")], Stage.CONTENTS)
            assert tenant.push(message).done
            tenant.content_id = tenant.receipts(message)[0].graph_id or ""
            yield tenant


@pytest.fixture
def tenant(tenant_of_module: Tenant) -> Iterator[Tenant]:
    yield tenant_of_module
    tenant_of_module.simulator.inject(Faults())
    assert tenant_of_module.simulator.duplicate_activities() == 0
