"""How long things are kept: rows of learners nobody knows in Entra, and tables that newer ones have replaced."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from shared.domain.state import State
from shared.domain.table_part import TablePart
from shared.pipeline.engine import name, parquet
from shared.pipeline.parts import Parts
from shared.pipeline.read_package import Manifest
from shared.pipeline.run_data import PLAN, RunData
from shared.pipeline.table_parts import download, upload, write_part

_LEARNER_TABLES = ("PV_PARTNER_STUDENT", "PA_STUD_CPNT", "PA_CPNT_EVTHST")


def note_unmapped(data: RunData, now: datetime) -> None:
    """Save the table `unmapped` with the run: whose rows are kept although nobody is mapped, and since when."""
    columnar = data.engine
    columnar.run("create or replace temp table before (student uuid, since timestamp)")
    if data.state.unmapped_path:
        local = data.parts.tables.get_file(data.state.unmapped_path, columnar.folder / "unmapped.parquet")
        columnar.run(f"insert into before select * from {parquet([local])}")
    everybody = "select student from before"
    if data.run.learner_part:
        data.make_view(PLAN)
        everybody = " union all ".join(f"select STUD_ID as student from {name(table)}" for table in _LEARNER_TABLES)
    # Whoever is mapped is left out first: of the others there are few to be told apart.
    mapped = "select s.student from students s join mapping m on m.person = s.person where m.state = 'mapped'"
    columnar.run(
        f"create or replace table unmapped as select student, coalesce(b.since, timestamp '{now:%Y-%m-%d %H:%M:%S}') "
        f"as since from (select distinct student from ({everybody}) anti join ({mapped}) using (student)) "
        "left join before b using (student)"
    )
    data.save("unmapped")


def keep_mapped(data: RunData, manifest: Manifest) -> dict[str, object]:
    """Drop rows of learners who have been unmapped for too long; return what changes in the run's document."""
    if not data.run.learner_part or not data.restore("unmapped"):
        return {}
    columnar = data.engine
    limit = data.parts.clock() - timedelta(days=data.connection.unmapped_retention_days)
    expired = (
        "true" if data.connection.unmapped_retention_days == 0 else f"since < timestamp '{limit:%Y-%m-%d %H:%M:%S}'"
    )
    tables = dict(manifest.tables)
    if columnar.one(f"select count(*) from unmapped where {expired}"):
        for table in _LEARNER_TABLES:
            if table not in tables:
                continue
            tables[table] = tuple(_without(data, table, tables[table], f"select student from unmapped where {expired}"))
        columnar.run(f"delete from unmapped where {expired}")
    return {"tables": tables, "unmapped_path": data.save_snapshot("unmapped")}


def _without(data: RunData, table: str, parts: Sequence[TablePart], students: str) -> Iterator[TablePart]:
    """Yield the parts of a table without the rows of some students; those that hold none of them stay as they are."""
    for number, part in enumerate(parts):
        (local,) = download(data.parts.tables, [part], data.engine.folder / "kept")
        rows = parquet([local.file])
        if not data.engine.one(f"select count(*) from {rows} where STUD_ID in ({students})"):
            yield part
            continue
        kept = write_part(
            data.engine, f"from {rows} where STUD_ID not in ({students})", data.engine.folder / "without.parquet"
        )
        yield upload(data.parts.tables, kept, f"{data.records}/kept/{table}/{number:05d}.parquet")


def forget(parts: Parts, before: State, after: State) -> None:
    """Delete the tables and snapshots that nothing points to any more."""
    for path in before.paths - after.paths:
        parts.tables.delete(path)
