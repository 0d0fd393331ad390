"""The local tenant's command line: what it accepts, what it reports and leaves behind, and a sync from end to end."""

import json
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.local.peak_memory import PeakMemory
from infra.local.report import make_report
from infra.local.sync import Ending
from shared.cli.follow import EXIT_STATUS
from shared.domain.errors import Code
from shared.domain.package import Kind
from shared.domain.runs import Outcome, Reject, Run

ROOT = Path(__file__).parents[2]
MIB = 1024 * 1024
MORNING = datetime(2026, 11, 1, 6, tzinfo=UTC)


def cli(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "infra.local", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


# Report


def test_the_report_has_the_agreed_shape() -> None:
    reject = Reject(file="PA_CPNT.csv", line=7, field="CPNT_ID", code=Code.FIELD_REQUIRED, message="Empty.")
    run = Run(
        run_id="r1",
        connection="local",
        sync_id="s1",
        package="acme_F_20261101000000.zip.pgp",
        kind=Kind.FULL,
        content_hash="h",
        sealed_path="p",
        timestamp=MORNING,
        touched_at=MORNING,
        started_at=MORNING,
        outcome=Outcome.PARTIAL,
        rejects=(reject,),
    )
    ending = Ending(Outcome.PARTIAL, None, "", (run,), 12.3456, 301, 41, 120)

    report = json.loads(json.dumps(make_report(ending)))

    assert list(report) == ["outcome", "code", "seconds", "peak_memory_bytes", "graph", "runs"]
    assert report["graph"] == {"requests": 41, "writes": 120}
    (told,) = report["runs"]
    assert list(told) == ["run_id", "package", "kind", "outcome", "code", "tally", "coverage", "rejects"]
    assert set(told["tally"]["contents"]) == {
        *("read", "published", "unchanged", "withdrawn", "parked", "ignored", "rejected")
    }
    assert set(told["tally"]["completions"]) - set(told["tally"]["contents"]) == {"unmapped"}
    assert told["rejects"][0] == {
        "file": "PA_CPNT.csv",
        "line": 7,
        "field": "CPNT_ID",
        "code": "CONN_ERROR_FIELD_REQUIRED",
        "message": "Empty.",
    }


def test_only_a_dry_run_tells_its_plan(tmp_path: Path) -> None:
    del tmp_path
    values = {"run_id": "r", "connection": "c", "sync_id": "s", "package": "p", "kind": "full"}
    moments = {"timestamp": MORNING, "touched_at": MORNING, "started_at": MORNING}
    run = Run.model_validate(
        {**values, **moments, "content_hash": "h", "sealed_path": "p", "dry_run": True, "outcome": "done"}
    )

    (told,) = make_report(Ending(Outcome.DONE, None, "", (run,)))["runs"]

    assert told["changes"] == {
        "contents": {"add": 0, "change": 0, "deactivate": 0},
        "assignments": {"add": 0, "change": 0, "withdraw": 0},
        "completions": {"add": 0},
    }


def test_every_outcome_of_a_sync_has_its_exit_status() -> None:
    """`skipped` is an outcome of runs only, and 2 means wrong usage."""
    assert set(EXIT_STATUS) == set(Outcome) - {Outcome.SKIPPED}
    assert len(set(EXIT_STATUS.values()) - {1, 2}) == len(EXIT_STATUS)


# Memory


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells")
def test_the_largest_child_counts_beside_the_process() -> None:
    hold = "x = b'x' * ({} * 1024 * 1024)\n"
    child = f"{hold.format(30)}input()"
    parent = (
        f"import subprocess, sys\n{hold.format(60)}\nsubprocess.run([sys.executable, '-c', {child!r}], stdin=sys.stdin)"
    )
    memory = PeakMemory()
    with subprocess.Popen([sys.executable, "-c", parent], stdin=subprocess.PIPE) as process:
        memory.watch(process.pid)
        while memory.bytes < 90 * MIB and process.poll() is None:
            time.sleep(0.02)
        process.communicate(b"\n")
    memory.stop()

    assert 90 * MIB <= memory.bytes < 160 * MIB


# The commands


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--set", "coverage=80"], "Did you mean coverage_minimum_percent"),
        (["--now", "2026-11-01T06:00:00"], "the offset is missing"),
        (["--dry-run", "--approve", "some-run"], "contradict"),
        (["--private-key", "/nowhere"], "does not exist"),
    ],
)
def test_wrong_usage_is_refused_before_anything_starts(arguments: list[str], words: str) -> None:
    finished = cli("sync", *arguments)

    assert finished.returncode == 2
    assert words in finished.stderr


def test_an_empty_folder_is_waiting_and_still_reported(tmp_path: Path) -> None:
    """Machines read the files whatever the outcome."""
    tmp_path.joinpath("sftp").mkdir()
    report, viva = tmp_path / "report.json", tmp_path / "viva.ndjson"
    finished = cli("sync", "--sftp", tmp_path / "sftp", "--report", report, "--viva", viva)

    assert finished.returncode == 7, finished.stderr
    assert json.loads(report.read_text())["outcome"] == "waiting"
    assert viva.read_text() == ""
    assert "Outcome: waiting" in finished.stdout


def test_nothing_outlives_a_sync_that_is_killed(tmp_path: Path) -> None:
    """Emulator and functions host end when they lose the one who started them."""
    tmp_path.joinpath("sftp").mkdir()
    state = tmp_path / "state"
    command = [sys.executable, "-m", "infra.local", "sync", "--state", str(state), "--sftp", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "starting\n"
        started = _descendants(process.pid)
        process.send_signal(signal.SIGKILL)

    assert started
    deadline = time.monotonic() + 20
    while any(_is_alive(each) for each in started):
        assert time.monotonic() < deadline, "somebody is left over"
        time.sleep(0.05)


def _descendants(process_id: int) -> list[int]:
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True)
    children: dict[int, list[int]] = {}
    for line in listed.stdout.splitlines():
        child, parent = map(int, line.split())
        children.setdefault(parent, []).append(child)
    found = [process_id]
    for each in found:
        found += children.get(each, [])
    return found[1:]


def _is_alive(process_id: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{process_id}/status").read_text()
    except OSError:
        return False
