"""Connections to look at: one in good health with a sync behind it, and new ones to make ill."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.clinic import Clinic, open_clinic
from tests.company import full
from tests.desk import DeskOpener


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    """One sync, then everything as it should be."""
    with open_clinic(tmp_path_factory.mktemp("healthy")) as clinic:
        for_real, clinic.desk.parts = clinic.desk.parts, replace(clinic.desk.parts, opener=DeskOpener())
        clinic.desk.drop(clinic.package, full())
        assert clinic.desk.sync().outcome == "done"
        clinic.desk.parts = for_real
        yield clinic


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    """A new connection: everything is there, nothing has been synced."""
    with open_clinic(tmp_path) as clinic:
        yield clinic
