"""What travels in queues: references to work, never a record."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from shared.domain.strict import Strict

COMMANDS = "commands"
MAP_LEARNERS = "map-learners"
PUSH_RECORDS = "push-records"


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


Command = Annotated[Collect | Process | Approve | Rerun | Replay | Backfill, Field(discriminator="command")]
COMMAND: TypeAdapter[Command] = TypeAdapter(Command)
