"""Loads what a run works on into the engine: its tables, what was published, and the rows of its package."""

import gzip
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter

from shared.domain.connection import Connection
from shared.domain.messages import Stage
from shared.domain.plan import SHARD_SIZE
from shared.domain.profile import Profile
from shared.domain.runs import Run
from shared.domain.state import State
from shared.domain.table_part import TablePart
from shared.pipeline import show_contents
from shared.pipeline.engine import Engine, parquet, text
from shared.pipeline.parts import Parts
from shared.pipeline.read_package import Manifest
from shared.pipeline.replay_scope import Scope
from shared.pipeline.show_contents import Known
from shared.pipeline.table_parts import LocalPart, download, downloading, upload, write_part
from shared.pipeline.tables import LEFT_OVER, make_view

PLAN = "PA_STUD_CPNT"
"""The table of assignments."""
_SHARDS_AT_ONCE = 20
"""What is brought into memory at a time: some ten megabytes of bodies."""


@dataclass(frozen=True, slots=True)
class RunData:
    """One run with all that it works on."""

    parts: Parts
    connection: Connection
    state: State
    run: Run
    manifest: Manifest
    engine: Engine
    scope: Scope | None = None
    """Of a run without a package: what it may send."""
    tables: dict[str, list[LocalPart]] = field(default_factory=dict)
    """The tables as files of this machine, as far as they are there (see `files_of`)."""
    coming: dict[str, Callable[[], list[LocalPart]]] = field(default_factory=dict)
    """What waits for the others."""
    published: list[LocalPart] = field(default_factory=list)
    """The snapshot of published activities, once it is loaded."""

    @property
    def known(self) -> Known:
        """What is known of the tables beyond their rows."""
        manifest = self.manifest
        return Known(frozenset(manifest.seen), frozenset(manifest.came), frozenset(manifest.refused))

    @property
    def records(self) -> str:
        """Where the run's records stand."""
        return f"{self.run.connection}/{self.run.run_id}"

    @contextmanager
    def loading(self) -> Iterator[None]:
        """Make the views of the tables, the table `published_contents`, and bring the published activities here.

        But for the plan, by far the largest table: it comes while something else is done, and whoever needs it makes
        its view.
        """
        folder, stored = self.engine.folder / "tables", self.manifest.tables
        needed = stored.get(PLAN, ()) if self.run.learner_part else ()
        with downloading(self.parts.tables, needed, folder / PLAN) as plan:
            self.coming[PLAN] = plan
            for table in self.profile.tables:
                if table != PLAN:
                    self.tables[table] = download(self.parts.tables, stored.get(table, ()), folder / table)
                    self.make_view(table)
            contents = self.state.contents_path
            self.load_contents((contents,) if contents else ())
            self.published.extend(
                download(self.parts.tables, self.state.activities_parts, self.engine.folder / "published")
            )
            # Nothing from here on depends on the order in which rows were read, and writing is leaner without it.
            self.engine.run("set preserve_insertion_order = false")
            yield

    def files_of(self, table: str) -> list[LocalPart]:
        """Return the files of a table on this machine; waits for those that are still coming."""
        if table in self.coming:
            self.tables[table] = self.coming.pop(table)()
        return self.tables[table]

    @property
    def profile(self) -> Profile:
        """The profile of the connection."""
        return self.parts.get_profile(self.connection.profile)

    def make_view(self, table: str, view: str = "", where: str = "", parts: Sequence[LocalPart] | None = None) -> None:
        """Make the view of a table, or of those of its rows that lie in some parts and fit `where`."""
        parts = self.files_of(table) if parts is None else parts
        came_now = table in self.manifest.read_now
        make_view(self.engine, self.profile, table, parts, came_now=came_now, view=view, where=where)

    def load_contents(self, paths: Sequence[str]) -> None:
        """Make the table `published_contents` from its snapshot."""
        columns = ", ".join(f"{column} {type_}" for column, type_ in show_contents.SNAPSHOT.items())
        self.engine.run(f"create or replace table published_contents ({columns})")
        for path in paths:
            local = self.parts.tables.get_file(path, self.engine.folder / "contents.parquet")
            self.engine.run(f"insert into published_contents by name from {parquet([local])}")
            local.unlink()

    def count_published_assignments(self) -> int:
        """Count the assignments that Viva Learning shows."""
        if not self.published:
            return 0
        found = parquet([part.file for part in self.published])
        return int(self.engine.one(f"select count(*) from {found} where kind = 'assignment' and refused_at is null"))

    def load_left_over(self, table: str, into: str) -> None:
        """Make a table of the rows of the package that are not in their table (columns of `LEFT_OVER`)."""
        self.engine.run(f"create or replace temp table {into} ({LEFT_OVER})")
        if path := self.manifest.left_over.get(table):
            local = self.parts.records.get_file(path, self.engine.folder / "left-over.parquet")
            self.engine.run(f"insert into {into} by name from {parquet([local])}")
            local.unlink()

    def save_snapshot(self, table: str) -> str:
        """Write a snapshot beside the run's tables, and return its path."""
        path = f"{self.records}/{table}.parquet"
        local = self.engine.write(f"from {table}", self.engine.folder / f"{table}.parquet")
        self.parts.tables.put_file(path, local)
        local.unlink()
        return path

    def save_published(self, number: int) -> TablePart:
        """Write a part of the snapshot of published activities beside the run's tables."""
        local = write_part(self.engine, "from published", self.engine.folder / "published.parquet")
        part = upload(self.parts.tables, local, f"{self.records}/published/{number:05d}.parquet")
        local.file.unlink()
        return part

    def save(self, table: str, part: str = "") -> None:
        """Keep a table of the engine, or a part of it, with the run's records."""
        path = self.engine.write(f"select * from {table}", self.engine.folder / f"{table}.parquet")
        self.parts.records.put_file(f"{self.records}/{table}{part}.parquet", path)
        path.unlink()

    def restore(self, table: str, part: str = "") -> bool:
        """Load a table that was saved; false when it never was."""
        local = self.engine.folder / f"{table}.parquet"
        try:
            self.parts.records.get_file(f"{self.records}/{table}{part}.parquet", local)
        except FileNotFoundError:
            return False
        self.engine.run(f"create or replace table {table} as select * from {parquet([local])}")
        local.unlink()
        return True

    def write_shards(self, stage: Stage, first: int = 0) -> int:
        """Write the table `operations` as shards, the first with that number, and return how many."""
        count = 0
        for count, lines in enumerate(self._shards(), start=1):
            path = f"{self.records}/{stage}/shard-{first + count - 1:05d}.ndjson.gz"
            self.parts.pushes.put(path, gzip.compress("\n".join(lines).encode(), compresslevel=1))
        return count

    def _shards(self) -> Iterator[list[str]]:
        """Yield the lines of one shard after the other; operations on one key stay together."""
        count = self.engine.one(f"select coalesce(max(place) // {SHARD_SIZE} + 1, 0) from operations")
        # To sort all bodies at once takes more memory than there is for a large catalog.
        for first in range(0, count, _SHARDS_AT_ONCE):
            rows = self.engine.rows(
                f"select place // {SHARD_SIZE}, json_merge_patch('{{}}', json_object('number', number, 'act', act, "
                "'key', key, 'graph_id', graph_id, 'person', person))::varchar, body from operations "
                f"where place between {first * SHARD_SIZE} and {(first + _SHARDS_AT_ONCE) * SHARD_SIZE - 1} "
                "order by number"
            )
            for _, shard in groupby(rows, key=itemgetter(0)):
                yield [f'{head[:-1]},"body":{body}}}' if body else head for _, head, body in shard]

    def load_receipts(self, stage: Stage, shards: Sequence[int]) -> None:
        """Make the table `receipts` of some shards (number, act, key, verdict, graph_id, code, reason)."""
        self.engine.run(
            "create or replace table receipts "
            "(number bigint, act varchar, key varchar, verdict varchar, graph_id varchar, code varchar, reason varchar)"
        )
        local = self.engine.folder / f"receipts-{stage}.ndjson"
        with local.open("wb") as file:
            for shard in shards:
                for path in self.parts.pushes.list_paths(f"{self.records}/{stage}/shard-{shard:05d}.receipts-"):
                    file.write(self.parts.pushes.get(path) + b"\n")
        if local.stat().st_size:
            self.engine.run(
                f"insert into receipts by name select * from read_json({text(str(local))}, format = "
                "'newline_delimited', "
                "columns = {number: 'BIGINT', act: 'VARCHAR', key: 'VARCHAR', verdict: 'VARCHAR', graph_id: 'VARCHAR', "
                "code: 'VARCHAR', reason: 'VARCHAR'}) where number is not null"
            )
        local.unlink()
