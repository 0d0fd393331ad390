"""The connector's HTTP interface, without HTTP: what is answered to a request, as a status, headers and JSON."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.domain.batches import Batch, Kind, Source
from shared.domain.errors import BusyError, Code, ConnectorError, SettingsError, TransientError
from shared.domain.write_back import Refusal
from shared.pipeline.parts import Parts
from shared.pipeline.write_back.accept import Accepted, accept_batch
from shared.pipeline.write_back.batches import find_batch
from shared.pipeline.write_back.progress import with_progress
from shared.pipeline.write_back.validate import BatchError

log = logging.getLogger(__name__)

KEY_HEADER = "idempotency-key"
REFUSALS_TOLD = 100
"""Of one batch; all of them are in its report."""
_RETRY_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)
    media: str = "application/json"

    @property
    def text(self) -> str:
        """The body as JSON."""
        return json.dumps(self.body, ensure_ascii=False)


def post_batch(parts: Parts, kind: Kind, body: bytes, headers: Mapping[str, str], query: Mapping[str, str]) -> Reply:
    """Answer to a batch that was posted: 202 with a place to look, or why it was not accepted."""
    key = {name.lower(): value for name, value in headers.items()}.get(KEY_HEADER)
    try:
        accepted = accept_batch(parts, kind, body, source=Source.HTTP, key=key, connection=query.get("connection"))
    except BatchError as error:
        return _failed(error.status, error)
    except SettingsError as error:
        log.error("intake.failed kind=%s code=%s reason=%s", kind, error.code, error)  # noqa: TRY400 - it says it all
        return _failed(500, error)
    except (TransientError, BusyError) as error:
        log.warning("intake.later kind=%s code=%s reason=%s", kind, error.code, error)
        return _failed(503, error, {"Retry-After": str(_RETRY_SECONDS)})
    return _accepted(accepted)


def get_batch(parts: Parts, batch_id: str) -> Reply:
    """Answer how a batch stands."""
    for name in parts.connections.list_names():
        batch = find_batch(parts, name, batch_id)
        if batch is not None:
            return Reply(200, describe(with_progress(parts.outbox, batch)))
    return _failed(404, BatchError("There is no such batch, or it was too long ago.", 404))


def describe(batch: Batch) -> dict[str, Any]:
    """Return a batch as the interface tells it."""
    return {
        "batch": batch.batch_id,
        "connection": batch.connection,
        "kind": batch.kind,
        "state": batch.stand,
        "received_at": batch.received_at.isoformat(),
        "ended_at": batch.ended_at.isoformat() if batch.ended_at else None,
        "records": batch.records,
        "refused": batch.refused,
        "waiting": batch.waiting,
        "fates": batch.fates,
        "grade_changes": batch.grade_changes,
        "confirmed": batch.confirmed,
        "unconfirmed": batch.unconfirmed,
    }


def _accepted(accepted: Accepted) -> Reply:
    refusals = [_told(each) for each in accepted.refusals[:REFUSALS_TOLD]]
    if accepted.batch is None and not accepted.refusals:
        return Reply(200, {"accepted": 0, "refused": 0, "ignored": accepted.ignored, "refusals": []})
    if accepted.batch is None:
        count = len(accepted.refusals)
        error = {"code": Code.BATCH_INVALID, "message": f"None of the {count:,} records can be accepted."}
        return Reply(422, {"error": error, "accepted": 0, "refused": count, "refusals": refusals})
    look = f"/api/batches/{accepted.batch.batch_id}"
    body = {
        "batch": accepted.batch.batch_id,
        "accepted": accepted.batch.records,
        "refused": accepted.batch.refused,
        "ignored": accepted.ignored,
        "refusals": refusals,
        "look": look,
    }
    return Reply(202, body, {"Location": look})


def _told(refusal: Refusal) -> dict[str, Any]:
    return {"record": refusal.line, "path": refusal.path, "code": refusal.code, "message": refusal.message}


def _failed(status: int, error: ConnectorError, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, {"error": {"code": error.code or Code.UNEXPECTED, "message": str(error)}}, headers or {})
