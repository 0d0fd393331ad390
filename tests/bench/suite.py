"""All that one run measures, in its order: nothing runs beside anything else."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.local.sftp_openssh import OpenSshError
from shared.domain.connection import GIB
from tests.bench import again, chain, claims, imports, machine, sftp, stages, statements
from tests.bench.data import LIMIT, TENTH, Data, Sizes, find, make, write_table
from tests.bench.peers import environment, naive_pipeline, reading
from tests.bench.peers.sftp_readers import READERS, Reader, Server
from tests.bench.result import Again, Beside, Figures, Line, Peer, Result, Statements, Sync
from tests.bench.stages import BenchError

PACKED_LIMIT_BYTES = 2 * GIB
CLOSE = 0.95
"""How near to the limit a package has to come at least."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured."""

    sizes: Sizes
    folder: Path
    peers: bool = True
    at_limit: bool = False
    """Instead of the sizes: the largest package that is taken, and a tenth of it; nobody else is measured."""


@dataclass(frozen=True, slots=True)
class Suite:
    """One run."""

    plan: Plan
    working: Callable[[str], AbstractContextManager[Callable[[str], None]]]
    """Shows what goes on while its block lasts, and gives what tells more about it."""
    took: dict[str, float] = field(default_factory=dict)
    """Seconds of each part; without what is made once and kept."""

    def run(self) -> Result:
        """Measure, and judge.

        Raises:
            BenchError, CommandError: the connector or the bare chain did not do its work.
        """
        result = self._at_limit() if self.plan.at_limit else self._beside_others()
        result = result.model_copy(update={"took": {what: round(seconds, 1) for what, seconds in self.took.items()}})
        return result.model_copy(update={"claims": claims.make(result)})

    def _beside_others(self) -> Result:
        data = self._data(self.plan.sizes)
        # A machine is not as fast at one time as at another: what is compared comes one after the other.
        before = self._chain(data)
        sync = self._sync(data, "the connector")
        after = self._chain(data)
        return self._result(
            self.plan.sizes,
            sync=sync,
            chain=before.mean(after),
            peers=tuple(self._readers()) if self.plan.peers else (),
            again=self._again(),
            statements=self._statements(),
            besides=tuple(map(self._beside, claims.NAIVE_TIMES)) if self.plan.peers else (),
            lines=tuple(self._lines()) if self.plan.peers else (),
            imported=tuple(self._imports()),
        )

    def _at_limit(self) -> Result:
        data = self._data(LIMIT)
        packed_bytes = data.package.stat().st_size
        if not CLOSE * PACKED_LIMIT_BYTES <= packed_bytes <= PACKED_LIMIT_BYTES:
            raise BenchError(
                f"The largest package has {packed_bytes} bytes, which is not just below {PACKED_LIMIT_BYTES}: choose "
                "LIMIT in tests/bench/data.py anew, and TENTH with it."
            )
        small, what = self._data(TENTH), "the connector, on a tenth of the limit"
        before = self._sync(small, what)
        sync = self._sync(data, "the connector, at the limit")
        return self._result(LIMIT, sync=sync, tenth=before.mean(self._sync(small, what)))

    def _result(
        self,
        sizes: Sizes,
        *,
        sync: Sync,
        chain: Figures | None = None,
        again: Again | None = None,
        statements: Statements | None = None,
        peers: tuple[Peer, ...] = (),
        besides: tuple[Beside, ...] = (),
        lines: tuple[Line, ...] = (),
        tenth: Sync | None = None,
        imported: tuple[dict[str, Any], ...] = (),
    ) -> Result:
        return Result(
            day=datetime.now(UTC).date().isoformat(),
            machine=machine.look(),
            sizes=asdict(sizes),
            sync=sync,
            chain=chain,
            again=again,
            statements=statements,
            peers=peers,
            besides=besides,
            sftp=lines,
            tenth=tenth,
            imports=imported,
        )

    def _data(self, sizes: Sizes) -> Data:
        place = self.plan.folder / sizes.name
        found = find(place)
        if found is None:
            with self.working(f"inventing {sizes.rows:,} assignments, once"):
                found = make(place, sizes)
        return found

    def _sync(self, data: Data, what: str) -> Sync:
        with self._folder() as state, self._measuring(what) as tell:
            return stages.measure(data, state, lambda standing: tell(standing.doing))

    def _chain(self, data: Data) -> Figures:
        with self._measuring("the bare chain"):
            return chain.measure(data)

    def _again(self) -> Again:
        with self._folder() as folder, self._measuring("the same package twice") as tell:
            return again.measure(folder, self.plan.sizes, lambda standing: tell(standing.doing))

    def _statements(self) -> Statements:
        count = min(statements.COUNT, self.plan.sizes.rows)
        with self._measuring(f"{count:,} xAPI statements"):
            return statements.measure(count)

    @contextmanager
    def _folder(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="state-", dir=self.plan.folder) as folder:
            yield Path(folder)

    def _imports(self) -> Iterator[dict[str, Any]]:
        with self._measuring("importing"):
            for name in imports.names():
                yield asdict(imports.measure(name, imports.runs(name) if self.plan.peers else 1))

    def _beside(self, megabytes: int) -> Beside:
        data = self._data(Sizes.packed(megabytes))
        what = f"the connector on {megabytes} MB"
        before = self._sync(data, what)
        name, how = naive_pipeline.NAME, naive_pipeline.HOW
        try:
            programs = self._programs(name, naive_pipeline.REQUIREMENTS)
        except environment.NotInstallableError as error:
            naive = Peer(name=name, how=how, reason=f"not installed: {error}")
        else:
            with self._measuring(f"the {name} on {megabytes} MB"):
                naive = naive_pipeline.measure(data, programs, before.records)
        return Beside(megabytes=megabytes, connector=before.mean(self._sync(data, what)), naive=naive)

    def _lines(self) -> Iterator[Line]:
        """Read a file by SFTP, near and far, as OpenSSH's own client does."""
        with self._measuring("SFTP, near and far"):
            try:
                measured = sftp.measure()
            except sftp.OpenSshMissingError:
                return
        for pair in (measured.near, measured.far):
            yield Line(
                name=pair.line,
                times_as_fast=pair.ratio,
                at_least=pair.at_least,
                bytes_per_second=round(pair.ours_bytes_per_second),
                peak_memory_bytes=pair.ours.peak_memory_bytes,
            )

    def _readers(self) -> list[Peer]:
        """Let every peer read the beginning of the same table from one server."""
        # Not below the bench's own folder: Airbyte's globs do not look into hidden ones.
        with tempfile.TemporaryDirectory(prefix="table-") as folder:
            tables = {reader.rows: Path(folder) / f"assignments-{reader.rows}.csv" for reader in READERS}
            with self._measuring("the table that the peers read"):
                counts = {rows: write_table(table, self.plan.sizes, rows) for rows, table in tables.items()}
            try:
                with reading.serving(next(iter(tables.values()))) as server:
                    return [self._reader(each, server, tables[each.rows], counts[each.rows]) for each in READERS]
            except OpenSshError as error:
                return [Peer(name=reader.name, how=reader.how, reason=f"not run: {error}") for reader in READERS]

    def _reader(self, reader: Reader, server: Server, table: Path, rows: int) -> Peer:
        shown = replace(server, file=table.name)
        try:
            programs = self._programs(reader.name, reader.requirements)
        except environment.NotInstallableError as error:
            return Peer(name=reader.name, how=reader.how, reason=f"not installed: {error}")
        with self._measuring(reader.name):
            return reading.measure(reader, shown, programs, rows=rows, table_bytes=table.stat().st_size)

    def _programs(self, name: str, requirements: Path) -> Path:
        """Return the programs of a peer's environment.

        Raises:
            NotInstallableError: it cannot be had on this machine.
        """
        place = self.plan.folder / "peers" / requirements.stem
        found = environment.find(place, requirements)
        if found is None:
            with self.working(f"installing {name}, once"):
                found = environment.make(place, requirements)
        return found

    @contextmanager
    def _measuring(self, what: str) -> Iterator[Callable[[str], None]]:
        """Show that something is measured, and keep how long that took."""
        began = time.monotonic()
        with self.working(what) as tell:
            yield tell
        self.took[what] = self.took.get(what, 0.0) + time.monotonic() - began
