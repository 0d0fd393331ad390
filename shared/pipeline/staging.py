"""From segments of text to typed columns in Parquet: read, validate, hash, set bad rows aside.

Every row becomes either a staged row or exactly one reject. All that is written of person and student ids are keyed
hashes; as clear text they are in memory, those of one segment at a time.
"""

from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from shared.domain.errors import Code, PackageError
from shared.domain.matching import EMPLOYEE_ID
from shared.domain.profile import Table
from shared.pipeline.ahead import ahead
from shared.pipeline.engine import Engine, name, parquet, text
from shared.pipeline.header import Header
from shared.pipeline.memory_file import MemoryFile
from shared.pipeline.reading import SEGMENT_BYTES, Segment, TextFile
from shared.pipeline.repair import Repaired, repair
from shared.pipeline.seen_students import SeenStudents
from shared.pipeline.table_parts import LocalPart, write_part
from shared.pipeline.table_plan import TablePlan
from shared.pipeline.zones import make_zone_days

STUDENTS = "PV_PARTNER_STUDENT"
FULL_MEMORY_MB = 200
"""Of the engine; with less of it, all of the following are less in the same proportion."""
STUDENTS_IN_MEMORY = 1_200_000
"""As many of those seen are kept there; the others are in files."""
ROWS_PER_PART = 200_000
"""At most; they are put in order in memory."""
REJECTS_IN_MEMORY = 20_000
"""As many as are kept there; the others are in files, for what reads clear text has no disk to put them on."""
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
    parts: list[LocalPart] = field(default_factory=list)
    rows: int = 0
    """Data rows of the file, good and bad."""
    rejected: int = 0
    refused: bool = False
    """The whole file was refused: a required column is missing."""
    warnings: list[str] = field(default_factory=list)
    has_inner_newlines: bool = False
    """Whether a record of several lines was found."""
    has_unusual_times: bool = False
    """Whether a time was found that is not written as usual (see `TablePlan.select`)."""


