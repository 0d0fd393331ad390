"""Open the package whose turn it is, read it into the connection's tables, and commit what was read.

Decrypt, unzip and read are one stream in memory. What was read is staged under the run and becomes visible to the
next step with its manifest, which is written last: after the seal's integrity check, which comes at the very end of
the stream.
"""

import logging
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from shared.domain.calendar import missing_days
from shared.domain.connection import Connection
from shared.domain.errors import BusyError, Code, ConnectorError, PackageError, SettingsError, TransientError
from shared.domain.messages import MAP_LEARNERS, MapLearners
from shared.domain.package import Kind
from shared.domain.runs import ATTEMPTS, Outcome, Run, Step
from shared.domain.state import State
from shared.domain.turns import Turn, next_turn
from shared.pipeline import finish_run, journal, refusals
from shared.pipeline.one_at_a_time import one_at_a_time
from shared.pipeline.parts import Parts

if TYPE_CHECKING:
    from shared.pipeline.read_package import Reading

log = logging.getLogger(__name__)

BUSY_SECONDS = 10
"""How long a message that found somebody else at work stays away. A run that ends calls for the next package itself;
who waits for this message waits for another connection's turn in this process, or for a worker that died."""


def process_next(parts: Parts, name: str) -> None:
    """Process the package whose turn it is; do nothing when there is none, or a run is still open.

    Safe to call at any time and any number of times: one worker at a time works for a connection, and a package
    whose worker died is processed again from its beginning.

    Raises:
        TransientError: the same call may work later.
    """
    try:
        with parts.leases.hold(f"work/{name}"):
            run = _open_run(parts, name)
            if run is not None:
                with one_at_a_time(wait=False):
                    _process(parts, run)
    except BusyError:
        # Whoever works may have looked for the next package already; nobody waits in a function.
        journal.call_next(parts, name, delay_seconds=BUSY_SECONDS)
    except SettingsError as error:
        _give_up(parts, name, error)


def _give_up(parts: Parts, name: str, error: SettingsError) -> None:
    """End the look because nobody can tell whose turn it is: the connection's settings are wrong."""
    log.warning("process.failed connection=%s code=%s reason=%s", name, error.code, error)

    def fail(state: State) -> State:
        if state.sync is None or state.sync.outcome is Outcome.FAILED:
            return state
        failed = {"outcome": Outcome.FAILED, "code": error.code or Code.UNEXPECTED, "message": str(error)}
        return state.model_copy(update={"sync": state.sync.model_copy(update=failed)})

    journal.change_state(parts, name, fail)
    journal.close_sync(parts, name)


def _open_run(parts: Parts, name: str) -> Run | None:
    """Return the run to work on: one whose worker died, or a new one for the package whose turn it is."""
    state = journal.get_state(parts, name)
    if state.sync is not None and state.sync.collecting:
        return None
    halted = None
    if state.open_run:
        run = journal.get_run(parts, name, state.open_run)
        if run.step is not Step.HALTED:
            return _resume(parts, run)
        halted = run
    connection = journal.get_connection(parts, name)
    turn = _next_turn(parts, name, connection, halted)
    if turn is None:
        _nothing_left(parts, name, connection, halted)
        return None
    if not _may_start(parts, name, connection, turn):
        journal.close_sync(parts, name)
        return None
    if halted is not None:
        finish_run.supersede(parts, halted)
    run = _new_run(parts, name, connection, turn)
    journal.put_new_run(parts, run)
    journal.change_state(parts, name, lambda s: s.model_copy(update={"open_run": run.run_id, "rerun_hash": None}))
    return run


def _resume(parts: Parts, run: Run) -> Run | None:
    """Return a run whose processing was interrupted; other steps have their own ways."""
    if run.step is Step.ENDED:
        finish_run.settle(parts, run)
    return run if run.step is Step.PROCESSING else None


def _may_start(parts: Parts, name: str, connection: Connection, turn: Turn) -> bool:
    """Tell whether a look is under way that wants packages processed, and the next one may be."""
    sync = journal.get_state(parts, name).sync
    if sync is None or sync.outcome is Outcome.FAILED or sync.planned:
        return False
    return _bridge_gap(parts, name, connection, turn)


def _next_turn(parts: Parts, name: str, connection: Connection, halted: Run | None) -> Turn | None:
    state = journal.get_state(parts, name)
    packages = [
        package
        for package in journal.get_packages(parts, name).values()
        if halted is None or package.content_hash != halted.content_hash
    ]
    turn = next_turn(
        packages,
        committed=state.committed,
        fingerprint=journal.fingerprint(parts, connection),
        rerun=state.rerun_hash,
    )
    if halted is not None and turn is not None:
        newer_full = turn.main.kind is Kind.FULL and turn.main.timestamp > halted.timestamp
        return turn if newer_full else None
    return turn


