"""The invented company, as relations of DuckDB that are streamed as CSV."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final, Self

import duckdb

from infra.local.generate.options import Options
from infra.local.generate.tables import MORE_WITH_LEAVERS, PRIMARY_KEYS

CHUNK_BYTES: Final = 1 << 20
LARGE_ROWS: Final = 4_000_000
NEWLINE_INSIDE: Final = "\x1e"
"""Stands for a newline inside a field while the one at the end of a record is to be told from it."""


class World:
    """The company from the first day on, seen on one day at a time."""

    is_large: Final[bool]
    """Whether a table may pass the 2 GiB at which a zip entry needs wider fields."""
    tables: Final[dict[str, tuple[str, ...]]]
    """Primary keys of the tables, in the order of the files."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, options: Options) -> None:
        self._connection = connection
        self._first_day = options.first_day
        self.tables = PRIMARY_KEYS | (MORE_WITH_LEAVERS if options.leavers else {})
        self.is_large = max(options.learners, options.assignments, options.completions) > LARGE_ROWS

    @classmethod
    @contextmanager
    def of(cls, options: Options) -> Iterator[Self]:
        """Open the world on its first day."""
        with duckdb.connect(config={"memory_limit": "1GB"}) as connection:
            for name, value in _settings(options).items():
                connection.execute(f"SET VARIABLE {name} = ?", [value])
            for script in ("world.sql", "activities.sql", *(["leavers.sql"] if options.leavers else [])):
                connection.execute(Path(__file__).with_name(script).read_text(encoding="utf-8"))
            yield cls(connection, options)

    def move_to(self, day: date) -> None:
        """See it from now on as it is at the midnight that begins `day`."""
        self._connection.execute("SET VARIABLE today = ?", [(day - self._first_day).days])

    def count(self, query: str) -> int:
        """Count the rows of a query."""
        row = self._connection.execute(f"SELECT count(*) FROM ({query})").fetchone()
        return int(row[0]) if row else 0

    def columns(self, query: str) -> list[str]:
        """Name the columns of a query."""
        return [str(row[0]) for row in self._connection.execute(f"DESCRIBE {query}").fetchall()]

    def csv(self, query: str, *, delimiter: str = ",", mark_newlines: bool = False) -> Iterator[bytes]:
        r"""Yield the rows of a query as RFC 4180 text with a header and `\n`, in bounded memory.

        DuckDB writes into one end of a pipe while the other is read, so nothing touches the disk.
        `mark_newlines` puts `NEWLINE_INSIDE` for every newline inside a field and quotes every field.
        """
        options = f"FORMAT csv, HEADER, DELIMITER '{delimiter}', QUOTE '\"', ESCAPE '\"', USE_TMP_FILE false"
        if mark_newlines:
            options += ", FORCE_QUOTE *"
            query = f"SELECT replace(COLUMNS(*)::VARCHAR, chr(10), '{NEWLINE_INSIDE}') FROM ({query})"
        reading, writing = os.pipe()
        writer = _Writer(self._connection, f"COPY ({query}) TO '/dev/fd/{writing}' ({options})", writing)
        writer.start()
        try:
            with open(reading, "rb", buffering=0) as pipe:  # noqa: PTH123 - a descriptor, not a path
                while chunk := pipe.read(CHUNK_BYTES):
                    yield chunk
        finally:
            # Closing the reading end, also when nobody wants the rest, ends the writer.
            writer.join()
        if writer.error:
            raise writer.error


class _Writer(threading.Thread):
    """Runs one COPY and closes the writing end of the pipe, whatever happens."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, copy: str, descriptor: int) -> None:
        super().__init__(name="generate-csv", daemon=True)
        self._connection, self._copy, self._descriptor = connection, copy, descriptor
        self.error: duckdb.Error | None = None

    def run(self) -> None:
        try:
            self._connection.execute(self._copy)
        except duckdb.Error as error:
            self.error = error
        finally:
            os.close(self._descriptor)


def _settings(options: Options) -> dict[str, Any]:
    """Tell the sizes on the first day, and how many rows are born on each later one."""
    return {
        "seed": options.seed,
        "first_day": options.first_day,
        "today": 0,
        "leavers": options.leavers,
        "learners": options.learners,
        "learner_births": -(-options.learners // 2000),
        "items": options.items,
        "item_births": -(-options.items // 500),
        "assignments": options.assignments,
        "assignment_births": -(-options.assignments // 400),
        "completions": options.completions,
        "completion_births": -(-options.completions // 1000),
    }
