"""Send what a run left undone, once its cause has been mended, and nothing twice.

What Graph refused, or Viva Learning never had, is planned anew from the committed tables: receipts and the snapshot
know what is there. A row that was refused while it was read is in no table: its package is read again from the sealed
original, as long as nothing newer has been published, for an older one would bring back what has changed since.
"""

from dataclasses import dataclass

from shared.domain.messages import Replay
from shared.domain.package import Kind
from shared.domain.runs import Outcome, Reject, Run, Step
from shared.domain.state import State
from shared.domain.turns import Fetched, Standing
from shared.pipeline import journal, replay_run
from shared.pipeline.parts import Parts
from shared.pipeline.replay_rejects import is_refused_by_graph, is_unread, keys, list_rejects
from shared.pipeline.replay_run import refusal


@dataclass(frozen=True, slots=True)
class Remedy:
    """What replaying a run comes to."""

    told: str
    """In words, for whoever asks for it."""
    asks: bool = False
    """Whether records are planned anew from the tables."""
    keys: tuple[str, ...] = ()
    """External ids of the records that are asked for again, whatever is to be done about them."""
    missing: bool = False
    """Whether all that Viva Learning never had is sent as well."""
    reads: Fetched | None = None
    """The package that is read again."""


def find_remedy(parts: Parts, name: str, run_id: str, key: str | None = None) -> Remedy:
    """Say what can be done about a run, or with `key` about one record that Graph refused in it.

    Raises:
        SettingsError: nothing can; the message says why, and what to do instead.
    """
    run = journal.get_run(parts, name, run_id)
    _check_ended(run)
    state = journal.get_state(parts, name)
    package = journal.get_packages(parts, name).get(run.content_hash) if run.kind.is_package else None
    if key is not None:
        return Remedy(f"The record {key} is asked for again, alone.", asks=True, keys=tuple(sorted(keys(key))))
    if run.outcome in (Outcome.FAILED, Outcome.REJECTED) and run.kind.is_package:
        is_published = package is not None and package.standing is Standing.TAKEN
        if not is_published:
            return _open_again(state, run, package)
    if state.committed is None:
        raise refusal("Nothing is published yet, so nothing can be missing. Look into the folder with a sync.")
    refused = [reject for reject in list_rejects(parts, run) if is_refused_by_graph(reject)]
    remedy = Remedy(
        "What Viva Learning has never had is sent"
        + (f", and {len(refused)} records that Graph refused are asked for again." if refused else "."),
        asks=True,
        keys=tuple(sorted({each for reject in refused for each in keys(reject.field)})),
        missing=True,
    )
    return _with_reading(parts, state, run, remedy)


def explain_single(run: Run, reject: Reject, state: State) -> None:
    """See that one record can be replayed alone.

    Raises:
        SettingsError: it cannot; the message says what to do instead.
    """
    if is_refused_by_graph(reject):
        return
    if not is_unread(reject):
        raise refusal(
            f"There was no place for this item. Raise active_item_limit or total_item_limit, then `lms replay "
            f"{run.run_id}` sends all that have a place now."
        )
    if state.committed is not None and run.content_hash != state.committed.content_hash:
        raise refusal(_too_old(run))
    raise refusal(
        f"{reject.file}, line {reject.line}, was refused while the package was read, and a package is read as a whole. "
        f"Mend the cause ({reject.code}), then `lms replay {run.run_id}` reads it again and sends only what was "
        "missing."
    )


def replay(parts: Parts, command: Replay) -> None:
    """Do what `find_remedy` has found. A second call with the same command changes nothing.

    Raises:
        BusyError: something else is under way.
        SettingsError: nothing can be done.
    """
    name = command.connection
    if replay_run.is_done(parts, command):
        return
    remedy = find_remedy(parts, name, command.run_id, command.key)
    if remedy.asks:
        from shared.pipeline.replay_scope import Scope  # noqa: PLC0415 - its engine is paid by those who replay

        scope = Scope(keys=remedy.keys, missing=remedy.missing)
        replay_run.begin(parts, command, Kind.REPLAY, scope, remedy.told, reads=remedy.reads)
    elif remedy.reads is not None:
        with parts.leases.hold(f"work/{name}"):
            replay_run.open_sync(parts, command, remedy.reads)
        journal.call_next(parts, name)


def _check_ended(run: Run) -> None:
    if run.step is Step.HALTED:
        raise refusal(f"The run {run.run_id} is halted and has sent nothing. Let it go on with `lms approve`.")
    if run.step is not Step.ENDED:
        raise refusal(f"The run {run.run_id} is still under way. Wait for its end: `lms runs {run.run_id}`.")
    if run.dry_run:
        raise refusal(f"The run {run.run_id} was a dry run, which was to send nothing. A sync sends what it planned.")
    if run.outcome in (Outcome.SKIPPED, Outcome.HALTED, None):
        raise refusal(
            f"The package of the run {run.run_id} was left out, because something newer is published. "
            "That holds what it held, or a new full package will."
        )


def _open_again(state: State, run: Run, package: Fetched | None) -> Remedy:
    if package is None or not package.sealed_path:
        raise refusal(
            f"The package of the run {run.run_id} is not in storage. Once the cause is mended, the next sync fetches "
            "it, if it is still on the server."
        )
    if not package.may_be_processed(state.committed):
        raise refusal(_too_old(run))
    return Remedy("The package is opened again from its sealed original.", reads=package)


def _with_reading(parts: Parts, state: State, run: Run, remedy: Remedy) -> Remedy:
    """Add that the package is read again, if rows of it were refused and that can be made good."""
    committed = state.committed
    if committed is None or not run.kind.is_package:
        return remedy
    is_latest = run.content_hash == committed.content_hash
    newest = journal.find_run(parts, run.connection, committed.run_id) if is_latest else run
    unread = sum(map(is_unread, list_rejects(parts, newest))) if newest else 0
    if not unread:
        return remedy
    if is_latest:
        package = journal.get_packages(parts, run.connection)[committed.content_hash]
        told = f"{remedy.told} Then the package is read again, for {unread} rows of it were refused."
        return Remedy(told, asks=True, keys=remedy.keys, missing=True, reads=package)
    if not remedy.keys:
        raise refusal(_too_old(run))
    told = f"{remedy.told} {unread} rows that were refused while they were read stay out: {_too_old(run)}"
    return Remedy(told, asks=True, keys=remedy.keys, missing=True)


def _too_old(run: Run) -> str:
    return (
        f"Something newer than {run.package} is published, and reading it again would bring back what has changed "
        "since. The row comes with the next package that holds it; a new full package holds every row."
    )
