"""`make bench`: that it still runs, and what its result looks like. Its times are for people; none is asserted."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
FUNCTIONS = {"collect_packages", "map_learners", "process_package", "push_records", "run_commands", "sweep"}


def bench(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.bench", "--folder", str(folder), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_benchmark_measures_every_stage_and_stays_small(tmp_path: Path) -> None:
    """A benchmark nobody runs is broken on the day it is needed."""
    done = bench(tmp_path, "--rows", "2000", "--learners", "100")
    assert done.returncode == 0, done.stdout + done.stderr

    result: dict[str, Any] = json.loads((tmp_path / "result.json").read_text())
    stages = {stage.pop("name"): stage for stage in result["stages"]}
    sizes = result["sizes"]

    assert sizes == {"rows": 2000, "completions": 500, "learners": 100, "items": 20}
    assert list(stages) == ["collect", "process", "map", "sync", "bare chain"]
    assert all(isinstance(figure, int | float) for stage in stages.values() for figure in stage.values())
    assert {imported["function"] for imported in result["imports"]} == FUNCTIONS | {"the app"}
    assert result["rows"] >= sizes["rows"] + sizes["completions"] + sizes["learners"]
    assert isinstance(result["waiting_seconds"], float)
    assert result["within_limit"] is (0 < result["peak_memory_bytes"] < result["limit_bytes"])
    assert [file.name for file in tmp_path.glob("state-*")] == []


def test_a_wrong_size_is_a_usage_error(tmp_path: Path) -> None:
    """And nothing is begun for it."""
    done = bench(tmp_path, "--rows", "0")

    assert (done.returncode, list(tmp_path.iterdir())) == (2, [])
