"""Learners a few at a time, so that memory does not depend on how many there are.

A pass is about the student ids of some places, with their rows in the plan and the history and what was published
for them. Persons with several student ids are left out of it: their student ids may lie anywhere, and have passes
of their own at the end. Their rows are set aside once for these, as each would have to look everywhere.
"""

from dataclasses import dataclass, field
from typing import Self

from shared.domain.table_part import PLACES
from shared.pipeline.engine import parquet
from shared.pipeline.run_data import RunData
from shared.pipeline.show_activities import SNAPSHOT
from shared.pipeline.table_parts import ROWS_PER_PASS, LocalPart, files, ranges, within

_TABLES = {"PA_STUD_CPNT": "assignments", "PA_CPNT_EVTHST": "completions"}


@dataclass(frozen=True, slots=True)
class Passes:
    """The passes of one run, over the table `learners`."""

    data: RunData
    by_place: list[tuple[int, int]] = field(default_factory=list)
    several: int = 0
    """Passes for persons with several student ids."""
    rows: int = 0
    """Of all passes."""
    aside: dict[str, list[LocalPart]] = field(default_factory=dict)
    """The rows of the persons with several student ids, by table."""

    @classmethod
    def plan(cls, data: RunData, *, whole: bool) -> Self:
        """Decide how many passes there are. Needs `learners`; makes `several` (student, turn) of it.

        A single pass is about everybody, however many student ids somebody has. `whole` is that of the decisions.
        """
        engine = data.engine
        for table, kind in _TABLES.items():
            data.load_left_over(table, f"all_left_{kind}")
        come = sum(part.rows for table in _TABLES for part in data.files_of(table))
        published = sum(part.rows for part in data.published)
        rows = come + published
        # Of a row that comes, little is kept where it is not sent; of one that was published, most.
        room = rows if whole else come // 2 + published * 3 // 2
        by_place = ranges(room)
        if len(by_place) == 1:
            return cls(data, by_place, rows=rows)
        engine.run(
            "create or replace temp table several as select student, dense_rank() over (order by person) as turn "
            "from learners where person in (select person from learners group by person having count(*) > 1)"
        )
        students, all_students = engine.rows("select (select count(*) from several), (select count(*) from learners)")[
            0
        ]
        several = -(-room * students // (max(all_students, 1) * ROWS_PER_PASS))
        several = max(several, 1) if students else 0
        if several:
            engine.run(f"update several set turn = turn % {several}")
        aside = {table: _set_aside(data, table) for table in _TABLES} if several else {}
        return cls(data, by_place, several, rows, aside)

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.by_place) + self.several

    def enter(self, number: int) -> None:
        """Let the views of plan and history, `left_*`, `learners_now` and `published` stand for this pass."""
        engine, data = self.data.engine, self.data
        first, last = self.by_place[number] if number < len(self.by_place) else (0, PLACES - 1)
        if number >= len(self.by_place):
            tables = self.aside
            chosen = f"where {{}} in (select student from several where turn = {number - len(self.by_place)})"
        else:
            tables = {table: within(data.files_of(table), first, last) for table in _TABLES}
            chosen = f"where place between {first} and {last}"
            if self.several:
                chosen += " and {} not in (select student from several)"
        for table, kind in _TABLES.items():
            data.make_view(table, where=chosen.format("STUD_ID"), parts=tables[table])
            engine.run(f"create or replace temp view left_{kind} as from all_left_{kind} {chosen.format('student')}")
        engine.run(f"create or replace temp table learners_now as from learners {chosen.format('student')}")
        engine.run(f"create or replace table published ({', '.join(f'{c} {t}' for c, t in SNAPSHOT.items())})")
        if found := files(data.published, first, last):
            engine.run(f"insert into published by name from {parquet(found)} {chosen.format('student')}")


def _set_aside(data: RunData, table: str) -> list[LocalPart]:
    """Write the rows of `several` into a part of their own, in no order: to sort them would take more room."""
    parts = data.files_of(table)
    if not parts:
        return []
    rows = f"from {parquet([part.file for part in parts])} where STUD_ID in (select student from several)"
    file = data.engine.write(rows, data.engine.folder / f"{table}-several.parquet", compression="uncompressed")
    return [LocalPart(file, data.engine.one(f"select count(*) from {parquet([file])}"), 0, PLACES - 1)]
