"""What the app has left behind: its looks, its runs, its packages."""

from collections.abc import Iterator
from datetime import timedelta

from shared.domain.errors import Code
from shared.domain.help import EXPLANATIONS
from shared.domain.runs import Outcome, Run, Step
from shared.domain.schedule import Schedule
from shared.pipeline import journal
from shared.pipeline.doctor.check import Check, Patient

DEFAULT_SCHEDULE = "0 5 * * * *"
"""Of the looks, where nobody says otherwise."""
_BAD = (Outcome.FAILED, Outcome.REJECTED)
_APP_RUNS = "See in the Azure portal that the function app runs, and what its log says."


def examine_standing(patient: Patient) -> Iterator[Check]:
    """Check whether looks are made in time, how the last one ended, and whether something stands still."""
    yield patient.app("schedule").attempt(lambda: _schedule(patient))
    yield patient.app("last look").attempt(lambda: _last_look(patient))
    yield patient.app("open run").attempt(lambda: _open_run(patient))
    yield patient.app("packages").attempt(lambda: _packages(patient))


def find_proof(patient: Patient) -> Run | None:
    """Return the newest run that has ended and was no rehearsal: what it did, the app itself could do."""
    parts = patient.parts
    for run_id in reversed(journal.list_run_ids(parts, patient.name)):
        run = journal.find_run(parts, patient.name, run_id)
        if run and run.step is Step.ENDED and run.outcome and not run.dry_run:
            return run
    return None


def _schedule(patient: Patient) -> Check:
    exam, schedule = patient.app("schedule"), patient.parts.collect_schedule or DEFAULT_SCHEDULE
    if not patient.connection.enabled:
        return exam.warned(
            "The connection is switched off: nothing is fetched.", "Set `enabled` once everything is in place."
        )
    timer = Schedule.parse(schedule)
    if timer is None:
        return exam.failed(
            f"COLLECT_SCHEDULE is {schedule!r}, which is no schedule.",
            "Give it six fields, seconds first, for example `0 5 * * * *` for five past every hour.",
            Code.SETTINGS_INVALID,
        )
    last = journal.get_state(patient.parts, patient.name).looked_at
    if last is None:
        return exam.warned("No look has ever been made.", f"Wait for the next one ({schedule}). {_APP_RUNS}")
    due = timer.next_due(last)
    if due and due + timedelta(minutes=patient.connection.look_grace_minutes) < patient.now:
        told = f"The last look began at {last:%Y-%m-%d %H:%M}; one was due at {due:%Y-%m-%d %H:%M} ({schedule})."
        return exam.failed(told, _APP_RUNS)
    return exam.passed(f"The last look began at {last:%Y-%m-%d %H:%M}, in time ({schedule}).")


def _last_look(patient: Patient) -> Check:
    exam, last = patient.app("last look"), journal.get_state(patient.parts, patient.name).last_sync
    if last is None:
        return exam.skipped("No look has ended yet.")
    if last.outcome in _BAD:
        told = last.message or "Nothing was said about it."
        mend = EXPLANATIONS[last.code].mend if last.code else _APP_RUNS
        return exam.failed(f"It ended as {last.outcome}: {told}", mend, last.code)
    return exam.passed(f"It ended as {last.outcome}.")


def _open_run(patient: Patient) -> Check:
    exam = patient.app("open run")
    state = journal.get_state(patient.parts, patient.name)
    run = journal.find_run(patient.parts, patient.name, state.open_run) if state.open_run else None
    if run is None:
        return exam.passed("No run is open.")
    if run.step is Step.HALTED:
        return exam.warned(
            f"The run {run.run_id} is halted: {run.message}",
            "Look at it with `lms runs`, then let it go on with `lms approve`; nothing else is done before.",
        )
    still = patient.now - run.touched_at
    if still > 2 * patient.parts.stuck_after:
        return exam.failed(
            f"The run {run.run_id} has stood still for {still // timedelta(minutes=1)} minutes "
            f"({run.step.replace('_', ' ')}), and the sweeper has not woken it.",
            _APP_RUNS,
        )
    return exam.passed(f"The run {run.run_id} is under way: {run.step.replace('_', ' ')}.")


def _packages(patient: Patient) -> Check:
    exam, now = patient.app("packages"), patient.now
    state = journal.get_state(patient.parts, patient.name)
    expected = timedelta(hours=patient.connection.delta_expected_hours)
    if state.committed is None:
        return exam.warned(
            "Nothing is published yet.", "Have a full package made in SuccessFactors, if there is none in the folder."
        )
    age = now - state.committed.timestamp
    told = f"The newest published package is {state.committed.package}, {age // timedelta(hours=1)} hours old."
    mend = EXPLANATIONS[Code.DELTA_PACKAGE_NOT_FOUND].mend
    if age > max(timedelta(hours=patient.connection.stale_after_hours), expected):
        return exam.failed(told, mend, Code.DELTA_PACKAGE_NOT_FOUND)
    if state.needs_full:
        return exam.warned(state.needs_full, EXPLANATIONS[Code.FULL_PACKAGE_NEEDED].mend)
    if age > expected:
        return exam.warned(told, mend)
    return exam.passed(told)
