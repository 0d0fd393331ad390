"""The files of a shard: its operations, its receipts, and what is known of former attempts.

Beside `shard-00000.ndjson.gz` stand, for the n-th attempt, `shard-00000.attempt-<n>`, written before the
first call, and `shard-00000.receipts-<n>.ndjson`; at the very end `shard-00000.done`. An attempt that ended
in order has rewritten its first file with what it left open. One that did not was killed: anything without a
receipt may have been carried out.
"""

import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.messages import PushRecords, Stage
from shared.domain.plan import Operation, Receipt
from shared.ports import Blobs


@dataclass(frozen=True, slots=True)
class Past:
    """What former attempts left."""

    attempts: int = 0
    receipts: tuple[Receipt, ...] = ()
    open_numbers: frozenset[int] | None = frozenset()
    """Operations that may have been carried out without our knowing; `None`: any that has no receipt."""
    fruitless: int = 0
    """Attempts in a row that decided nothing."""
    paused_until: datetime | None = None
    """When Graph asked to be called again, if it did and something is left to send."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One shard's place in the container `pushes`."""

    blobs: Blobs = field(repr=False)
    message: PushRecords

    @property
    def name(self) -> str:
        """Connection, run, stage and number: the same in paths and in the lease."""
        return f"{_stage(self.message.connection, self.message.run_id, self.message.stage)}/{self._number}"

    @property
    def _number(self) -> str:
        return f"{self.message.shard:05}"

    def path(self, suffix: str) -> str:
        """Path of one of the shard's files."""
        stage = _stage(self.message.connection, self.message.run_id, self.message.stage)
        return f"{stage}/shard-{self._number}.{suffix}"

    def is_done(self) -> bool:
        """Tell whether every operation has its receipt."""
        done = self.path("done")
        return done in self.blobs.list_paths(done)

    def operations(self) -> list[Operation]:
        """Read the plan; raises `FileNotFoundError` when there is none."""
        lines = gzip.decompress(self.blobs.get(self.path("ndjson.gz"))).splitlines()
        return [Operation.model_validate_json(line) for line in lines if line]

    def past(self) -> Past:
        """Read what former attempts left."""
        prefix = self.path("attempt-")
        numbers = [int(path.removeprefix(prefix)) for path in self.blobs.list_paths(prefix)]
        if not numbers:
            return Past()
        last = json.loads(self.blobs.get(f"{prefix}{max(numbers)}"))
        pause = last.get("paused_until")
        return Past(
            attempts=max(numbers),
            receipts=tuple(self._receipts()),
            open_numbers=frozenset(last["open"]) if last["ended"] else None,
            fruitless=last["fruitless"],
            paused_until=datetime.fromisoformat(pause) if pause else None,
        )

    def start(self, attempt: int, fruitless: int) -> None:
        """Say that from now on anything may have been sent."""
        self._mark(attempt, ended=False, open_numbers=(), fruitless=fruitless)

    def end(
        self,
        attempt: int,
        receipts: Sequence[Receipt],
        open_numbers: set[int],
        fruitless: int,
        paused_until: datetime | None,
    ) -> None:
        """Keep the receipts, and then say what is open: the other way round, a receipt could be lost."""
        if receipts:
            lines = (receipt.model_dump_json(exclude_defaults=True) for receipt in receipts)
            self.blobs.put(self.path(f"receipts-{attempt}.ndjson"), "\n".join(lines).encode())
        pause = paused_until.isoformat() if paused_until else None
        self._mark(attempt, ended=True, open_numbers=sorted(open_numbers), fruitless=fruitless, paused_until=pause)

    def finish(self) -> None:
        """Say that every operation has its receipt."""
        self.blobs.put(self.path("done"), b"")

    def _mark(
        self, attempt: int, *, ended: bool, open_numbers: Sequence[int], fruitless: int, paused_until: str | None = None
    ) -> None:
        state = {"ended": ended, "open": list(open_numbers), "fruitless": fruitless, "paused_until": paused_until}
        self.blobs.put(self.path(f"attempt-{attempt}"), json.dumps(state).encode())

    def _receipts(self) -> Iterator[Receipt]:
        for path in self.blobs.list_paths(self.path("receipts-")):
            for line in self.blobs.get(path).splitlines():
                yield Receipt.model_validate_json(line)


def is_stage_done(shards: Blobs, connection: str, run_id: str, stage: Stage, count: int) -> bool:
    """Tell whether each of the stage's `count` shards has a receipt for every operation."""
    wanted = {f"{_stage(connection, run_id, stage)}/shard-{number:05}.done" for number in range(count)}
    return wanted.issubset(shards.list_paths(f"{_stage(connection, run_id, stage)}/shard-"))


def _stage(connection: str, run_id: str, stage: Stage) -> str:
    return f"{connection}/{run_id}/{stage}"
