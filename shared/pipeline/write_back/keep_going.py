"""What the sweeper does for records on their way to the LMS: wake what stands still, delete what is past its time."""

import logging
from datetime import datetime, timedelta

from shared.domain.batches import Stand
from shared.domain.errors import SettingsError
from shared.domain.messages import COMMANDS, ReadInbox
from shared.domain.write_back import WriteBack
from shared.pipeline import journal
from shared.pipeline.parts import Parts
from shared.pipeline.write_back import inbox_marks
from shared.pipeline.write_back.accept import call
from shared.pipeline.write_back.batches import list_batches
from shared.pipeline.write_back.outbox import Outbox
from shared.pipeline.write_back.pace import get_standing
from shared.pipeline.write_back.push import lease_of
from shared.pipeline.write_back.read_inbox import has_news
from shared.pipeline.write_back.receipts import Receipts

log = logging.getLogger(__name__)

_LATE = timedelta(minutes=5)
"""How late the message may be that goes on."""


def wake(parts: Parts, connection: str) -> None:
    """See that somebody goes on with what waits; harmless when somebody is at it."""
    write_back = _write_back(parts, connection)
    if write_back is None:
        return
    if has_news(parts, connection, write_back):
        parts.messages.send(COMMANDS, ReadInbox(connection=connection).model_dump_json())
    if write_back.paused or not Outbox(parts, connection, write_back).stems():
        return
    due = get_standing(parts, connection).due
    if (due is None or parts.clock() - due > _LATE) and not parts.leases.is_held(lease_of(connection)):
        log.warning("sweep.wakes connection=%s outbox", connection)
        call(parts, connection)


def expire(parts: Parts, connection: str) -> None:
    """Delete batches, reports, parked records and receipts that are past their time."""
    write_back = _write_back(parts, connection)
    if write_back is None:
        return
    now = parts.clock()
    outbox = Outbox(parts, connection, write_back)
    for stem in outbox.parked_stems():
        if _arrived(stem, now) < now - timedelta(days=write_back.parked_retention_days):
            parts.outbox.delete(outbox.parked_path(stem))
    reports_since = now - timedelta(days=journal.get_connection(parts, connection).report_retention_days)
    for path in list(parts.reports.list_paths(f"{connection}/push-")):
        if _arrived(path.split("/")[1].removeprefix("push-"), now) < reports_since:
            parts.reports.delete(path)
    for batch in list_batches(parts, connection):
        # One that is still being sealed after so long is one that its sender has given up.
        if batch.stand is not Stand.WAITING and (batch.ended_at or batch.received_at) < reports_since:
            parts.batches.delete(connection, batch.batch_id)
    inbox_marks.forget(parts, connection, reports_since)
    Receipts(parts.receipts, connection).forget(now - timedelta(days=write_back.receipt_retention_days))


def _arrived(stem: str, now: datetime) -> datetime:
    return datetime.strptime(stem.split("-", maxsplit=1)[0], "%Y%m%dT%H%M%S%f").replace(tzinfo=now.tzinfo)


def _write_back(parts: Parts, connection: str) -> WriteBack | None:
    try:
        found = journal.get_connection(parts, connection)
    except SettingsError:
        return None
    return found.write_back if found.enabled else None
