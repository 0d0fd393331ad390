"""`make bench`: that it still runs, and what its result looks like. No time is asserted; `claims.py` judges them."""

import io
import json
import subprocess
import sys
import tempfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from shared.adapters.gnupg import stop_agent
from tests.bench import claims, plot, publish, report, stages
from tests.bench.data import Sizes, find
from tests.bench.peers.naive_plan import Pipeline
from tests.bench.peers.naive_rows import Assignment
from tests.bench.result import Claim, Figures, Peer, Records, Result, Sync
from tests.local.generate.reader import run_gpg

ROOT = Path(__file__).parents[1]
FUNCTIONS = {path.stem for path in (ROOT / "functions").glob("*.py")} - {"__init__"}


def bench(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.bench", "--folder", str(folder), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_benchmark_measures_every_stage_and_stays_small(tmp_path: Path) -> None:
    """A benchmark nobody runs is broken on the day it is needed."""
    done = bench(tmp_path, "--rows", "2000", "--learners", "100", "--without-peers")
    assert done.returncode == 0, done.stdout + done.stderr

    result: dict[str, Any] = json.loads((tmp_path / "result.json").read_text())
    measured = result["sync"]["stages"]
    sizes = result["sizes"]
    claimed = {claim["topic"]: claim for claim in result["claims"]}

    assert sizes == {"rows": 2000, "completions": 200, "learners": 100, "items": 40}
    assert {"collect", "process", "map", "decrypt to change set", "fetch to change set", "sync"} <= set(measured)
    assert all(isinstance(figure, int | float) for stage in measured.values() for figure in stage.values())
    assert result["chain"]["rows"] >= measured["sync"]["rows"] > sizes["rows"] + sizes["completions"]
    assert {imported["function"] for imported in result["imports"]} == FUNCTIONS | {"the app"}
    assert [claim["topic"] for claim in result["claims"] if claim["judged"]] == [
        "objects sent by a second full package of the same tables",
        "peak memory of the worker and all of its descendants",
    ]
    assert result["statements"]["count"] == sizes["rows"]
    assert claimed["xAPI statements checked in a minute, by one process"]["figure"] > 0
    assert result["again"]["first_writes"] > sizes["rows"] / 2
    assert claimed["time of that second sync to the first"]["figure"] > 0
    assert claimed["processor time to the bare chain's"]["figure"] > 0
    assert {file.suffix for file in tmp_path.glob("result.*")} == {".json", ".png", ".svg"}
    assert {"the connector", "the bare chain", "importing"} <= set(result["took"])
    assert list(tmp_path.glob("state-*")) == []
    assert Records.model_validate(result["sync"]["records"]) == naive_records(tmp_path)


def naive_records(folder: Path) -> Records:
    """What the naive pipeline makes of the package: a peer that does less than the connector proves nothing."""
    data = find(folder / Sizes.of(2000, learners=100).name)
    assert data is not None
    # The agent's socket must have a short path.
    with tempfile.TemporaryDirectory(prefix="gpg-", dir="/tmp") as home:
        run_gpg(Path(home), data.keys, "--import", str(data.keys.private))
        clear = run_gpg(Path(home), data.keys, "--decrypt", str(data.package))
        stop_agent(Path(home))
    with zipfile.ZipFile(io.BytesIO(clear)) as archive:
        pipeline = Pipeline(archive, io.StringIO())
        pipeline.run(data.folder / "directory.csv")
    return Records.model_validate(pipeline.counts)


ASSIGNMENT = dict.fromkeys(Assignment.model_fields, "") | {
    "STUD_ID": "U1",
    "CPNT_TYP_ID": "COURSE",
    "CPNT_ID": "C-1",
    "REV_DTE": "2026-01-01",
    "SEQ_NUM": "1",
}


@pytest.mark.parametrize("deadline", ["", " 2026-12-31 ", "2026-12-31T23:59:59+00:00", "1798761599000"])
def test_the_naive_pipeline_reads_what_the_connector_reads(deadline: str) -> None:
    read = Assignment.model_validate(ASSIGNMENT | {"REQ_DTE": deadline}).REQ_DTE

    assert read == (datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC) if deadline else None)


