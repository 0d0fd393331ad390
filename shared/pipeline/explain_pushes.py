"""What runs sent to Viva Learning of one learner and one course, as plans and receipts tell while they are kept."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.domain.errors import Code
from shared.domain.messages import PushRecords, Stage
from shared.domain.plan import SHARD_SIZE, Act, Verdict
from shared.domain.runs import Run, Step
from shared.pipeline.engine import parquet
from shared.pipeline.explain_scene import Scene
from shared.pipeline.push_shards import Shard
from shared.pipeline.table_parts import split


@dataclass(frozen=True, slots=True)
class Sent:
    """What a run planned for one record, and what became of it."""

    run: Run
    stage: Stage
    key: str
    """External id of the content or activity."""
    ext: str
    """The activity's own part of it; empty for a content."""
    todo: str
    """The decision: `add`, `update`, `recreate`, `withdraw`; empty for a content."""
    kind: str
    status: str
    verdict: Verdict | None = None
    """`None` while it is not decided."""
    graph_id: str | None = None
    code: Code | None = None
    reason: str = ""
    paused_until: datetime | None = None
    """When Graph asked to be called again, while it is not decided."""

    @property
    def is_refused(self) -> bool:
        """Whether Graph said no to it, for good."""
        return self.verdict is Verdict.REJECTED


@dataclass(frozen=True, slots=True)
class Pushes:
    """Looks into plans and receipts. Needs `asked_item` and `students`."""

    scene: Scene

    def contents(self) -> list[Sent]:
        """Return what was sent of the course itself, newest run first."""
        return [each for run in self._runs() for each in self._contents(run)]

    def activities(self) -> list[Sent]:
        """Return what was sent of the learner's records about the course, newest run first."""
        return [each for run in self._runs() for each in self._activities(run)]

    def _runs(self) -> Iterator[Run]:
        """Yield the runs whose plans may still be kept, newest first."""
        scene = self.scene
        limit = scene.parts.clock() - timedelta(days=scene.connection.work_retention_days)
        committed = scene.state.committed.run_id if scene.state.committed else None
        for run in reversed(scene.runs):
            if run.shards and (run.ended_at is None or run.ended_at >= limit or run.run_id == committed):
                yield run

    def _contents(self, run: Run) -> Iterator[Sent]:
        plan = self._plan(run, "planned_contents")
        if plan is None:
            return
        rows = self.scene.engine.rows(
            f"select key, shard from (select key, (row_number() over (order by key) - 1) // {SHARD_SIZE} as shard "
            f"from {parquet([plan])}) where key in (select key from asked_item)"
        )
        for key, shard in rows:
            yield self._receipts(run, Stage.CONTENTS, shard, {"key": key})

    def _activities(self, run: Run) -> Iterator[Sent]:
        configuration = self.scene.connection.configuration_id
        for number in self._passes(run):
            plan = self._plan(run, f"planned_activities/{number:05d}")
            if plan is None:
                continue
            # Shards are filled in this order (see `plan_activities`).
            found = self.scene.dicts(
                "select ext::varchar as ext, todo, kind, status, shard from (select ext, todo, kind, status, student, "
                f"person, content, (dense_rank() over (order by user_id, ext) - 1) // {SHARD_SIZE} as shard "
                f"from {parquet([plan])}) where content in (select content from asked_item) and (student in "
                "(select student from students) or person in (select person from students)) order by ext"
            )
            first = sum(run.pass_shards[:number])
            for row in found:
                row["key"] = f"{configuration}:{row['ext']}"
                yield self._receipts(run, Stage.ACTIVITIES, first + row.pop("shard"), row)

    def _receipts(self, run: Run, stage: Stage, number: int, row: dict[str, Any]) -> Sent:
        """Return what became of the operations on one key: they are all in one shard."""
        message = PushRecords(connection=run.connection, run_id=run.run_id, stage=stage, shard=number)
        past = Shard(self.scene.parts.pushes, message).past()
        receipts = [each for each in past.receipts if each.key == row["key"]]
        wanted = 2 if row.get("todo") == "recreate" else 1
        verdict = None
        for worst in (Verdict.REJECTED, Verdict.UNLICENSED):
            if any(each.verdict is worst for each in receipts):
                verdict = worst
                break
        else:
            verdict = Verdict.DONE if len(receipts) >= wanted else None
        told = next((each for each in receipts if each.verdict is verdict and each.act is not Act.DELETE), None)
        told = told or next((each for each in receipts if each.verdict is verdict), None)
        return Sent(
            run=run,
            stage=stage,
            key=row["key"],
            ext=row.get("ext", ""),
            todo=row.get("todo", ""),
            kind=row.get("kind", ""),
            status=row.get("status", ""),
            verdict=verdict,
            graph_id=told.graph_id if told else None,
            code=told.code if told else None,
            reason=told.reason if told else "",
            paused_until=past.paused_until if verdict is None and run.step is not Step.ENDED else None,
        )

    def _passes(self, run: Run) -> list[int]:
        """Return the passes that may hold the learner: those of his places, and those for several student ids."""
        count = len(run.pass_shards)
        places = [place for (place,) in self.scene.engine.rows("select place from students where place is not null")]
        if not places or not run.place_passes:
            return list(range(count))
        by_place = enumerate(split(run.place_passes))
        his = [number for number, (first, last) in by_place if any(first <= place <= last for place in places)]
        return [*his, *range(run.place_passes, count)]

    def _plan(self, run: Run, table: str) -> str | None:
        """Bring a part of a run's plan here."""
        target = self.scene.engine.folder / "plans" / run.run_id / f"{table}.parquet"
        try:
            return str(self.scene.parts.records.get_file(f"{run.connection}/{run.run_id}/{table}.parquet", target))
        except FileNotFoundError:
            return None
