"""Whether the users in Entra have the employee ids by which learners are found; counted, and never shown."""

import json
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from shared.pipeline import directory
from shared.pipeline.doctor.check import Check, Patient
from shared.pipeline.engine import Engine, parquet

_PAGES = 20
"""Of users that are looked at while there is no index: more would take minutes."""
_SHARE_WARNS_PERCENT = 50
_MEND = (
    "Provision employeeId from SuccessFactors; which way depends on where your people come from (the six scenarios). "
    "Accounts of services and rooms need none."
)


@dataclass(frozen=True, slots=True)
class _Counts:
    members: int
    """Enabled ones."""
    with_id: int
    shared: int
    """Employee ids that several enabled members have."""


def examine_directory(patient: Patient) -> Iterator[Check]:
    """Check how many enabled members have an employee id, and how many share one."""
    yield patient.app("directory coverage").attempt(lambda: _coverage(patient))


def _coverage(patient: Patient) -> Check:
    exam = patient.app("directory coverage")
    if not patient.connection.learner_sync:
        return exam.skipped("Learner sync is off: no user is asked for.")
    document = patient.parts.directory_index.find("index")
    if document:
        index = directory.Index.model_validate(document.value)
        counts = _count_index(patient, index)
        seen = f"as the app saw them at {index.refreshed_at:%Y-%m-%d %H:%M}"
    else:
        counts, whole = _count_users(patient)
        seen = "" if whole else f"of the first {_PAGES * directory.PAGE_SIZE:,} users"
    if not counts.members:
        return exam.failed("There is no enabled member in Entra.", _MEND)
    percent = 100 * counts.with_id / counts.members
    told = f"{counts.with_id:,} of {counts.members:,} enabled members ({percent:.1f} %) have an employeeId"
    told = f"{told}, {seen}." if seen else f"{told}."
    if not counts.with_id:
        return exam.failed(told, _MEND)
    if counts.shared:
        return exam.warned(
            f"{told} {counts.shared:,} ids are shared by several; nothing is sent for their learners.",
            "Give every enabled member an employeeId of its own; `lms coverage` names the learners by their runs.",
        )
    return exam.warned(told, _MEND) if percent < _SHARE_WARNS_PERCENT else exam.passed(told)


def _count_index(patient: Patient, index: directory.Index) -> _Counts:
    with TemporaryDirectory(prefix="lms-") as folder:
        local = directory.local_copy(patient.parts.directory, index.path, Path(folder) / "index.parquet")
        engine = Engine(Path(folder), patient.parts.memory_mb)
        try:
            rows = engine.rows(
                "select coalesce(sum(n), 0), coalesce(sum(n) filter (exact is not null), 0), "
                "count(*) filter (exact is not null and n > 1) from "
                f"(select exact, count(*) as n from {parquet([local])} where enabled and member group by exact)"
            )
        finally:
            engine.close()
    return _Counts(*(int(each) for each in rows[0]))


def _count_users(patient: Patient) -> tuple[_Counts, bool]:
    """Count what Graph lists, and tell whether that was everybody; ids stay in memory for as long as it takes."""
    ids: Counter[str] = Counter()
    members = 0
    pages = 0
    url = f"/users?$select=id,employeeId,accountEnabled,userType&$top={directory.PAGE_SIZE}"
    for page, _ in patient.parts.graph.pages(url):
        pages += 1
        if pages > _PAGES:
            break
        for user in json.loads(page).get("value", ()):
            if user.get("accountEnabled") and user.get("userType") != "Guest":
                members += 1
                if found := _normal(user):
                    ids[found] += 1
    counts = _Counts(members, ids.total(), sum(count > 1 for count in ids.values()))
    return counts, pages <= _PAGES


def _normal(user: dict[str, Any]) -> str:
    return unicodedata.normalize("NFC", str(user.get("employeeId") or "").strip()).casefold()
