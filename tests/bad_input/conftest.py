"""A tenant in which a first full package is published, made once and copied for every test."""

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from infra.local.graph import GraphSimulator
from shared.domain.errors import Code
from tests.company import FULL, Person, Rows, betrays, files, full, make_directory, rows
from tests.desk import Desk, Sync

STORAGES = {
    *("states", "runs", "ledger", "syncs", "intake", "sealed", "records", "tables", "pushes", "reports"),
    *("directory", "directory_index"),
}


@dataclass
class Tenant:
    """A desk with its Graph, and short words for what happens to them."""

    desk: Desk
    graph: GraphSimulator
    folder: Path

    def viva(self) -> str:
        """Return all that Viva Learning shows."""
        path = self.folder / "viva.ndjson"
        self.graph.export_viva(path)
        return path.read_text(encoding="utf-8")

    def shown(self) -> Counter[str]:
        """Count what Viva Learning shows, by type."""
        return Counter(line.split('"')[3] for line in self.viva().splitlines())

    def put(self, kind: str, day: int, tables: Mapping[str, Rows | bytes | None]) -> str:
        """Put a package of that day of November into the folder, and let it be 6 o'clock there."""
        file = f"acme_{kind}_202611{day:02}000000.zip.pgp"
        packed = BytesIO()
        with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
            archive.comment = file.encode()  # sealed packages are never equal, even if they hold the same
            for name, content in files(tables).items():
                archive.writestr(name, content)
        self.desk.folder.files[file] = packed.getvalue()
        self.at(day)
        return file

    def full(self, day: int = 2, **tables: Rows | bytes | None) -> str:
        """Put a full package with the usual tables but for the named ones."""
        return self.put("F", day, {**rows(), **tables})

    def delta(self, day: int = 2, **tables: Rows | bytes | None) -> str:
        """Put a delta with just these tables."""
        return self.put("D", day, tables)

    def keys(self, day: int = 2, **tables: Rows | bytes | None) -> str:
        """Put a keys package with just these tables."""
        return self.put("K", day, {f"{name}_K": content for name, content in tables.items()})

    def at(self, day: int, hour: int = 6) -> None:
        """Let it be that time in November."""
        self.desk.now = datetime(2026, 11, day, hour, tzinfo=UTC)

    def people(self, *people: Person) -> None:
        """Change the directory."""
        make_directory(self.graph, self.folder, *people)

    @contextmanager
    def nothing_changes(self) -> Iterator[None]:
        """See that what was published stays as it is, and that nothing is even sent."""
        before = self.viva()
        self.graph.reset_counters()
        yield
        assert self.graph.counters().writes == 0
        assert self.viva() == before


def assert_told(sync: Sync, outcome: str, code: Code | None, *words: str) -> None:
    """See that an admin reads how it ended, and how to mend it, and nothing about any person."""
    assert (sync.outcome, sync.code) == (outcome, code or ""), sync
    for word in words:
        assert word in sync.message, sync.message
    assert not sync.message or sync.message.endswith("."), sync.message
    for run in sync.runs:
        assert betrays(run.model_dump_json()) == []
    assert betrays(sync.message) == []


@contextmanager
def tenant_in(folder: Path, storages: Mapping[str, Any] | None = None) -> Iterator[Tenant]:
    with GraphSimulator(folder / "graph") as graph:
        desk = Desk(graph)
        for name, storage in (storages or {}).items():
            getattr(desk.parts, name).__dict__.update(storage.__dict__)
        try:
            yield Tenant(desk, graph, folder)
        finally:
            desk.close()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Tenant]:
    """Nothing published yet, and an empty folder."""
    with tenant_in(tmp_path) as tenant:
        tenant.people()
        yield tenant


@dataclass(frozen=True)
class Published:
    """A tenant at rest."""

    folder: Path
    storages: Mapping[str, Any]


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    folder = tmp_path_factory.mktemp("published")
    with tenant_in(folder) as tenant:
        tenant.people()
        tenant.desk.drop(FULL, full())
        assert tenant.desk.sync().outcome == "done"
        parts = tenant.desk.parts
        storages = {each.name: getattr(parts, each.name) for each in fields(parts) if each.name in STORAGES}
    return Published(folder / "graph", storages)


@pytest.fixture
def tenant(published: Published, tmp_path: Path) -> Iterator[Tenant]:
    """A full package is published since the 1st of November; now it is the 2nd, and the folder is empty."""
    shutil.copytree(published.folder, tmp_path / "graph")
    # In one copy, for two of them share what they hold.
    with tenant_in(tmp_path, deepcopy(published.storages)) as tenant:
        tenant.at(2)
        yield tenant
