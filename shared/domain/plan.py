"""The plan of a run: what is sent to Viva Learning, one operation a line, and what became of it.

Shards are gzipped JSON lines at `<connection>/<run>/<stage>/shard-00000.ndjson.gz` in the container `pushes`; the
receipts of a shard stand beside it as `shard-00000.receipts-<attempt>.ndjson`, one line an operation.
"""

from enum import StrEnum
from typing import Any

from pydantic import Field

from shared.domain.errors import Code
from shared.domain.strict import Strict

BATCH = 20
"""Calls in one request, the most that Graph takes."""
SHARD_SIZE = 400
"""Operations in a shard: 20 batches of 20."""


class Act(StrEnum):
    """What one operation does at Graph."""

    UPSERT_CONTENT = "upsert_content"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    ENSURE = "ensure"
    """Look whether the activity is there, and create it only when it is not."""


class Operation(Strict):
    """One change of one object.

    `key` is the external id of the content or activity. `graph_id` is Graph's id of the activity to change or
    delete. Operations on the same key stand in the same shard, a delete before the create that replaces it.
    `person` numbers the learner within the plan: when Graph refuses one operation for lack of a licence, the
    others with the same number are parked as well.
    """

    number: int
    act: Act
    key: str
    graph_id: str | None = None
    person: int | None = None
    body: dict[str, Any] | None = None


class Verdict(StrEnum):
    """What became of an operation."""

    DONE = "done"
    FOUND = "found"
    """It was there already: nothing was sent."""
    REJECTED = "rejected"
    UNLICENSED = "unlicensed"


class Receipt(Strict):
    """The outcome of one operation. An operation without a receipt has not been decided yet."""

    number: int
    act: Act
    key: str
    verdict: Verdict
    graph_id: str | None = None
    """Graph's id of the content or activity, when it was created or found."""
    code: Code | None = None
    reason: str = Field(default="", description="What Graph said, without any person in it.")
