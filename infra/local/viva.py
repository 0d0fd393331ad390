"""What Viva Learning holds, as it was exported."""

import json
from collections import Counter
from pathlib import Path

_NAMES = {
    "learningContent": "contents",
    "learningAssignment": "assignments",
    "learningSelfInitiatedCourse": "completions without an assignment",
}


def counted(export: Path) -> dict[str, int]:
    """Count the objects of an export, in words; assignments by whether they are completed."""
    counts: Counter[str] = Counter()
    with export.open(encoding="utf-8") as lines:
        for line in lines:
            held = json.loads(line)
            name = _NAMES.get(held["_type"], held["_type"])
            if held["_type"] == "learningAssignment":
                name = f"{'completed' if held['status'] == 'completed' else 'open'} {name}"
            counts[name] += 1
    return dict(counts)
