"""Map learners to Entra users, pass the gates, and plan what is sent to Viva Learning.

Twice a run: first for the contents, with the gates before anything is written; then, once the contents are
published and their ids known, for the activities.
"""

import logging
from datetime import datetime, timedelta

from shared.domain.errors import BusyError, Code, SettingsError, TransientError
from shared.domain.gates import find_gate
from shared.domain.messages import MAP_LEARNERS, PUSH_RECORDS, MapLearners, PushRecords, Stage
from shared.domain.runs import ATTEMPTS, Outcome, Reject, Run, Step
from shared.pipeline import (
    changes_report,
    coverage_report,
    directory,
    finish_run,
    fold,
    journal,
    match_persons,
    plan_changes,
    rejects,
    replay_scope,
    retention,
)
from shared.pipeline.decide_activities import Decided, decide_all
from shared.pipeline.engine import engine
from shared.pipeline.forgotten import note_forgotten
from shared.pipeline.one_at_a_time import one_at_a_time
from shared.pipeline.parts import Parts
from shared.pipeline.read_package import Manifest
from shared.pipeline.run_data import RunData
from shared.pipeline.show_activities import make_learners, make_students
from shared.pipeline.show_contents import content_key, show_contents

log = logging.getLogger(__name__)

BUSY_SECONDS = 2
"""How long a message that found somebody else at work stays away."""

_BEFORE = {Stage.CONTENTS: Step.MAPPING, Stage.ACTIVITIES: Step.MAPPING_ACTIVITIES}
_AFTER = {Stage.CONTENTS: Step.PUSHING_CONTENTS, Stage.ACTIVITIES: Step.PUSHING_ACTIVITIES}


def map_learners(parts: Parts, message: MapLearners) -> None:
    """Plan a stage of a run. A message that comes late, or twice, does nothing.

    Raises:
        TransientError: the same call may work later.
    """
    try:
        with parts.leases.hold(f"work/{message.connection}"):
            run = journal.get_run(parts, message.connection, message.run_id)
            if run.step is not _BEFORE[message.stage]:
                return
            with one_at_a_time(wait=False):
                run = journal.advance(parts, run, run.step, attempts=run.attempts + 1) or run
                _attempt(parts, run, message.stage)
    except BusyError:
        # The worker that sent this message has not let go yet, or this process works for another connection. A late
        # message would go round in vain.
        if journal.get_run(parts, message.connection, message.run_id).step is _BEFORE[message.stage]:
            parts.messages.send(MAP_LEARNERS, message.model_dump_json(), delay_seconds=BUSY_SECONDS)


def _attempt(parts: Parts, run: Run, stage: Stage) -> None:
    try:
        _map(parts, run, stage)
    except SettingsError as error:
        finish_run.end(parts, run, Outcome.FAILED, error)
    except TransientError as error:
        if error.not_before is not None:
            wait = (error.not_before - parts.clock()).total_seconds()
            body = MapLearners(connection=run.connection, run_id=run.run_id, stage=stage)
            journal.advance(parts, run, run.step, attempts=run.attempts - 1)
            parts.messages.send(MAP_LEARNERS, body.model_dump_json(), delay_seconds=max(wait, 0))
            return
        if run.attempts < ATTEMPTS:
            raise
        finish_run.end(parts, run, Outcome.FAILED, error)


def _map(parts: Parts, run: Run, stage: Stage) -> None:
    connection = journal.get_connection(parts, run.connection)
    if stage is Stage.ACTIVITIES:
        # Who is who was decided at the first stage, under the rules of that time.
        rules = {"person_id_rules": tuple(run.coverage.by_rule)}
        connection = connection.model_copy(update=rules)
    state = journal.get_state(parts, run.connection)
    manifest = Manifest.model_validate_json(parts.records.get(f"{run.connection}/{run.run_id}/manifest.json"))
    scope = replay_scope.find(parts, run)
    with engine(parts.memory_mb) as columnar:
        columnar.set_pepper(journal.get_pepper(parts, run.connection))
        data = RunData(parts, replay_scope.settings(connection, scope), state, run, manifest, columnar, scope)
        with data.loading():
            if stage is Stage.CONTENTS:
                _map_contents(data, parts.clock())
            else:
                _map_activities(data, parts.clock())


