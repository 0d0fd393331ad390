"""What is remembered of batches: rows of the table `batches`, a partition a connection."""

from collections.abc import Mapping
from typing import Any

from shared.domain.batches import Batch
from shared.pipeline.parts import Parts
from shared.pipeline.write_back.inbox_marks import is_mark


def find_batch(parts: Parts, connection: str, batch_id: str) -> Batch | None:
    """Return a batch, or `None`."""
    row = parts.batches.find(connection, batch_id)
    return None if row is None or is_mark(batch_id) else _batch(connection, batch_id, row)


def add_batch(parts: Parts, batch: Batch) -> bool:
    """Keep a new batch; false when there is one of that id."""
    return parts.batches.add(batch.connection, batch.batch_id, _row(batch))


def put_batch(parts: Parts, batch: Batch) -> None:
    """Keep how a batch stands now."""
    parts.batches.put(batch.connection, batch.batch_id, _row(batch))


def list_batches(parts: Parts, connection: str) -> list[Batch]:
    """Return all batches that are remembered, the one that came last first."""
    rows = parts.batches.list_rows(connection)
    found = [_batch(connection, key, row) for key, row in rows if not is_mark(key)]
    return sorted(found, key=lambda each: each.stem, reverse=True)


def _row(batch: Batch) -> dict[str, Any]:
    """Return what a table takes: times as text, the fates in columns of their own."""
    row = batch.model_dump(mode="json", exclude={"connection", "batch_id", "fates"})
    fates = {f"fate_{fate}": count for fate, count in batch.fates.items()}
    return {name: "" if value is None else value for name, value in row.items()} | fates


def _batch(connection: str, batch_id: str, row: Mapping[str, Any]) -> Batch:
    fates = {name.removeprefix("fate_"): count for name, count in row.items() if name.startswith("fate_")}
    own = {name: value for name, value in row.items() if not name.startswith("fate_")}
    own |= {"connection": connection, "batch_id": batch_id, "fates": fates, "ended_at": row["ended_at"] or None}
    return Batch.model_validate(own)
