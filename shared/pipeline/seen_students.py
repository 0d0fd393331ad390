"""Everybody whom the files of a package name, hashed once however many rows are about them."""

from dataclasses import dataclass, field
from pathlib import Path

from shared.domain.errors import Code, PackageError
from shared.pipeline.columns import student_key
from shared.pipeline.engine import Engine, parquet, place_of
from shared.pipeline.table_plan import TablePlan

_STUDENTS_SEEN = "create table if not exists students_seen (alias uuid, student uuid, place usmallint)"
"""Keyed hashes of student ids by alias (see `Engine.set_pepper`): most rows are about somebody seen before."""

ORDERLY_STUDENTS = 100_000
"""As many stream past a segment so that its rows come in the order of places: the engine takes 2,048 of them at a time,
and mixes what these own."""


@dataclass(slots=True)
class SeenStudents:
    """The students seen so far, with an engine that does not spill."""

    engine: Engine
    folder: Path
    in_memory: int
    """As many are kept there; the others are in files, for what reads clear text has no disk to put them on."""
    files: list[Path] = field(default_factory=list)
    count: int = 0
    """Of those in memory."""
    grew: bool = True
    """Whether the last look for somebody new found some: the next segment may name more of them."""

    def __post_init__(self) -> None:
        """Make the table of the students seen."""
        self.engine.run(_STUDENTS_SEEN)

    @property
    def relation(self) -> str:
        """All of them (alias, student, place)."""
        return f"(from students_seen union all from {parquet(self.files)})" if self.files else "students_seen"

    @property
    def in_order(self) -> bool:
        """Whether rows that are joined with them come in the order of places, nearly, and need not be sorted."""
        return not self.files and self.count >= ORDERLY_STUDENTS

    def meet(self, plan: TablePlan, ids: str) -> None:
        """See that all whom the table `segment` names are among them; `ids` has these as clear text.

        Raises:
            PackageError: they cannot be read a second time.
        """
        if not plan.students:
            return
        engine = self.engine
        unseen = f"from ({plan.aliases('segment')}) anti join {self.relation} using (alias)"
        engine.run(f"create or replace temp table unseen as {unseen}")
        self.grew = bool(engine.one("select count(*) from unseen"))
        if self.grew:
            self._add(ids)

    def meet_others(self, plan: TablePlan) -> bool:
        """Make the table `others` (id, student) of those in `segment` who do not own its rows.

        Tell whether all of them have been seen.
        """
        if not (ids := plan.others("segment")):
            return True
        self.engine.run(
            "create or replace temp table others as select id, student from "
            f"(select id, alias_of(id) as alias from ({ids})) left join {self.relation} using (alias)"
        )
        return not self.engine.one("select count(*) from others where student is null")

    def _add(self, ids: str) -> None:
        """Hash those of `ids` that are in the table `unseen`."""
        engine = self.engine
        new = (
            f"select distinct on (alias) alias, student, {place_of('student')} as place from ("
            f"select alias, {student_key('id')} as student from (select alias_of(id) as alias, id from ({ids})) "
            "semi join unseen using (alias))"
        )
        if not engine.attempt(f"create or replace temp table new as {new}"):
            raise PackageError("A file can no longer be read as it was just before.", Code.PACKAGE_DAMAGED)
        engine.run(
            "create or replace table students_seen as from (from students_seen union all from new) order by place"
        )
        engine.run("drop table new")
        self.count = engine.one("select count(*) from students_seen")
        if self.count > self.in_memory:
            file = self.folder / f"students-{len(self.files):05d}.parquet"
            self.files.append(engine.write("from students_seen", file, compression="uncompressed"))
            engine.run("drop table students_seen")
            engine.run(_STUDENTS_SEEN)
            self.count = 0
