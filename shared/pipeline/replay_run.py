"""Runs without a package: how they begin. From there on they go the way of all runs.

The id of the command's sync is that of the run as well, so that a command that is delivered twice is known again.
"""

import logging
from typing import TYPE_CHECKING

from shared.domain.errors import BusyError, Code, SettingsError
from shared.domain.messages import MAP_LEARNERS, Backfill, MapLearners, Replay
from shared.domain.package import Kind
from shared.domain.runs import Run, Step
from shared.domain.state import CurrentSync, State
from shared.domain.turns import Fetched, Standing
from shared.pipeline import journal
from shared.pipeline.parts import Parts

if TYPE_CHECKING:
    from shared.pipeline.replay_scope import Scope

log = logging.getLogger(__name__)


def is_done(parts: Parts, command: Replay | Backfill) -> bool:
    """Tell whether the command was carried out before; one whose worker died half way is brought on its way."""
    state = journal.get_state(parts, command.connection)
    run = journal.find_run(parts, command.connection, command.sync_id)
    if state.open_run == command.sync_id and run is not None:
        if run.step is Step.MAPPING:
            _call_mapping(parts, run)
        return True
    return parts.syncs.find(command.connection, command.sync_id) is not None or (
        run is not None and run.step is Step.ENDED
    )


def begin(
    parts: Parts,
    command: Replay | Backfill,
    kind: Kind,
    scope: "Scope",
    told: str,
    *,
    reads: Fetched | None = None,
) -> None:
    """Begin a run without a package: its manifest says that the tables are as they are.

    When it has ended, the package `reads` is read again. `told` says in words what all this is.

    Raises:
        BusyError: something else is under way.
        SettingsError: nothing is published yet, or a run is halted.
    """
    from shared.pipeline import replay_scope  # noqa: PLC0415 - its engine is paid by those who replay
    from shared.pipeline.read_package import Manifest  # noqa: PLC0415 - the same

    name, now = command.connection, parts.clock()
    with parts.leases.hold(f"work/{name}"):
        state = journal.get_state(parts, name)
        _check_idle(parts, name, state, command.sync_id)
        committed = state.committed
        if committed is None:
            raise refusal("Nothing is published yet, so nothing can be missing. Look into the folder with a sync.")
        connection = journal.get_connection(parts, name)
        run = Run(
            run_id=command.sync_id,
            connection=name,
            sync_id=command.sync_id,
            package=committed.package,
            kind=kind,
            content_hash="",
            sealed_path="",
            timestamp=committed.timestamp,
            step=Step.MAPPING,
            touched_at=now,
            started_at=now,
            message=told,
            learner_part=connection.learner_sync and state.learner_base,
        )
        manifest = Manifest(
            key_id="",
            learner_part=run.learner_part,
            needs_full=False,
            rows=0,
            rejected=0,
            rejected_rows={},
            left_over={},
            tables=state.tables,
            came=sorted({*state.tables, *state.seen_tables}),
            refused=_refused_tables(parts, name, committed.run_id),
            read_now=[],
            seen=sorted(state.seen_tables),
            warnings=[],
        )
        records = f"{name}/{run.run_id}"
        parts.records.put(replay_scope.path(run), scope.model_dump_json().encode())
        parts.records.put(f"{records}/manifest.json", manifest.model_dump_json().encode())
        if journal.find_run(parts, name, run.run_id) is None:
            journal.put_new_run(parts, run)
        open_sync(parts, command, reads, open_run=run.run_id)
    log.info("replay.begun connection=%s run=%s kind=%s", name, run.run_id, kind)
    _call_mapping(parts, run)


def open_sync(parts: Parts, command: Replay | Backfill, reads: Fetched | None = None, **values: object) -> None:
    """Open a sync for the command, in which a package may be read again, unless something is under way.

    Raises:
        BusyError: something is.
        SettingsError: a run is halted.
    """
    _check_idle(parts, command.connection, journal.get_state(parts, command.connection), command.sync_id)
    if reads is not None:
        journal.put_package(parts, command.connection, reads.model_copy(update={"standing": Standing.COLLECTED}))
        values["rerun_hash"] = reads.content_hash

    def change(state: State) -> State:
        _check_idle(parts, command.connection, state, command.sync_id)
        sync = CurrentSync(sync_id=command.sync_id, started_at=parts.clock(), collecting=False)
        return state.model_copy(update={"sync": sync, **values})

    journal.change_state(parts, command.connection, change)


def _check_idle(parts: Parts, name: str, state: State, sync_id: str) -> None:
    if state.open_run not in (None, sync_id):
        run = journal.find_run(parts, name, str(state.open_run))
        if run is not None and run.step is Step.HALTED:
            raise refusal(
                f"The run {run.run_id} is halted, and nothing goes past it. Let it go on with `lms approve`, or wait "
                "for a newer full package; then replay."
            )
        raise BusyError(f"The run {state.open_run} is under way.")
    if state.sync is not None and state.sync.sync_id != sync_id:
        raise BusyError("A look into the folder is under way.")


def _refused_tables(parts: Parts, name: str, run_id: str) -> list[str]:
    """Return the tables that the latest package brought and we refused: what depends on them is still not guessed."""
    from shared.pipeline.read_package import Manifest  # noqa: PLC0415 - its engine is paid by those who replay

    try:
        return Manifest.model_validate_json(parts.records.get(f"{name}/{run_id}/manifest.json")).refused
    except FileNotFoundError:
        return []


def _call_mapping(parts: Parts, run: Run) -> None:
    body = MapLearners(connection=run.connection, run_id=run.run_id)
    parts.messages.send(MAP_LEARNERS, body.model_dump_json())


def refusal(sentence: str) -> SettingsError:
    """Return what is raised when something cannot be done; the sentence says why, and what to do instead."""
    return SettingsError(sentence, Code.SETTINGS_INVALID)
