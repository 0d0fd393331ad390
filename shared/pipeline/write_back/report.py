"""What was not accepted, and what the LMS did not take, as CSV that people open: places, codes and reasons."""

import csv
import io
from collections.abc import Iterable, Sequence

from shared.domain.batches import Batch
from shared.domain.errors import Code
from shared.domain.help import EXPLANATIONS
from shared.domain.write_back import Receipt, Refusal
from shared.pipeline.parts import Parts

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_REFUSED = ("batch", "line", "field", "code", "message", "how_to_mend")
_SENT = ("batch", "line", "fate", "code", "message", "how_to_mend")


def refused_path(connection: str, stem: str) -> str:
    """Return where the report of what was not accepted stands in the container `reports`."""
    return f"{connection}/push-{stem}/refused.csv"


def sent_path(connection: str, stem: str) -> str:
    """Return where the report of what the LMS did not take stands in the container `reports`."""
    return f"{connection}/push-{stem}/not-taken.csv"


def put_refusals(parts: Parts, batch: Batch, refusals: Sequence[Refusal]) -> None:
    """Keep what was not accepted of a batch; a second call replaces it."""
    if refusals:
        rows = ((each.line or "", each.path, each.code, each.message) for each in refusals)
        parts.reports.put(refused_path(batch.connection, batch.stem), _csv(_REFUSED, batch.batch_id, rows))


def put_not_taken(parts: Parts, batch: Batch, found: Sequence[tuple[int, Receipt]]) -> None:
    """Keep what the LMS did not take, with the places in what was sent in; a second call replaces it."""
    if found:
        rows = ((place, each.fate, each.code or Code.UNEXPECTED, each.reason) for place, each in found)
        parts.reports.put(sent_path(batch.connection, batch.stem), _csv(_SENT, batch.batch_id, rows))


def _csv(columns: Sequence[str], batch_id: str, rows: Iterable[Sequence[object]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([batch_id, *map(_harmless, row), EXPLANATIONS[Code(str(row[2]))].mend])
    return out.getvalue().encode("utf-8-sig")


def _harmless(value: object) -> object:
    """Keep a spreadsheet from taking a text for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
