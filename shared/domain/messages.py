"""What travels in queues: references to work, never a record."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from shared.domain.strict import Strict

COMMANDS = "commands"
MAP_LEARNERS = "map-learners"
PUSH_RECORDS = "push-records"
PUSH_COMPLETIONS = "push-completions"


class Stage(StrEnum):
    """What is pushed: activities refer to contents, so contents go first."""

    CONTENTS = "contents"
    ACTIVITIES = "activities"


class MapLearners(Strict):
    """Map the learners of a run and plan the pushes of a stage."""

    connection: str
    run_id: str
    stage: Stage = Stage.CONTENTS


class PushRecords(Strict):
    """Send one shard of a run's plan."""

    connection: str
    run_id: str
    stage: Stage
    shard: int = Field(ge=0)


class PushCompletions(Strict):
    """Send what waits in the outbox of a connection to its LMS, as far as the pace allows."""

    connection: str
    due: datetime | None = None
    """The time that the message was held back for."""
    sample: int | None = Field(default=None, ge=1)
    """Send so many completions and no more, also while sending is paused."""
    replay: str | None = None
    """First take parked records back: of this batch, or of all for `*`."""


class Collect(Strict):
    """Look into the provider's folder now; `dry_run` plans the next package without publishing it."""

    command: Literal["collect"] = "collect"
    connection: str
    sync_id: str
    dry_run: bool = False


class Process(Strict):
    """Process the next package of a connection, if it is anyone's turn."""

    command: Literal["process"] = "process"
    connection: str


class Approve(Strict):
    """Let a halted run go on; `by` is who says so: the object id of an admin, or words that name nobody."""

    command: Literal["approve"] = "approve"
    connection: str
    run_id: str
    sync_id: str
    by: str = Field(default="", max_length=64, pattern=r"^[^@]*$")


class Rerun(Strict):
    """Process the latest package of a connection again."""

    command: Literal["rerun"] = "rerun"
    connection: str
    run_id: str
    sync_id: str


class Replay(Strict):
    """Send what a run left undone, now that its cause has been mended; of one record only, when it has a `key`."""

    command: Literal["replay"] = "replay"
    connection: str
    run_id: str
    sync_id: str
    """Also the id of the run that does it."""
    key: str | None = None
    """External id of a content or an activity, as it stands in the report of rejects."""


class Backfill(Strict):
    """Look for the records of some days in Viva Learning, and make anew what is missing."""

    command: Literal["backfill"] = "backfill"
    connection: str
    sync_id: str
    """Also the id of the run that does it."""
    first: date
    last: date


class ReadInbox(Strict):
    """Read the files with records for the LMS that lie in the inbox of a connection."""

    command: Literal["read_inbox"] = "read_inbox"
    connection: str


Command = Annotated[Collect | Process | Approve | Rerun | Replay | Backfill | ReadInbox, Field(discriminator="command")]
COMMAND: TypeAdapter[Command] = TypeAdapter(Command)
