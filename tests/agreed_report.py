"""What scripts and people rely on in the report of a sync."""

from collections.abc import Mapping
from typing import Any

from shared.domain.package import Kind

TALLY = {"read", "published", "unchanged", "withdrawn", "parked", "ignored", "rejected"}
CLASSES = TALLY - {"read", "withdrawn"} | {"unmapped"}


def assert_adds_up(report: Mapping[str, Any]) -> None:
    """Every row of every run is accounted for exactly once."""
    for run in report["runs"]:
        for kind, counts in run["tally"].items():
            assert counts["read"] == sum(counts.get(name, 0) for name in CLASSES), (run["package"], kind, counts)
        coverage = run["coverage"]
        found = ("mapped", "unmatched", "ambiguous", "disabled")
        assert coverage["learners"] == sum(coverage[name] for name in found), coverage


def assert_shape(report: Mapping[str, Any], *, is_dry: bool) -> None:
    """Names and types are those that scripts build on."""
    assert {name: type(value) for name, value in report.items()} == {
        "outcome": str,
        "code": type(report["code"]),
        "seconds": float,
        "peak_memory_bytes": int,
        "graph": dict,
        "runs": list,
    }
    assert {name: type(value) for name, value in report["graph"].items()} == {"requests": int, "writes": int}
    for run in report["runs"]:
        texts = {"run_id": str, "package": str, "kind": str, "outcome": str, "code": type(run["code"])}
        parts = {"tally": dict, "coverage": dict, "rejects": list} | ({"changes": dict} if is_dry else {})
        assert {name: type(value) for name, value in run.items()} == texts | parts
        assert run["kind"] in set(Kind)
        assert set(run["tally"]) == {"contents", "assignments", "completions"}
        assert set(run["tally"]["contents"]) == TALLY
        assert set(run["tally"]["assignments"]) == set(run["tally"]["completions"]) == TALLY | {"unmapped"}
        assert set(run["coverage"]) == {"learners", "mapped", "unmatched", "ambiguous", "disabled", "near_miss"}
        numbers = [run["coverage"], *run["tally"].values(), *(run["changes"].values() if is_dry else ())]
        assert {type(number) for counts in numbers for number in counts.values()} == {int}
        assert {type(code) for code in (report["code"], run["code"])} <= {str, type(None)}
        for reject in run["rejects"]:
            assert set(reject) == {"file", "line", "field", "code", "message"}
