"""`lms` as an admin runs it: a program of its own, over a whole tenant and the app that works in it."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.local.generate import make_keys, write_package
from infra.local.given import Given
from infra.local.tenant import Tenant
from tests.company import ADA, BEA, FULL, PUBLISHED, betrays, full, item, make_directory, plan, rows

pytestmark = pytest.mark.slow

SECONDS = 90
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ended:
    """A program that has ended."""

    status: int
    output: str
    errors: str


def program(environment: Path) -> Callable[..., Ended]:
    def call(*words: str) -> Ended:
        done = subprocess.run(
            [sys.executable, "-m", "shared.cli", "-e", str(environment), *words],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    return call


def test_an_admin_plans_publishes_and_reads_the_reports(tmp_path: Path) -> None:
    """One row is refused, so that the sync is partial; nobody's name or id is told anywhere."""
    keys = make_keys(tmp_path / "keys", bits=2048, quick=True)
    (tmp_path / "sftp").mkdir()
    tables = full(
        PA_CPNT=[*rows()["PA_CPNT"], item(9, CPNT_LEN="long")], PA_STUD_CPNT=[*rows()["PA_STUD_CPNT"], plan(BEA, 5)]
    )
    write_package(tmp_path / "sftp" / FULL, tables, keys.public)
    with Tenant(tmp_path / "state", datetime(2026, 11, 1, 8, tzinfo=UTC)) as tenant:
        make_directory(tenant.graph, tmp_path, ADA, BEA)
        tenant.configure(
            Given(
                sftp=tmp_path / "sftp",
                private_keys=(keys.private.read_text(),),
                passphrases=(keys.passphrase.read_text(),),
            )
        )
        tenant.start_worker()
        lms = program(tenant.write_environment())

        planned = lms("dry-run")
        assert planned.status == 0, planned.errors
        assert "contents +5 ~0 off 0, assignments +6 ~0 -0, completions +1" in planned.output
        assert tenant.graph.counters().writes == 0

        done = lms("run", "--yes", "--json")
        assert done.status == 3, done.errors
        (run,) = json.loads(done.output)["runs"]
        assert run["outcome"] == "partial"
        assert tenant.graph.counters().writes == run["graph_writes"] == sum(PUBLISHED.values()) + 1

        (status,) = json.loads(lms("status", "--json").output)
        assert (status["outcome"], status["package"]) == ("partial", FULL)
        listed = json.loads(lms("runs", "--json").output)
        assert [each["dry_run"] for each in listed] == [True, False]
        again = lms("run", "--yes", "--no-wait", "--json")
        assert (again.status, list(json.loads(again.output))) == (0, ["sync_id"])

        told = [planned, done, again]
        for report, line in (("rejects", "CPNT_LEN"), ("coverage", "unmatched"), ("changes", "C-5")):
            file = tmp_path / f"{report}.csv"
            told.append(lms(report, "--csv", str(file)))
            assert told[-1].status == 0, told[-1].errors
            assert line in told[-1].output
            assert line in file.read_text("utf-8-sig")
            assert betrays(file.read_text()) == []
    assert betrays("".join(each.output + each.errors for each in told)) == []
