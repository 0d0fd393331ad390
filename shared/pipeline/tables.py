"""The normalised tables of a connection: what is known after a package, as if every package were a full one.

A delta is upserted by primary key. Absence proves deletion only in a table that was read whole: a full package's
table, or the key table of a delta's keys package.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from shared.domain.connection import Connection
from shared.domain.errors import Code
from shared.domain.package import Kind
from shared.domain.profile import Profile, Table
from shared.pipeline import columns
from shared.pipeline.engine import Engine, name, parquet, text
from shared.pipeline.staging import Staged


@dataclass(slots=True)
class Merged:
    """A table after the package."""

    path: Path | None = None
    """Its rows, when they differ from before; `None` when nothing about the table has changed."""
    twin_lines: list[int] = field(default_factory=list)
    """Lines of rows that another row of the same file with the same key outdid."""


def merge(
    engine: Engine,
    table_name: str,
    *,
    kind: Kind,
    staged: Staged | None,
    keys: Staged | None,
    old: Path | None,
    target: Path,
) -> Merged:
    """Bring what was staged of a package into a table."""
    read = staged if staged is not None and not staged.refused else None
    proof = keys if keys is not None and not keys.refused and not _unreadable(engine, keys.table) else None
    if read is None and (proof is None or old is None):
        return Merged()
    merged = Merged(target)
    unreadable = read is not None and _unreadable(engine, table_name)
    known = f"select * from {parquet([old])}" if old else None
    new = _winners(engine, table_name, read, merged)
    held = f"select pk from rejects where table_name = {text(table_name)} and key_readable"
    gone = f"select pk from rejects where table_name = {text(table_name)} and code = {text(Code.PERSON_ID_TOO_LONG)}"
    parts = [new] if new else []
    if known:
        kept = f"select * from ({known}) where pk not in ({gone})"
        if new:
            kept += f" and pk not in (select pk from ({new}))"
        if kind is Kind.FULL and read is not None and not unreadable:
            kept += f" and pk in ({held})"
        parts.append(kept)
    rows = " union all by name ".join(f"({part})" for part in parts)
    if proof and not unreadable and rows:
        alive = f"select pk from {parquet(proof.parts)}" if proof.parts else "select null::uuid where false"
        rows = f"select * from ({rows}) where pk in ({alive}) or pk in ({held})"
    if not rows:
        rows = f"{known} where false" if known else ""
    if not rows:
        return Merged(None, merged.twin_lines)
    engine.write(rows, target)
    return merged


def _winners(engine: Engine, table_name: str, staged: Staged | None, merged: Merged) -> str | None:
    """Return the query of the staged rows without twins: the later change wins, else the later row."""
    if staged is None or not staged.parts:
        return None
    rows = parquet(staged.parts)
    has_time = engine.one(f"select count(*) from (describe select * from {rows}) where column_name = 'LST_UPD_TSTMP'")
    # Where one of the twins does not say when it changed, the times decide nothing.
    order = "dated desc, line desc" if has_time else "line desc"
    dated = (
        "case when count(LST_UPD_TSTMP) over (partition by pk) = count(*) over (partition by pk) then LST_UPD_TSTMP end"
    )
    engine.run(
        "create or replace temp table losers as select line from ("
        f"select line, row_number() over (partition by pk order by {order}) as place from "
        f"(select line, pk, {dated if has_time else 'null'} as dated from {rows} "
        f"where pk in (select pk from {rows} group by pk having count(*) > 1))) where place > 1"
    )
    merged.twin_lines = [line for (line,) in engine.rows("select line from losers order by line")]
    engine.run(f"create or replace table {name('losers_' + table_name)} as select line from losers")
    where = f"where line not in (select line from {name('losers_' + table_name)})" if merged.twin_lines else ""
    return f"select * exclude (line) from {rows} {where}"


def _unreadable(engine: Engine, table_name: str) -> bool:
    """Tell whether a row was rejected whose key nobody can tell."""
    return bool(engine.one("select count(*) from rejects where table_name = ? and not key_readable", [table_name]))


def make_views(engine: Engine, profile: Profile, connection: Connection, tables: Mapping[str, Path]) -> None:
    """Make a view per table of the profile; one that never came is empty."""
    for table_name, table in profile.tables.items():
        path = tables.get(table_name)
        typed = _columns(table, connection)
        if path is None:
            nothing = ", ".join(f"null::{type_} as {name(column)}" for column, type_ in typed.items())
            engine.run(f"create or replace view {name(table_name)} as select {nothing} where false")
            continue
        present = {row[0] for row in engine.rows(f"describe select * from {parquet([path])}")}
        kept = ", ".join(
            name(column) if column in present else f"null::{type_} as {name(column)}" for column, type_ in typed.items()
        )
        engine.run(f"create or replace view {name(table_name)} as select {kept} from {parquet([path])}")


def _columns(table: Table, connection: Connection) -> dict[str, str]:
    typed = {"pk": "uuid"}
    for column_name, column in table.columns.items():
        for value in columns.values(column_name, column, "null::varchar", connection.source_time_zone):
            typed[value.name] = value.type
    return typed
