"""What it takes to send a plan to Viva Learning, as far as that can be told beforehand."""

from dataclasses import dataclass
from typing import Self

from shared.domain.plan import BATCH, SHARD_SIZE


@dataclass(frozen=True, slots=True)
class Cost:
    """Requests to Graph and objects written, when nothing has to be sent twice.

    What is asked of the directory stands apart: it is asked before anything is planned.
    """

    requests: int = 0
    writes: int = 0

    @classmethod
    def of(cls, *, deletes: int, others: int, batched: bool) -> Self:
        """Return the cost of operations that are cut into shards together.

        In a shard, deletes go first, in batches of their own. How they are spread over the shards is not known yet.
        """
        writes = deletes + others
        if not batched:
            return cls(writes, writes)
        mixed = -(-writes // SHARD_SIZE) - 1 if deletes and others else 0
        return cls(min(-(-deletes // BATCH) - (-others // BATCH) + mixed, writes), writes)

    def __add__(self, other: Self) -> "Cost":
        return Cost(self.requests + other.requests, self.writes + other.writes)
