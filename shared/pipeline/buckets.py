"""Learners in buckets, so that memory does not depend on how many there are.

Whatever concerns one person lies in one bucket: all student ids of the person, their rows in the plan and the
history, and what was published for them.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from shared.pipeline.engine import Engine, name, parquet, text
from shared.pipeline.run_data import RunData

ROWS_PER_BUCKET = 200_000

_RELATIONS = {
    "PA_STUD_CPNT": "STUD_ID",
    "PA_CPNT_EVTHST": "STUD_ID",
    "published": "student",
    "package_assignments": "student",
    "package_completions": "student",
}
"""What is split, and the column that holds the student id's hash."""


@dataclass(slots=True)
class Buckets:
    """The buckets of one run, as files in the engine's folder."""

    engine: Engine
    folder: Path
    count: int
    _columns: dict[str, dict[str, str]] = field(default_factory=dict)

    @classmethod
    def split(cls, data: RunData) -> Self:
        """Split the learners' relations. Needs the table `students`; the relations stand for one bucket afterwards."""
        engine = data.engine
        rows = sum(engine.one(f"select count(*) from {name(relation)}") for relation in _RELATIONS)
        buckets = cls(engine, engine.folder / "buckets", max(1, -(-rows // ROWS_PER_BUCKET)))
        if buckets.count > 1:
            buckets._split()
        return buckets

    def _split(self) -> None:
        self.engine.run(
            f"create or replace temp table places as select student, (hash(person) % {self.count})::int as bucket "
            "from students where person is not null union all "
            f"select student, any_value((hash(person) % {self.count})::int) from published "
            "where student not in (select student from students where person is not null) group by student"
        )
        for relation, student in _RELATIONS.items():
            self._columns[relation] = dict(
                row[:2] for row in self.engine.rows(f"describe select * from {name(relation)}")
            )
            folder = self.folder / relation
            folder.mkdir(parents=True, exist_ok=True)
            self.engine.run(
                f"copy (select r.*, coalesce(p.bucket, (hash(r.{name(student)}) % {self.count})::int) as bucket "
                f"from {name(relation)} r left join places p on p.student = r.{name(student)}) "
                f"to {text(str(folder))} (format parquet, compression zstd, partition_by (bucket), overwrite_or_ignore)"
            )
            kind = "view" if relation.startswith("PA_") else "table"
            self.engine.run(f"drop {kind} {name(relation)}")
        self.engine.run("drop table places")

    def enter(self, number: int) -> None:
        """Let the relations stand for this bucket."""
        if self.count == 1:
            return
        for relation, columns in self._columns.items():
            files = sorted((self.folder / relation / f"bucket={number}").glob("*.parquet"))
            kept = ", ".join(name(column) for column in columns)
            source = f"select {kept} from {parquet(files)}"
            if not files:
                nothing = ", ".join(f"null::{type_} as {name(column)}" for column, type_ in columns.items())
                source = f"select {nothing} where false"
            self.engine.run(f"create or replace view {name(relation)} as {source}")
