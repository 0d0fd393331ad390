"""Messages that failed as often as the host tries: kept with their reason, listed, and put back once.

The host moves them into poison queues, where they would be gone after seven days and nobody would know. They hold
references only. A body that is none of our messages could be anything, so that it is not kept, only told of.
"""

import json
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from pydantic import ValidationError

from shared.domain.errors import Code, SettingsError
from shared.domain.messages import (
    COMMAND,
    COMMANDS,
    MAP_LEARNERS,
    PUSH_COMPLETIONS,
    PUSH_RECORDS,
    MapLearners,
    Process,
    PushCompletions,
    PushRecords,
    ReadInbox,
)
from shared.domain.runs import ATTEMPTS, Outcome, Step
from shared.domain.strict import Strict
from shared.pipeline import journal
from shared.pipeline.parts import Parts

log = logging.getLogger(__name__)

PACKAGES = "webjobs-blobtrigger"
"""Where the host puts what it could not hand to `process_package` or `read_inbox`, with `-poison` behind it."""
QUEUES = (COMMANDS, MAP_LEARNERS, PUSH_RECORDS, PUSH_COMPLETIONS, PACKAGES)
KEPT_FOR = timedelta(days=90)
"""How long one that was put back is still listed."""

_PARTITION = "messages"
_BY_CONTAINER: Mapping[str, type[Process | ReadInbox]] = {"sealed": Process, "inbox": ReadInbox}
"""What is asked for instead of handing a blob over again."""


class Poison(Strict):
    """A message that was put aside."""

    message: str
    """Its id, as `lms poison` shows it."""
    queue: str
    """Where it came from, and where it is put back."""
    connection: str = ""
    run_id: str = ""
    body: str = ""
    """References only; empty when it is none of our messages."""
    first_seen: datetime
    """When the host put it aside."""
    attempts: int = ATTEMPTS
    code: str = ""
    reason: str = ""
    """As far as anybody noted it."""
    replayed_at: datetime | None = None


def keep_poison(parts: Parts, queue: str, message_id: str, body: bytes, first_seen: datetime | None) -> None:
    """Keep a message from a queue's poison queue; one that is delivered twice is kept once.

    Raises:
        TransientError: the same call may work later.
    """
    if parts.poison.find(_PARTITION, message_id) is not None:
        return
    kept = Poison(message=message_id, queue=queue, first_seen=first_seen or parts.clock())
    try:
        kept = _understood(kept, body)
    except (ValidationError, ValueError, KeyError, TypeError):
        reason = "It is none of the connector's messages: it was put into the queue by somebody else, or cut off."
        kept = kept.model_copy(update={"reason": reason, "code": Code.UNEXPECTED.value})
    else:
        kept = kept.model_copy(update=_last_failure(parts, kept))
    _put(parts, kept)
    log.error("poison.kept connection=%s queue=%s message=%s code=%s", kept.connection, queue, message_id, kept.code)


def list_poison(parts: Parts) -> list[Poison]:
    """Return all that are kept, the oldest first."""
    rows = parts.poison.list_rows(_PARTITION)
    return sorted((_from_row(key, row) for key, row in rows), key=lambda each: (each.first_seen, each.message))


def replay_message(parts: Parts, message_id: str) -> Poison:
    """Put a message back into its queue, unless that was done before; return how it stands then.

    Raises:
        BusyError: somebody else is at it.
        SettingsError: there is no such message, or it is none of ours.
    """
    with parts.leases.hold(f"poison/{message_id}"):
        row = parts.poison.find(_PARTITION, message_id)
        if row is None:
            raise SettingsError(f"There is no message {message_id!r}; see `lms poison`.", Code.SETTINGS_INVALID)
        kept = _from_row(message_id, row)
        if kept.replayed_at is not None:
            return kept
        if not kept.body:
            raise SettingsError(
                f"The message {message_id} is none of the connector's, so that it would only fail again. Whatever it "
                "was meant to do, ask for it with `lms`.",
                Code.SETTINGS_INVALID,
            )
        # In this order: sent twice does nothing twice, and not sent would be lost.
        parts.messages.send(COMMANDS if kept.queue == PACKAGES else kept.queue, kept.body)
        kept = kept.model_copy(update={"replayed_at": parts.clock()})
        _put(parts, kept)
    log.info("poison.replayed connection=%s queue=%s message=%s", kept.connection, kept.queue, message_id)
    return kept


def replayable(parts: Parts, queue: str) -> list[Poison]:
    """Return the messages of a queue that wait to be put back.

    Raises:
        SettingsError: there is no such queue.
    """
    name = queue.removesuffix("-poison")
    if name not in QUEUES:
        raise SettingsError(f"There is no queue {queue!r}; there are {', '.join(QUEUES)}.", Code.SETTINGS_INVALID)
    return [each for each in list_poison(parts) if each.queue == name and each.replayed_at is None and each.body]


def forget_replayed(parts: Parts) -> None:
    """Delete what was put back long ago."""
    for each in list_poison(parts):
        if each.replayed_at is not None and parts.clock() - each.replayed_at > KEPT_FOR:
            parts.leases.forget(f"poison/{each.message}")
            parts.poison.delete(_PARTITION, each.message)


def _understood(kept: Poison, body: bytes) -> Poison:
    """Return it with what the message says; raise one of several errors when it is none of ours."""
    message: Strict
    if kept.queue == PACKAGES:
        blob = json.loads(body)
        container, path = blob["ContainerName"], blob["BlobName"]
        message = _BY_CONTAINER[container](connection=path.split("/")[0])
    elif kept.queue == COMMANDS:
        message = COMMAND.validate_json(body)
    elif kept.queue == PUSH_COMPLETIONS:
        message = PushCompletions.model_validate_json(body)
    elif kept.queue == MAP_LEARNERS:
        message = MapLearners.model_validate_json(body)
    else:
        message = PushRecords.model_validate_json(body)
    values = {
        "body": message.model_dump_json(),
        "connection": getattr(message, "connection", ""),
        "run_id": getattr(message, "run_id", ""),
    }
    return kept.model_copy(update=values)


def _last_failure(parts: Parts, kept: Poison) -> dict[str, str]:
    """Return what was last noted about the run, or else about the connection's sync."""
    state = journal.get_state(parts, kept.connection)
    run = journal.find_run(parts, kept.connection, kept.run_id or state.open_run or "")
    if run is not None and run.code is not None:
        return {"code": run.code, "reason": run.message}
    if run is not None and run.step is not Step.ENDED:
        return {"reason": f"The run stands at {run.step.replace('_', ' ')}. The app's log says what failed."}
    if state.sync is not None and state.sync.outcome is Outcome.FAILED:
        return {"code": state.sync.code or "", "reason": state.sync.message}
    return {"reason": "Nothing was noted. The app's log says what failed."}


def _put(parts: Parts, kept: Poison) -> None:
    row = kept.model_dump(mode="json", exclude={"message"})
    parts.poison.put(_PARTITION, kept.message, {key: "" if value is None else value for key, value in row.items()})


def _from_row(key: str, row: dict[str, object]) -> Poison:
    return Poison.model_validate({**row, "message": key, "replayed_at": row["replayed_at"] or None})
