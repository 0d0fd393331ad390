"""Runs Checkov over the templates: `python -m tests.infra.checkov`; in an environment of its own, for it is large.

Checkov's own reader of Bicep knows neither imports nor typed arrays nor lambdas, and gives up on most of these files.
So it is given what `arm.py` writes. What it cannot read counts as a failure, and so does a finding that
`checkov.json` does not pass over with a reason, and a reason that nothing needs any more.
"""

import json
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.infra import arm

FILE = Path(__file__).with_name("checkov.json")
PLACE = Path(__file__).parents[2] / ".local" / "checkov"


def settings() -> dict[str, Any]:
    """Return the version of Checkov, and which of its checks are passed over and why."""
    read: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return read


def judge(report: Mapping[str, Any], passed_over: Mapping[str, str], resource_count: int) -> Iterator[str]:
    """Yield a sentence for everything that is wrong with what Checkov reports."""
    summary = report.get("summary", report)
    if summary["parsing_errors"]:
        yield f"Checkov could not read {summary['parsing_errors']} of the files."
    if summary["resource_count"] != resource_count:
        yield f"Checkov has seen {summary['resource_count']} resources, and there are {resource_count}."
    failed = report.get("results", {}).get("failed_checks", [])
    for each in failed:
        if each["check_id"] not in passed_over:
            yield f"{each['check_id']}: {each['check_name']} ({each['resource']})."
    for unneeded in sorted(passed_over.keys() - {each["check_id"] for each in failed}):
        yield f"{unneeded} is passed over in {FILE.name}, and nothing fails it any more."


def skipped_table() -> str:
    """Return the checks that are passed over, for the documents."""
    lines = ["| Check | why it is passed over |", "| --- | --- |"]
    for check, why in settings()["passed_over"].items():
        lines.append(f"| `{check}` | {why} |")
    return "\n".join(lines)


def _command(version: str) -> Path:
    """Install Checkov where it is not yet."""
    command = PLACE / "bin" / "checkov"
    if not command.exists():
        venv.create(PLACE, with_pip=True)
        subprocess.run([PLACE / "bin" / "pip", "install", "-q", f"checkov=={version}"], check=True)
    return command


def main() -> int:
    """Run it, and print what is wrong."""
    known = settings()
    command = Path(sys.argv[1]) if len(sys.argv) > 1 else _command(known["version"])
    with TemporaryDirectory() as folder:
        files = arm.write_all(Path(folder))
        count = sum(len(json.loads(file.read_text("utf-8"))["resources"]) for file in files)
        done = subprocess.run(
            [command, "-d", folder, "--framework", "arm", "--quiet", "--output", "json", "--skip-download"],
            capture_output=True,
            text=True,
            check=False,
        )
    told = list(judge(json.loads(done.stdout), known["passed_over"], count))
    print("\n".join(told or [f"Checkov has looked at {count} resources in {len(files)} files."]))  # noqa: T201 - for people
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
