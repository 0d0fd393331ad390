"""Send one shard of a run's plan to Viva Learning, so that any number of tries has the effect of one.

Contents and updates may be sent twice. Creating an activity may not: Graph makes a second one. So a create
whose outcome is unknown (no receipt, and an attempt that was killed or not answered) is looked up by its
external id first, and what is found is taken over. Nothing sleeps: when Graph asks for a pause, the attempt
ends.
"""

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.domain.connection import Connection
from shared.domain.errors import BusyError, SettingsError
from shared.domain.messages import PUSH_RECORDS, PushRecords, Stage
from shared.domain.runs import Step
from shared.pipeline import finish_run, journal
from shared.pipeline.parts import Parts
from shared.pipeline.push_attempt import Attempt
from shared.pipeline.push_shards import Shard, is_stage_done
from shared.ports import Blobs, Graph, Leases

__all__ = ["Progress", "is_stage_done", "push_records", "push_shard"]


log = logging.getLogger(__name__)

_STEPS = {Stage.CONTENTS: Step.PUSHING_CONTENTS, Stage.ACTIVITIES: Step.PUSHING_ACTIVITIES}


def push_records(parts: Parts, message: PushRecords) -> None:
    """Send a shard; whoever ends the last one of a stage takes the run on. A late message does nothing.

    Raises:
        TransientError: the same call may work later.
    """
    run = journal.get_run(parts, message.connection, message.run_id)
    if run.step is not _STEPS[message.stage]:
        return
    try:
        progress = push_shard(
            message,
            connection=journal.get_connection(parts, message.connection),
            shards=parts.pushes,
            graph=parts.graph,
            leases=parts.leases,
            now=parts.clock(),
            look_up_first=journal.get_state(parts, message.connection).look_up_first,
        )
    except BusyError:
        log.info("push.busy connection=%s run=%s shard=%d", message.connection, message.run_id, message.shard)
        return
    except SettingsError as error:
        finish_run.fail(parts, run, error)
        return
    journal.touch(parts, run)
    if not progress.done:
        wait = (progress.not_before - parts.clock()).total_seconds() if progress.not_before else 0
        parts.messages.send(PUSH_RECORDS, message.model_dump_json(), delay_seconds=max(wait, 0))
    elif is_stage_done(parts.pushes, message.connection, message.run_id, message.stage, run.shards[message.stage]):
        finish_run.after_stage(parts, run, message.stage)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the shard has come; `not_before` says when to go on, `None` means at once."""

    done: bool
    not_before: datetime | None = None


def push_shard(
    message: PushRecords,
    *,
    connection: Connection,
    shards: Blobs,
    graph: Graph,
    leases: Leases,
    now: datetime,
    look_up_first: bool = False,
) -> Progress:
    """Send what has no receipt yet; `shards` is the container of the plan.

    Receipts are kept whatever happens. `now` is when the attempt begins. With `look_up_first` a create may have
    been carried out by an earlier run.

    Raises:
        BusyError: another worker is at this shard.
        SettingsError: Graph refuses everything until a person changes something.
        TransientError: no token could be had.
    """
    shard = Shard(shards, message)
    with leases.hold(f"push/{shard.name}"):
        if shard.is_done():
            return Progress(done=True)
        past = shard.past()
        if look_up_first and not past.attempts:
            past = replace(past, open_numbers=None)
        attempt = Attempt(shard, past, graph, connection.viva)
        if attempt.is_pending:
            with attempt.recorded(now):
                attempt.run()
        if attempt.is_pending:
            attempt.give_up_if_fruitless()
            wait = attempt.wait_seconds()
            return Progress(done=False, not_before=None if wait is None else now + timedelta(seconds=wait))
        shard.finish()
        return Progress(done=True)