@pytest.mark.parametrize("wrong", [{"REQ_DTE": "31.12.2026"}, {"LST_UPD_TSTMP": "20261101"}, {"CPNT_ID": " "}])
def test_the_naive_pipeline_refuses_what_the_connector_refuses(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Assignment.model_validate(ASSIGNMENT | wrong)


def test_a_wrong_size_is_a_usage_error(tmp_path: Path) -> None:
    """And nothing is begun for it."""
    done = bench(tmp_path, "--rows", "0")

    assert (done.returncode, list(tmp_path.iterdir())) == (2, [])


def test_the_same_figures_make_the_same_plot(tmp_path: Path) -> None:
    """So that publishing a run again changes nothing."""
    result = Result.model_validate_json(publish.FILE.read_text("utf-8"))
    files = tmp_path / "first.svg", tmp_path / "second.svg"

    for file in files:
        plot.draw(result, file)

    assert files[0].read_bytes() == files[1].read_bytes()
    assert b"<dc:date>" not in files[0].read_bytes()


def test_a_figure_beyond_its_bound_is_missed_where_it_can_be_judged() -> None:
    """What could not be measured proves nothing, and is no reason to fail: a peer may be missing."""
    slow = Claim(topic="time", figure=3.0, unit="x", at_most=2.5)
    small = slow.model_copy(update={"judged": False})
    good = Claim(topic="less time", figure=6.0, unit="x", at_least=6.0)

    assert (slow.missed, small.missed, small.holds, good.missed) == (True, False, False, False)


def test_the_bench_judges_how_long_it_took_itself() -> None:
    """Nobody runs one that takes long; one without peers is another."""
    result = Result.model_validate_json(publish.FILE.read_text("utf-8"))
    quick, slow = (result.model_copy(update={"took": {"chain": 60.0, "peers": each}}) for each in (840.0, 846.0))

    own = [[c for c in claims.make(each) if c.unit == "min"] for each in (quick, slow)]
    without_peers = claims.make(slow.model_copy(update={"peers": ()}))

    assert [(c.figure, c.at_most, c.missed) for (c,) in own] == [(15.0, 15, False), (15.1, 15, True)]
    assert not [c for c in without_peers if c.unit == "min"]


def test_what_was_measured_twice_counts_in_the_mean() -> None:
    before = Figures(rows=1_000_000, text_bytes=1, seconds=2.0, cpu_seconds=4.0, peak_memory_bytes=7)
    after = before.model_copy(update={"seconds": 3.0, "cpu_seconds": 5.0, "peak_memory_bytes": 6})

    mean = before.mean(after)

    assert (mean.seconds, mean.cpu_seconds, mean.peak_memory_bytes) == (2.5, 4.5, 7)
    assert (mean.rows_per_second, mean.cpu_microseconds_per_row) == (400_000, 4.5)
    first, second = (
        Sync(package_bytes=1, outcome="done", stages={"map": figures}, waiting_seconds=1.0)
        for figures in (before, after)
    )
    assert first.mean(second).stages == {"map": mean}


def test_a_peer_that_cannot_be_had_is_named_with_the_reason() -> None:
    """Left out, it would look as if nobody had thought of it."""
    result = Result.model_validate_json(publish.FILE.read_text("utf-8"))
    peer = Peer(name="Singer tap-sftp", how="sync", reason="not installed: no such version")
    result = result.model_copy(update={"peers": (peer,)})

    assert ("Singer tap-sftp", "not installed: no such version") in report.rows_of(result)
    assert [claim.figure for claim in claims.make(result) if "Singer" in claim.topic] == [None, None]


def test_who_only_reads_is_judged_by_all_that_is_done() -> None:
    """To map people and find what has changed is work that no peer does; without it there is a figure, and no bound."""
    result = Result.model_validate_json(publish.FILE.read_text("utf-8"))
    tables, whole = (result.sync.stages[stage] for stage in (stages.TABLES, stages.FETCHED))
    figures = whole.model_copy(update={"cpu_seconds": 9 * whole.cpu_seconds, "seconds": 30 * whole.seconds})
    peer = Peer(name="Airbyte", how="read", figures=figures)

    made = claims.make(result.model_copy(update={"peers": (peer,)}))

    found = [(claim.figure, claim.at_least, claim.missed) for claim in made if "Airbyte" in claim.topic]
    alone = round(9 * whole.cpu_seconds / tables.cpu_seconds, 2)
    assert found == [(9.0, 10.0, True), (30.0, 10.0, False), (alone, None, False)]
