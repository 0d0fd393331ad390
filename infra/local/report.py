"""What a sync tells machines: the JSON report."""

import json
from pathlib import Path
from typing import Any

from infra.local.sync import Ending
from shared.domain.runs import Outcome, Run


def write_report(path: Path, ending: Ending) -> None:
    """Write the report of a sync."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(make_report(ending), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def make_report(ending: Ending) -> dict[str, Any]:
    """Return the report as a JSON value."""
    return {
        "outcome": ending.outcome,
        "code": ending.code,
        "seconds": round(ending.seconds, 3),
        "peak_memory_bytes": ending.peak_memory_bytes,
        "graph": {"requests": ending.requests, "writes": ending.writes},
        "runs": [_run(run) for run in ending.runs],
    }


def _run(run: Run) -> dict[str, Any]:
    told = {
        "run_id": run.run_id,
        "package": run.package,
        "kind": run.kind,
        # A run that its sync has left half done has failed as far as anybody can tell now.
        "outcome": run.outcome or Outcome.FAILED,
        "code": run.code,
        "tally": run.tally.model_dump(mode="json"),
        "coverage": run.coverage.model_dump(mode="json", exclude={"near_by_rules", "by_rules", "by_rule"}),
        "rejects": [reject.model_dump(mode="json") for reject in run.rejects],
    }
    return {**told, "changes": run.changes.model_dump(mode="json")} if run.dry_run else told