@dataclass(slots=True)
class Stager:
    """Stages one table's file after the other into a folder, with an engine that does not spill."""

    engine: Engine
    folder: Path
    zone: str
    switches: frozenset[str] = frozenset()
    """Settings of the connection that are on (for columns `only_with` them)."""
    require_fields: frozenset[str] = frozenset()
    attribute: str = EMPLOYEE_ID
    """In Entra, with which person ids are compared."""
    tell: Callable[[int], None] = lambda _: None
    """Hears how many more rows have been read."""
    keep: Callable[[str, LocalPart], None] = lambda *_: None
    """Hears of every part of a table as soon as it is written, and again when its table is read once more."""
    students: SeenStudents = field(init=False)
    rejects: list[Path] = field(default_factory=list)
    """Files of rejects that are not in memory."""

    def __post_init__(self) -> None:
        """Make the tables of rejects, of the students seen, and of the days of the zone."""
        self.engine.run(REJECTS)
        self.students = SeenStudents(self.engine, self.folder, self._with_room(STUDENTS_IN_MEMORY))
        make_zone_days(self.engine, self.zone)

    def _with_room(self, most: int) -> int:
        return most * min(self.engine.memory_mb, FULL_MEMORY_MB) // FULL_MEMORY_MB

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
            attribute=self.attribute,
        )
        staged.warnings += plan.warnings
        for column, hint in plan.missing.items():
            staged.refused = True
            message = f"The column {column} is missing from the header. {hint}".strip()
            self._reject(staged, header.line if header else 1, column, Code.COLUMN_MISSING, message)
        source.segment_bytes = min(source.segment_bytes, self._with_room(SEGMENT_BYTES))
        if header and not staged.refused:
            # The next one is unpacked and cut, where this one was, while this one is read.
            with (
                closing(MemoryFile()) as memory,
                ahead(source.segments(), lambda segment: source.move(segment, memory)) as segments,
            ):
                for segment in segments:
                    self._segment(staged, plan, header, segment, memory)
                    # Not when the next one replaces it: until then there would have to be room for both.
                    self.engine.run("drop table segment")
        if not staged.refused and not staged.parts:
            # A table that came without rows has come all the same, and later packages have to know.
            nothing = "".join(f", null::{value.type} as {name(value.name)}" for value in plan.values)
            empty = (
                "select null::bigint as record, null::bigint as line, null::uuid as pk, "
                f"null::usmallint as place{nothing} where false"
            )
            self._add(staged, self._write(staged, plan, empty))
        if source.windows_1252 or source.utf_16:
            read_as = "UTF-16" if source.utf_16 else "Windows-1252"
            staged.warnings.append(f"{file} is not UTF-8; it was read as {read_as}.")
        return staged

    def forget(self, tables: Iterable[str]) -> None:
        """Forget the rejects of tables that are read again, or count no more; their parts are written over."""
        forgotten = f"table_name in ({', '.join(map(text, tables))})"
        self.engine.run(f"delete from rejects where {forgotten}")
        for number, file in enumerate(self.rejects):
            kept = f"from {parquet([file])} where not {forgotten}"
            self.rejects[number] = self.engine.write(kept, file.with_suffix(f".kept{file.suffix}"))

    def save_rejects(self) -> None:
        """Write the rejects that are in memory to a file."""
        self._save_rejects("from rejects")
        # What is deleted from a table would stay in memory.
        self.engine.run("drop table rejects")
        self.engine.run(REJECTS)

    def _save_rejects(self, rows: str) -> None:
        self.rejects.append(self.engine.write(rows, self.folder / f"rejects-{len(self.rejects):05d}.parquet"))

    def _reject(self, staged: Staged, line: int, column: str, code: Code, message: str) -> None:
        self.engine.run(
            "insert into rejects values (?, ?, ?, ?, ?, ?, null, false)",
            [staged.table, staged.file, line, column, code, message],
        )

    def _segment(self, staged: Staged, plan: TablePlan, header: Header, segment: Segment, memory: MemoryFile) -> None:
        line, source = None, plan.source(memory.path, header)
        if not segment.suspicious and not segment.lines:
            line = self._fast(staged, plan, header, segment, source)
        if line is None:
            repaired = repair(replace(segment, data=memoryview(memory.read())), header)
            memory.hold(repaired.data)
            source = plan.repaired_source(memory.path)
            line = self._slow(staged, plan, segment, repaired, source)
        # Two records may start on one line; no two have the same number.
        rows = f"(select *, {staged.rows} + rowid as record, {line} as line from segment)"
        count, bad = self._take(staged, plan, rows, plan.ids(source, segment))
        staged.rows += count
        staged.rejected += bad
        if self.engine.one("select count(*) from rejects") > self._with_room(REJECTS_IN_MEMORY):
            self.save_rejects()
        self.tell(count)

    def _take(self, staged: Staged, plan: TablePlan, rows: str, ids: str) -> tuple[int, int]:
        """Keep the good rows of a segment, and set the bad ones aside; return how many there are, and how many bad.

        `ids` is the query for all student ids in it.
        """
        count, bad = self.engine.rows("select count(*), count(fault) from segment")[0]
        # To look for somebody new is a join more; most segments name nobody new, and where one does, its rows show it.
        if bad or self.students.grew:
            self.students.meet(plan, ids)
        if not self.students.meet_others(plan):
            self.students.meet(plan, ids)
            self.students.meet_others(plan)
        if bad:
            told = self._tell_faults(staged, plan, f"(from {rows} where fault is not null)")
            if bad > self._with_room(REJECTS_IN_MEMORY):
                self._save_rejects(told)
            else:
                self.engine.run(f"insert into rejects {told}")
        if count > bad:
            first, step = staged.rows, self._with_room(ROWS_PER_PART)
            for start in range(first, first + count, step):
                some = f"fault is null and record >= {start} and record < {start + step}"
                self._keep(staged, plan, f"(from {rows} where {some})", ids)
        return count, bad

    def _tell_faults(self, staged: Staged, plan: TablePlan, rows: str) -> str:
        """Return the query for the rejects (columns of `REJECTS`) of bad rows."""
        cases = " ".join(f"when {number} then {text(fault.message)}" for number, fault in enumerate(plan.faults))
        codes = " ".join(f"when {number} then {text(fault.code)}" for number, fault in enumerate(plan.faults))
        fields = " ".join(f"when {number} then {text(fault.column)}" for number, fault in enumerate(plan.faults))
        return (
            f"select {text(staged.table)} as table_name, {text(staged.file)} as file, line, "
            f"case fault {fields} end as field, case fault {codes} end as code, case fault {cases} end as message, "
            f"pk, not list_contains({plan.key_faults}, fault) as key_readable "
            f"from ({plan.finish(rows, self.students.relation)})"
        )

    def _keep(self, staged: Staged, plan: TablePlan, rows: str, ids: str) -> None:
        """Write good rows of a segment as a part of the table."""
        part = self._write_finished(staged, plan, rows)
        if plan.owner and self.engine.one(f"select count(*) from {parquet([part.file])} where place is null"):
            self.students.meet(plan, ids)
            part = self._write_finished(staged, plan, rows)
        self._add(staged, part)

    def _write_finished(self, staged: Staged, plan: TablePlan, rows: str) -> LocalPart:
        in_order = plan.owner is not None and self.students.in_order
        return self._write(staged, plan, plan.finish(rows, self.students.relation), in_order=in_order)

    def _write(self, staged: Staged, plan: TablePlan, rows: str, *, in_order: bool = False) -> LocalPart:
        kept = "".join(f", {name(value.name)}" for value in plan.values)
        # Reports name the line of an item that finds no place, and of a learner whom nobody knows.
        line = "" if plan.owner and staged.table != STUDENTS else "line, "
        path = self.folder / staged.table / f"{len(staged.parts):05d}.parquet"
        return write_part(self.engine, f"select record, {line}pk, place{kept} from ({rows})", path, in_order=in_order)

    def _add(self, staged: Staged, part: LocalPart) -> None:
        staged.parts.append(part)
        self.keep(staged.table, part)

    def _fast(self, staged: Staged, plan: TablePlan, header: Header, segment: Segment, source: str) -> str | None:
        """Read the segment's `source` at once, and return SQL for the line of a record.

        `None` when it cannot be read so, or when its lines would not add up (blank ones).
        """
        step = 1 if header.line_per_record or not header.marked else 0
        if not (segment.has_marks or staged.has_inner_newlines):
            if not self._read(staged, plan, source, segment):
                return None
            if self.engine.one("select count(*) from segment") == segment.newlines:
                return f"{segment.first_line} + {step} * rowid"
            if header.marked:
                return None
            # The rest of the file will be like this, most likely.
            staged.has_inner_newlines = True
        if not self._read(staged, plan, source, segment, lines=plan.inner_newlines(header)):
            return None
        found = self.engine.one("select count(*) + coalesce(sum(lines), 0) from segment")
        if not header.marked and found != segment.newlines:
            return None
        # In the order in which one thread reads them; to sort them first takes four times as long, and much room.
        above = "sum(lines) over (rows unbounded preceding) - lines"
        return f"{segment.first_line} + {step} * rowid + ({above})::bigint"

    def _slow(self, staged: Staged, plan: TablePlan, segment: Segment, repaired: Repaired, source: str) -> str:
        """Read the `source` of the repaired segment, and return SQL for the line of a record."""
        if not self._read(staged, plan, source, segment, lines="LINE::bigint"):
            raise PackageError(
                f"{staged.file} cannot be read from line {segment.first_line} on. Have the package made again.",
                Code.PACKAGE_DAMAGED,
            )
        for line in repaired.malformed_lines:
            self._reject(staged, line, "", Code.RECORD_MALFORMED, _MALFORMED)
        staged.rows += len(repaired.malformed_lines)
        staged.rejected += len(repaired.malformed_lines)
        return "lines"

    def _read(
        self, staged: Staged, plan: TablePlan, source: str, segment: Segment, *, lines: str | None = None
    ) -> bool:
        """Make the table `segment`; tell whether the records could be read."""
        rows = plan.select(source, segment, any_times=staged.has_unusual_times, lines=lines)
        if not self.engine.attempt(f"create or replace temp table segment as {rows}"):
            return False
        if staged.has_unusual_times or not self._count_faults(plan.time_faults):
            return True
        # The rest of the file will be like this, most likely.
        staged.has_unusual_times = True
        self.engine.run("drop table segment")
        return self._read(staged, plan, source, segment, lines=lines)

    def _count_faults(self, numbers: list[int]) -> int:
        """Count the rows of the segment whose first fault is one of these."""
        return self.engine.one(f"select count(*) from segment where list_contains({numbers}, fault)") if numbers else 0
