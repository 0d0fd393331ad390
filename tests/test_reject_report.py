"""The reject report against a slow reference: row by row, reason by reason, on packages full of seeded faults."""

import csv
import io
import logging
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from infra.local.graph import GraphSimulator
from shared.domain.runs import Run
from shared.pipeline.rejects import FIRST
from tests.company import full, make_directory
from tests.desk import NAME, Desk
from tests.reference.faults import FaultyPackage, make_packages
from tests.reference.rows import TABLES, ReadFile, Reject, read_file

COUNTED = {"PA_CPNT": "contents", "PA_STUD_CPNT": "assignments", "PA_CPNT_EVTHST": "completions"}
ZONES = ("UTC", "Europe/Berlin", "America/New_York")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Nothing is published yet, and nothing is too much to be rejected."""
    with GraphSimulator(tmp_path / "graph") as graph:
        desk = Desk(graph, {"reject_limit_percent": 100, "keys_wait_hours": 0})
        make_directory(graph, tmp_path)
        yield desk
        desk.close()


def test_the_report_is_that_of_a_slow_reference(desk: Desk, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """On some hundred faults; the large corpus has another seed."""
    compare(desk, make_packages(20261122, faults=400, fulls=1), tmp_path, caplog)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_report_is_that_of_a_slow_reference_on_100_000_faults(
    desk: Desk, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    packages = make_packages(1, faults=100_000, fulls=7, wide=True)

    assert sum(package.faults for package in packages) == 100_000
    compare(desk, packages, tmp_path, caplog)


def compare(desk: Desk, packages: list[FaultyPackage], folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Look at one package after the other, as if to publish it, and at what is said of it."""
    caplog.set_level(logging.INFO, "shared.pipeline.process_package")
    for number, package in enumerate(packages):
        files = [read_file(path, content) for path, content in package.files.items()]
        keys = [read_file(path, content) for path, content in package.keys.items()]
        if package.keys:
            publish_something(desk)
        desk.set(source_time_zone=ZONES[number % len(ZONES)])
        caplog.clear()

        run = look(desk, package)

        expected = sorted(reject for read in (*files, *keys) for reject in read.rejects)
        found = report_of(desk, run)
        if sorted(found) != expected:  # pytest would compare lists of this length for minutes
            pytest.fail(difference(found, expected))
        assert [place(each) for each in found] == [place(each) for each in expected]
        first = [Reject(each.file, each.line, each.field, each.code, each.message) for each in run.rejects]
        assert [place(each) for each in first] == [place(each) for each in expected[:FIRST]]
        assert not Counter(first) - Counter(expected)
        assert run.reject_count == len(expected)
        assert_counted(run, {read.table: read for read in files}, caplog.text)
        if not package.keys:
            assert_kept(desk, run, files, folder)


def look(desk: Desk, package: FaultyPackage) -> Run:
    """Have a package processed and planned, but not published: it stays new, and the next one is newer."""
    desk.now += timedelta(days=1)
    desk.folder.files.clear()
    kind = "D" if package.keys else "F"
    file = f"acme_{kind}_{desk.now:%Y%m%d}000000.zip.pgp"
    desk.drop(file, package.files)
    if package.keys:
        desk.drop(f"acme_K_{desk.now:%Y%m%d}000000.zip.pgp", package.keys)
    sync = desk.sync(dry_run=True)
    (run,) = sync.runs
    assert (run.package, run.outcome) == (file, "done"), (run.code, run.message)
    return run


def publish_something(desk: Desk) -> None:
    """Publish a small full package, so that a delta may come."""
    desk.now += timedelta(days=1)
    desk.drop(f"acme_F_{desk.now:%Y%m%d}000000.zip.pgp", full())
    assert desk.sync().outcome == "done"


def report_of(desk: Desk, run: Run) -> list[Reject]:
    """Read the report as it was written."""
    report = desk.reports.content[f"{NAME}/{run.run_id}/rejects.csv"].decode("utf-8-sig")
    return [
        Reject(row["file"], int(row["line"]), row["field"], row["code"], row["message"])
        for row in csv.DictReader(io.StringIO(report, newline=""))
    ]


def place(reject: Reject) -> tuple[str, int, str]:
    """By what rejects are put in order; records whose ends are no newlines may share a line."""
    return reject.file, reject.line, reject.field


def difference(found: list[Reject], expected: list[Reject]) -> str:
    """Show where two reports differ first."""
    more, less = Counter(found) - Counter(expected), Counter(expected) - Counter(found)
    lines = [f"+ {each}" for each in sorted(more)[:10]] + [f"- {each}" for each in sorted(less)[:10]]
    told = "\n".join(sorted(lines, key=lambda line: line[2:]))
    return f"{more.total()} too many, {less.total()} too few, of {len(expected)}:\n{told}"


def assert_counted(run: Run, read: Mapping[str, ReadFile], log: str) -> None:
    """See that rows read and rejected are counted table by table, and all together."""
    for table, kind in COUNTED.items():
        counts = run.tally.model_dump()[kind]
        assert (table, counts["read"]) == (table, read[table].rows)
        assert (table, counts["rejected"]) == (table, len(read[table].rejects))
    total = re.search(r"package.committed .*rows=(\d+) rejected=(\d+)", log)
    assert total
    assert (int(total[1]), int(total[2])) == (sum(each.rows for each in read.values()), run.reject_count)


def assert_kept(desk: Desk, run: Run, files: list[ReadFile], folder: Path) -> None:
    """See that every good row of a full package is in its table, by the texts of its key that are kept."""
    for read in files:
        columns = TABLES[read.table]["columns"]
        key = [name for name in columns if columns[name].get("key")]
        kept_key = [name for name in key if columns[name].get("kept", True)]
        shown = [name for name in kept_key if columns[name].get("type", "text") == "text"]
        of_keys = {tuple(row[name] for name in key): row for row in read.good}
        expected = Counter(tuple(row[name] or None for name in shown) for row in of_keys.values())

        parts: list[Path] = []
        for path in desk.parts.tables.list_paths(f"{NAME}/{run.run_id}/"):
            if f"/{read.table}." in path or f"/{read.table}/" in path:
                parts.append(folder / f"{len(parts)}.parquet")
                parts[-1].write_bytes(desk.parts.tables.get(path))
        kept = duckdb.read_parquet([str(part) for part in parts])
        found = Counter(row[1:] for row in kept.project(", ".join(["1", *shown])).fetchall())

        assert found.total() == len(of_keys), read.table
        assert found == expected, (read.table, (found - expected).most_common(5), (expected - found).most_common(5))
