"""A batch of records for the LMS, from when it was accepted until each of them has met its fate."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from shared.domain.strict import Strict
from shared.domain.write_back import Fate


class Kind(StrEnum):
    """What a batch holds."""

    COMPLETIONS = "completions"
    COURSES = "courses"


class Source(StrEnum):
    """How a batch came in."""

    HTTP = "http"
    FILE = "file"
    QUEUE = "queue"
    REPLAY = "replay"


class Stand(StrEnum):
    """How far a batch has come."""

    SEALING = "sealing"
    """Its records are on their way into the outbox; whoever sent them has no answer yet."""
    WAITING = "waiting"
    """Its records are sealed in the outbox, or some of them have been sent."""
    PARTIAL = "partial"
    """All that could be done is done, and not every record was accepted and taken."""
    DONE = "done"


class Batch(Strict):
    """What is kept of a batch beside its sealed records; nothing about a person."""

    connection: str
    batch_id: str
    kind: Kind
    source: Source
    received_at: datetime
    digest: str
    """Of the body under a secret key, by which the same body is known again."""
    records: int = Field(ge=0)
    """That were accepted."""
    refused: int = Field(default=0, ge=0)
    """That were not."""
    stand: Stand = Stand.SEALING
    ended_at: datetime | None = None
    fates: dict[Fate, int] = Field(default={})
    """Of the accepted records, as far as they have met theirs."""
    grade_changes: int = 0
    """Completions sent before with another grade; the LMS takes no change, so they were not sent again."""
    confirmed: int = 0
    """Completions that were found in the learner's history right after they had been sent, as far as anybody looked."""
    unconfirmed: int = 0
    """Completions that the LMS said it had taken, and that were not found there right afterwards."""
    way: str = ""
    """Which way its learners are identified."""

    @property
    def stem(self) -> str:
        """Return what its paths begin with below the connection; it sorts by arrival."""
        return f"{self.received_at:%Y%m%dT%H%M%S%f}-{self.kind}-{self.batch_id}"

    @property
    def waiting(self) -> int:
        """Return how many records have not met their fate."""
        return self.records - sum(self.fates.values())

    @property
    def is_whole(self) -> bool:
        """Tell whether every record that was sent in has been taken, now or before."""
        good = sum(self.fates.get(fate, 0) for fate in (Fate.DONE, Fate.AWAITS_IMPORT, Fate.ALREADY))
        return self.refused == 0 and good == self.records
