"""Accept a batch: its good records are sealed into the outbox, whoever sent it gets a place to look.

Safe to be called twice: the same idempotency key with the same body is the same batch. The row is made first and says
`sealing`; whoever is killed before it says `waiting` has given no answer, so that the sender tries again and the work
is taken up where it stopped.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from secrets import token_bytes

from shared.domain.batches import Batch, Kind, Source, Stand
from shared.domain.errors import BusyError, Code
from shared.domain.messages import PUSH_COMPLETIONS, PushCompletions
from shared.domain.write_back import Completion, Course, Refusal, WriteBack
from shared.pipeline import journal
from shared.pipeline.parts import Parts
from shared.pipeline.write_back import report
from shared.pipeline.write_back.batches import add_batch, find_batch, put_batch
from shared.pipeline.write_back.keyed import Keyed
from shared.pipeline.write_back.outbox import Outbox
from shared.pipeline.write_back.validate import BatchError, check, read_body

log = logging.getLogger(__name__)

LONGEST_KEY = 255


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the sender is told; `batch` is `None` when no record was good."""

    batch: Batch | None
    refusals: Sequence[Refusal]
    ignored: int = 0
    """Statements that say of nobody that something was completed."""


def accept_batch(
    parts: Parts, kind: Kind, body: bytes, *, source: Source, key: str | None = None, connection: str | None = None
) -> Accepted:
    """Accept a batch as it was sent in: JSON with `records`, and perhaps `connection` and `idempotency_key`.

    Raises:
        BatchError: it is refused as a whole.
        SettingsError: nothing can be accepted before somebody has changed something.
        TransientError: the same call may work later.
    """
    name, write_back = find_write_back(parts, connection)
    if len(body) > write_back.batch_bytes:
        raise BatchError(
            f"The batch has {len(body):,} bytes, and {write_back.batch_bytes:,} are the most "
            "(`write_back.batch_bytes`). Send it in parts.",
            413,
        )
    value = read_body(body)
    if connection is None and (wanted := value.get("connection")) is not None:
        name, write_back = find_write_back(parts, str(wanted))
    records = value["records"]
    if len(records) > write_back.batch_records:
        raise BatchError(
            f"The batch has {len(records):,} records, and {write_back.batch_records:,} are the most "
            "(`write_back.batch_records`). Send it in parts.",
            413,
        )
    if not records:
        raise BatchError("The batch has no records.")
    key = key or value.get("idempotency_key")
    if key is not None and not (isinstance(key, str) and 0 < len(key) <= LONGEST_KEY):
        raise BatchError(f"The idempotency key must be a text of at most {LONGEST_KEY} characters.")
    keyed = Keyed(journal.get_pepper(parts, name))
    digest = keyed.digest("batch", kind, body).hex()
    checked = check(kind, records, write_back, parts.clock())
    if not checked.records:
        log.warning("intake.refused connection=%s kind=%s records=%d", name, kind, len(records))
        return Accepted(None, checked.refusals, checked.ignored)
    batch = Batch(
        connection=name,
        batch_id=(keyed.digest("key", kind, key) if key else token_bytes(16)).hex(),
        kind=kind,
        source=source,
        received_at=parts.clock(),
        digest=digest,
        records=len(checked.records),
        refused=len(checked.refusals),
        way=write_back.identity if kind is Kind.COMPLETIONS else "",
    )
    kept = keep(parts, write_back, batch, checked.records, checked.refusals)
    return Accepted(kept, checked.refusals, checked.ignored)


def keep(
    parts: Parts,
    write_back: WriteBack,
    batch: Batch,
    records: Sequence[tuple[int, Completion | Course]],
    refusals: Sequence[Refusal],
) -> Batch:
    """Keep a batch of good records, unless it is kept already; return it as it stands.

    Raises:
        BatchError: another body has been sent under the same key.
    """
    if not add_batch(parts, batch):
        known = find_batch(parts, batch.connection, batch.batch_id)
        if known is None:
            raise BusyError("The batch was deleted a moment ago; send it again.")
        if known.digest != batch.digest:
            raise BatchError("Another batch was sent under this idempotency key before.", 409)
        if known.stand is not Stand.SEALING:
            if known.stand is Stand.WAITING:
                call(parts, batch.connection)
            return known
        batch = known
    outbox = Outbox(parts, batch.connection, write_back)
    path = outbox.records_path(batch.stem)
    outbox.put(path, records)
    report.put_refusals(parts, batch, refusals)
    newest = find_batch(parts, batch.connection, batch.batch_id)
    if newest is not None and newest.stand not in (Stand.SEALING, Stand.WAITING):
        # Somebody else was given the same batch at the same time, and it has been sent since.
        parts.outbox.delete(path)
        return newest
    batch = batch.model_copy(update={"stand": Stand.WAITING})
    put_batch(parts, batch)
    call(parts, batch.connection)
    log.info(
        "intake.accepted connection=%s batch=%s kind=%s source=%s records=%d refused=%d",
        *(batch.connection, batch.batch_id, batch.kind, batch.source, batch.records, batch.refused),
    )
    return batch


def call(parts: Parts, connection: str) -> None:
    """Have it sent."""
    parts.messages.send(PUSH_COMPLETIONS, PushCompletions(connection=connection).model_dump_json())


def find_write_back(parts: Parts, connection: str | None) -> tuple[str, WriteBack]:
    """Return the connection that is meant, and where its records go.

    Raises:
        BatchError: there is none of that name, several to choose from, or one that sends nothing.
    """
    names = [connection] if connection is not None else list(parts.connections.list_names())
    if connection is not None and parts.connections.find(connection) is None:
        raise BatchError("There is no connection of that name.", 404)
    found = [(name, settings) for name in names if (settings := _write_back(parts, name)) is not None]
    if not found:
        raise BatchError("Nothing is sent back to the LMS: `write_back` is not set.", 409, Code.WRITE_BACK_OFF)
    if len(found) > 1:
        raise BatchError(f"Say which connection is meant: there are {', '.join(name for name, _ in found)}.")
    return found[0]


def _write_back(parts: Parts, name: str) -> WriteBack | None:
    connection = journal.get_connection(parts, name)
    return connection.write_back if connection.enabled else None
