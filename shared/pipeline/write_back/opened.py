"""A batch that waits in the outbox, opened: its records, their hashes, and how far it has come."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from shared.domain.batches import Batch, Kind, Stand
from shared.domain.errors import Code, PackageError
from shared.domain.write_back import Completion, Fate, Receipt, WriteBack
from shared.pipeline import journal
from shared.pipeline.parts import Parts
from shared.pipeline.write_back.batches import find_batch, put_batch
from shared.pipeline.write_back.finish import clear, finish
from shared.pipeline.write_back.keyed import Keyed
from shared.pipeline.write_back.outbox import Outbox, Record, batch_id_of, kind_of
from shared.pipeline.write_back.progress import Progress
from shared.pipeline.write_back.receipts import Receipts

log = logging.getLogger(__name__)

_SEALING_FOR = timedelta(minutes=10)
"""After which nobody will come back to a batch that was being sealed: what is there is sent."""
_CONTENT_BYTES = 8


@dataclass(frozen=True)
class Desk:
    """What all batches of a connection are sent with."""

    parts: Parts
    connection: str
    write_back: WriteBack

    @cached_property
    def outbox(self) -> Outbox:
        """Where they wait."""
        return Outbox(self.parts, self.connection, self.write_back)

    @cached_property
    def receipts(self) -> Receipts:
        """What was sent before."""
        return Receipts(self.parts.receipts, self.connection)

    @cached_property
    def keyed(self) -> Keyed:
        """How their records are told apart."""
        return Keyed(journal.get_pepper(self.parts, self.connection))


@dataclass(slots=True)
class Opened:
    """A batch, opened."""

    desk: Desk
    batch: Batch
    records: Sequence[tuple[int, Record]]
    progress: Progress
    keys: dict[int, tuple[bytes, bytes]]
    """By the number in the batch: the hash that tells the record apart, and that of what may change of it."""

    @property
    def pending(self) -> list[int]:
        """Return the numbers of records that have not met their fate."""
        return [number for number in range(len(self.records)) if number not in self.progress.results]

    def finish(self) -> None:
        """End the batch: every record has met its fate."""
        desk = self.desk
        finish(
            desk.parts,
            desk.outbox,
            self.batch,
            records=self.records,
            progress=self.progress,
            receipts=desk.receipts,
            keys=self.keys,
        )


def open_batch(desk: Desk, stem: str) -> Opened | None:
    """Open a batch that waits; `None` when there is nothing to be sent of it now. What is left of one is deleted.

    Raises:
        SettingsError: the key that it was sealed with is gone.
    """
    parts = desk.parts
    batch = find_batch(parts, desk.connection, batch_id_of(stem))
    if batch is None or batch.stem != stem or batch.stand in (Stand.DONE, Stand.PARTIAL):
        clear(parts, desk.outbox, stem, _progress(desk, stem))
        return None
    if batch.stand is Stand.SEALING and parts.clock() - batch.received_at < _SEALING_FOR:
        return None
    try:
        return _opened(desk, batch)
    except FileNotFoundError:
        return None
    except PackageError as error:
        _give_up(desk, batch, _progress(desk, stem), error)
        return None


def read_batch(desk: Desk, stem: str) -> Opened | None:
    """Open a batch that waits only to look at it; raises like `open_batch`."""
    batch = find_batch(desk.parts, desk.connection, batch_id_of(stem))
    if batch is None or batch.stand is not Stand.WAITING:
        return None
    try:
        return _opened(desk, batch)
    except (FileNotFoundError, PackageError):
        return None


def _opened(desk: Desk, batch: Batch) -> Opened:
    records = desk.outbox.get(desk.outbox.records_path(batch.stem), kind_of(batch.stem))
    keys = {number: _keys(desk.keyed, record) for number, (_, record) in enumerate(records)}
    return Opened(desk, batch, records, _progress(desk, batch.stem), keys)


def _progress(desk: Desk, stem: str) -> Progress:
    return Progress(desk.parts.outbox, f"{desk.connection}/waiting/{stem}")


def _give_up(desk: Desk, batch: Batch, progress: Progress, error: PackageError) -> None:
    """End a batch that cannot be opened any more: nobody can mend it, and others wait behind it."""
    log.error("push.damaged connection=%s batch=%s reason=%s", desk.connection, batch.batch_id, error)
    fates = {**progress.fates, Fate.REJECTED: batch.records - sum(progress.fates.values())}
    ended_at = desk.parts.clock()
    put_batch(desk.parts, batch.model_copy(update={"stand": Stand.PARTIAL, "fates": fates, "ended_at": ended_at}))
    clear(desk.parts, desk.outbox, batch.stem, progress)


def _keys(keyed: Keyed, record: Record) -> tuple[bytes, bytes]:
    if isinstance(record, Completion):
        digest = keyed.of_completion(record)
        # Under the hash of the record: equal grades of two people are not seen to be equal.
        return digest, keyed.digest("grade", digest, record.grade or "", str(record.passed))[:_CONTENT_BYTES]
    digest = keyed.digest(Kind.COURSES, record.course_id)
    return digest, keyed.digest("course", record.model_dump_json())[:_CONTENT_BYTES]


ALREADY = Receipt(fate=Fate.ALREADY)
UNKNOWN_OUTCOME = Receipt(
    fate=Fate.PARKED,
    code=Code.LMS_UNREACHABLE,
    reason="It may have been recorded without an answer, and the LMS cannot be asked.",
)
