"""End a run: fold in what Graph confirmed, count, commit, and let the next package have its turn.

A run's document says how it ended before anything else does; what follows from it (`settle`) can be done again from
that document alone, so that a worker may die at any moment.
"""

import logging

from shared.domain.errors import BusyError, Code, ConnectorError
from shared.domain.messages import MAP_LEARNERS, MapLearners, Stage
from shared.domain.package import Kind
from shared.domain.runs import Outcome, Run, Step, Tally
from shared.domain.state import Committed, State
from shared.domain.turns import Standing
from shared.pipeline import journal
from shared.pipeline.parts import Parts

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
            from shared.pipeline.fold_run import fold_run  # noqa: PLC0415 - its engine is paid by runs that sent

            counted = fold_run(parts, newest, outcome)
        if error is not None:
            counted |= {"code": error.code or Code.UNEXPECTED, "message": str(error)}
        elif outcome is Outcome.DONE and _is_partial(newest, counted):
            outcome = Outcome.PARTIAL
        # A run that was interrupted ends in the sync that finished it, and is told there.
        if sync := journal.get_state(parts, run.connection).sync:
            counted["sync_id"] = sync.sync_id
        ended = journal.change_run(
            parts,
            newest,
            lambda r: (
                None
                if r.step is Step.ENDED
                else r.changed(**{"step": Step.ENDED, "outcome": outcome, "ended_at": parts.clock(), **counted})
            ),
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
            # One that sent a part only leaves that to the next package.
            values["look_up_first"] = not published or (state.look_up_first and not run.kind.is_package)
        for name in ("contents_path", "activities_parts", "unmapped_path"):
            values |= {name: path} if (path := getattr(run, name)) else {}
        if published:
            values |= {
                "tables": run.tables,
                "seen_tables": run.seen_tables,
                "learner_base": run.learner_base,
            }
            if run.kind.moves_cursor:
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

    parts.tables.release(f"{run.connection}/{run.run_id}/")
    before = journal.get_state(parts, run.connection)
    after = journal.change_state(parts, run.connection, commit)
    _note_packages(parts, run, published=published)
    if before.open_run == run.run_id:
        from shared.pipeline import retention  # noqa: PLC0415 - its engine is paid by the end of a run, not by a look

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
    # It may wait for days.
    parts.tables.release(f"{run.connection}/{run.run_id}/")
    log.warning("run.halted connection=%s run=%s code=%s", run.connection, run.run_id, values["code"])
    journal.call_next(parts, run.connection)


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
