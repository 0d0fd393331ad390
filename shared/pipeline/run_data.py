"""Loads what a run works on into the engine: its tables, what was published, and the rows of its package."""

import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.domain.connection import Connection
from shared.domain.messages import Stage
from shared.domain.plan import SHARD_SIZE
from shared.domain.runs import Run
from shared.domain.state import State
from shared.pipeline import show_activities, show_contents
from shared.pipeline.directory import local_copy
from shared.pipeline.engine import Engine, parquet, text
from shared.pipeline.parts import Parts
from shared.pipeline.read_package import COUNTED, Manifest
from shared.pipeline.show_contents import Known
from shared.pipeline.tables import make_views


@dataclass(frozen=True, slots=True)
class RunData:
    """One run with all that it works on."""

    parts: Parts
    connection: Connection
    state: State
    run: Run
    manifest: Manifest
    engine: Engine

    @property
    def known(self) -> Known:
        """What is known of the tables beyond their rows."""
        manifest = self.manifest
        return Known(frozenset(manifest.seen), frozenset(manifest.came), frozenset(manifest.refused))

    @property
    def records(self) -> str:
        """Where the run's records stand."""
        return f"{self.run.connection}/{self.run.run_id}"

    def load(self) -> None:
        """Make the views of the tables, `published_contents`, `published`, and the rows of the package."""
        folder = self.engine.folder / "tables"
        tables = {
            name: local_copy(self.parts.tables, path, folder / f"{name}.parquet")
            for name, path in self.manifest.tables.items()
        }
        profile = self.parts.get_profile(self.connection.profile)
        make_views(self.engine, profile, self.connection, tables)
        self.load_snapshots()
        for table, kind in COUNTED.items():
            self._package_rows(table, kind)
        # Nothing from here on depends on the order in which rows were read, and writing is leaner without it.
        self.engine.run("set preserve_insertion_order = false")

    def load_snapshots(self) -> None:
        """Make the tables `published_contents` and `published`."""
        contents = self.state.contents_path
        self.load_snapshot("published_contents", (contents,) if contents else (), show_contents.SNAPSHOT)
        self.load_snapshot("published", self.state.activities_paths, show_activities.SNAPSHOT)

    def save_snapshot(self, table: str, part: str = "") -> str:
        """Write a snapshot, or a part of one, beside the run's tables, and return its path."""
        path = f"{self.records}/{table}{part}.parquet"
        local = self.engine.write(f"select * from {table}", self.engine.folder / f"{table}.parquet")
        self.parts.tables.put_file(path, local)
        local.unlink()
        return path

    def load_snapshot(self, name: str, paths: Sequence[str], shape: dict[str, str]) -> None:
        """Make a table of that shape, and fill it from blobs of the container `tables`."""
        columns = ", ".join(f"{column} {type_}" for column, type_ in shape.items())
        self.engine.run(f"create or replace table {name} ({columns})")
        for path in paths:
            local = local_copy(self.parts.tables, path, self.engine.folder / f"{name}.parquet")
            self.engine.run(f"insert into {name} by name select * from {parquet([local])}")
            local.unlink()

    def _package_rows(self, table: str, kind: str) -> None:
        """Make `package_<kind>`: the rows that this package brought, by primary key."""
        self.engine.run(f"create or replace table package_{kind} (pk uuid, line bigint, loser boolean, student uuid)")
        paths = self.manifest.parts.get(table, [])
        if not paths:
            return
        folder = self.engine.folder / "package" / table
        twins = self.manifest.twins.get(table, [])
        student = "null::uuid" if kind == "contents" else "STUD_ID"
        for number, path in enumerate(paths):
            local = local_copy(self.parts.records, path, folder / f"{number}.parquet")
            self.engine.run(
                f"insert into package_{kind} select pk, line, list_contains({twins}::bigint[], line), {student} "
                f"from {parquet([local])}"
            )
            local.unlink()

    def save(self, table: str, part: str = "") -> None:
        """Keep a table of the engine, or a part of it, with the run's records."""
        path = self.engine.write(f"select * from {table}", self.engine.folder / f"{table}.parquet")
        self.parts.records.put_file(f"{self.records}/{table}{part}.parquet", path)
        path.unlink()

    def restore(self, table: str, part: str = "") -> bool:
        """Load a table that was saved; false when it never was."""
        local = self.engine.folder / f"{table}.parquet"
        try:
            local_copy(self.parts.records, f"{self.records}/{table}{part}.parquet", local)
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
        current = 0
        lines: list[str] = []
        for rows in self.engine.iterate(
            f"select place // {SHARD_SIZE}, json_merge_patch('{{}}', json_object('number', number, 'act', act, "
            "'key', key, 'graph_id', graph_id, 'person', person))::varchar, body from operations order by number"
        ):
            for shard, head, body in rows:
                if shard != current:
                    yield lines
                    current, lines = shard, []
                lines.append(f'{head[:-1]},"body":{body}}}' if body else head)
        if lines:
            yield lines

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
