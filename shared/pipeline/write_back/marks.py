"""Marks that files of the inbox leave in the table `batches`, beside the batches: one row a file name.

A mark says how often a file of that name was taken, so that the same content under the same name is a new delivery
only after the first one is gone; and that a file cannot be read, so that nobody tries it again and again.
"""

from datetime import datetime

from shared.pipeline.parts import Parts

_PREFIX = "file-"


def is_mark(key: str) -> bool:
    """Tell whether a row is a mark and no batch."""
    return key.startswith(_PREFIX)


def deliveries(parts: Parts, connection: str, file: str) -> int:
    """Return how many files of that name were taken; `file` is a keyed hash of it."""
    row = parts.batches.find(connection, _PREFIX + file)
    return 0 if row is None else int(row["taken"])


def is_refused(parts: Parts, connection: str, file: str) -> bool:
    """Tell whether the file that lies there could not be read."""
    row = parts.batches.find(connection, _PREFIX + file)
    return row is not None and bool(row["refused"])


def put_mark(parts: Parts, connection: str, file: str, *, taken: int, refused: bool) -> None:
    """Leave a mark, instead of an older one."""
    marked_at = parts.clock().isoformat()
    parts.batches.put(connection, _PREFIX + file, {"taken": taken, "refused": refused, "marked_at": marked_at})


def forget(parts: Parts, connection: str, before: datetime) -> None:
    """Delete the marks of files that were taken before that; an unreadable one's stays, for the file may be there."""
    for key, row in list(parts.batches.list_rows(connection)):
        if is_mark(key) and not row["refused"] and datetime.fromisoformat(row["marked_at"]) < before:
            parts.batches.delete(connection, key)
