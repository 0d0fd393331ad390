"""Whether the storage account can be read and written.

One blob and one row of the doctor's own are written and deleted again, and one hidden message is sent and taken back.
"""

from collections import Counter
from collections.abc import Iterator
from secrets import token_hex

from shared.domain.messages import COMMANDS
from shared.pipeline import keep_poison
from shared.pipeline.doctor.check import About, Check, Exam
from shared.pipeline.parts import Parts

PLACE = "doctor"
_MEND = (
    "Storage answered, but not with what was written. See in the portal that the account is in order, and run "
    "`lms doctor` again."
)


def examine_storage(parts: Parts) -> Iterator[Check]:
    """Check blobs, tables and queues, and whether messages were put aside."""
    yield _begin("blob storage").attempt(lambda: _blobs(parts))
    yield _begin("table storage").attempt(lambda: _tables(parts))
    yield _begin("queue storage").attempt(lambda: _queues(parts))
    yield Exam("messages put aside", About.APP).attempt(lambda: _poison(parts))


def _begin(name: str) -> Exam:
    return Exam(name, About.YOU)


def _blobs(parts: Parts) -> Check:
    exam, path, content = _begin("blob storage"), f"{PLACE}/{token_hex(8)}", token_hex(8).encode()
    parts.reports.put(path, content)
    try:
        if parts.reports.get(path) != content:
            return exam.failed("A blob was read back with another content.", _MEND)
    finally:
        parts.reports.delete(path)
    return exam.passed("A blob was written, read and deleted in `reports`.")


def _tables(parts: Parts) -> Check:
    exam, key = _begin("table storage"), token_hex(8)
    parts.ledger.put(PLACE, key, {"probe": key})
    try:
        if parts.ledger.find(PLACE, key) != {"probe": key}:
            return exam.failed("A row was read back with another content.", _MEND)
    finally:
        parts.ledger.delete(PLACE, key)
    return exam.passed("A row was written, read and deleted in `ledger`.")


def _queues(parts: Parts) -> Check:
    waiting = parts.messages.probe(COMMANDS)
    exam = _begin("queue storage")
    return exam.passed(f"A hidden message was sent and taken back; {waiting} messages wait in `{COMMANDS}`.")


def _poison(parts: Parts) -> Check:
    exam = Exam("messages put aside", About.APP)
    waiting = Counter(each.queue for each in keep_poison.list_poison(parts) if each.replayed_at is None)
    if waiting:
        told = ", ".join(f"{count} of `{queue}`" for queue, count in sorted(waiting.items()))
        return exam.warned(
            f"Messages failed in every try and were put aside: {told}.",
            "See why with `lms poison`, mend the cause, and put them back with `lms replay --queue`.",
        )
    return exam.passed("No message is put aside.")
