"""Parked records, sent again once their cause has been mended: they become a batch of their own."""

import logging

from shared.domain.batches import Batch, Source, Stand
from shared.domain.errors import PackageError
from shared.pipeline.write_back.batches import add_batch, find_batch, put_batch
from shared.pipeline.write_back.opened import Desk
from shared.pipeline.write_back.outbox import batch_id_of, kind_of

log = logging.getLogger(__name__)

ALL = "*"


def take_back(desk: Desk, which: str) -> int:
    """Let the parked records of a batch wait again, or those of all batches for `*`; return how many batches had any.

    Safe to be called twice: the new batch's id follows from the old one's.
    """
    count = 0
    for stem in desk.outbox.parked_stems():
        if which in (ALL, batch_id_of(stem)):
            _take_back(desk, stem)
            count += 1
    return count


def _take_back(desk: Desk, stem: str) -> None:
    parts, outbox = desk.parts, desk.outbox
    path = outbox.parked_path(stem)
    try:
        records = outbox.get(path, kind_of(stem))
    except PackageError as error:
        log.error("push.damaged connection=%s batch=%s reason=%s", desk.connection, batch_id_of(stem), error)  # noqa: TRY400 - the traceback tells no more
        parts.outbox.delete(path)
        return
    old = find_batch(parts, desk.connection, batch_id_of(stem))
    digest = desk.keyed.digest("replay", batch_id_of(stem)).hex()
    batch = Batch(
        connection=desk.connection,
        batch_id=digest,
        kind=kind_of(stem),
        source=Source.REPLAY,
        received_at=parts.clock(),
        digest=digest,
        records=len(records),
        way=old.way if old else "",
    )
    if not add_batch(parts, batch):
        batch = find_batch(parts, desk.connection, batch.batch_id) or batch
    if batch.stand is Stand.SEALING:
        outbox.put(outbox.records_path(batch.stem), records)
        put_batch(parts, batch.model_copy(update={"stand": Stand.WAITING}))
    parts.outbox.delete(path)
    log.info("push.replayed connection=%s batch=%s records=%d", desk.connection, batch.batch_id, len(records))
