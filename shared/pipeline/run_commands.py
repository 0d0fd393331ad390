"""What an admin, or the connector itself, asks for: look now, process, approve, rerun, replay, backfill."""

import logging

from shared.domain.errors import BusyError, Code, SettingsError
from shared.domain.messages import (
    COMMANDS,
    MAP_LEARNERS,
    Approve,
    Backfill,
    Collect,
    Command,
    MapLearners,
    Process,
    ReadInbox,
    Replay,
    Rerun,
)
from shared.domain.runs import Outcome, Step
from shared.domain.state import CurrentSync, State
from shared.domain.turns import Standing
from shared.pipeline import journal
from shared.pipeline.parts import Parts

log = logging.getLogger(__name__)

_BUSY_SECONDS = 5
_WAIT_SECONDS = 30
"""How long what waits for the end of a run stays away."""


def run_command(parts: Parts, command: Command) -> None:
    """Do what was asked for; what cannot be done is told in the sync's record.

    Raises:
        TransientError: the same call may work later.
    """
    match command:
        case Collect():
            from shared.pipeline.collect_packages import collect  # noqa: PLC0415 - paid by those who collect

            try:
                collect(parts, command.connection, command.sync_id, dry_run=command.dry_run)
            except BusyError:
                parts.messages.send(COMMANDS, command.model_dump_json(), delay_seconds=_BUSY_SECONDS)
        case Process() | ReadInbox():
            _take_in(parts, command)
        case Replay() | Backfill():
            try:
                _replay(parts, command)
            except BusyError:
                parts.messages.send(COMMANDS, command.model_dump_json(), delay_seconds=_WAIT_SECONDS)
            except SettingsError as error:
                _refuse(parts, command, error)
        case Approve() | Rerun():
            try:
                _approve(parts, command) if isinstance(command, Approve) else _rerun(parts, command)
            except BusyError:
                parts.messages.send(COMMANDS, command.model_dump_json(), delay_seconds=_BUSY_SECONDS)
            except SettingsError as error:
                _refuse(parts, command, error)


def _take_in(parts: Parts, command: Process | ReadInbox) -> None:
    """Read what has come: the next package, or files with records for the LMS."""
    if isinstance(command, Process):
        from shared.pipeline.process_package import process_next  # noqa: PLC0415 - paid by those who process

        process_next(parts, command.connection)
    else:
        from shared.pipeline.write_back.read_inbox import read_inbox  # noqa: PLC0415 - paid by those who read files

        read_inbox(parts, command.connection)


def _begin(parts: Parts, command: Approve | Rerun, **values: object) -> None:
    """Open a sync for the command."""

    def begin(state: State) -> State:
        sync = CurrentSync(sync_id=command.sync_id, started_at=parts.clock(), collecting=False)
        return state.model_copy(update={"sync": sync, **values})

    journal.change_state(parts, command.connection, begin)


def _approve(parts: Parts, command: Approve) -> None:
    """Let the run go on, while nobody else works for the connection: they would end its sync as halted.

    Raises:
        BusyError: somebody does.
    """
    with parts.leases.hold(f"work/{command.connection}"):
        run = journal.get_run(parts, command.connection, command.run_id)
        moved = journal.advance(
            parts,
            run,
            Step.HALTED,
            step=Step.MAPPING,
            approved_by=command.by or command.sync_id,
            approved_at=parts.clock(),
            sync_id=command.sync_id,
            attempts=0,
            outcome=None,
            code=None,
            message="",
        )
        if moved is None and run.sync_id != command.sync_id:
            raise SettingsError(
                f"The run {run.run_id} is not halted, so there is nothing to approve.", Code.SETTINGS_INVALID
            )
        if moved is None and run.step is not Step.MAPPING:
            return  # It came twice, and the run has gone on meanwhile.
        _begin(parts, command)
    log.info("run.approved connection=%s run=%s", run.connection, run.run_id)
    body = MapLearners(connection=run.connection, run_id=run.run_id)
    parts.messages.send(MAP_LEARNERS, body.model_dump_json())


def _rerun(parts: Parts, command: Rerun) -> None:
    """Process the latest package again; an older one would bring back what has changed since."""
    state = journal.get_state(parts, command.connection)
    if state.committed is None or state.committed.run_id != command.run_id:
        raise SettingsError(
            f"The run {command.run_id} is not the latest one; only that can be run again.", Code.SETTINGS_INVALID
        )
    package = journal.get_packages(parts, command.connection)[state.committed.content_hash]
    journal.put_package(parts, command.connection, package.model_copy(update={"standing": Standing.COLLECTED}))
    _begin(parts, command, rerun_hash=package.content_hash)
    journal.call_next(parts, command.connection)


def _replay(parts: Parts, command: Replay | Backfill) -> None:
    if isinstance(command, Replay):
        from shared.pipeline.replay import replay  # noqa: PLC0415 - paid by those who replay

        replay(parts, command)
    else:
        from shared.pipeline.backfill import backfill  # noqa: PLC0415 - the same

        backfill(parts, command)


def _refuse(parts: Parts, command: Approve | Rerun | Replay | Backfill, error: SettingsError) -> None:
    row = {
        "sync_id": command.sync_id,
        "started_at": parts.clock().isoformat(),
        "ended_at": parts.clock().isoformat(),
        "dry_run": False,
        "outcome": Outcome.FAILED.value,
        "code": str(error.code or ""),
        "message": str(error),
    }
    parts.syncs.put(command.connection, command.sync_id, row)
