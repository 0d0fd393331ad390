"""A large directory costs few requests: one for every 999 users on the first day, afterwards only for what changed.

Asking for each learner by name would take one request for every 15 to 20 of them, every day.
"""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import duckdb
import pytest

from infra.local.graph import GraphSimulator
from tests.company import FULL
from tests.desk import Desk

USERS = 500_000
LEARNERS = 100_000
CHANGED = 2_000
MOST_REQUESTS_FIRST = 520
"""A page holds at most 999 users, so 501 are the least."""
MOST_REQUESTS_NEXT = 30
"""Graph tells 200 changes a page."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with GraphSimulator(tmp_path / "graph") as graph:
        desk = Desk(graph)
        yield desk
        desk.close()


def write_csv(path: Path, query: str) -> bytes:
    with duckdb.connect() as engine:
        engine.execute(f"copy ({query}) to '{path}' (format csv, header)")
    return path.read_bytes()


def load_directory(graph: GraphSimulator, folder: Path, changed: int) -> None:
    """Let everybody be there; so many have been somebody else before."""
    write_csv(
        folder / "directory.csv",
        "select printf('00000000-0000-4000-8000-%012d', i) as id, "
        f"case when i < {changed} then 'new-' else 'id-' end || i as employeeId, "
        f"true as accountEnabled, 'Member' as userType, true as licensed from range({USERS}) users(i)",
    )
    graph.load_directory(folder / "directory.csv")


def package(folder: Path) -> bytes:
    """Make a full package in which every learner has one assignment."""
    tables = {
        "PV_PARTNER_STUDENT": "select 'S' || i as STUD_ID, 'id-' || i as PERSON_ID_EXTERNAL, 'N' as NOTACTIVE",
        "PA_STUD_CPNT": "select 'S' || i as STUD_ID, 'COURSE' as CPNT_TYP_ID, 'C-1' as CPNT_ID, "
        "'2025-01-01' as REV_DTE, 1 as SEQ_NUM, '2026-10-01' as ASSGN_DTE",
        "PA_CPNT": "select 'COURSE' as CPNT_TYP_ID, 'C-1' as CPNT_ID, '2025-01-01' as REV_DTE, 'One' as CPNT_TITLE",
    }
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED, compresslevel=1) as archive:
        for name, query in tables.items():
            rows = 1 if name == "PA_CPNT" else LEARNERS
            archive.writestr(f"{name}.csv", write_csv(folder / name, f"{query} from range({rows}) rows(i)"))
    return packed.getvalue()


def test_a_large_directory_is_listed_once_and_followed_afterwards(desk: Desk, tmp_path: Path) -> None:
    """Both days are planned only, so that all requests are about users."""
    graph = desk.simulator
    load_directory(graph, tmp_path, 0)
    desk.folder.files[FULL] = package(tmp_path)

    graph.reset_counters()
    (first,) = desk.sync(dry_run=True).runs
    on_first_day = graph.counters()
    load_directory(graph, tmp_path, CHANGED)
    graph.reset_counters()
    (second,) = desk.sync(dry_run=True).runs
    on_next_day = graph.counters()

    assert (first.coverage.learners, first.coverage.mapped) == (LEARNERS, LEARNERS)
    assert (second.coverage.learners, second.coverage.mapped) == (LEARNERS, LEARNERS - CHANGED)
    assert on_first_day.requests <= MOST_REQUESTS_FIRST
    assert on_next_day.requests <= MOST_REQUESTS_NEXT
    assert set(on_first_day.reads) == {"users", "delta"}
    assert set(on_next_day.reads) == {"delta"}
    assert on_first_day.items == on_next_day.items == 0
