"""Map learners to Entra users, pass the gates, and plan what is sent to Viva Learning.

Twice a run: first for the contents, with the gates before anything is written; then, once the contents are
published and their ids known, for the activities.
"""

import logging
from datetime import datetime

from shared.domain.connection import Connection
from shared.domain.errors import BusyError, Code, ConnectorError, SettingsError, TransientError
from shared.domain.messages import MAP_LEARNERS, PUSH_RECORDS, MapLearners, PushRecords, Stage
from shared.domain.runs import ATTEMPTS, Changes, Coverage, Outcome, Run, Step
from shared.pipeline import directory, finish_run, fold, journal, plan_changes, retention
from shared.pipeline.engine import Engine, engine
from shared.pipeline.parts import Parts
from shared.pipeline.read_package import Manifest
from shared.pipeline.run_data import RunData
from shared.pipeline.show_activities import completions_known, show_activities
from shared.pipeline.show_contents import show_contents

log = logging.getLogger(__name__)

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
            run = journal.advance(parts, run, run.step, attempts=run.attempts + 1) or run
            _attempt(parts, run, message.stage)
    except BusyError:
        log.info("map.busy connection=%s run=%s", message.connection, message.run_id)


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
    state = journal.get_state(parts, run.connection)
    manifest = Manifest.model_validate_json(parts.records.get(f"{run.connection}/{run.run_id}/manifest.json"))
    with engine(parts.memory_mb) as columnar:
        columnar.set_pepper(bytes.fromhex(parts.secrets.get(parts.pepper_secret).value))
        data = RunData(parts, connection, state, run, manifest, columnar)
        data.load()
        if stage is Stage.CONTENTS:
            _map_contents(data, parts.clock())
        else:
            _map_activities(data, parts.clock())


def _map_contents(data: RunData, now: datetime) -> None:
    parts, run, columnar = data.parts, data.run, data.engine
    profile = parts.get_profile(data.connection.profile)
    warnings = show_contents(columnar, profile, data.connection, data.known)
    coverage = _find_learners(data, now)
    columnar.run(
        "create or replace table available as select key, coalesce(content_id, '') as content_id from contents "
        "where active and todo in ('add', 'change', 'same')"
    )
    _decide(data, now, ask_again=True)
    changes = plan_changes.count_changes(columnar, learner_part=run.learner_part)
    data.save("mapping")
    retention.note_unmapped(data, now)
    plan_changes.weigh_rows(columnar, completions_known=completions_known(data.known))
    data.save("row_weights")
    limited = columnar.one("select count(*) from contents where todo = 'limit'")
    known: dict[str, object] = {
        "coverage": coverage,
        "changes": changes,
        "warnings": tuple(dict.fromkeys((*run.warnings, *warnings))),
    }
    if limited:
        known["code"] = Code.ITEM_LIMIT
        finish_run.reject_limited(data)
    run = journal.advance(parts, run, Step.MAPPING, **known) or run
    gate = None if run.approved_by else _gate(columnar, data.connection, coverage, changes)
    if gate is not None or run.dry_run:
        finish_run.stop_before_writing(data, run, gate)
        return
    plan_changes.plan_contents(columnar)
    columnar.run(
        "create or replace table planned_contents as select key, typ, id, content_id, active, body, "
        "todo = 'deactivate' as switched_off from contents "
        f"where todo in {plan_changes.CONTENT_OPERATIONS}"
    )
    data.save("planned_contents")
    _hand_over(data, run, Stage.CONTENTS)


def _map_activities(data: RunData, now: datetime) -> None:
    columnar = data.engine
    if data.restore("planned_contents"):
        fold.fold_contents(data)
    columnar.run(
        "create or replace table available as select key, content_id from published_contents "
        "where active and content_id is not null"
    )
    data.restore("mapping")
    _decide(data, now, ask_again=False)
    plan_changes.plan_activities(columnar, data.connection)
    columnar.run(
        f"create or replace table planned_activities as select * from decisions where todo in {plan_changes.OPERATIONS}"
    )
    data.save("planned_activities")
    _weigh_activities(data)
    _hand_over(data, data.run, Stage.ACTIVITIES)


