"""How a connection stands: what an admin wants to know first."""

from datetime import datetime

from shared.domain.purge import find_purge
from shared.domain.runs import Outcome, Step
from shared.domain.state import State
from shared.domain.strict import Strict
from shared.pipeline import journal
from shared.pipeline.parts import Parts


class Status(Strict):
    """One connection."""

    connection: str
    enabled: bool
    synced_at: datetime | None = None
    """When the last sync that has ended began; so are outcome, code and message."""
    outcome: Outcome | None = None
    code: str = ""
    message: str = ""
    package: str | None = None
    """The newest one that is published."""
    full_at: datetime | None = None
    doing: str = ""
    """What is under way."""
    open_run: str | None = None
    waits_for_you: str = ""
    """What goes on only when somebody does something."""


def read_status(parts: Parts, name: str) -> Status:
    """Return how the connection stands now.

    Raises:
        SettingsError: there is no such connection, or its document is not valid.
    """
    connection = journal.get_connection(parts, name)
    state = journal.get_state(parts, name)
    last = max((row for _, row in parts.syncs.list_rows(name)), key=lambda row: row["started_at"], default=None)
    return Status(
        connection=name,
        enabled=connection.enabled,
        synced_at=datetime.fromisoformat(last["started_at"]) if last else None,
        outcome=Outcome(last["outcome"]) if last else None,
        code=last["code"] if last else "",
        message=last["message"] if last else "",
        package=state.committed.package if state.committed else None,
        full_at=state.full_at,
        open_run=state.open_run,
        doing=_doing(parts, name, state),
        waits_for_you=_waits(parts, name, state, enabled=connection.enabled),
    )


def _doing(parts: Parts, name: str, state: State) -> str:
    if state.open_run and (run := journal.find_run(parts, name, state.open_run)):
        return "" if run.step is Step.HALTED else f"{run.step.replace('_', ' ')} {run.package} (run {run.run_id})"
    return "looking into the folder" if state.sync and state.sync.collecting else ""


def _waits(parts: Parts, name: str, state: State, *, enabled: bool) -> str:
    if not enabled:
        return "The connection is switched off: set `enabled` once everything is in place."
    if state.open_run and (run := journal.find_run(parts, name, state.open_run)) and run.step is Step.HALTED:
        look, go_on = f"`lms runs {run.run_id}`", f"`lms approve {run.run_id}`"
        return f"The run {run.run_id} is halted. Look at it with {look}, then let it go on with {go_on}."
    newest = journal.find_newest_package(parts, name)
    purge = find_purge(newest.file, newest.timestamp, parts.clock()) if newest else None
    return state.needs_full or (purge.text if purge else "")
