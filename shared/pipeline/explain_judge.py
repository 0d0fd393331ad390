"""From the evidence to one cause, and the fact that it rests on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.domain.explanation import About, Cause, Fact
from shared.domain.plan import Verdict
from shared.domain.runs import Outcome, Step
from shared.pipeline.explain_evidence import Evidence, fact_at, fact_of_sent, with_place
from shared.pipeline.explain_pushes import Sent
from shared.pipeline.explain_rows import Place
from shared.pipeline.explain_scene import HISTORY, ITEMS
from shared.pipeline.run_data import PLAN
from shared.pipeline.show_activities import statuses_known
from shared.pipeline.staging import STUDENTS

_STATES = {"unmatched": Cause.UNMATCHED, "ambiguous": Cause.AMBIGUOUS, "disabled": Cause.DISABLED}


@dataclass(frozen=True, slots=True)
class Judged:
    """A cause, and what it rests on."""

    cause: Cause
    fact: Fact | None = None


def judge(seen: Evidence) -> Judged:
    """Return why the learner sees the course or does not."""
    scene = seen.scene
    if not scene.connection.learner_sync:
        return Judged(Cause.LEARNER_SYNC_OFF)
    if not scene.state.learner_base and not (scene.manifest and scene.manifest.learner_part):
        return Judged(Cause.FULL_PACKAGE_NEEDED)
    judged = [_judge_record(seen, record) for record in seen.records]
    judged += [Judged(Cause.COMPLETED, _published_fact(each)) for each in seen.published if each["kind"] == "self"]
    if judged:
        # An open course that is shown speaks first, and what is completed last.
        return min(judged, key=lambda each: (each.cause is not Cause.PUBLISHED, each.cause is Cause.COMPLETED))
    return _judge_nothing(seen)


def _judge_record(seen: Evidence, record: Mapping[str, Any]) -> Judged:
    row = seen.row_of(record)
    here = seen.fact_of(row, "The assignment.") if row else _history_fact(seen)
    return _BY_DECISION.get(record["todo"], _judge_sending)(seen, record, here)


def _judge_unmapped(seen: Evidence, record: Mapping[str, Any], here: Fact | None) -> Judged:
    if record["state"] in _STATES:
        return Judged(_STATES[record["state"]], here)
    rejected = seen.search.rejected(STUDENTS)
    if rejected:
        return Judged(Cause.RECORD_REJECTED, _reject_fact(rejected[0]))
    return Judged(Cause.NEVER_IN_A_PACKAGE, _never(seen, STUDENTS, "this student id"))


def _judge_parked(seen: Evidence, _: Mapping[str, Any], here: Fact | None) -> Judged:
    return Judged(Cause.TABLE_MISSING, with_place(_tables_fact(seen), here))


def _judge_frozen(seen: Evidence, _: Mapping[str, Any], here: Fact | None) -> Judged:
    inactive = [each for each in seen.rows[STUDENTS] if each.values["NOTACTIVE"]]
    return Judged(Cause.LEARNER_INACTIVE, seen.fact_of(inactive[0], "NOTACTIVE is Y.") if inactive else here)


def _judge_unlicensed(_: Evidence, __: Mapping[str, Any], here: Fact | None) -> Judged:
    return Judged(Cause.UNLICENSED, here)


def _judge_same(seen: Evidence, record: Mapping[str, Any], here: Fact | None) -> Judged:
    if seen.content and seen.content["was_published"] and not seen.content["was_active"]:
        return _judge_content(seen, record, here)
    return Judged(_shown_as(record["status"]), here)


def _judge_content(seen: Evidence, _: Mapping[str, Any], here: Fact | None) -> Judged:
    """Say why the course is not there to be assigned."""
    refused = next((each for each in seen.sent_contents[:1] if each.is_refused), None)
    if refused is not None:
        items = seen.rows[ITEMS]
        return Judged(
            Cause.CONTENT_REJECTED,
            with_place(fact_of_sent(refused), seen.fact_of(items[-1], "") if items else here),
        )
    rejected = seen.search.rejected(ITEMS)
    if seen.content is None:
        if rejected:
            return Judged(Cause.CONTENT_REJECTED, _reject_fact(rejected[0]))
        return Judged(Cause.NEVER_IN_A_PACKAGE, with_place(_never(seen, ITEMS, "this course"), here))
    if seen.content["todo"] == "park":
        return Judged(Cause.TABLE_MISSING, with_place(_tables_fact(seen), here))
    items = seen.rows[ITEMS]
    if not items:
        return Judged(Cause.CONTENT_INACTIVE, with_place(_never(seen, ITEMS, "this course any more"), here))
    speaking = max(items, key=lambda each: (not each.values["NOTACTIVE"], each.values["REV_DTE_TEXT"] or ""))
    told = "NOTACTIVE is Y." if speaking.values["NOTACTIVE"] else "The course is in no active library."
    return Judged(Cause.CONTENT_INACTIVE, seen.fact_of(speaking, told))


def _judge_sending(seen: Evidence, record: Mapping[str, Any], here: Fact | None) -> Judged:
    """Say why a record is not as it is to be; what is shown already goes on being shown."""
    pending = seen.scene.pending
    sent = next((each for each in seen.sent if each.ext == record["ext"]), None)
    if sent is not None and pending is not None and sent.run.run_id != pending.run_id:
        sent = None
    if sent is not None and sent.verdict is Verdict.DONE:
        cause = Cause.WITHDRAWN if sent.todo == "withdraw" else _shown_as(record["status"])
        return Judged(cause, with_place(fact_of_sent(sent), here))
    if record["was_published"]:
        return Judged(_shown_as(record["was_status"]), here)
    if sent is not None and sent.verdict is not None:
        cause = Cause.RECORD_REJECTED if sent.is_refused else Cause.UNLICENSED
        return Judged(cause, with_place(fact_of_sent(sent), here))
    if sent is None and (limited := _judge_limit(seen, record, here)):
        return limited
    return _judge_waiting(seen, sent, here)


def _judge_waiting(seen: Evidence, sent: Sent | None, here: Fact | None) -> Judged:
    """Say what a record waits for that is to be published."""
    pending = seen.scene.pending
    if pending is None or pending.step is Step.ENDED:
        return Judged(Cause.NOT_SENT, here)
    if pending.step is Step.HALTED:
        return Judged(Cause.HALTED, here)
    paused = _paused(seen, sent)
    if paused is not None:
        return Judged(Cause.PARKED_BY_THROTTLE, with_place(fact_of_sent(paused), here))
    return Judged(Cause.ON_ITS_WAY, here)


def _judge_limit(seen: Evidence, record: Mapping[str, Any], here: Fact | None) -> Judged | None:
    """Say that the course was refused, by Graph or for lack of a place, if it was."""
    no_place = seen.no_place()
    if no_place is not None:
        return Judged(Cause.CONTENT_REJECTED, no_place)
    newest = next(iter(seen.sent_contents), None)
    if newest is not None and newest.is_refused and not (seen.content and seen.content["was_published"]):
        return _judge_content(seen, record, here)
    return None


def _paused(seen: Evidence, sent: Sent | None) -> Sent | None:
    """Return what waits for Graph: the record, or the course before it."""
    pending = seen.scene.pending
    waiting = [sent] if sent else [each for each in seen.sent_contents if pending and each.run.run_id == pending.run_id]
    return next((each for each in waiting if each.paused_until), None)


def _judge_nothing(seen: Evidence) -> Judged:
    """Say why there is no record at all."""
    taken = next((each for each in seen.sent if each.todo == "withdraw" and each.verdict is Verdict.DONE), None)
    if taken is not None:
        return Judged(Cause.WITHDRAWN, fact_of_sent(taken))
    rejected = seen.search.rejected(PLAN, HISTORY) or seen.search.rejected(STUDENTS)
    if rejected:
        return Judged(Cause.RECORD_REJECTED, _reject_fact(rejected[0]))
    if seen.rows[HISTORY]:
        is_known = statuses_known(seen.scene.known)
        return (
            Judged(Cause.NO_CREDIT, _history_fact(seen)) if is_known else _judge_parked(seen, {}, _history_fact(seen))
        )
    if not seen.rows[STUDENTS]:
        return _judge_unknown(seen)
    rejected = seen.search.rejected(ITEMS) if seen.content is None else []
    if rejected:
        return Judged(Cause.CONTENT_REJECTED, _reject_fact(rejected[0]))
    return Judged(Cause.NEVER_IN_A_PACKAGE, _never(seen, PLAN, "an assignment of this course to this learner"))


def _judge_unknown(seen: Evidence) -> Judged:
    """Say why the learner is in no table that is kept."""
    state = seen.mapping["state"] if seen.mapping else None
    dropped = [each for each in seen.search.places if each.table == STUDENTS]
    if dropped and state in _STATES:
        return Judged(_STATES[state], fact_at(dropped[0], "A package had the learner; nothing of him is kept now."))
    return Judged(Cause.NEVER_IN_A_PACKAGE, _never(seen, STUDENTS, "a learner with this id"))


def _never(seen: Evidence, table: str, what: str) -> Fact:
    """Say that no package has something, and which ones were looked at."""
    packages = [run.package for run in seen.search.packages()]
    since = f" ({len(packages)} packages since {packages[-1]})" if len(packages) > 1 else ""
    committed = seen.scene.state.committed
    refused = [
        run.package
        for run in seen.scene.runs
        if run.outcome is Outcome.REJECTED and committed and run.run_id > committed.run_id
    ]
    later = f" What {', '.join(refused)} would have brought is not known: it was refused." if refused else ""
    return Fact(
        about=About.RUN,
        text=f"{table} has no row of {what}{since}.{later}",
        package=packages[0] if packages else None,
        file=table,
    )


def _reject_fact(place: Place) -> Fact:
    return fact_at(place, place.message)


def _history_fact(seen: Evidence) -> Fact | None:
    rows = seen.rows[HISTORY]
    return seen.fact_of(rows[0], "The completion.") if rows else None


def _tables_fact(seen: Evidence) -> Fact:
    known = seen.scene.known
    needed = {STUDENTS, PLAN, "PA_CMPL_STAT"}
    if any(row.values["RTYP_ID"] for row in seen.rows[PLAN]):
        needed.add("PA_RQMT_TYPE")
    missing = sorted(needed - known.came)
    refused = sorted(known.refused)
    told = [
        f"never came: {', '.join(missing)}" if missing else "",
        f"rejected: {', '.join(refused)}" if refused else "",
    ]
    return Fact(about=About.RUN, text=f"Tables {'; '.join(filter(None, told))}.")


def _published_fact(published: Mapping[str, Any]) -> Fact:
    return Fact(about=About.PUSH, text=f"Published as activity {published['activity_id']}.")


def _shown_as(status: str | None) -> Cause:
    return Cause.COMPLETED if status == "completed" else Cause.PUBLISHED


_BY_DECISION: Mapping[str, Callable[[Evidence, Mapping[str, Any], Fact | None], Judged]] = {
    "unmapped": _judge_unmapped,
    "park_table": _judge_parked,
    "frozen": _judge_frozen,
    "park_content": _judge_content,
    "park_licence": _judge_unlicensed,
    "same": _judge_same,
}
"""What each decision on a record means (see `plan_changes.decide`); all others send something."""
