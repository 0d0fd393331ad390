"""Finds where rows stand: the packages are opened again and read as they were read for their runs, for a few rows.

What was read of a package keeps no lines of people's rows, for nobody asks for them but here; and the report of
rejected rows does not say whose they are. Reading again tells both exactly, and costs nothing before somebody asks.
"""

import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import override

from shared.domain.errors import Code, ConnectorError
from shared.domain.package import Kind
from shared.domain.runs import Run
from shared.pipeline.ahead import ahead
from shared.pipeline.engine import Engine, name, parquet, text
from shared.pipeline.explain_scene import HISTORY, ITEMS, PUBLISHING, Row, Scene
from shared.pipeline.package_files import PackageFiles
from shared.pipeline.run_data import PLAN
from shared.pipeline.staging import STUDENTS, Staged, Stager
from shared.pipeline.table_plan import TablePlan

log = logging.getLogger(__name__)

_HIS = (
    "STUD_ID in (select student from students union all select student from asked) "
    "and CONTENT in (select content from asked_item)"
)
WANTED = {
    STUDENTS: "{person} in (select person from asked) or STUD_ID in (select student from asked)",
    PLAN: _HIS,
    HISTORY: _HIS,
    ITEMS: "(CPNT_TYP_ID, CPNT_ID) in (select (typ, id) from asked_item)",
}
"""Rows that matter, by table; `{person}` is the key under the connection's rules.

Needs `asked`, `asked_item` and `students`.
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A row in a package; a rejected one has a code."""

    run: Run
    table: str
    pk: str
    file: str
    line: int
    record: int
    field: str | None = None
    code: Code | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Rejected rows of a file of which nobody can tell whose they are."""

    run: Run
    file: str
    lines: tuple[int, ...]


@dataclass(slots=True)
class Search:
    """What was found in the packages."""

    scene: Scene
    read_packages: bool = True
    places: list[Place] = field(default_factory=list)
    """Newest package first."""
    unreadable: list[Unreadable] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)
    """Packages that could not be opened again, with the reason."""
    _done: set[str] = field(default_factory=set)

    def look_for(self, rows: Sequence[Row]) -> None:
        """Read the packages that brought these rows."""
        open_pks = {row.pk for row in rows if row.run is None}
        runs = {row.run for row in rows if row.run is not None}
        for run in self.packages():
            if run.run_id in runs or open_pks:
                self._read(run)
                open_pks -= {each.pk for each in self.places if each.code is None}

    def look_for_rejects(self, tables: Collection[str]) -> None:
        """Read the packages in whose tables something was rejected, or that carry more rejects than their run tells."""
        for run in self.packages():
            # What Graph refused stands under the name of its table, which is no file's.
            stems = {each.file.rpartition(".")[0].upper() for each in run.rejects}
            names = {self.scene.profile.names.get(stem) for stem in stems}
            if names & set(tables) or run.reject_count > len(run.rejects):
                self._read(run)

    def look_everywhere(self) -> None:
        """Read all packages since the newest full one."""
        for run in self.packages():
            self._read(run)

    def place_of(self, row: Row) -> Place | None:
        """Return where a row came from; `None` where no package that is kept and could be read holds it."""
        good = [each for each in self.places if each.table == row.table and each.pk == row.pk and each.code is None]
        exact = [each for each in good if each.run.run_id == row.run and each.record == row.record]
        return next(iter(exact or good), None)

    def rejected(self, *tables: str) -> list[Place]:
        """Return the rejected rows of some tables, newest package first."""
        return [each for each in self.places if each.code is not None and each.table in tables]

    def packages(self) -> Iterator[Run]:
        """Yield runs of the packages that the tables rest on, newest first, back to the newest full one."""
        seen = set()
        runs = sorted(self.scene.runs, key=lambda run: (run.timestamp, run.started_at), reverse=True)
        for run in runs:
            counts = run.outcome in PUBLISHING or (self.scene.pending and run.run_id == self.scene.pending.run_id)
            if run.dry_run or not counts or run.kind is Kind.KEYS or run.content_hash in seen:
                continue
            seen.add(run.content_hash)
            yield run
            if run.kind is Kind.FULL:
                return

    def _read(self, run: Run) -> None:
        if not self.read_packages or run.run_id in self._done:
            return
        self._done.add(run.run_id)
        log.info("explain.reads connection=%s run=%s", run.connection, run.run_id)
        try:
            self._open(run)
        except FileNotFoundError:
            self.unread[run.package] = "it is no longer kept"
        except ConnectorError as error:
            self.unread[run.package] = str(error)

    def _open(self, run: Run) -> None:
        with self.scene.engine.reader() as clear:
            for table in ("asked", "asked_item", "students"):
                self.scene.engine.give(table, clear)
            finder = self._find(run, clear)
            self._collect(run, finder)

    def _find(self, run: Run, clear: Engine) -> "_Finder":
        """Read a package; return who has read it."""
        scene = self.scene
        connection, secrets = scene.connection, scene.parts.secrets
        passphrase = connection.pgp_passphrase_secret
        finder = _Finder(
            clear,
            clear.folder / "found",
            connection.source_time_zone,
            frozenset({"publish_author"} if connection.publish_author else ()),
            frozenset(connection.require_fields),
            connection.directory_attribute,
        )
        finder.person = scene.person_of_row
        windows_1252: set[str] = set()
        while True:
            finder.begin()
            files = PackageFiles(scene.profile, finder, set(WANTED), windows_1252, only_keys=False)
            with (
                scene.parts.sealed.open(run.sealed_path) as sealed,
                scene.parts.opener.open(
                    sealed,
                    secrets.list_versions(connection.pgp_key_secret),
                    secrets.list_versions(passphrase) if passphrase else (),
                    require_signature=connection.require_signature,
                ) as opened,
                ahead(opened.chunks()) as chunks,
            ):
                if files.read(chunks, connection.unpacked_limit_bytes):
                    break
        finder.save_rejects()
        return finder

    def _collect(self, run: Run, finder: "_Finder") -> None:
        # As the tables have it: of twins the later change counts, else the later row.
        found = finder.engine.rows(
            "select table_name, pk::varchar, file, line, record, field, code, message from found "
            "order by updated_at desc nulls last, record desc"
        )
        self.places += [
            Place(run, table, pk, file, line, record, column, Code(code) if code else None, message or "")
            for table, pk, file, line, record, column, code, message in found
        ]
        lines: dict[str, list[int]] = {}
        for file, line in finder.engine.rows(
            f"select file, line from {parquet(finder.rejects)} where not key_readable and code <> "
            f"{text(Code.COLUMN_MISSING)} and (file, line) not in (select (file, line) from found) order by all"
        ):
            lines.setdefault(file, []).append(line)
        self.unreadable += [Unreadable(run, file, tuple(each)) for file, each in lines.items()]


class _Finder(Stager):
    """Reads as for a run, and keeps nothing but where the wanted rows stand."""

    person: str = "PERSON_ID_EXTERNAL"
    """SQL for the person of a row."""

    def begin(self) -> None:
        """Forget what was found before."""
        self.engine.run("delete from rejects")
        self.rejects.clear()
        self.engine.run(
            "create or replace temp table found (table_name varchar, file varchar, line bigint, record bigint, "
            "pk uuid, updated_at timestamp, field varchar, code varchar, message varchar)"
        )

    @override
    def _take(self, staged: Staged, plan: TablePlan, rows: str, ids: str) -> tuple[int, int]:
        # Somebody new shows in what is kept, and nothing is.
        self.students.meet(plan, ids)
        found = super()._take(staged, plan, rows, ids)
        told = {
            part: f"case fault {' '.join(f'when {n} then {text(str(value))}' for n, value in enumerate(values))} end"
            for part, values in (
                ("field", [fault.column for fault in plan.faults]),
                ("code", [fault.code for fault in plan.faults]),
                ("message", [fault.message for fault in plan.faults]),
            )
        }
        has_time = any(value.name == "LST_UPD_TSTMP" for value in plan.values)
        self.engine.run(
            f"insert into found select {text(staged.table)}, {text(staged.file)}, line, record, pk, "
            f"{name('LST_UPD_TSTMP') if has_time else 'null'}, {told['field']}, {told['code']}, {told['message']} "
            f"from ({plan.finish(rows, self.students.relation)}) "
            f"where {WANTED[staged.table].format(person=self.person)}"
        )
        return found

    @override
    def _keep(self, staged: Staged, plan: TablePlan, rows: str, ids: str) -> None:
        """Keep nothing."""