def _weigh_activities(data: RunData) -> None:
    """Weigh the rows of activities anew: contents that Graph refused leave theirs parked."""
    columnar = data.engine
    columnar.run("create or replace table contents (pk uuid, key varchar, todo varchar)")
    plan_changes.weigh_rows(columnar, completions_known=completions_known(data.known))
    columnar.run("create or replace temp table anew as select * from row_weights where rows_of <> 'contents'")
    data.restore("row_weights")
    columnar.run("delete from row_weights where rows_of <> 'contents'")
    columnar.run("insert into row_weights by name select * from anew")
    data.save("row_weights")


def _find_learners(data: RunData, now: datetime) -> Coverage:
    """Refresh the directory index and join it; with learner sync off, nobody is asked for in Entra."""
    columnar, parts = data.engine, data.parts
    if not data.run.learner_part:
        return Coverage()
    directory.refresh(columnar, parts.graph, parts.directory_index, parts.directory, data.connection, now)
    profile = parts.get_profile(data.connection.profile)
    show_activities(columnar, profile, data.connection, data.known)
    directory.map_persons(columnar)
    columnar.run("drop table users")
    return directory.cover(columnar)


def _decide(data: RunData, now: datetime, *, ask_again: bool) -> None:
    """Decide about every activity; without a learner part there is none."""
    columnar, connection = data.engine, data.connection
    if not data.run.learner_part:
        _nothing_about_learners(columnar)
        return
    if not ask_again:
        profile = data.parts.get_profile(connection.profile)
        show_activities(columnar, profile, connection, data.known)
    plan_changes.decide(columnar, connection, now)
    if ask_again and connection.viva.licence_service_plan_ids:
        directory.recheck_licences(columnar, data.parts.graph, connection)
        plan_changes.decide(columnar, connection, now)


def _nothing_about_learners(columnar: Engine) -> None:
    """Make the learner tables, empty."""
    columnar.run("create or replace table mapping (person uuid, state varchar, user_id varchar, licensed boolean)")
    columnar.run("create or replace table plan_rows (pk uuid, ext varchar, person uuid, student uuid)")
    columnar.run("create or replace table completion_rows (pk uuid, person uuid, credit boolean, ext varchar)")
    columnar.run("delete from package_assignments")
    columnar.run("delete from package_completions")
    columnar.run(
        "create or replace table activities (ext varchar, kind varchar, person uuid, student uuid, content varchar, "
        "type varchar, status varchar, assigned_at timestamp, day date, due_at timestamp, completed_at timestamp, "
        "completed_on date, completed_as varchar, assigner uuid, frozen boolean, parked boolean, origin varchar)"
    )
    columnar.run(
        "create or replace table decisions as select *, null::varchar as user_id, null::varchar as activity_id, "
        "null::varchar as old_user_id, null::varchar as assigner_id, null::varchar as content_id, "
        "false as content_available, null::varchar as todo from activities"
    )


def _gate(columnar: Engine, connection: Connection, coverage: Coverage, changes: Changes) -> ConnectorError | None:
    """Say what keeps the run from being published, if anything. Equal to a limit passes."""
    if coverage.percent < connection.coverage_minimum_percent:
        return ConnectorError(
            f"{coverage.mapped} of {coverage.learners} learners ({coverage.percent:.1f} %) were found in Entra, less "
            f"than the {connection.coverage_minimum_percent:g} % of coverage_minimum_percent: {coverage.unmatched} "
            f"unmatched ({coverage.near_miss} near misses), {coverage.ambiguous} ambiguous, {coverage.disabled} "
            "disabled. Correct employeeId in Entra, or approve the run.",
            Code.COVERAGE_BELOW_MINIMUM,
        )
    published = columnar.one(
        "select count(*) from published where kind = 'assignment' and refused_at is null"
    )
    active = columnar.one("select count(*) from published_contents where active")
    for count, of, what in (
        (changes.assignments.withdraw, published, "published assignments would be withdrawn"),
        (changes.contents.deactivate, active, "published contents would be deactivated"),
    ):
        percent, limit = connection.mass_change_percent, connection.mass_change_count
        if (of and count * 100 > percent * of) or (limit is not None and count > limit):
            return ConnectorError(
                f"{count} of {of} {what}, more than mass_change_percent or mass_change_count allows. Look whether "
                "the package is complete; then approve the run, or have a new full package made.",
                Code.MASS_CHANGE,
            )
    return None


def _hand_over(data: RunData, run: Run, stage: Stage) -> None:
    """Write the shards, move the run on, and send a message for each shard; or go on when there is none."""
    parts = data.parts
    count = data.write_shards(stage)
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
