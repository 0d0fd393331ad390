"""Connections to look at: one in good health with a sync behind it, and new ones to make ill."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from infra.local.graph import GraphSimulator
from tests.clinic import Clinic
from tests.company import full, make_directory
from tests.desk import DeskOpener


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    """One sync, then everything as it should be."""
    folder = tmp_path_factory.mktemp("healthy")
    with GraphSimulator(folder / "graph") as graph:
        make_directory(graph, folder)
        clinic = Clinic(graph)
        for_real, clinic.desk.parts = clinic.desk.parts, replace(clinic.desk.parts, opener=DeskOpener())
        clinic.desk.drop(clinic.package, full())
        assert clinic.desk.sync().outcome == "done"
        clinic.desk.parts = for_real
        yield clinic
        clinic.desk.close()


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    """A new connection: everything is there, nothing has been synced."""
    with GraphSimulator(tmp_path / "graph") as graph:
        make_directory(graph, tmp_path)
        clinic = Clinic(graph)
        yield clinic
        clinic.desk.close()