def _nothing_left(parts: Parts, name: str, connection: Connection, halted: Run | None) -> None:
    state = journal.get_state(parts, name)
    if state.sync is not None:
        refusals.tell_skipped(parts, connection, refusals.Place(name, state.sync.sync_id))
    if halted is not None:
        # Whatever comes waits behind a halted run, and every look says so until somebody approves it.
        journal.change_state(parts, name, lambda s: s.model_copy(update={"sync": journal.worsen_sync(s.sync, halted)}))
    journal.close_sync(parts, name)


def _bridge_gap(parts: Parts, name: str, connection: Connection, turn: Turn) -> bool:
    """Name the days whose delta is missing; false when the connection wants to stop there."""
    state = journal.get_state(parts, name)
    gap = _gap(connection, state, turn)
    if not gap:
        return True
    told = f"The delta of {', '.join(gap)} is missing. A new full package would bring what it held."
    log.warning("process.gap connection=%s days=%s", name, ",".join(gap))
    if connection.on_gap == "continue":
        journal.change_state(parts, name, lambda s: s.model_copy(update={"needs_full": told}))
        return True

    def stop(s: State) -> State:
        if s.sync is None:
            return s
        failed = {"outcome": Outcome.FAILED, "code": Code.DELTA_PACKAGE_NOT_FOUND, "message": told}
        return s.model_copy(update={"needs_full": told, "sync": s.sync.model_copy(update=failed)})

    journal.change_state(parts, name, stop)
    return False


def _gap(connection: Connection, state: State, turn: Turn) -> list[str]:
    if state.committed is None or turn.main.kind is not Kind.DELTA:
        return []
    zone = ZoneInfo(connection.source_time_zone)
    return [day.isoformat() for day in missing_days(state.committed.timestamp, turn.main.timestamp, zone)]


def _new_run(parts: Parts, name: str, connection: Connection, turn: Turn) -> Run:
    now = parts.clock()
    state = journal.get_state(parts, name)
    warnings: tuple[str, ...] = ()
    if gap := _gap(connection, state, turn):
        warnings = (f"The delta of {', '.join(gap)} is missing.",)
    return Run(
        run_id=journal.new_run_id(now),
        connection=name,
        sync_id=state.sync.sync_id if state.sync else "",
        package=turn.main.file,
        kind=turn.main.kind,
        content_hash=turn.main.content_hash,
        sealed_path=turn.main.sealed_path,
        keys_path=turn.keys.sealed_path if turn.keys else None,
        keys_hash=turn.keys.content_hash if turn.keys else None,
        size_bytes=turn.main.size_bytes + (turn.keys.size_bytes if turn.keys else 0),
        timestamp=turn.main.timestamp,
        dry_run=state.sync is not None and state.sync.dry_run,
        scheduled=state.sync is not None and state.sync.scheduled,
        started_at=now,
        touched_at=now,
        warnings=warnings,
    )


def _process(parts: Parts, run: Run) -> None:
    run = journal.advance(parts, run, Step.PROCESSING, attempts=run.attempts + 1) or run
    try:
        _read_and_commit(parts, run)
    except PackageError as error:
        finish_run.end(parts, run, Outcome.REJECTED, error)
    except SettingsError as error:
        finish_run.end(parts, run, Outcome.FAILED, error)
    except TransientError as error:
        if run.attempts < ATTEMPTS:
            raise
        finish_run.end(parts, run, Outcome.FAILED, error)
    except FileNotFoundError:
        lost = ConnectorError(
            "The sealed package is no longer in storage. It is fetched again when it is still on the server.",
            Code.PACKAGE_DAMAGED,
        )
        finish_run.end(parts, run, Outcome.REJECTED, lost)


def _read_and_commit(parts: Parts, run: Run) -> None:
    # Here and not above: whoever only finds out that it is nobody's turn does not pay for the engine.
    from shared.pipeline.engine import engine  # noqa: PLC0415
    from shared.pipeline.read_package import PackageReader  # noqa: PLC0415

    connection = journal.get_connection(parts, run.connection)
    state = journal.get_state(parts, run.connection)
    started = parts.clock()
    with engine(parts.memory_mb) as columnar:
        reading = PackageReader(parts, connection, state, run, columnar).read()
    _commit(parts, run, reading)
    log.info(
        "package.committed connection=%s run=%s rows=%d rejected=%d seconds=%.1f",
        run.connection,
        run.run_id,
        reading.manifest.rows,
        reading.manifest.rejected,
        (parts.clock() - started) / timedelta(seconds=1),
    )


def _commit(parts: Parts, run: Run, reading: "Reading") -> None:
    """Write the manifest, and hand the run to the next step."""
    manifest = reading.manifest
    parts.records.put(f"{run.connection}/{run.run_id}/manifest.json", manifest.model_dump_json().encode())
    moved = journal.advance(
        parts,
        run,
        Step.PROCESSING,
        step=Step.MAPPING,
        attempts=0,
        key_id=manifest.key_id,
        learner_part=manifest.learner_part,
        warnings=(*run.warnings, *manifest.warnings),
        reject_count=manifest.rejected,
        rejects=reading.rejects,
    )
    if moved:
        body = MapLearners(connection=run.connection, run_id=run.run_id)
        parts.messages.send(MAP_LEARNERS, body.model_dump_json())
