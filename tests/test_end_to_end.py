"""The whole connector in a whole tenant: storage, queues, SFTP, vault and Graph, each behind its own port.

What must come of the packages is told by the reference, which shares no code with the connector.
"""

import csv
import io
import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from infra.local.generate import KeyFiles, Kind, Options, generate, make_keys
from infra.local.given import Given
from infra.local.graph.state import State
from infra.local.report import make_report
from infra.local.sync import run_sync
from infra.local.tenant import Tenant
from infra.local.usage import UsageError
from shared.adapters.openpgp import open_with
from shared.cli.follow import EXIT_STATUS
from shared.ports import Secret
from tests.agreed_report import assert_adds_up, assert_shape
from tests.reference import Package, Reference, User, difference, read_viva

pytestmark = pytest.mark.slow

SYNC_SECONDS = 60


@dataclass(frozen=True)
class Synced:
    """What a sync left behind."""

    status: int
    report: dict[str, Any]
    viva: list[str]
    output: str

    @property
    def writes(self) -> int:
        return int(self.report["graph"]["writes"])

    @property
    def run(self) -> dict[str, Any]:
        (run,) = self.report["runs"]
        return dict(run)


@dataclass(frozen=True)
class Days:
    """Three days: a full package, a delta with its keys, and one more that is planned, halted and approved."""

    packages: tuple[Package, ...]
    directory: tuple[User, ...]
    first: Synced
    second: Synced
    same_again: Synced
    planned: Synced
    halted: Synced
    approved: Synced
    state: Path
    private_key: Path

    @property
    def all(self) -> tuple[Synced, ...]:
        return (self.first, self.second, self.same_again, self.planned, self.halted, self.approved)


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Days:
    folder = tmp_path_factory.mktemp("days")
    keys = make_keys(folder / "keys", bits=2048, quick=True)
    sftp, state = folder / "sftp", folder / "state"
    sftp.mkdir()

    def arrive(number: int, kind: Kind) -> Package:
        """Let the packages of a day come, and read the main one by other means."""
        options = Options(
            day=date(2026, 11, 1) + timedelta(days=number),
            kinds=(kind,),
            learners=60,
            items=30,
            assignments=300,
            completions=150,
            key=keys.public,
            directory=folder / "directory.csv",
        )
        generated = generate(folder / str(number), options)
        for path in generated.packages:
            shutil.copy(path, sftp)
        tables = [read_package(path, keys) for path in generated.packages]
        stamp = generated.packages[0].name.split("_")[2].split(".")[0]
        own_keys = {name.removesuffix("_K"): rows for name, rows in tables[1].items()} if len(tables) > 1 else None
        return Package("full" if kind is Kind.FULL else "delta", stamp, tables[0], own_keys)

    report, viva = folder / "report.json", folder / "viva.ndjson"

    def sync(number: int, *arguments: object) -> Synced:
        now = morning(number).isoformat()
        words = ["sync", "--state", state, "--now", now, "--report", report, "--viva", viva, *arguments]
        done = subprocess.run(
            [sys.executable, "-m", "infra.local", *map(str, words)],
            cwd=Path(__file__).parents[1],
            capture_output=True,
            text=True,
            check=False,
            timeout=SYNC_SECONDS,
        )
        assert report.exists(), done.stderr
        return Synced(done.returncode, json.loads(report.read_text()), viva.read_text().splitlines(), done.stdout)

    def look(tenant: Tenant, number: int, *, dry_run: bool = False) -> Synced:
        """Do the same without a command line, which takes its time."""
        tenant.now = morning(number)
        ending = run_sync(tenant, dry_run=dry_run, timeout_seconds=SYNC_SECONDS)
        tenant.export_viva(viva)
        told = json.loads(json.dumps(make_report(ending)))
        return Synced(EXIT_STATUS[ending.outcome], told, viva.read_text().splitlines(), "")

    packages = [arrive(0, Kind.FULL)]
    directory = tuple(read_directory(folder / "directory.csv"))
    first = sync(
        0,
        *("--sftp", sftp, "--private-key", keys.private, "--passphrase-file", keys.passphrase),
        *("--directory", folder / "directory.csv"),
    )
    packages.append(arrive(1, Kind.DELTA))
    second = sync(1, "--sftp", sftp)
    packages.append(arrive(2, Kind.DELTA))
    with Tenant(state) as tenant:
        with pytest.raises(UsageError, match="is in use"), Tenant(state):
            pass
        tenant.configure(Given())
        same_again = look(tenant, 1)
        tenant.configure(Given(sftp=sftp))
        planned = look(tenant, 2, dry_run=True)
    halted = sync(2, "--set", "coverage_minimum_percent=100")
    return Days(
        packages=tuple(packages),
        directory=directory,
        first=first,
        second=second,
        same_again=same_again,
        planned=planned,
        halted=halted,
        approved=sync(2, "--approve", halted.run["run_id"]),
        state=state,
        private_key=keys.private,
    )


def morning(number: int) -> datetime:
    return datetime(2026, 11, 1 + number, 8, tzinfo=UTC)


