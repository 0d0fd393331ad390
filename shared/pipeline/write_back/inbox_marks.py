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


def is_unreadable(parts: Parts, connection: str, file: str, reading: str) -> bool:
    """Tell whether the file that lies there could not be read in this way of reading."""
    row = parts.batches.find(connection, _PREFIX + file)
    return row is not None and row["unreadable_with"] == reading


def put_mark(parts: Parts, connection: str, file: str, *, taken: int, unreadable_with: str = "") -> None:
    """Leave a mark, instead of an older one; `unreadable_with` is the way of reading that failed."""
    row = {"taken": taken, "unreadable_with": unreadable_with, "marked_at": parts.clock().isoformat()}
    parts.batches.put(connection, _PREFIX + file, row)


def forget(parts: Parts, connection: str, before: datetime) -> None:
    """Delete the marks of files that were taken before that; an unreadable one's stays, for the file may be there."""
    for key, row in list(parts.batches.list_rows(connection)):
        if is_mark(key) and not row["unreadable_with"] and datetime.fromisoformat(row["marked_at"]) < before:
            parts.batches.delete(connection, key)
