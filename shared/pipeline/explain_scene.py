"""All that is kept about one learner and one course, brought into an engine and decided about as a run would.

Nothing is written anywhere, and nobody outside is asked but the vault. Of large tables only the parts that may hold
the learner's rows are brought here, one at a time, and only his rows of them stay.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from shared.domain.connection import Connection
from shared.domain.matching import bits_of
from shared.domain.profile import Profile
from shared.domain.runs import Outcome, Run, Step
from shared.domain.state import State
from shared.domain.table_part import TablePart
from shared.pipeline import directory, journal
from shared.pipeline.engine import Engine, parquet, text
from shared.pipeline.parts import Parts
from shared.pipeline.person_keys import key_under
from shared.pipeline.read_package import Manifest
from shared.pipeline.show_contents import Known
from shared.pipeline.staging import STUDENTS
from shared.pipeline.table_parts import LocalPart, download
from shared.pipeline.tables import make_view

HISTORY, ITEMS = "PA_CPNT_EVTHST", "PA_CPNT"
PUBLISHING = (Outcome.DONE, Outcome.PARTIAL)
"""Outcomes of runs whose records are committed."""


@dataclass(frozen=True, slots=True)
class Question:
    """Who asks for what. The learner is hashed first thing, and kept nowhere."""

    learner: str = field(repr=False)
    """Person id; or student id with `by_student`."""
    item: str
    """`TYPE:ID`, or the id alone where one type has it."""
    by_student: bool = False
    read_packages: bool = True
    """Whether packages may be opened again to tell lines."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table, and where it came from."""

    table: str
    pk: str
    run: str | None
    """The run whose package brought it; `None` where an older one did."""
    record: int | None
    line: int | None
    """Where the table keeps it."""
    values: Mapping[str, Any]


@dataclass(slots=True)
class Scene:
    """One learner and one course, as they stand."""

    parts: Parts
    connection_name: str
    connection: Connection
    state: State
    runs: list[Run]
    """All that are remembered, oldest first."""
    engine: Engine
    run: Run | None = None
    """The newest run whose records count: they are published, or are to be."""
    manifest: Manifest | None = None
    """Of that run, while it is kept."""
    item: str = ""
    published: list[LocalPart] = field(default_factory=list)
    loaded: dict[str, list[LocalPart]] = field(default_factory=dict)

    @classmethod
    def open(cls, parts: Parts, connection_name: str, engine: Engine) -> Self:
        """Find the run whose records count."""
        scene = cls(
            parts,
            connection_name,
            journal.get_connection(parts, connection_name),
            journal.get_state(parts, connection_name),
            journal.list_runs(parts, connection_name),
            engine,
        )
        for run in reversed(scene.runs):
            if run.dry_run or run.outcome in (Outcome.REJECTED, Outcome.SKIPPED, Outcome.WAITING):
                continue
            try:
                manifest = parts.records.get(f"{connection_name}/{run.run_id}/manifest.json")
            except FileNotFoundError:
                continue
            scene.run, scene.manifest = run, Manifest.model_validate_json(manifest)
            break
        return scene

    @property
    def profile(self) -> Profile:
        """The profile of the connection."""
        return self.parts.get_profile(self.connection.profile)

    @property
    def pending(self) -> Run | None:
        """The run whose records are read, and not, or not all, published."""
        is_over = self.run is None or (self.run.step is Step.ENDED and self.run.outcome in PUBLISHING)
        return None if is_over else self.run

    @property
    def tables(self) -> Mapping[str, tuple[TablePart, ...]]:
        """The tables after the newest package."""
        return self.manifest.tables if self.manifest is not None and self.pending else self.state.tables

    @property
    def known(self) -> Known:
        """What is known of the tables beyond their rows."""
        if self.manifest is None:
            return Known(frozenset(self.state.seen_tables), frozenset(self.state.tables), frozenset())
        return Known(frozenset(self.manifest.seen), frozenset(self.manifest.came), frozenset(self.manifest.refused))

    def rows_of(self, table: str, wanted: str, where: str = "true") -> list[Row]:
        """Return the rows of a table that were brought here."""
        if not self.loaded.get(table):
            return []
        names = [each.strip() for each in wanted.split(",")]
        found = self.engine.rows(
            f"select pk::varchar, brought_by, record, {self._line(table)} as line, {wanted} "
            f"from {relation(self.loaded[table])} where {where} order by pk"
        )
        return [
            Row(
                table,
                pk,
                by if record is not None else None,
                record if by is not None else None,
                line,
                dict(zip(names, values, strict=True)),
            )
            for pk, by, record, line, *values in found
        ]

    def dicts(self, sql: str) -> list[dict[str, Any]]:
        """Return rows by the names of their columns; for a handful."""
        names = [row[0] for row in self.engine.rows(f"describe {sql}")]
        return [dict(zip(names, row, strict=True)) for row in self.engine.rows(sql)]

    def _line(self, table: str) -> str:
        present = {row[0] for row in self.engine.rows(f"describe from {relation(self.loaded[table])}")}
        return "line" if "line" in present else "null::bigint"

    def view(self, table: str) -> None:
        """Make the view of a table from what was brought here."""
        make_view(self.engine, self.profile, table, self.loaded.get(table, ()), came_now=False)

    @property
    def person_of_row(self) -> str:
        """SQL for the person of a row of the students, under the connection's rules."""
        return key_under(bits_of(self.connection.person_id_rules), "PERSON_ID_EXTERNAL", "FORMS")

    def key_of_students(self, bits: int) -> str:
        """Return SQL for the key of a row of `students` under some rules."""
        return key_under(bits, "exact" if self.connection.person_id_rules else "person", "forms")

    def filter(
        self, table: str, where: str, is_wanted: Callable[[TablePart], bool] = lambda _: True
    ) -> list[LocalPart]:
        """Bring those rows of a table here, one part after the other."""
        found = []
        folder = self.engine.folder / "scene" / table
        for number, part in enumerate(self.tables.get(table, ())):
            if not is_wanted(part):
                continue
            (local,) = download(self.parts.tables, [part], folder / f"{number:05d}")
            file = folder / f"{number:05d}.parquet"
            _, run_id, kind, *_ = part.path.split("/")
            # What was thinned out later keeps the numbers of the package that brought it, under another run.
            by = text(run_id) if kind == "tables" else "null::varchar"
            rows = self._complete(table, local)
            self.engine.write(f"select *, {by} as brought_by from {rows} where {where}", file)
            local.file.unlink()
            count = self.engine.one(f"select count(*) from {parquet([file])}")
            if count:
                found.append(LocalPart(file, count, part.first, part.last))
        self.loaded[table] = found
        return found

    def _complete(self, table: str, part: LocalPart) -> str:
        """Return the relation of a part's rows, with the forms of ids that older versions did not keep."""
        present = {row[0] for row in self.engine.rows(f"describe from {relation([part])}")}
        lacks = table == STUDENTS and "FORMS" not in present
        return f"(select *, null::uuid[] as FORMS from {relation([part])})" if lacks else relation([part])

    @property
    def index(self) -> directory.Index | None:
        """Where the directory index stands, if it was made under the same pepper and of the same attribute."""
        document = self.parts.directory_index.find("index")
        index = directory.Index.model_validate(document.value) if document else None
        made = (self.state.pepper_version, self.connection.directory_attribute)
        return index if index and (index.pepper_version, index.attribute) == made else None


def relation(parts: Sequence[LocalPart]) -> str:
    """Return the relation of all rows of some parts."""
    return parquet([part.file for part in parts])
