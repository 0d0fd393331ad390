"""What becomes of Checkov's report; Checkov itself runs in the workflow, since it is too large for this environment."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.infra import arm, checkov
from tests.infra.template_names import INFRA

PASSED_OVER = {"CKV_1": "a reason"}


def report(*failed: str, errors: int = 0, count: int = 3) -> dict[str, Any]:
    return {
        "summary": {"parsing_errors": errors, "resource_count": count},
        "results": {"failed_checks": [{"check_id": each, "check_name": "b", "resource": "c"} for each in failed]},
    }


def test_a_report_with_nothing_but_what_is_passed_over_is_good() -> None:
    assert list(checkov.judge(report("CKV_1"), PASSED_OVER, 3)) == []


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (report("CKV_1", errors=2), "could not read 2"),
        (report("CKV_1", count=2), "seen 2 resources, and there are 3"),
        (report("CKV_1", "CKV_2"), "CKV_2: b"),
        (report(), "CKV_1 is passed over"),
    ],
)
def test_everything_else_is_a_failure(found: dict[str, Any], told: str) -> None:
    """A file that cannot be read would otherwise be a file without findings."""
    (sentence,) = checkov.judge(found, PASSED_OVER, 3)

    assert told in sentence


def test_every_check_that_is_passed_over_has_a_reason() -> None:
    for check, why in checkov.settings()["passed_over"].items():
        assert re.fullmatch(r"CKV2?_AZURE_\d+", check)
        assert len(why) > 30


def test_templates_are_written_with_all_that_they_say(tmp_path: Path) -> None:
    written = {path.stem: json.loads(path.read_text("utf-8")) for path in arm.write_all(tmp_path)}

    assert len(written) == len({*INFRA.rglob("*.bicep")}) - 3  # names, settings and main make nothing themselves
    (account,) = (each for each in written["storage"]["resources"] if each["type"].endswith("/storageAccounts"))
    assert account["properties"]["allowSharedKeyAccess"] is False
    assert account["properties"]["minimumTlsVersion"] == "TLS1_2"
    assert account["properties"]["networkAcls"]["defaultAction"] == "[isPrivate ? 'Deny' : 'Allow']"


def test_the_workflow_runs_it() -> None:
    workflow = (INFRA.parent / ".github" / "workflows" / "ci.yml").read_text("utf-8")

    assert "python3 -m tests.infra.checkov" in workflow
