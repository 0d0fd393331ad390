"""From what Viva should show and what was published to the operations that make the difference, and the tally.

Needs the tables of `show_contents` and `show_activities`, `published`, `mapping` (person, state, user_id, licensed) and
`available` (key, content_id): contents on which new records may be placed.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from shared.domain.connection import Connection
from shared.domain.runs import ActivityTally, Changes, ContentTally, Tally
from shared.pipeline.engine import Engine, text
from shared.pipeline.show_contents import utc

OPERATIONS = "('add', 'update', 'recreate', 'withdraw')"
"""Decisions on an activity that send something."""

CONTENT_OPERATIONS = "('add', 'change', 'deactivate')"


def decide(engine: Engine, connection: Connection, now: datetime) -> None:
    """Make the table `decisions`: what to do about every activity.

    `todo` is an operation (`OPERATIONS`), `same`, `unmapped`, `frozen` (open assignment of an inactive student id),
    or a reason to park: `park_table`, `park_content`, `park_licence`.
    """
    again = (now - timedelta(days=connection.licence_recheck_days)).strftime("%Y-%m-%d %H:%M:%S")
    unlicensed = (
        "coalesce(not m.licensed, false) or (r.ext is not null and not coalesce(m.licensed, false) "
        f"and r.refused_at > timestamp '{again}')"
    )
    differs = "p.user_id <> m.user_id or p.type is distinct from a.type or p.content <> a.content"
    changed = (
        "p.status <> a.status or p.due_at is distinct from a.due_at or p.assigned_at is distinct from a.assigned_at "
        "or p.completed_at is distinct from a.completed_at"
    )
    engine.run(
        "create or replace table decisions as select a.*, m.user_id, p.activity_id, "
        "g.user_id as assigner_id, c.content_id, case "
        "when m.user_id is null then 'unmapped' "
        "when a.parked then case when p.ext is null then 'park_table' else 'same' end "
        "when a.origin = 'done' then 'same' "
        f"when a.origin = 'gone' and a.status <> 'completed' then case when {unlicensed} then 'park_licence' else "
        "'withdraw' end "
        "when a.frozen then case when p.ext is null then 'frozen' else 'same' end "
        "when p.ext is null and c.key is null then 'park_content' "
        f"when p.ext is not null and not ({differs} or {changed}) then 'same' "
        f"when {unlicensed} then 'park_licence' "
        f"when p.ext is null then 'add' when {differs} then 'recreate' else 'update' end as todo "
        "from activities a left join mapping m on m.person = a.person and m.state = 'mapped' "
        "left join mapping g on g.person = a.assigner and g.state = 'mapped' "
        "left join (select * from published where refused_at is null) p on p.ext = a.ext "
        "left join (select * from published where refused_at is not null) r on r.ext = a.ext "
        "left join available c on c.key = a.content"
    )


def count_changes(engine: Engine, decided: Mapping[tuple[str, str], int]) -> Changes:
    """Count what the plan changes; a record that moves or changes its type counts as changed.

    `decided` counts the activities by kind and decision.
    """
    contents = dict(engine.rows("select todo, count(*) from contents group by todo"))
    return Changes(
        contents=Changes.Contents(
            add=contents.get("add", 0), change=contents.get("change", 0), deactivate=contents.get("deactivate", 0)
        ),
        assignments=Changes.Assignments(
            add=decided.get(("assignment", "add"), 0),
            change=decided.get(("assignment", "update"), 0) + decided.get(("assignment", "recreate"), 0),
            withdraw=decided.get(("assignment", "withdraw"), 0),
        ),
        completions=Changes.Completions(add=decided.get(("self", "add"), 0)),
    )


def plan_contents(engine: Engine) -> None:
    """Make the table `operations` for the contents."""
    engine.run(
        "create or replace table operations as select row_number() over (order by key) - 1 as number, "
        "row_number() over (order by key) - 1 as place, 'upsert_content' as act, key, content_id as graph_id, "
        f"null::bigint as person, body from contents where todo in {CONTENT_OPERATIONS}"
    )


def plan_activities(engine: Engine, connection: Connection) -> None:
    """Make the table `operations` for a bucket: by learner, a delete before the create that replaces it."""
    engine.run(
        "create or replace table operations as select row_number() over (order by place, step) - 1 as number, "
        "place, act, "
        f"{text(connection.configuration_id + ':')} || ext as key, graph_id, person, body from ("
        "select dense_rank() over (order by user_id, ext) - 1 as place, dense_rank() over (order by user_id) as "
        "person, "
        "ext, step, act, case when act = 'create' then null else activity_id end as graph_id, "
        f"case act when 'create' then json_merge_patch('{{}}', {_body(connection)})::varchar "
        f"when 'update' then ({_body(connection)})::varchar end as body "
        "from decisions, lateral (select unnest(case todo when 'add' then ['create'] when 'update' then ['update'] "
        "when 'withdraw' then ['delete'] else ['delete', 'create'] end) as act, "
        "generate_subscripts(case todo when 'recreate' then ['delete', 'create'] else ['x'] end, 1) as step) "
        f"where todo in {OPERATIONS})"
    )


_TYPE = (
    "case kind when 'assignment' then '#microsoft.graph.learningAssignment' "
    "else '#microsoft.graph.learningSelfInitiatedCourse' end"
)
_PERCENT = "case status when 'completed' then 100 when 'notStarted' then 0 end"
_DUE = (
    "case when due_at is not null then json_object('dateTime', strftime(due_at, '%Y-%m-%dT%H:%M:%S'), "
    "'timeZone', 'UTC') end"
)


def _body(connection: Connection) -> str:
    """Return SQL for a whole activity; an update sends of it what Graph lets us change, and clears what is gone."""
    ext = f"{text(connection.configuration_id + ':')} || ext"
    return (
        f"json_object('@odata.type', {_TYPE}, 'externalcourseActivityId', {ext}, "
        f"'learnerUserId', user_id, 'learningContentId', content_id, "
        f"'learningProviderId', {text(connection.viva.provider_id)}, "
        f"'assignmentType', type, 'status', status, 'assignedDateTime', {utc('assigned_at')}, 'dueDateTime', {_DUE}, "
        f"'completedDateTime', {utc('completed_at')}, 'completionPercentage', {_PERCENT}, "
        "'assignerUserId', case when kind = 'assignment' then assigner_id end)"
    )


def weigh_contents(engine: Engine) -> None:
    """Make the table `row_weights` for contents: how many rows of the package stand behind what is decided.

    Needs `package_contents` (pk, loser). `class` is what becomes of the rows when every operation succeeds; `key` is
    given where that depends on Graph's answer.
    """
    engine.run(
        "create or replace table row_weights as select 'contents' as rows_of, "
        "case when class = 'published' then key end as key, class, count(*) as weight from (select c.key, "
        f"case when c.todo in {CONTENT_OPERATIONS} then 'published' when c.todo = 'same' then 'unchanged' "
        "when c.todo = 'limit' then 'rejected' when c.todo = 'park' then 'parked' else 'ignored' end as class "
        "from package_contents r left join contents c on c.pk = r.pk and not r.loser) group by all"
    )


def weigh_activities(engine: Engine, *, statuses_known: bool) -> None:
    """Make the table `row_weights` for the assignments and completions of a bucket (see `weigh_contents`)."""
    classes = (
        "case when coalesce(m.state, '') <> 'mapped' then 'unmapped' when r.loser then 'ignored' {credit} "
        "when d.todo = 'same' then 'unchanged' when d.todo = 'frozen' then 'ignored' "
        f"when d.todo in {OPERATIONS} then 'published' else 'parked' end"
    )
    credit = "when not coalesce(w.credit, false) then 'ignored'" if statuses_known else ""
    source = (
        "select {kind} as rows_of, case when class = 'published' then key end as key, class, count(*) as weight "
        "from (select d.ext as key, {classes} as class from {package} r left join {rows} w on w.pk = r.pk "
        "left join mapping m on m.person = w.person left join decisions d on d.ext = w.ext) group by all"
    )
    assignments = source.format(
        kind="'assignments'", classes=classes.format(credit=""), package="package_assignments", rows="plan_rows"
    )
    completions = source.format(
        kind="'completions'",
        classes=classes.format(credit=credit),
        package="package_completions",
        rows="completion_rows",
    )
    engine.run(f"create or replace table row_weights as {assignments}")
    engine.run(f"insert into row_weights {completions}")


type Counts = dict[tuple[str, str], int]
"""Rows of the package by kind of the tally and by what became of them."""


def count_rows(engine: Engine) -> Counts:
    """Count the rows in `row_weights` by what became of them.

    Needs `verdicts` (key, verdict): what Graph said; rows behind an operation that was not sent are parked.
    """
    return {
        (rows_of, became): count
        for rows_of, became, count in engine.rows(
            "select w.rows_of, case when w.class <> 'published' then w.class when v.verdict = 'done' then 'published' "
            "when v.verdict = 'rejected' then 'rejected' else 'parked' end as became, sum(w.weight)::bigint "
            "from row_weights w left join verdicts v on v.key = w.key group by all"
        )
    }


def add(total: Counts, more: Counts) -> None:
    """Add counts to a total."""
    for key, count in more.items():
        total[key] = total.get(key, 0) + count


def make_tally(counts: Counts, rejected: Mapping[str, int]) -> Tally:
    """Return the tally from the counts, and the rows that were rejected as they were read."""
    total = dict(counts)
    add(total, {(kind, "rejected"): count for kind, count in rejected.items()})
    by_kind: dict[str, dict[str, int]] = {"contents": {}, "assignments": {}, "completions": {}}
    for (kind, became), count in total.items():
        by_kind[kind][became] = count
    for values in by_kind.values():
        values["read"] = sum(values.values())
    return Tally(
        contents=ContentTally.model_validate(by_kind["contents"]),
        assignments=ActivityTally.model_validate(by_kind["assignments"]),
        completions=ActivityTally.model_validate(by_kind["completions"]),
    )
