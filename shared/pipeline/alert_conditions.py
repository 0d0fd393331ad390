"""What is wrong with a connection now, as far as whoever is on call should know."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from shared.domain.alert import AlertKind, Condition
from shared.domain.calendar import missing_days
from shared.domain.connection import Connection
from shared.domain.errors import Code
from shared.domain.purge import find_purge
from shared.domain.runs import Outcome, Run, Step
from shared.domain.schedule import Schedule
from shared.domain.state import State
from shared.domain.turns import Standing
from shared.pipeline import journal
from shared.pipeline.keep_poison import Poison
from shared.pipeline.parts import Parts
from shared.pipeline.write_back.pace import get_standing

_WATCHED = "watched"
"""Partition of when connections that nobody has looked at were first seen."""
_PATIENCE = timedelta(hours=1)
"""How long an LMS may be away before anybody is told."""
_EARLY = timedelta(minutes=1)
"""A timer may fire a moment before it is due."""


def find_conditions(
    parts: Parts, name: str, connection: Connection | None, poison: Sequence[Poison]
) -> Mapping[AlertKind, Sequence[Condition]]:
    """Return everything of the kinds that a sweep looks for; `connection` is `None` when its settings are not valid."""
    state = journal.get_state(parts, name)
    found: dict[AlertKind, list[Condition]] = {AlertKind.POISON: _poison(name, poison)}
    is_off = connection is not None and not connection.enabled
    for kind, find in (
        (AlertKind.FAILED, _failed),
        (AlertKind.HALTED, _halted),
        (AlertKind.REJECTED, _rejected),
    ):
        found[kind] = [] if is_off else find(parts, name, state)
    if connection is not None:
        for kind, look in (
            (AlertKind.MISSED, _missed),
            (AlertKind.STALE, _stale),
            (AlertKind.STUCK, _stuck),
            (AlertKind.VANISHING, _vanishing),
            (AlertKind.PUBLISHED, _published),
        ):
            found[kind] = [] if is_off else look(parts, name, state, connection)
    return found


def _failed(parts: Parts, name: str, state: State) -> list[Condition]:
    del parts, name
    last = state.last_sync
    if last is None or last.outcome is not Outcome.FAILED:
        return []
    return [Condition(kind=AlertKind.FAILED, code=last.code or "", text=last.message)]


def _stuck(parts: Parts, name: str, state: State, connection: Connection) -> list[Condition]:
    del state
    trouble = get_standing(parts, name).trouble if connection.write_back else None
    if trouble is None:
        return []
    passes = trouble.code in (Code.LMS_REQUESTS_LIMIT, Code.LMS_UNREACHABLE)
    if passes and parts.clock() - trouble.since < _PATIENCE:
        return []
    text = f"{trouble.message} Nothing is lost: what waits is sent as soon as that is possible; see `lms push plan`."
    return [Condition(kind=AlertKind.STUCK, code=trouble.code, text=text)]


def _halted(parts: Parts, name: str, state: State) -> list[Condition]:
    run = journal.find_run(parts, name, state.open_run) if state.open_run else None
    if run is None or run.step is not Step.HALTED:
        return []
    text = f"{run.message} Look at it with `lms runs {run.run_id}`, then let it go on with `lms approve {run.run_id}`."
    return [Condition(kind=AlertKind.HALTED, subject=run.run_id, code=run.code or "", text=text)]


def _rejected(parts: Parts, name: str, state: State) -> list[Condition]:
    """The newest refused package, as long as nothing newer is published."""
    refused = [
        package
        for package in journal.get_packages(parts, name).values()
        if package.standing is Standing.REFUSED
        and (state.committed is None or package.timestamp > state.committed.timestamp)
    ]
    if not refused:
        return []
    newest = max(refused, key=lambda package: (package.timestamp, package.file))
    run = journal.find_run(parts, name, newest.run_id)
    told = run.message if run is not None else "Its run is no longer known."
    code = (run.code if run is not None else None) or ""
    return [Condition(kind=AlertKind.REJECTED, code=code, text=f"The package {newest.file} was refused. {told}")]


def _poison(name: str, poison: Sequence[Poison]) -> list[Condition]:
    """One for every queue; what belongs to no connection is told wherever somebody listens."""
    by_queue: dict[str, list[Poison]] = {}
    for each in poison:
        if each.replayed_at is None and each.connection in ("", name):
            by_queue.setdefault(each.queue, []).append(each)
    return [
        Condition(
            kind=AlertKind.POISON,
            subject=queue,
            code=kept[-1].code,
            text=f"{len(kept)} of the messages of the queue {queue} failed in every try and were put aside, the first "
            f"on {kept[0].first_seen:%Y-%m-%d %H:%M} UTC. See why with `lms poison`; then `lms replay --queue {queue}` "
            "puts them back.",
        )
        for queue, kept in sorted(by_queue.items())
    ]


def _missed(parts: Parts, name: str, state: State, connection: Connection) -> list[Condition]:
    """The schedule says when a look was due after the last one, whenever that was; days without any are named."""
    schedule = Schedule.parse(parts.collect_schedule)
    if schedule is None or parts.leases.is_held(f"collect/{name}"):
        return []
    now, last = parts.clock(), state.looked_at or _watched_since(parts, name)
    due = schedule.next_due(last + _EARLY)
    if due is None or now <= due + timedelta(minutes=connection.look_grace_minutes):
        return []
    days = missing_days(last, now, ZoneInfo(connection.source_time_zone))
    without = f" There was none at all on {', '.join(day.isoformat() for day in days[-10:])}." if days else ""
    text = (
        f"The look into the folder that was due on {due:%Y-%m-%d} at {due:%H:%M} UTC has not begun; the last one was "
        f"on {last:%Y-%m-%d} at {last:%H:%M} UTC.{without} Check that the app is running and COLLECT_SCHEDULE is "
        "right. The next look takes everything that has come meanwhile."
    )
    return [Condition(kind=AlertKind.MISSED, code=due.isoformat(), text=text)]


def _watched_since(parts: Parts, name: str) -> datetime:
    row = parts.alerts.find(_WATCHED, name)
    if row is None:
        row = {"since": parts.clock().isoformat()}
        parts.alerts.put(_WATCHED, name, row)
    return datetime.fromisoformat(row["since"])


def _stale(parts: Parts, name: str, state: State, connection: Connection) -> list[Condition]:
    del name
    newest = state.committed
    if newest is None or parts.clock() <= newest.timestamp + timedelta(hours=connection.stale_after_hours):
        return []
    text = (
        f"Nothing newer than {newest.package} of {newest.timestamp:%Y-%m-%d %H:%M} UTC has been published for more "
        f"than {connection.stale_after_hours:g} hours, so Viva Learning shows what was then. `lms status` says what "
        "stands in the way."
    )
    return [Condition(kind=AlertKind.STALE, code=newest.package, text=text)]


def _vanishing(parts: Parts, name: str, state: State, connection: Connection) -> list[Condition]:
    del state, connection
    newest = journal.find_newest_package(parts, name)
    purge = find_purge(newest.file, newest.timestamp, parts.clock()) if newest else None
    if newest is None or purge is None:
        return []
    code = f"{newest.file} {'over' if purge.is_over else 'soon'}"
    return [Condition(kind=AlertKind.VANISHING, code=code, text=purge.text)]


def _published(parts: Parts, name: str, state: State, connection: Connection) -> list[Condition]:
    if not connection.tell_published or state.committed is None:
        return []
    run = journal.find_run(parts, name, state.committed.run_id)
    if run is None:
        return []
    return [Condition(kind=AlertKind.PUBLISHED, code=run.run_id, text=_told_of(run))]


def _told_of(run: Run) -> str:
    counts = ", ".join(
        f"{tally['read']:,} {kind} read and {tally['published']:,} published"
        for kind, tally in run.tally.model_dump().items()
    )
    return f"The package {run.package} has been published ({run.outcome}): {counts}; {run.reject_count:,} rejects."
