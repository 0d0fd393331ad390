"""The end of a batch: receipts are kept, what the LMS did not take is reported, parked records stay sealed.

Safe to be called again by whoever follows a killed worker: the row is written before anything is deleted, and the
records are deleted last, because they are what tells that a batch waits.
"""

import logging
from collections.abc import Mapping, Sequence

from shared.domain.batches import Batch, Stand
from shared.domain.write_back import Fate
from shared.pipeline.parts import Parts
from shared.pipeline.write_back import report
from shared.pipeline.write_back.batches import put_batch
from shared.pipeline.write_back.outbox import Outbox, Record
from shared.pipeline.write_back.progress import Progress
from shared.pipeline.write_back.receipts import Receipts, Sent

log = logging.getLogger(__name__)

_KEPT = (Fate.DONE, Fate.AWAITS_IMPORT, Fate.REJECTED, Fate.PARKED)


def finish(
    parts: Parts,
    outbox: Outbox,
    batch: Batch,
    *,
    records: Sequence[tuple[int, Record]],
    progress: Progress,
    receipts: Receipts,
    keys: Mapping[int, tuple[bytes, bytes]],
) -> None:
    """End a batch all of whose records have met their fate; `keys` are their hashes and those of their content."""
    now = parts.clock()
    sent = {}
    for number, receipt in progress.results.items():
        if receipt.fate in _KEPT:
            digest, content = keys[number]
            sent[digest] = Sent(now, receipt.fate, receipt.code, content)
    receipts.add(sent)
    not_taken = [
        (records[number][0], receipt)
        for number, receipt in sorted(progress.results.items())
        if receipt.fate in (Fate.REJECTED, Fate.PARKED)
    ]
    report.put_not_taken(parts, batch, not_taken)
    parked = [records[number] for number, each in sorted(progress.results.items()) if each.fate is Fate.PARKED]
    if parked:
        outbox.put(outbox.parked_path(batch.stem), parked)
    ended = batch.model_copy(
        update={
            "fates": progress.fates,
            "ended_at": now,
            "grade_changes": progress.grade_changes,
            "confirmed": progress.confirmed,
            "unconfirmed": progress.unconfirmed,
        }
    )
    ended = ended.model_copy(update={"stand": Stand.DONE if ended.is_whole else Stand.PARTIAL})
    put_batch(parts, ended)
    log.info(
        "push.ended connection=%s batch=%s kind=%s stand=%s records=%d rejected=%d parked=%d",
        *(batch.connection, batch.batch_id, batch.kind, ended.stand, batch.records),
        *(ended.fates.get(Fate.REJECTED, 0), ended.fates.get(Fate.PARKED, 0)),
    )
    clear(parts, outbox, batch.stem, progress)


def clear(parts: Parts, outbox: Outbox, stem: str, progress: Progress) -> None:
    """Delete what is left in the outbox of a batch that has ended."""
    progress.delete()
    parts.outbox.delete(outbox.records_path(stem))
