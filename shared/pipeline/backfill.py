"""Look for the records of some days in Viva Learning, and make anew what is missing there.

By the snapshot nothing is ever missing, so this asks Viva Learning itself: it finds what somebody has deleted there,
or what a service has lost. Packages, and which one comes next, are left alone.
"""

from shared.domain.messages import Backfill
from shared.domain.package import Kind
from shared.pipeline import journal, replay_run
from shared.pipeline.parts import Parts
from shared.pipeline.replay_run import refusal


def check(parts: Parts, command: Backfill) -> None:
    """See that the days can be filled.

    Raises:
        SettingsError: they cannot; the message says why.
    """
    state = journal.get_state(parts, command.connection)
    connection = journal.get_connection(parts, command.connection)
    if command.first > command.last:
        raise refusal(f"The first day, {command.first}, is after the last one, {command.last}.")
    if state.committed is None:
        raise refusal("Nothing is published yet, so nothing can be missing. Look into the folder with a sync.")
    if not (connection.learner_sync and state.learner_base):
        raise refusal(
            "The connector holds no learners' records: learner_sync is off, or no full package has come since it was "
            "switched on."
        )


def backfill(parts: Parts, command: Backfill) -> None:
    """Begin a run that does it. A second call with the same command changes nothing.

    Raises:
        BusyError: something else is under way.
        SettingsError: it cannot be done.
    """
    if replay_run.is_done(parts, command):
        return
    check(parts, command)
    from shared.pipeline.replay_scope import Days, Scope  # noqa: PLC0415 - its engine is paid by those who ask for it

    told = f"Records of {command.first} to {command.last} are looked for in Viva Learning, and made anew if missing."
    scope = Scope(missing=True, days=Days(first=command.first, last=command.last))
    replay_run.begin(parts, command, Kind.BACKFILL, scope, told)
