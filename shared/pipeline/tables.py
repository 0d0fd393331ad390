"""The normalised tables of a connection: what is known after a package, as if every package were a full one.

A delta is upserted by primary key. Absence proves deletion only in a table that was read whole: a full package's
table, or the key table of a delta's keys package. A full package's table is what was staged of it; any other is put
together anew, one range of places after the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from shared.domain.errors import Code
from shared.domain.package import Kind
from shared.domain.profile import Profile, Table
from shared.pipeline import columns
from shared.pipeline.engine import Engine, name, parquet, text
from shared.pipeline.staging import Staged
from shared.pipeline.table_parts import LocalPart, files, ranges, write_part

LEFT_OVER = "pk uuid, student uuid, place usmallint, loser boolean"


@dataclass(slots=True)
class Merged:
    """A table after the package."""

    parts: list[LocalPart] | None = None
    """Its rows, when they differ from before; `None` when nothing about the table has changed."""
    left_over: Path | None = None
    """Rows of the package that are not in the table (columns of `LEFT_OVER`): twins that another row outdid, and rows
    that the keys package does not know."""


@dataclass(slots=True)
class Merger:
    """Brings what was staged of a package into one table after the other."""

    engine: Engine
    profile: Profile
    kind: Kind
    folder: Path

    def merge(
        self, table_name: str, *, staged: Staged | None, keys: Staged | None, old: Sequence[LocalPart] | None
    ) -> Merged:
        """Return what becomes of a table; `old` is `None` for one that never came."""
        read = staged if staged is not None and not staged.refused else None
        proof = keys if keys is not None and not keys.refused and not self._unreadable(keys.table) else None
        if read is None and (proof is None or old is None):
            return Merged()
        unreadable = read is not None and self._unreadable(table_name)
        proof = None if unreadable else proof
        self._judge_rejects(table_name)
        student = self.profile.tables[table_name].owner or "null::uuid"
        losers = self._find_losers(read.parts if read else (), student)
        work = _Work(self.engine, self.folder / table_name, read.parts if read else [], old or [])
        whole = read is not None and self.kind is Kind.FULL and not unreadable
        parts = work.replace_old() if whole else work.put_together(proof.parts if proof else None)
        gone = work.left_over(proof.parts, student) if read and proof else 0
        left_over = None
        if losers or gone:
            left_over = self.engine.write("from left_over", self.folder / f"{table_name}-left-over.parquet")
        return Merged(parts, left_over)

    def _unreadable(self, table_name: str) -> bool:
        """Tell whether a row was rejected whose key nobody can tell."""
        return bool(
            self.engine.one("select count(*) from rejects where table_name = ? and not key_readable", [table_name])
        )

    def _judge_rejects(self, table_name: str) -> None:
        """Make `held` (rejected rows, whose former state stays) and `gone` (learners that cannot be anybody)."""
        self.engine.run(
            "create or replace temp table held as select distinct pk from rejects "
            f"where table_name = {text(table_name)} and key_readable and code <> {text(Code.PERSON_ID_TOO_LONG)}"
        )
        self.engine.run(
            "create or replace temp table gone as select distinct pk from rejects "
            f"where table_name = {text(table_name)} and code = {text(Code.PERSON_ID_TOO_LONG)}"
        )

    def _find_losers(self, parts: Sequence[LocalPart], student: str) -> int:
        """Make the tables `losers` (record) and `left_over`: of twins the later change wins, else the later row."""
        self.engine.run("create or replace temp table losers (record bigint)")
        self.engine.run(f"create or replace temp table left_over ({LEFT_OVER})")
        self.engine.run("create or replace temp table suspects (half ubigint)")
        # Hashes of eight bytes take half the room, and so twice as many rows are looked at; what they bring by chance
        # is looked at again below.
        for first, last in ranges(sum(part.rows for part in parts) // 2):
            if found := files(parts, first, last):
                self.engine.run(
                    f"insert into suspects select hash(pk) from {parquet(found)} "
                    f"where place between {first} and {last} group by hash(pk) having count(*) > 1"
                )
        if not self.engine.one("select count(*) from suspects"):
            return 0
        rows = parquet([part.file for part in parts])
        self.engine.run(
            f"create or replace temp table twins as select pk from {rows} semi join suspects on half = hash(pk) "
            "group by pk having count(*) > 1"
        )
        has_time = self.engine.one(f"select count(*) from (describe from {rows}) where column_name = 'LST_UPD_TSTMP'")
        # Where one of the twins does not say when it changed, the times decide nothing.
        dated = (
            "case when count(LST_UPD_TSTMP) over (partition by pk) = count(*) over (partition by pk) "
            "then LST_UPD_TSTMP end"
        )
        self.engine.run(
            "create or replace temp table outdone as select record, pk, student, place from ("
            "select *, row_number() over (partition by pk order by dated desc, record desc) as rank from "
            f"(select record, pk, {student} as student, place, {dated if has_time else 'null'} as dated from {rows} "
            "semi join twins using (pk))) where rank > 1"
        )
        self.engine.run("insert into losers select record from outdone")
        self.engine.run("insert into left_over select pk, student, place, true from outdone")
        return int(self.engine.one("select count(*) from losers"))


@dataclass(slots=True)
class _Work:
    """One table being put together. Needs the tables `held`, `gone`, `losers` and `left_over`."""

    engine: Engine
    folder: Path
    new: list[LocalPart]
    old: Sequence[LocalPart]
    written: list[LocalPart] = field(default_factory=list)

    def replace_old(self) -> list[LocalPart]:
        """Return what was staged, without losers, and what is held of the old rows."""
        for part in self.new:
            if self.engine.one(f"select count(*) from {parquet([part.file])} semi join losers using (record)"):
                self._write(f"from {parquet([part.file])} anti join losers using (record)")
            else:
                self.written.append(part)
        if self.old and self.new and self.engine.one("select count(*) from held"):
            old, new = (parquet([part.file for part in parts]) for parts in (self.old, self.new))
            self.engine.run(f"create or replace temp table kept as from {old} semi join held using (pk)")
            self.engine.run(
                f"delete from kept where pk in (select n.pk from {new} n semi join kept k on k.pk = n.pk) "
                "or pk in (select pk from gone)"
            )
            self._write(f"select * replace (null::bigint as record) from {self._like_new('kept')}")
            self.engine.run("drop table kept")
        return self.written or self.new

    def put_together(self, alive: Sequence[LocalPart] | None) -> list[LocalPart]:
        """Return the old rows with the new ones upon them; only those that are alive, where that is known."""
        for first, last in ranges(sum(part.rows for part in (*self.new, *self.old))):
            between = f"where place between {first} and {last}"
            parts = []
            if new := files(self.new, first, last):
                parts.append(f"(from {parquet(new)} anti join losers using (record) {between})")
            if old := files(self.old, first, last):
                kept = f"from (select * replace (null::bigint as record) from {parquet(old)} {between}) "
                kept += "anti join gone using (pk)"
                if new:
                    kept += f" anti join (select pk from {parquet(new)} {between}) using (pk)"
                parts.append(f"({kept})")
            if not parts:
                continue
            rows = " union all by name ".join(parts)
            if alive is not None:
                known = files(alive, first, last)
                living = (
                    f"select pk from {parquet(known)} {between}" if known else "select null::uuid as pk where false"
                )
                rows = f"from ({rows}) semi join (({living}) union all from held) using (pk)"
            self._write(rows)
        some = self.new or self.old
        return self.written or ([self._empty(some[0])] if some else [])

    def left_over(self, alive: Sequence[LocalPart], student: str) -> int:
        """Add the new rows that are not alive to `left_over`; return how many."""
        if not self.new:
            return 0
        before = self.engine.one("select count(*) from left_over")
        new, known = (parquet([part.file for part in parts]) for parts in (self.new, alive))
        self.engine.run(
            f"insert into left_over select pk, {student}, place, false from {new} anti join losers using (record) "
            f"anti join (select k.pk from {known} k semi join {new} n using (pk) union all from held) using (pk)"
        )
        return int(self.engine.one("select count(*) from left_over") - before)

    def _write(self, sql: str) -> None:
        # Not a number of the new ones, which may be on their way into storage already.
        number = len(self.new) + len(self.written)
        part = write_part(self.engine, sql, self.folder / f"{number:05d}.parquet")
        if part.rows:
            self.written.append(part)

    def _empty(self, part: LocalPart) -> LocalPart:
        return write_part(self.engine, f"from {parquet([part.file])} where false", self.folder / "empty.parquet")

    def _like_new(self, relation: str) -> str:
        """Return the relation with the columns of the new rows, whatever the profile was when the old were read."""
        new = {row[0]: row[1] for row in self.engine.rows(f"describe from {parquet([self.new[0].file])}")}
        old = {row[0] for row in self.engine.rows(f"describe from {relation}")}
        kept = ", ".join(
            name(column) if column in old else f"null::{type_} as {name(column)}" for column, type_ in new.items()
        )
        return f"(select {kept} from {relation})"


def make_view(
    engine: Engine,
    profile: Profile,
    table_name: str,
    parts: Sequence[LocalPart],
    *,
    came_now: bool,
    view: str = "",
    where: str = "",
) -> None:
    """Make the view of a table, named after it; a table without parts, which never came, is empty.

    `came` tells the rows that this package brought.
    """
    found = [part.file for part in parts]
    typed = _columns(profile.tables[table_name])
    # All parts of a table have the columns of the first.
    present = {row[0] for row in engine.rows(f"describe from {parquet(found[:1])}")} if found else set()
    typed |= {"line": "bigint"}
    kept = ", ".join(
        name(column) if column in present else f"null::{type_} as {name(column)}" for column, type_ in typed.items()
    )
    came = "record is not null" if came_now else "false"
    source = f"select {kept}, {came} as came from {parquet(found)} {where}"
    if not found:
        source = f"select {kept}, false as came where false"
    engine.run(f"create or replace temp view {name(view or table_name)} as {source}")


def _columns(table: Table) -> dict[str, str]:
    typed = {"pk": "uuid", "place": "usmallint"}
    for column_name, column in table.columns.items():
        for value in columns.values(column_name, column, "null", "null"):
            typed[value.name] = value.type
    return typed | dict.fromkeys(table.fingerprints, "uuid")