def read_package(path: Path, keys: KeyFiles) -> dict[str, list[dict[str, str]]]:
    """Open a package, and read its files by table."""
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    secrets = [[Secret("1", file.read_text(), moment)] for file in (keys.private, keys.passphrase)]
    with (
        path.open("rb") as file,
        open_with("sequoia").open(file, secrets[0], secrets[1], require_signature=False) as opened,
        ZipFile(io.BytesIO(b"".join(opened.chunks()))) as archive,
    ):
        return {
            name.removesuffix(".csv"): list(csv.DictReader(io.StringIO(archive.read(name).decode(), newline="")))
            for name in archive.namelist()
        }


def read_directory(file: Path) -> list[User]:
    with file.open(encoding="utf-8", newline="") as text:
        return [
            User(
                row["id"],
                row["employeeId"],
                row["accountEnabled"] == "true",
                row["userType"],
                row["licensed"] == "true",
            )
            for row in csv.DictReader(text)
        ]


def test_exit_status_report_and_output_tell_the_same(days: Days) -> None:
    assert [(each.status, each.report["outcome"], each.report["code"]) for each in days.all] == [
        (0, "done", None),
        (0, "done", None),
        (0, "done", None),
        (0, "done", None),
        (6, "halted", "CONN_ERROR_COVERAGE_BELOW_MINIMUM"),
        (0, "done", None),
    ]
    by_command = [each for each in days.all if each.output]
    assert len(by_command) == 4
    assert all(f"Outcome: {each.report['outcome']}" in each.output for each in by_command)


def test_every_report_has_the_agreed_shape_and_adds_up(days: Days) -> None:
    for each in days.all:
        assert_shape(each.report, is_dry=each is days.planned)
        assert_adds_up(each.report)
        assert each.report["seconds"] > 0
        assert each.report["peak_memory_bytes"] > 0
    assert [[run["kind"] for run in each.report["runs"]] for each in days.all] == [
        ["full"],
        ["delta"],
        [],
        ["delta"],
        ["delta"],
        ["delta"],
    ]


def test_viva_shows_what_the_packages_mean_after_every_day(days: Days) -> None:
    """The last of the three was halted first; approved, it comes to the same."""
    reference = Reference({})
    for package, synced in zip(days.packages, (days.first, days.second, days.approved), strict=True):
        expected = reference.apply(package, days.directory, morning(2))

        assert difference(expected.viva, read_viva(synced.viva)) == ""
        assert synced.run["tally"] == expected.tally
        assert expected.coverage is not None
        assert synced.run["coverage"] == {name: getattr(expected.coverage, name) for name in synced.run["coverage"]}


def test_a_first_sync_writes_everything_once(days: Days) -> None:
    assert days.first.writes == len(days.first.viva) > 200


def test_the_private_key_is_kept_by_the_vault_alone(days: Days) -> None:
    """Keys are copied into the local tenant's vault, never into its storage."""
    secret = days.private_key.read_bytes().splitlines()[5]

    def holders(folder: str) -> list[Path]:
        return [path for path in (days.state / folder).rglob("*") if path.is_file() and secret in path.read_bytes()]

    assert holders("simulators")
    assert holders("storage") == []


def test_the_same_folder_again_writes_nothing(days: Days) -> None:
    assert (days.same_again.writes, days.same_again.report["runs"]) == (0, [])
    assert days.same_again.viva == days.second.viva


def test_a_plan_writes_nothing_and_is_what_happens_then(days: Days) -> None:
    """Counted in what Viva Learning shows before and after."""
    assert days.planned.writes == days.halted.writes == 0
    assert days.planned.viva == days.halted.viva == days.second.viva
    assert days.planned.run["changes"] == happened(days.second.viva, days.approved.viva)


def happened(before: list[str], after: list[str]) -> dict[str, dict[str, int]]:
    """Count what was added, changed and taken away, in the words of a plan."""
    objects = [{key_of(json.loads(line)): json.loads(line) for line in lines} for lines in (before, after)]
    added = Counter(kind for kind, key in objects[1].keys() - objects[0].keys())
    gone = Counter(kind for kind, key in objects[0].keys() - objects[1].keys())
    kept = objects[0].keys() & objects[1].keys()
    changed = [(each[0], objects[0][each], objects[1][each]) for each in kept if objects[0][each] != objects[1][each]]
    switched_off = sum(
        kind == "learningContent" and old["isActive"] and not new["isActive"] for kind, old, new in changed
    )
    changes = Counter(kind for kind, _, _ in changed)
    return {
        "contents": {
            "add": added["learningContent"],
            "change": changes["learningContent"] - switched_off,
            "deactivate": switched_off,
        },
        "assignments": {
            "add": added["learningAssignment"],
            "change": changes["learningAssignment"],
            "withdraw": gone["learningAssignment"],
        },
        "completions": {"add": added["learningSelfInitiatedCourse"]},
    }


def key_of(held: Mapping[str, Any]) -> tuple[str, str]:
    return held["_type"], held.get("externalcourseActivityId") or held["externalId"]


def test_graph_refused_no_body_of_these_days(days: Days) -> None:
    state = State(days.state / "simulators" / "graph")
    payloads = list(state.payloads())
    state.close()

    assert len(payloads) > days.first.writes
    assert [each for each in payloads if not each.accepted] == []
