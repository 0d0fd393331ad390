"""Send one shard of a run's plan to Viva Learning, so that any number of tries has the effect of one.

Contents and updates may be sent twice. Creating an activity may not: Graph makes a second one. So a create
whose outcome is unknown (no receipt, and an attempt that was killed or not answered) is looked up by its
external id first, and what is found is taken over. Nothing sleeps: when Graph asks for a pause, the attempt
ends.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.connection import Connection
from shared.domain.messages import PushRecords
from shared.pipeline.push_attempt import Attempt
from shared.pipeline.push_shards import Shard, is_stage_done
from shared.ports import Blobs, Graph, Leases

__all__ = ["Progress", "is_stage_done", "push_shard"]


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
) -> Progress:
    """Send what has no receipt yet; `shards` is the container of the plan.

    Receipts are kept whatever happens. `now` is when the attempt begins.

    Raises:
        BusyError: another worker is at this shard.
        SettingsError: Graph refuses everything until a person changes something.
        TransientError: no token could be had.
    """
    shard = Shard(shards, message)
    with leases.hold(f"push/{shard.name}"):
        if shard.is_done():
            return Progress(done=True)
        attempt = Attempt(shard, shard.past(), graph, connection.viva)
        if attempt.is_pending:
            with attempt.recorded():
                attempt.run()
        if attempt.is_pending:
            wait = attempt.wait_seconds()
            return Progress(done=False, not_before=None if wait is None else now + timedelta(seconds=wait))
        shard.finish()
        return Progress(done=True)
