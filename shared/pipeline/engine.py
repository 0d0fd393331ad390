"""The columnar engine (DuckDB), the only module that knows its name. The rest speaks in SQL relations."""

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from secrets import token_urlsafe
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from shared.domain.errors import Code, ConnectorError, SettingsError, TransientError
from shared.pipeline.one_at_a_time import one_at_a_time
from shared.ports import Secret

_VALUES = re.compile(r"""['"].*['"]|['"].*|\d{4,}""")
"""From the first quote to the last, for values hold quotes too; and numbers that may be ids."""
ROW_GROUP_ROWS = 8_192
"""Rows of a Parquet row group, where nothing else is said: few enough for long texts to be in memory with them."""
DICTIONARY_VALUES = 256
"""How many values a column of a row group may have to be written as a dictionary: types and states do, hashes never."""
_HASH_BLOCK_BYTES = 64
_PEPPER_BYTES = 32


class EngineError(ConnectorError):
    """The engine refused a statement: a defect of ours, or a file that cannot be read or written."""


class Engine:
    """One connection to an in-memory database, which puts into its own folder what has no room in memory.

    `memory_mb` bounds the engine's own memory; the process needs about 100 MB beside it.

    Whatever reads clear text must do without a disk (`spills` is false): memory is written there in whole blocks, with
    all that lay in it before. Once such an engine is closed, nothing it held is left in memory either.
    """

    def __init__(self, folder: Path, memory_mb: int, *, spills: bool = True) -> None:
        self.folder = folder
        self.memory_mb = memory_mb
        self._pepper: Secret | None = None
        self._database = duckdb.connect(
            config={
                # The usual instance has one processor, and a second thread takes up to 15 % more of its time.
                "threads": 1,
                # Files of this machine are read as fast by whoever wants them, who need not wake another thread for it.
                "async_threads": 0,
                "memory_limit": f"{memory_mb}MB",
                "temp_directory": str(folder / "spill") if spills else "",
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "preserve_insertion_order": True,
            }
        )
        self.run("set TimeZone = 'UTC'")
        # Footers are read once, however often a part is asked for a range of its rows.
        self.run("set parquet_metadata_cache = true")
        # All of them are files of this machine: to read ahead costs more than it saves.
        self.run("set disable_parquet_prefetching = true")

    def close(self) -> None:
        """Free the memory; a second call does nothing."""
        self._database.close()

    def run(self, sql: str, values: Sequence[Any] | None = None) -> None:
        """Run one statement.

        Raises:
            EngineError: without the values that the engine may have put into its message.
            TransientError: there was no memory or disk left (`MEMORY_EXCEEDED`); another time it may be enough.
        """
        with _redacted():
            self._database.execute(sql, values)

    def rows(self, sql: str, values: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        """Return all rows; for small results only."""
        with _redacted():
            return self._database.execute(sql, values).fetchall()

    def one(self, sql: str, values: Sequence[Any] | None = None) -> Any:  # noqa: ANN401 - any SQL type
        """Return the first value of the first row."""
        return self.rows(sql, values)[0][0]

    def iterate(self, sql: str, size: int = 2000) -> Iterator[list[tuple[Any, ...]]]:
        """Yield the rows in lists of at most `size`. Nothing else may be asked of this engine meanwhile."""
        with _redacted():
            cursor = self._database.execute(sql)
        while True:
            with _redacted():
                rows = cursor.fetchmany(size)
            if not rows:
                return
            yield rows

    def write(self, sql: str, path: Path, *, compression: str = "zstd", row_group_rows: int = ROW_GROUP_ROWS) -> Path:
        """Write a query's rows as one Parquet file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.run(
            f"copy ({sql}) to {text(str(path))} "
            f"(format parquet, parquet_version v2, compression {compression}, row_group_size {row_group_rows}, "
            f"dictionary_size_limit {DICTIONARY_VALUES})"
        )
        return path

    @contextmanager
    def reader(self) -> Iterator["Engine"]:
        """Give an engine for clear text, with the same memory and the same pepper; it is closed afterwards."""
        with engine(self.memory_mb, spills=False) as created:
            if self._pepper is not None:
                created.set_pepper(self._pepper)
            yield created

    def give(self, table: str, other: "Engine") -> None:
        """Make a copy of a table in another engine."""
        path = self.write(f"from {table}", other.folder / f"{table}.parquet")
        other.run(f"create or replace table {table} as from {parquet([path])}")
        path.unlink()

    @contextmanager
    def joining_as_written(self) -> Iterator[None]:
        """Let what stands on the left of a join stream past what stands on its right, and is kept in memory for it.

        The rows come in the order of the left.
        """
        self._database.execute("set disabled_optimizers = 'build_side_probe_side,join_order'")
        try:
            yield
        finally:
            self._database.execute("reset disabled_optimizers")

    def attempt(self, sql: str) -> bool:
        """Run a statement that may fail over the clear text it reads; tell whether it worked.

        What it reads streams past the tables that it is joined with; there is no room to keep it for that.
        """
        try:
            with self.joining_as_written():
                self._database.execute(sql)
        except (duckdb.InvalidInputException, duckdb.Error) as error:
            if isinstance(error, duckdb.OutOfMemoryException | duckdb.IOException):
                raise _told(error) from None
            return False
        return True

    def set_pepper(self, secret: Secret) -> None:
        """Make the macro `keyed(kind, value)`: the first 128 bits of HMAC-SHA256 under the pepper, as UUID.

        And the macro `alias_of(value)`, which costs a tenth: a number by which this engine, and nobody else, can tell
        one text from another.

        Raises:
            SettingsError: the pepper is not 32 to 64 bytes, as hex digits.
        """
        try:
            pepper = bytes.fromhex(secret.value)
        except ValueError:
            pepper = b""
        if not _PEPPER_BYTES <= len(pepper) <= _HASH_BLOCK_BYTES:
            raise SettingsError("The pepper must be 32 to 64 random bytes, as hex digits.", Code.SETTINGS_INVALID)
        padded = pepper.ljust(_HASH_BLOCK_BYTES, b"\0")
        self._pepper = secret
        self.run("set variable inner_pad = ?", [bytes(byte ^ 0x36 for byte in padded)])
        self.run("set variable outer_pad = ?", [bytes(byte ^ 0x5C for byte in padded)])
        self.run(
            "create or replace temp macro keyed(kind, value) as sha256(getvariable('outer_pad') || "
            "unhex(sha256(getvariable('inner_pad') || encode(kind || ':' || value))))[1:32]::uuid"
        )
        # As many bits as the alias has, in so few bytes that one block of the hash takes it and most ids.
        self.run("set variable salt = ?", [token_urlsafe(16)])
        self.run("create or replace temp macro alias_of(value) as md5_number(getvariable('salt') || value)::uuid")


@contextmanager
def engine(memory_mb: int, *, spills: bool = True) -> Iterator[Engine]:
    """Give an engine with a folder of its own; both are gone afterwards.

    Waits until no other thread of this process has one (see `one_at_a_time`).
    """
    with one_at_a_time(), TemporaryDirectory(prefix="lms-") as folder:
        created = Engine(Path(folder), memory_mb, spills=spills)
        try:
            yield created
        finally:
            created.close()
            shutil.rmtree(Path(folder) / "spill", ignore_errors=True)


def text(value: str) -> str:
    """Quote a text as SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def name(value: str) -> str:
    """Quote a name as SQL identifier."""
    return '"' + value.replace('"', '""') + '"'


def fingerprint(parts: Sequence[str]) -> str:
    """Return SQL for 128 bits that are equal when the texts are; for texts that hold no clear id of a person.

    MD5 is no protection here, and need be none: it tells apart what nobody has a reason to confuse.
    """
    return f"md5_number(concat_ws(chr(31), {', '.join(parts)}))::uuid"


def place_of(key: str) -> str:
    """Return SQL for the place of a row (0 to 65,535), from the UUID that decides it."""
    return f"(md5_number({key}::varchar) >> 112)::usmallint"


def parquet(paths: Sequence[Path | str]) -> str:
    """Return the relation of several Parquet files with the same columns."""
    return f"read_parquet([{', '.join(text(str(path)) for path in paths)}])"


def _redact(error: duckdb.Error) -> str:
    line = str(error).splitlines()[0]
    return f"the columnar engine: {type(error).__name__}: {_VALUES.sub('...', line)[:300]}"


@contextmanager
def _redacted() -> Iterator[None]:
    """Keep values out of messages: the engine quotes what it could not convert."""
    try:
        yield
    except duckdb.Error as error:
        raise _told(error) from None


def _told(error: duckdb.Error) -> ConnectorError:
    if isinstance(error, duckdb.OutOfMemoryException):
        message = f"There was no room left. Raise LMS_MEMORY_LIMIT_MB, and the instance's memory. ({_redact(error)})"
        return TransientError(message, Code.MEMORY_EXCEEDED)
    return EngineError(_redact(error))
