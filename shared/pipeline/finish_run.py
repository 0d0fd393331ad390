"""End a run: fold in what Graph confirmed, count, commit, and let the next package have its turn.

A run's document says how it ended before anything else does; what follows from it (`settle`) can be done again from
that document alone, so that a worker may die at any moment.
"""

import logging
from dataclasses import dataclass, field

from shared.domain.errors import BusyError, Code, ConnectorError
from shared.domain.messages import MAP_LEARNERS, MapLearners, Stage
from shared.domain.package import Kind
from shared.domain.runs import Outcome, Reject, Run, Step, Tally
from shared.domain.state import Committed, State
from shared.domain.turns import Standing
from shared.pipeline import fold, journal, plan_changes, rejects, retention, show_contents
from shared.pipeline.engine import engine
from shared.pipeline.parts import Parts
from shared.pipeline.read_package import Manifest
from shared.pipeline.run_data import RunData

log = logging.getLogger(__name__)


def after_stage(parts: Parts, run: Run, stage: Stage) -> None:
    """Go on when every shard of a stage is done; of several callers one goes on."""
    try:
        with parts.leases.hold(f"finish/{run.connection}/{run.run_id}"):
            _go_on(parts, run, stage)
    except BusyError:
        log.info("finish.busy connection=%s run=%s", run.connection, run.run_id)


def _go_on(parts: Parts, run: Run, stage: Stage) -> None:
    if stage is Stage.CONTENTS:
        if journal.advance(parts, run, Step.PUSHING_CONTENTS, step=Step.MAPPING_ACTIVITIES, attempts=0):
            body = MapLearners(connection=run.connection, run_id=run.run_id, stage=Stage.ACTIVITIES)
            parts.messages.send(MAP_LEARNERS, body.model_dump_json())
        return
    end(parts, run, Outcome.DONE)


def fail(parts: Parts, run: Run, error: ConnectorError) -> None:
    """End a run as failed; of several workers that found out, one does."""
    try:
        with parts.leases.hold(f"finish/{run.connection}/{run.run_id}"):
            end(parts, run, Outcome.FAILED, error)
    except BusyError:
        log.info("finish.busy connection=%s run=%s", run.connection, run.run_id)


def end(parts: Parts, run: Run, outcome: Outcome, error: ConnectorError | None = None) -> None:
    """End a run with an outcome; `DONE` becomes `PARTIAL` when something was rejected. A second call only settles."""
    newest = journal.get_run(parts, run.connection, run.run_id)
    if newest.step is not Step.ENDED:
        counted: dict[str, object] = {}
        if newest.shards:
            counted = _fold(parts, newest, outcome)
        if error is not None:
            counted |= {"code": error.code or Code.UNEXPECTED, "message": str(error)}
        elif outcome is Outcome.DONE and _is_partial(newest, counted):
            outcome = Outcome.PARTIAL
        ended = journal.change_run(
            parts,
            newest,
            lambda r: None
            if r.step is Step.ENDED
            else r.changed(**{"step": Step.ENDED, "outcome": outcome, "ended_at": parts.clock(), **counted}),
        )
        newest = ended or journal.get_run(parts, run.connection, run.run_id)
        log.info(
            "run.ended connection=%s run=%s outcome=%s code=%s",
            run.connection,
            run.run_id,
            newest.outcome,
            newest.code,
        )
    settle(parts, newest)


def settle(parts: Parts, run: Run) -> None:
    """Draw the consequences of a run that has ended; doing it twice changes nothing."""
    published = run.outcome in (Outcome.DONE, Outcome.PARTIAL) and not run.dry_run

    def commit(state: State) -> State:
        if state.open_run != run.run_id:
            return state
        values: dict[str, object] = {"open_run": None, "sync": journal.worsen_sync(state.sync, run)}
        if run.shards:
            # What was sent without an answer may have arrived; the next run asks before it creates.
            values["look_up_first"] = not published
        for name in ("contents_path", "activities_paths", "unmapped_path"):
            values |= {name: path} if (path := getattr(run, name)) else {}
        if published:
            values |= {
                "tables": run.tables,
                "seen_tables": run.seen_tables,
                "learner_base": run.learner_base,
            }
            if run.kind is not Kind.KEYS:
                values["committed"] = Committed(
                    package=run.package,
                    kind=run.kind,
                    timestamp=run.timestamp,
                    content_hash=run.content_hash,
                    run_id=run.run_id,
                )
            if run.kind is Kind.FULL:
                values |= {"full_at": run.timestamp, "needs_full": None}
        return state.model_copy(update=values)

    before = journal.get_state(parts, run.connection)
    after = journal.change_state(parts, run.connection, commit)
    _note_packages(parts, run, published=published)
    if before.open_run == run.run_id:
        retention.forget(parts, before, after)
    journal.call_next(parts, run.connection)