def _map_contents(data: RunData, now: datetime) -> None:
    parts, run, columnar = data.parts, data.run, data.engine
    warnings = show_contents(columnar, parts.get_profile(data.connection.profile), data.connection, data.known)
    if data.scope is not None:
        data.scope.restrict_contents(columnar)
    columnar.run(
        f"create or replace table available as select {content_key('typ', 'id')} as key, "
        "coalesce(content_id, '') as content_id, active and todo in ('add', 'change', 'same') as active from contents"
    )
    active = columnar.one("select count(*) from published_contents where active")
    assignments = data.count_published_assignments()
    decided = _decide(data, now) if run.learner_part else Decided()
    cost = decided.cost + changes_report.cost_of_contents(columnar, batched=data.connection.viva.batch)
    changes = plan_changes.count_changes(columnar, decided.decisions)
    data.load_left_over("PA_CPNT", "left_over")
    data.scope.weigh_contents(columnar) if data.scope is not None else plan_changes.weigh_contents(columnar)
    data.save("row_weights")
    known: dict[str, object] = {
        "coverage": decided.coverage,
        "changes": changes,
        "graph_requests": cost.requests,
        "graph_writes": cost.writes,
        "warnings": tuple(dict.fromkeys((*run.warnings, *warnings))),
    }
    if columnar.one("select count(*) from contents where todo = 'limit'"):
        known |= {"code": Code.ITEM_LIMIT, **_reject_limited(data)}
    run = journal.advance(parts, run, Step.MAPPING, **known) or run
    gate = None
    if not run.approved_by:
        gate = find_gate(data.connection, decided.coverage, changes, assignments=assignments, active_contents=active)
    if gate is not None or run.dry_run:
        # Before anything is decided once more, for that makes `row_weights` anew.
        columnar.run("create or replace table verdicts (key varchar, verdict varchar)")
        plan_changes.add(decided.rows, plan_changes.count_rows(columnar))
        if not run.learner_part:
            changes_report.begin(columnar)
        elif not run.dry_run:
            # Few runs are halted: those decide once more for the report, and no other one pays for it.
            decide_all(data, now, write=False, changes=True)
        changes_report.report(data)
        tally = plan_changes.make_tally(decided.rows, data.manifest.rejected_rows)
        finish_run.stop_before_writing(parts, run, gate, tally)
        return
    plan_changes.plan_contents(columnar)
    columnar.run(
        "create or replace table planned_contents as select key, typ, id, content_id, active, body, "
        f"todo = 'deactivate' as switched_off from contents where todo in {plan_changes.CONTENT_OPERATIONS}"
    )
    data.save("planned_contents")
    note_forgotten(data)
    _hand_over(parts, run, Stage.CONTENTS, data.write_shards(Stage.CONTENTS))


def _decide(data: RunData, now: datetime) -> Decided:
    """Refresh the directory index, join it, and decide about every activity."""
    columnar, parts = data.engine, data.parts
    pepper = journal.get_pepper(parts, data.run.connection).version
    index = directory.Place(parts.directory_index, parts.directory)
    started = parts.clock()
    directory.refresh(columnar, parts.graph, index, data.connection, pepper_version=pepper, now=now)
    seconds = (parts.clock() - started) / timedelta(seconds=1)
    log.info("directory.refreshed connection=%s run=%s seconds=%.1f", data.run.connection, data.run.run_id, seconds)
    make_students(columnar, data.connection.person_id_rules)
    match_persons.map_persons(columnar, data.connection.person_id_rules)
    columnar.run("drop table users")
    retention.note_unmapped(data, now)
    make_learners(columnar, data.published)
    # To decide takes all the room there is.
    columnar.run("drop table students")
    decided = decide_all(data, now, write=False, changes=data.run.dry_run)
    plans = data.connection.viva.licence_service_plan_ids
    if plans and directory.recheck_licences(columnar, parts.graph, data.connection, decided.licence_matters):
        make_students(columnar, data.connection.person_id_rules)
        make_learners(columnar, data.published)
        decided = decide_all(data, now, write=False, changes=data.run.dry_run)
    data.save("mapping")
    columnar.run("drop table mapping")
    coverage_report.report(data, decided.coverage)
    return decided


def _map_activities(data: RunData, now: datetime) -> None:
    parts, run, columnar = data.parts, data.run, data.engine
    if data.restore("planned_contents"):
        fold.fold_contents(data)
    columnar.run(
        f"create or replace table available as select {content_key('typ', 'id')} as key, content_id, active "
        "from published_contents where content_id is not null"
    )
    decided = Decided()
    if run.learner_part:
        data.restore("mapping")
        make_students(columnar, data.connection.person_id_rules)
        make_learners(columnar, data.published)
        columnar.run("drop table students")
        columnar.run("drop table mapping")
        decided = decide_all(data, now, write=True)
    passes = {"pass_shards": tuple(decided.pass_shards), "place_passes": decided.place_passes}
    run = journal.advance(parts, run, run.step, **passes) or run
    _hand_over(parts, run, Stage.ACTIVITIES, sum(decided.pass_shards))


def _reject_limited(data: RunData) -> dict[str, object]:
    """Add the items that found no place to the run's report; return what changes in its document."""
    rows = data.engine.rows(
        "select r.line from contents c join PA_CPNT r on r.pk = c.pk and r.came where c.todo = 'limit' order by r.line"
    )
    message = "There is no place left for this item (active_item_limit, total_item_limit)."
    found = [
        Reject(file="PA_CPNT", line=line, field="CPNT_ID", code=Code.ITEM_LIMIT, message=message) for (line,) in rows
    ]
    return rejects.add(data.parts, data.run, found)


def _hand_over(parts: Parts, run: Run, stage: Stage, count: int) -> None:
    """Move the run on, and send a message for each shard; or go on when there is none."""
    shards = {**run.shards, stage.value: count}
    moved = journal.advance(parts, run, _BEFORE[stage], step=_AFTER[stage], shards=shards, attempts=0)
    if moved is None:
        return
    log.info("map.planned connection=%s run=%s stage=%s shards=%d", run.connection, run.run_id, stage, count)
    for shard in range(count):
        body = PushRecords(connection=run.connection, run_id=run.run_id, stage=stage, shard=shard)
        parts.messages.send(PUSH_RECORDS, body.model_dump_json())
    if not count:
        finish_run.after_stage(parts, moved, stage)
