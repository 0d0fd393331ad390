"""Find what was missed: runs that stand still because a worker died or a message was lost, and wake them.

Waking is harmless: every step can be taken twice, and a worker that is still at it holds its lease. Once a day, what is
past its time is deleted, and what will expire is looked for. Whoever is on call hears of what needs somebody.
"""

import logging

from shared.domain.errors import Code, TransientError
from shared.domain.messages import MAP_LEARNERS, PUSH_RECORDS, MapLearners, PushRecords, Stage
from shared.domain.runs import ATTEMPTS, Outcome, Run, Step
from shared.pipeline import alerts, finish_run, journal
from shared.pipeline.expire import expire
from shared.pipeline.parts import Parts
from shared.pipeline.push_records import is_stage_done
from shared.pipeline.push_shards import Shard

log = logging.getLogger(__name__)

_STAGES = {Step.PUSHING_CONTENTS: Stage.CONTENTS, Step.PUSHING_ACTIVITIES: Stage.ACTIVITIES}
_MAPPING = {Step.MAPPING: Stage.CONTENTS, Step.MAPPING_ACTIVITIES: Stage.ACTIVITIES}


def sweep(parts: Parts) -> None:
    """Look after every connection once."""
    for name in list(parts.connections.list_names()):
        _sweep_connection(parts, name)
        _wake_way_back(parts, name)
        if expire(parts, name):
            _expire_way_back(parts, name)
            alerts.watch_expiry(parts, name)
    alerts.watch_all(parts)


def _sweep_connection(parts: Parts, name: str) -> None:
    state = journal.get_state(parts, name)
    if parts.leases.is_held(f"work/{name}"):
        return
    if not state.open_run:
        if state.sync is not None and not parts.leases.is_held(f"collect/{name}"):
            journal.call_next(parts, name)
        return
    run = journal.get_run(parts, name, state.open_run)
    if run.step is Step.HALTED:
        if state.sync is not None:
            journal.call_next(parts, name)
        return
    if parts.clock() - run.touched_at >= parts.stuck_after:
        _wake(parts, run)


def _wake_way_back(parts: Parts, name: str) -> None:
    if _sends_back(parts, name):
        from shared.pipeline.write_back.keep_going import wake  # noqa: PLC0415 - paid by those who send back

        wake(parts, name)


def _expire_way_back(parts: Parts, name: str) -> None:
    if _sends_back(parts, name):
        from shared.pipeline.write_back import keep_going  # noqa: PLC0415 - the same

        keep_going.expire(parts, name)


def _sends_back(parts: Parts, name: str) -> bool:
    document = parts.connections.find(name)
    return document is not None and bool(document.value.get("write_back"))


def _wake(parts: Parts, run: Run) -> None:
    log.warning("sweep.wakes connection=%s run=%s step=%s", run.connection, run.run_id, run.step)
    if run.step is Step.PROCESSING or run.step is Step.ENDED:
        journal.call_next(parts, run.connection)
    elif run.step in _MAPPING:
        if run.attempts >= ATTEMPTS:
            error = TransientError("Mapping did not succeed in several attempts.", Code.UNEXPECTED)
            finish_run.end(parts, run, Outcome.FAILED, error)
            return
        stage = _MAPPING[run.step]
        body = MapLearners(connection=run.connection, run_id=run.run_id, stage=stage)
        parts.messages.send(MAP_LEARNERS, body.model_dump_json())
    else:
        _wake_pushes(parts, run, _STAGES[run.step])
    journal.advance(parts, run, run.step)


def _wake_pushes(parts: Parts, run: Run, stage: Stage) -> None:
    count = run.shards[stage]
    if is_stage_done(parts.pushes, run.connection, run.run_id, stage, count):
        finish_run.after_stage(parts, run, stage)
        return
    for number in range(count):
        message = PushRecords(connection=run.connection, run_id=run.run_id, stage=stage, shard=number)
        shard = Shard(parts.pushes, message)
        if not shard.is_done() and not parts.leases.is_held(f"push/{shard.name}"):
            parts.messages.send(PUSH_RECORDS, message.model_dump_json())
