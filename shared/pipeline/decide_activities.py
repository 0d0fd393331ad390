"""Decide about all activities of a run, one pass over some learners after the other."""

from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.cost import Cost
from shared.domain.messages import Stage
from shared.domain.progress import Doing
from shared.domain.runs import Coverage
from shared.pipeline import changes_report, coverage_report, match_persons, plan_changes
from shared.pipeline.engine import Engine
from shared.pipeline.passes import Passes
from shared.pipeline.progress import of_run
from shared.pipeline.run_data import RunData
from shared.pipeline.show_activities import show_history, statuses_known
from shared.pipeline.zones import make_zone_days

_OF_A_PASS = (
    "decisions",
    "done",
    "history",
    "completions",
    "completed_days",
    "covered",
    "learners_now",
    "published",
    "planned_activities",
    "ordered",
    "assigners",
    "operations",
)


@dataclass(slots=True)
class Decided:
    """What was decided, in numbers."""

    coverage: Coverage = field(default_factory=Coverage)
    decisions: dict[tuple[str, str], int] = field(default_factory=dict)
    """Activities by kind and decision."""
    rows: plan_changes.Counts = field(default_factory=dict)
    """Rows of the package, as if nothing were sent."""
    cost: Cost = field(default_factory=Cost)
    """What sending the activities takes."""
    licence_matters: list[str] = field(default_factory=list)
    """Users with records that wait for a licence, or that would be deleted: those of a learner without one stay."""
    pass_shards: list[int] = field(default_factory=list)
    """Shards written, by pass."""
    place_passes: int = 0
    """Passes about a range of places each; they come first."""


def decide_all(data: RunData, now: datetime, *, write: bool, changes: bool = False) -> Decided:
    """Decide pass by pass; with `write`, keep the plan of each and write its shards.

    Without, collect what the report on coverage tells; with `changes`, what that on changes tells as well.

    Needs `learners` and `available`.
    """
    engine, scope = data.engine, data.scope
    whole = write or scope is not None
    passes = Passes.plan(data, whole=whole)
    decided = Decided(place_passes=len(passes.by_place))
    make_zone_days(engine, data.connection.source_time_zone)
    engine.run("create or replace table verdicts (key varchar, verdict varchar)")
    if not write:
        coverage_report.begin(engine)
    if changes:
        changes_report.begin(engine)
    reporter = of_run(data.parts, data.run, Doing.DECIDING, total_rows=passes.rows or None)
    for number in range(passes.count):
        passes.enter(number)
        show_history(engine, data.connection, data.known)
        plan_changes.decide(engine, data.profile, data.connection, data.known, now, whole=whole)
        if scope is not None:
            scope.restrict_activities(engine, data.connection)
        if not write:
            decided.coverage = decided.coverage.plus(match_persons.cover(engine, data.connection.person_id_rules))
            coverage_report.collect(engine)
        counted = engine.rows("select kind, todo, count(*) from decisions group by all")
        decisions = {(kind, todo): count for kind, todo, count in counted}
        plan_changes.add(decided.decisions, decisions)
        decided.cost += changes_report.cost_of_pass(decisions, batched=data.connection.viva.batch)
        if changes:
            changes_report.collect(engine)
        if scope is not None:
            scope.weigh_activities(engine)
        else:
            plan_changes.weigh_activities(engine, statuses_known=statuses_known(data.known), whole=write)
        plan_changes.add(decided.rows, plan_changes.count_rows(engine))
        decided.licence_matters += [
            user
            for (user,) in engine.rows(
                "select distinct user_id from learners_now where user_id is not null and person in "
                f"(select person from decisions where todo in {plan_changes.LICENCE_MATTERS}) order by user_id"
            )
        ]
        if write:
            decided.pass_shards.append(_write(data, number, sum(decided.pass_shards)))
        reporter.advance(more_rows=passes.rows // passes.count)
        _end_pass(engine, changes=changes)
    reporter.finish()
    return decided


def _end_pass(engine: Engine, *, changes: bool) -> None:
    for table in _OF_A_PASS:
        # Not when the next pass replaces it: until then there would have to be room for both.
        engine.run(f"drop table if exists {table}")
    if changes:
        changes_report.end_pass(engine)


def _write(data: RunData, number: int, first_shard: int) -> int:
    """Keep what the fold will need of this pass, and write its shards; return how many."""
    engine, part = data.engine, f"/{number:05d}"
    plan_changes.plan_activities(engine, data.connection)
    engine.run(
        "create or replace table planned_activities as select * exclude (number) from decisions "
        f"where todo in {plan_changes.OPERATIONS}"
    )
    for table in ("planned_activities", "row_weights", "published"):
        data.save(table, part)
    return data.write_shards(Stage.ACTIVITIES, first_shard)
