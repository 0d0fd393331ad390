"""From segments of text to typed columns in Parquet: read, validate, hash, set bad rows aside.

Every row becomes either a staged row or exactly one reject. Person and student ids become keyed hashes in the same
statement that reads them.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from shared.domain.errors import Code
from shared.domain.profile import Table
from shared.pipeline.engine import Engine, name, text
from shared.pipeline.reading import INNER_NEWLINE, Header, Segment, TextFile, repair
from shared.pipeline.table_plan import TablePlan

REJECTS = """
create table if not exists rejects (
    table_name varchar, file varchar, line bigint, field varchar, code varchar, message varchar,
    pk uuid, key_readable boolean
)"""

_MALFORMED = "The record has not as many fields as the header, or its quotes do not close. Correct it at the source."


@dataclass(slots=True)
class Staged:
    """What was read of one table."""

    table: str
    file: str
    parts: list[Path] = field(default_factory=list)
    rows: int = 0
    """Data rows of the file, good and bad."""
    rejected: int = 0
    refused: bool = False
    """The whole file was refused: a required column is missing."""
    warnings: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Stager:
    """Stages one table's file after the other into a folder."""

    engine: Engine
    folder: Path
    zone: str
    switches: frozenset[str] = frozenset()
    """Settings of the connection that are on (for columns `only_with` them)."""
    require_fields: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Make the table of rejects."""
        self.engine.run(REJECTS)

    def stage(self, table_name: str, table: Table, file: str, source: TextFile) -> Staged:
        """Read the whole file.

        Raises:
            NotUtf8Error: read it again with `windows_1252`.
            PackageError: the file cannot be read at all.
        """
        staged = Staged(table_name, file)
        header = source.open()
        plan = TablePlan.make(
            table_name,
            table,
            header,
            zone=self.zone,
            switches=self.switches,
            require_fields=self.require_fields,
        )
        staged.warnings += plan.warnings
        for column in plan.missing:
            staged.refused = True
            message = f"The column {column} is missing from the header. {plan.hint}".strip()
            self._reject(staged, 1, column, Code.COLUMN_MISSING, message)
        for segment in source.segments() if header else ():
            if header and not staged.refused:
                self._segment(staged, plan, header, segment)
        if not staged.refused and not staged.parts:
            # A table that came without rows has come all the same, and later packages have to know.
            nothing = ", ".join(f"null::{value.type} as {name(value.name)}" for value in plan.values)
            self._write(staged, f"select null::bigint as line, null::uuid as pk, {nothing} where false")
        if source.windows_1252:
            staged.warnings.append(f"{file} is not UTF-8; it was read as Windows-1252.")
        return staged

    def forget(self, tables: Iterable[str]) -> None:
        """Forget the rejects of tables that are read again, or count no more; their parts are written over."""
        self.engine.run(f"delete from rejects where table_name in ({', '.join(map(text, tables))})")

    def _reject(self, staged: Staged, line: int, column: str, code: Code, message: str) -> None:
        self.engine.run(
            "insert into rejects values (?, ?, ?, ?, ?, ?, null, false)",
            [staged.table, staged.file, line, column, code, message],
        )

    def _segment(self, staged: Staged, plan: TablePlan, header: Header, segment: Segment) -> None:
        if segment.suspicious or not self._fast(plan, header, segment):
            self._slow(staged, plan, header, segment)
        rows = self.engine.one("select count(*) from segment")
        bad = self.engine.one("select count(*) from segment where fault is not null")
        if bad:
            cases = " ".join(f"when {number} then {text(fault.message)}" for number, fault in enumerate(plan.faults))
            codes = " ".join(f"when {number} then {text(fault.code)}" for number, fault in enumerate(plan.faults))
            fields = " ".join(f"when {number} then {text(fault.column)}" for number, fault in enumerate(plan.faults))
            self.engine.run(
                f"insert into rejects select {text(staged.table)}, {text(staged.file)}, line, "
                f"case fault {fields} end, case fault {codes} end, case fault {cases} end, "
                f"pk, not list_contains({plan.key_faults}, fault) from segment where fault is not null"
            )
        if rows > bad:
            kept = ", ".join(name(value.name) for value in plan.values)
            self._write(staged, f"select line, pk, {kept} from segment where fault is null")
        staged.rows += rows
        staged.rejected += bad

    def _write(self, staged: Staged, sql: str) -> None:
        part = self.folder / staged.table / f"part-{len(staged.parts):05d}.parquet"
        staged.parts.append(self.engine.write(sql, part))

    def _fast(self, plan: TablePlan, header: Header, segment: Segment) -> bool:
        with _in_memory(segment.data) as path:
            source = plan.source(path, header, strict=True)
            if not self.engine.attempt(f"create or replace temp table segment as {plan.select(source, segment)}"):
                return False
            rows = self.engine.one("select count(*) from segment")
            newlines = segment.data.count(b"\n")
            embedded = segment.data.count(INNER_NEWLINE.encode()) if header.marked else newlines - rows
            if not embedded and (not header.marked or header.line_per_record):
                # One record a line: the line is the place in the segment.
                self.engine.run(f"update segment set line = {segment.first_line} + rowid")
                return True
            return self._count_lines(plan, header, segment, path, rows)

    def _count_lines(self, plan: TablePlan, header: Header, segment: Segment, path: str, rows: int) -> bool:
        """Work out the lines where records span several; false when that does not add up (blank lines)."""
        mark = text(INNER_NEWLINE if header.marked else "\n")
        inner = " + ".join(f"length({c}) - length(replace({c}, {mark}, ''))" for c in plan.raw)
        self.engine.run(
            f"create or replace temp table heights as select {inner} as inner_lines "
            f"from {plan.source(path, header, strict=True)}"
        )
        total = self.engine.one("select coalesce(sum(inner_lines), 0) from heights")
        if not header.marked and rows + total != segment.data.count(b"\n"):
            return False
        step = 1 if header.line_per_record or not header.marked else 0
        self.engine.run(
            f"update segment set line = {segment.first_line} + {step} * segment.rowid + place.above from (select "
            "rowid as id, "
            "coalesce(sum(inner_lines) over (order by rowid rows between unbounded preceding and 1 preceding), 0) "
            "as above from heights) place where segment.rowid = place.id"
        )
        return True

    def _slow(self, staged: Staged, plan: TablePlan, header: Header, segment: Segment) -> None:
        repaired = repair(segment, header)
        with _in_memory(repaired.data) as path:
            source = plan.source(path, header, strict=False, with_line=True)
            self.engine.run(
                f"create or replace temp table segment as {plan.select(source, segment, line='LINE::bigint')}"
            )
        for line in repaired.malformed_lines:
            self._reject(staged, line, "", Code.RECORD_MALFORMED, _MALFORMED)
        staged.rows += len(repaired.malformed_lines)
        staged.rejected += len(repaired.malformed_lines)


@contextmanager
def _in_memory(data: bytes) -> Iterator[str]:
    """Give the engine a path to bytes that never touch a disk."""
    descriptor = os.memfd_create("segment")
    try:
        view = memoryview(data)
        written = 0
        while written < len(data):
            written += os.write(descriptor, view[written:])
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)
