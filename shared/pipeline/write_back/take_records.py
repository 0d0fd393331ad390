"""Records that other software puts into the queue `records-in`: a batch a message, as it would be posted.

The message says beside `records` which `kind` they are. One that nobody can accept as it stands is told of in the log
and gone: it would not be better in a second try, and holds people's data that must not rest here.
"""

import logging
from collections.abc import Mapping
from typing import Any

from shared.domain.batches import Kind, Source
from shared.pipeline.parts import Parts
from shared.pipeline.write_back.accept import accept_batch
from shared.pipeline.write_back.validate import BatchError, read_body

log = logging.getLogger(__name__)


def take_records(parts: Parts, message_id: str, body: bytes) -> None:
    """Accept a message; one that is delivered twice is accepted once.

    Raises:
        SettingsError: nothing can be accepted before somebody has changed something.
        TransientError: the same call may work later.
    """
    try:
        value = read_body(body)
        key = None if value.get("idempotency_key") else f"message {message_id}"
        accepted = accept_batch(parts, _kind(value), body, source=Source.QUEUE, key=key)
    except BatchError as error:
        log.error("intake.refused message=%s code=%s reason=%s", message_id, error.code, error)  # noqa: TRY400 - it says it all
        return
    if accepted.batch is None:
        log.error("intake.refused message=%s records=%d", message_id, len(accepted.refusals))


def _kind(value: Mapping[str, Any]) -> Kind:
    try:
        return Kind(value["kind"])
    except (KeyError, ValueError):
        raise BatchError(f"The message must say its `kind`: {' or '.join(Kind)}.") from None
