"""What a run came to: new snapshots from what Graph confirmed, and the tally of the package's rows."""

from dataclasses import dataclass, field

from shared.domain.errors import Code
from shared.domain.messages import Stage
from shared.domain.package import Kind
from shared.domain.plan import SHARD_SIZE
from shared.domain.progress import Doing
from shared.domain.runs import Outcome, Reject, Run
from shared.pipeline import fold, journal, plan_changes, rejects, retention
from shared.pipeline.engine import engine
from shared.pipeline.parts import Parts
from shared.pipeline.progress import of_run
from shared.pipeline.read_package import Manifest
from shared.pipeline.run_data import RunData


def fold_run(parts: Parts, run: Run, outcome: Outcome) -> dict[str, object]:
    """Bring the receipts into new snapshots and count the package's rows; return what changes in the run's document."""
    connection = journal.get_connection(parts, run.connection)
    state = journal.get_state(parts, run.connection)
    manifest = Manifest.model_validate_json(parts.records.get(f"{run.connection}/{run.run_id}/manifest.json"))
    with engine(parts.memory_mb) as columnar:
        data = RunData(parts, connection, state, run, manifest, columnar)
        folded = _Folded()
        _fold_contents(data, folded)
        _fold_activities(data, folded)
        values = folded.values
        tally = plan_changes.make_tally(folded.rows, manifest.rejected_rows)
        values["tally"] = tally.model_copy(
            update={
                "contents": tally.contents.model_copy(update={"withdrawn": folded.switched_off}),
                "assignments": tally.assignments.model_copy(update={"withdrawn": folded.withdrawn}),
            }
        )
        if folded.refused:
            values |= rejects.add(parts, run, folded.refused)
        if outcome is Outcome.DONE:
            values |= {
                "tables": manifest.tables,
                "seen_tables": tuple(manifest.seen),
                "learner_base": manifest.learner_part and (run.kind is Kind.FULL or state.learner_base)
                if run.kind.is_package
                else state.learner_base,
            }
            values |= retention.keep_mapped(data, manifest)
            if manifest.needs_full:
                values |= {
                    "code": Code.FULL_PACKAGE_NEEDED,
                    "message": "Learner sync was switched on after the last full package. Have a new full package "
                    "made; until then only the catalog goes on.",
                }
    return values


@dataclass(slots=True)
class _Folded:
    """What the receipts come to."""

    values: dict[str, object] = field(default_factory=dict)
    rows: plan_changes.Counts = field(default_factory=dict)
    refused: list[Reject] = field(default_factory=list)
    switched_off: int = 0
    withdrawn: int = 0
    """Assignments deleted, as Graph confirmed; what was deleted to be created anew does not count."""


def _fold_contents(data: RunData, folded: _Folded) -> None:
    columnar, run = data.engine, data.run
    columnar.run("create or replace table verdicts (key varchar, verdict varchar)")
    if run.shards.get(Stage.CONTENTS) and data.restore("planned_contents"):
        contents = data.state.contents_path
        data.load_contents((contents,) if contents else ())
        fold.fold_contents(data)
        columnar.run("insert into verdicts select key, verdict from receipts")
        folded.refused += _refused_contents(data)
        folded.switched_off = columnar.one(
            "select count(*) from planned_contents p join sent s using (key) where p.switched_off"
        )
        folded.values["contents_path"] = data.save_snapshot("published_contents")
    if data.restore("row_weights"):
        plan_changes.add(folded.rows, plan_changes.count_rows(columnar))


def _fold_activities(data: RunData, folded: _Folded) -> None:
    columnar, run = data.engine, data.run
    first, parts = 0, []
    reporter = of_run(data.parts, run, Doing.FOLDING, total_rows=sum(run.pass_shards) * SHARD_SIZE or None)
    for number, count in enumerate(run.pass_shards):
        part = f"/{number:05d}"
        if not data.restore("planned_activities", part):
            return
        data.restore("published", part)
        fold.fold_activities(data, range(first, first + count), data.parts.clock())
        columnar.run(
            "create or replace table verdicts as select ext as key, case when "
            "bool_and(verdict in ('done', 'found')) then any_value(verdict) "
            "when bool_or(verdict = 'rejected') then 'rejected' else 'unlicensed' end as verdict "
            "from answered group by ext"
        )
        folded.refused += _refused_activities(data)
        folded.withdrawn += columnar.one(
            "select count(*) from planned_activities p join verdicts v on v.key = p.ext "
            "where v.verdict = 'done' and p.todo = 'withdraw'"
        )
        data.restore("row_weights", part)
        plan_changes.add(folded.rows, plan_changes.count_rows(columnar))
        if run.shards.get(Stage.ACTIVITIES):
            parts.append(data.save_published(number))
        first += count
        reporter.advance(more_rows=count * SHARD_SIZE)
    reporter.finish()
    if parts:
        folded.values["activities_parts"] = tuple(parts)


_REFUSED_LIMIT = 10_000


def _refused_contents(data: RunData) -> list[Reject]:
    """Return what Graph refused; the record's key stands in the field, for it is nobody's name."""
    return _as_rejects(data, "select 'PA_CPNT', key, code, reason from receipts where verdict = 'rejected'")


def _refused_activities(data: RunData) -> list[Reject]:
    return _as_rejects(
        data,
        "select case p.kind when 'self' then 'PA_CPNT_EVTHST' else 'PA_STUD_CPNT' end, a.key, a.code, a.reason "
        "from answered a left join planned_activities p on p.ext = a.ext where a.verdict = 'rejected'",
    )


def _as_rejects(data: RunData, rows: str) -> list[Reject]:
    return [
        Reject(file=file, line=0, field=key, code=Code(code or Code.RECORD_REFUSED), message=reason)
        for file, key, code, reason in data.engine.rows(f"{rows} order by 2 limit {_REFUSED_LIMIT}")
    ]
