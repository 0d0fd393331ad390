"""How long things are kept: rows of learners nobody knows in Entra, and tables that newer ones have replaced."""

from datetime import datetime, timedelta

from shared.domain.state import State
from shared.pipeline.directory import local_copy
from shared.pipeline.engine import name, parquet
from shared.pipeline.parts import Parts
from shared.pipeline.read_package import Manifest
from shared.pipeline.run_data import RunData

_LEARNER_TABLES = ("PV_PARTNER_STUDENT", "PA_STUD_CPNT", "PA_CPNT_EVTHST")


def note_unmapped(data: RunData, now: datetime) -> None:
    """Save the table `unmapped` with the run: whose rows are kept although nobody is mapped, and since when."""
    columnar = data.engine
    columnar.run("create or replace temp table before (student uuid, since timestamp)")
    if data.state.unmapped_path:
        local = local_copy(data.parts.tables, data.state.unmapped_path, columnar.folder / "unmapped.parquet")
        columnar.run(f"insert into before select * from {parquet([local])}")
    everybody = " union ".join(f"select STUD_ID as student from {name(table)}" for table in _LEARNER_TABLES)
    if not data.run.learner_part:
        everybody = "select student from before"
    columnar.run(
        "create or replace table unmapped as select e.student, "
        f"coalesce(b.since, timestamp '{now:%Y-%m-%d %H:%M:%S}') as since from ({everybody}) e "
        "left join PV_PARTNER_STUDENT s on s.STUD_ID = e.student "
        "left join mapping m on m.person = s.PERSON_ID_EXTERNAL left join before b on b.student = e.student "
        "where coalesce(m.state, '') <> 'mapped'"
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
            local = local_copy(data.parts.tables, tables[table], columnar.folder / "kept" / f"{table}.parquet")
            kept = columnar.write(
                f"select * from {parquet([local])} where STUD_ID not in (select student from unmapped where {expired})",
                columnar.folder / f"{table}.parquet",
            )
            tables[table] = f"{data.records}/kept/{table}.parquet"
            data.parts.tables.put_file(tables[table], kept)
        columnar.run(f"delete from unmapped where {expired}")
    return {"tables": tables, "unmapped_path": data.save_snapshot("unmapped")}


def forget(parts: Parts, before: State, after: State) -> None:
    """Delete the tables and snapshots that nothing points to any more."""
    kept = _pointers(after)
    for path in _pointers(before) - kept:
        parts.tables.delete(path)


def _pointers(state: State) -> set[str]:
    paths = {state.contents_path, state.unmapped_path, *state.activities_paths, *state.tables.values()}
    return {path for path in paths if path}
