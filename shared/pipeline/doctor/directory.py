"""Whether the users in Entra have the ids by which learners are found; counted, and never shown."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from secrets import token_hex

from shared.domain.connection import Connection
from shared.domain.matching import EMPLOYEE_ID, bits_of
from shared.pipeline import directory
from shared.pipeline.doctor.check import Check, Patient
from shared.pipeline.engine import Engine, engine, parquet
from shared.pipeline.person_keys import key_under
from shared.ports import Secret

_PAGES = 20
"""Of users that are looked at while there is no index: more would take minutes."""
_SHARE_WARNS_PERCENT = 50
SCENARIOS = "the six scenarios"
"""What a check speaks of when the table of them helps."""
_MEND = (
    f"Provision employeeId from SuccessFactors; which way depends on where your people come from ({SCENARIOS}). "
    "Accounts of services and rooms need none."
)
_MEND_OTHER = (
    "Fill it in with PERSON_ID_EXTERNAL, or let directory_attribute name the one that holds it. Accounts of services "
    "and rooms need none."
)


@dataclass(frozen=True, slots=True)
class _Counts:
    members: int
    """Enabled ones."""
    with_id: int
    shared: int
    """Ids that several enabled members have, under the rules of the connection."""


def examine_directory(patient: Patient) -> Iterator[Check]:
    """Check how many enabled members have an id, and how many share one."""
    yield patient.app("directory coverage").attempt(lambda: _coverage(patient))


def _coverage(patient: Patient) -> Check:
    exam = patient.app("directory coverage")
    if not patient.connection.learner_sync:
        return exam.skipped("Learner sync is off: no user is asked for.")
    attribute = patient.connection.directory_attribute
    mend = _MEND if attribute == EMPLOYEE_ID else _MEND_OTHER
    document = patient.parts.directory_index.find("index")
    index = directory.Index.model_validate(document.value) if document else None
    if index and index.attribute == attribute:
        counts = _count_index(patient, index)
        seen = f"as the app saw them at {index.refreshed_at:%Y-%m-%d %H:%M}"
    else:
        counts, whole = _count_users(patient)
        seen = "" if whole else f"of the first {_PAGES * directory.PAGE_SIZE:,} users"
    if not counts.members:
        return exam.failed("There is no enabled member in Entra.", mend)
    article = "an" if attribute[0] in "aeio" else "a"
    percent = 100 * counts.with_id / counts.members
    told = f"{counts.with_id:,} of {counts.members:,} enabled members ({percent:.1f} %) have {article} {attribute}"
    told = f"{told}, {seen}." if seen else f"{told}."
    if not counts.with_id:
        return exam.failed(told, mend)
    if counts.shared:
        return exam.warned(
            f"{told} {counts.shared:,} ids are shared by several; nothing is sent for their learners.",
            f"Give every enabled member {article} {attribute} of its own; `lms coverage` names the learners by their "
            "runs.",
        )
    return exam.warned(told, mend) if percent < _SHARE_WARNS_PERCENT else exam.passed(told)


def _count_index(patient: Patient, index: directory.Index) -> _Counts:
    with engine(patient.parts.memory_mb) as columnar:
        local = patient.parts.directory.get_file(index.path, columnar.folder / "index.parquet")
        return _count(columnar, parquet([local]), patient.connection)


def _count_users(patient: Patient) -> tuple[_Counts, bool]:
    """Count what Graph lists, and tell whether that was everybody."""
    asked = directory.Asked(patient.connection.directory_attribute, ())
    pages = (page for page, _ in patient.parts.graph.pages(asked.listing))
    with engine(patient.parts.memory_mb) as columnar:
        # Whatever keys the hashes: they are compared with one another here, and gone afterwards.
        columnar.set_pepper(Secret("", token_hex(32), patient.now))
        directory.read_users(columnar, islice(pages, _PAGES), asked)
        return _count(columnar, "users", patient.connection), next(pages, None) is None


def _count(columnar: Engine, users: str, connection: Connection) -> _Counts:
    key = key_under(bits_of(connection.person_id_rules), "exact", "forms")
    rows = columnar.rows(
        "select coalesce(sum(n), 0), coalesce(sum(n) filter (key is not null), 0), "
        "count(*) filter (key is not null and n > 1) from "
        f"(select {key} as key, count(*) as n from {users} where enabled and member group by all)"
    )
    return _Counts(*(int(each) for each in rows[0]))
