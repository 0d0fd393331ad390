"""Everybody whom the files of a package name, hashed once however many rows are about them."""

from dataclasses import dataclass, field
from pathlib import Path

from shared.domain.errors import Code, PackageError
from shared.pipeline.columns import student_key
from shared.pipeline.engine import Engine, parquet, place_of
from shared.pipeline.table_plan import TablePlan

_STUDENTS_SEEN = "create table if not exists students_seen (alias uuid, student uuid, place usmallint)"
"""Keyed hashes of student ids by alias (see `Engine.set_pepper`): most rows are about somebody seen before."""


@dataclass(slots=True)
class SeenStudents:
    """The students seen so far, with an engine that does not spill."""

    engine: Engine
    folder: Path
    in_memory: int
    """As many are kept there; the others are in files, for what reads clear text has no disk to put them on."""
    files: list[Path] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make the tables of the students seen, and of those met in a segment."""
        self.engine.run(_STUDENTS_SEEN)
        self.engine.run("create or replace temp table students_met as from students_seen where false")

    def meet(self, plan: TablePlan, ids: str) -> None:
        """Make the table `students_met` of all whom the table `segment` names; `ids` has them as clear text.

        Raises:
            PackageError: they cannot be read a second time.
        """
        if not plan.students:
            return
        engine = self.engine
        seen = f"(from students_seen union all from {parquet(self.files)})" if self.files else "students_seen"
        engine.run(f"create or replace temp table named as {plan.aliases('segment')}")
        engine.run(f"create or replace temp table students_met as from {seen} semi join named using (alias)")
        if engine.one("select (select count(*) from named) = (select count(*) from students_met)"):
            return
        engine.run("create or replace temp table named as from named anti join students_met using (alias)")
        new = (
            f"select distinct on (alias) alias, student, {place_of('student')} as place from ("
            f"select alias, {student_key('id')} as student from (select alias_of(id) as alias, id from ({ids})) "
            "semi join named using (alias))"
        )
        if not engine.attempt(f"create or replace temp table new as {new}"):
            raise PackageError("A file can no longer be read as it was just before.", Code.PACKAGE_DAMAGED)
        engine.run("insert into students_met from new")
        engine.run("insert into students_seen from new")
        engine.run("drop table new")
        if engine.one("select count(*) from students_seen") > self.in_memory:
            file = self.folder / f"students-{len(self.files):05d}.parquet"
            self.files.append(engine.write("from students_seen", file, compression="uncompressed"))
            engine.run("drop table students_seen")
            engine.run(_STUDENTS_SEEN)