def supersede(parts: Parts, run: Run) -> None:
    """End a halted run because a newer full package takes its place."""
    message = "A newer full package has taken its place."
    journal.advance(parts, run, Step.HALTED, step=Step.ENDED, ended_at=parts.clock(), message=message)
    packages = journal.get_packages(parts, run.connection)
    if package := packages.get(run.content_hash):
        journal.put_package(parts, run.connection, package.model_copy(update={"standing": Standing.TAKEN}))
    journal.change_state(parts, run.connection, lambda s: s.model_copy(update={"open_run": None}))


def stop_before_writing(parts: Parts, run: Run, gate: ConnectorError | None, tally: Tally) -> None:
    """Halt at a gate, or end a dry run: nothing is written, and what would have been published is parked."""
    values: dict[str, object] = {"tally": tally}
    if gate is not None:
        values |= {"outcome": Outcome.HALTED, "code": gate.code, "message": str(gate)}
    if run.dry_run:
        outcome = Outcome.DONE if gate is None else Outcome.HALTED
        values |= {"step": Step.ENDED, "outcome": outcome, "ended_at": parts.clock()}
        ended = journal.advance(parts, run, Step.MAPPING, **values)
        settle(parts, ended or run)
        return
    journal.advance(parts, run, Step.MAPPING, step=Step.HALTED, **values)
    log.warning("run.halted connection=%s run=%s code=%s", run.connection, run.run_id, values["code"])
    journal.call_next(parts, run.connection)


def reject_limited(data: RunData) -> dict[str, object]:
    """Add the items that found no place to the run's report; return what changes in its document."""
    rows = data.engine.rows(
        "select r.line from contents c join package_contents r on r.pk = c.pk and not r.loser where c.todo = 'limit' "
        "order by r.line"
    )
    message = "There is no place left for this item (active_item_limit, total_item_limit)."
    found = [
        Reject(file="PA_CPNT", line=line, field="CPNT_ID", code=Code.ITEM_LIMIT, message=message) for (line,) in rows
    ]
    return _add_rejects(data.parts, data.run, found)


def _fold(parts: Parts, run: Run, outcome: Outcome) -> dict[str, object]:
    """Bring the receipts into new snapshots, and count what became of the package's rows."""
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
            values |= _add_rejects(parts, run, folded.refused)
        if outcome is Outcome.DONE:
            values |= {
                "tables": manifest.tables,
                "seen_tables": tuple(manifest.seen),
                "learner_base": manifest.learner_part and (run.kind is Kind.FULL or state.learner_base),
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
        data.load_snapshot("published_contents", (contents,) if contents else (), show_contents.SNAPSHOT)
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
    first, paths = 0, []
    for number, count in enumerate(run.bucket_shards):
        part = f"/{number:05d}"
        if not data.restore("planned_activities", part):
            return
        data.restore("published", part)
        fold.fold_activities(data, range(first, first + count), data.parts.clock())
        columnar.run(
            "create or replace table verdicts as select ext as key, case when bool_and(verdict = 'done') then 'done' "
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
            paths.append(data.save_snapshot("published", part))
        first += count
    if paths:
        folded.values["activities_paths"] = paths


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


def _add_rejects(parts: Parts, run: Run, found: list[Reject]) -> dict[str, object]:
    """Add rejects to the run and to its report; a second call with the same ones adds nothing."""
    path = rejects.path(run)
    try:
        report = parts.reports.get(path)
    except FileNotFoundError:
        report = rejects.header()
    lines = rejects.as_csv(run, found)
    if lines not in report:
        parts.reports.put(path, report + lines)
        run = journal.get_run(parts, run.connection, run.run_id)
        first = (*run.rejects, *found)[: rejects.FIRST]
        values: dict[str, object] = {"rejects": first, "reject_count": run.reject_count + len(found)}
        journal.change_run(parts, run, lambda newest: newest.changed(**values))
        return values
    return {}


def _is_partial(run: Run, counted: dict[str, object]) -> bool:
    newest = run.changed(**counted)
    tally = newest.tally
    pushes = tally.contents.rejected + tally.assignments.rejected + tally.completions.rejected
    return bool(newest.reject_count or pushes or newest.code is Code.FULL_PACKAGE_NEEDED)


def _note_packages(parts: Parts, run: Run, *, published: bool) -> None:
    packages = journal.get_packages(parts, run.connection)
    standing = Standing.TAKEN if published else None
    fingerprint = ""
    if run.outcome is Outcome.REJECTED:
        standing = Standing.REFUSED
        fingerprint = journal.fingerprint(parts, journal.get_connection(parts, run.connection))
    if standing is None:
        return
    for content_hash in filter(None, (run.content_hash, run.keys_hash if published else None)):
        if package := packages.get(content_hash):
            changed = {"standing": standing, "fingerprint": fingerprint, "run_id": run.run_id}
            journal.put_package(parts, run.connection, package.model_copy(update=changed))

