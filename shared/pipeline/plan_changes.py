"""From what Viva should show and what was published to the operations that make the difference, and the tally.

Needs the tables of `show_contents`, or of a pass over the learners (`passes`, `show_activities`), and `available`
(key, content_id, active): contents that Viva has, or will have; new records go on active ones only.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from shared.domain.connection import Connection
from shared.domain.profile import Profile
from shared.domain.runs import ActivityTally, Changes, ContentTally, Tally
from shared.pipeline.engine import Engine, text
from shared.pipeline.show_activities import assignments, completions_known, given
from shared.pipeline.show_contents import Known, utc

OPERATIONS = "('add', 'update', 'recreate', 'withdraw', 'ensure')"
"""Decisions on an activity that send something."""

LICENCE_MATTERS = "('park_licence', 'recreate', 'withdraw')"
"""Decisions on an activity that wait for its learner's licence, or take away what could not be made anew without."""

CONTENT_OPERATIONS = "('add', 'change', 'deactivate')"


def decide(
    engine: Engine, profile: Profile, connection: Connection, known: Known, now: datetime, *, whole: bool
) -> None:
    """Make the table `decisions` of a pass: what to do about every assignment, and every completion for itself.

    `whole` records can be sent; the others have only what decides and counts. `number` is that of the content's row in
    `available`.

    `todo` is an operation (`OPERATIONS`), `same`, `unmapped`, `frozen` (open assignment of an inactive student id),
    or a reason to park: `park_table`, `park_content`, `park_licence`. Needs `show_history` and `available`. Also makes
    `done` (person, content, day, status, ext, todo): everything completed.
    """
    again = (now - timedelta(days=connection.licence_recheck_days)).strftime("%Y-%m-%d %H:%M:%S")
    unlicensed = (
        "coalesce(not a.licensed, false) or (r.ext is not null and not coalesce(a.licensed, false) "
        f"and r.refused_at > timestamp '{again}')"
    )
    differs = "a.was_user_id <> a.user_id or a.was_type is distinct from a.type or a.was_content <> a.content"
    changed = (
        "a.was_status <> a.status or a.was_due_at is distinct from a.due_at or a.was_assigned_at is distinct from "
        "a.assigned_at or a.was_completed_at is distinct from a.completed_at"
    )
    todo = (
        "case when a.state is distinct from 'mapped' then 'unmapped' when a.origin = 'done' then 'same' "
        "when a.frozen then 'frozen' "
        "when a.parked then case when a.was_published then 'same' else 'park_table' end "
        f"when a.origin = 'gone' and a.status <> 'completed' then case when {unlicensed} then 'park_licence' else "
        "'withdraw' end "
        "when not a.was_published and not coalesce(c.active, false) then 'park_content' "
        f"when a.was_published and not ({differs} or {changed}) then 'same' "
        f"when {unlicensed} then 'park_licence' "
        f"when not a.was_published then 'add' when {differs} then 'recreate' else 'update' end"
    )
    todo = given(todo, "activity_todo") + " as todo"
    kept = "a.kind, a.person, a.content, a.status, a.completed_on, a.completed_as, a.came, a.in_plan, "
    kept += f"c.rowid::uinteger as number, {todo}"
    if whole:
        kept += ", a.ext, a.user_id, a.activity_id, a.student, a.place, a.type, a.assigned_at, a.day, a.due_at, "
        kept += "a.completed_at, a.assigner, a.state, c.content_id"
    ext = "ext" if whole else "null::uuid as ext"
    engine.run(
        "create or replace temp table refused as select ext, refused_at from published where refused_at is not null"
    )
    engine.run(
        f"create or replace table decisions as select {kept} from ({assignments(profile, connection, known)}) a "
        "left join refused r on r.ext = a.ext left join available c on c.key = a.content"
    )
    engine.run(
        "create or replace temp table done as "
        f"select person, content, completed_on as day, completed_as as status, {ext}, todo from decisions "
        "where status = 'completed' union all "
        "select coalesce(l.person, p.person), p.content, p.completed_on, p.completed_as, p.ext, "
        f"{given("case when l.state = 'mapped' then 'same' else 'unmapped' end", 'activity_todo')} from published p "
        "left join learners_now l on l.student = p.student where p.kind = 'self' and p.refused_at is null"
    )
    alone = (
        "select c.ext, 'self'::activity_kind as kind, null as activity_id, l.user_id, c.person, c.student, c.place, "
        "c.content, null as type, 'completed'::activity_status as status, null::timestamp as assigned_at, "
        "null::date as day, null::timestamp as due_at, c.done_at as completed_at, c.day as completed_on, "
        "c.status as completed_as, null::uuid as assigner, "
        "false as came, false as in_plan, l.state, l.licensed, "
        f"{str(not completions_known(known)).lower()} as parked, 'self' as origin, false as frozen, "
        "false as was_published, null as was_user_id, null as was_type, null::uuid as was_content, null as was_status, "
        "null::timestamp as was_due_at, null::timestamp as was_assigned_at, null::timestamp as was_completed_at "
        "from completions c anti join done t on t.person = c.person and t.content = c.content and t.day = c.day "
        "and t.status = c.status left join learners_now l on l.student = c.student and l.known "
        "where c.ext not in (select ext from published where kind = 'self' and refused_at is null)"
    )
    engine.run(
        f"insert into decisions by name select {kept} from ({alone}) a "
        "left join refused r on r.ext = a.ext left join available c on c.key = a.content"
    )
    engine.run(
        f"insert into done select person, content, completed_on, completed_as, {ext}, todo "
        "from decisions where kind = 'self'"
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
    # They are numbered without their bodies, which would all have to be in memory for it.
    engine.run(
        "create or replace table operations as select number, number as place, 'upsert_content' as act, key, "
        "c.content_id as graph_id, null::bigint as person, c.body from contents c join (select key, "
        f"row_number() over (order by key) - 1 as number from contents where todo in {CONTENT_OPERATIONS}) using (key)"
    )


def plan_activities(engine: Engine, connection: Connection) -> None:
    """Make the table `operations` of a pass: by learner, a delete before the create that replaces it.

    Needs `decisions` and `learners`.
    """
    # As for the contents; and there is room for one large join a statement.
    engine.run(
        "create or replace temp table ordered as select ext, act, "
        "row_number() over (order by user_id, ext, step) - 1 as number, "
        "dense_rank() over (order by user_id, ext) - 1 as place, dense_rank() over (order by user_id) as learner "
        f"from (from decisions where todo in {OPERATIONS}), lateral (select unnest("
        "case todo when 'add' then ['create'] when 'update' then ['update'] when 'ensure' then ['ensure'] "
        "when 'withdraw' then ['delete'] else ['delete', 'create'] end) as act, "
        "generate_subscripts(case todo when 'recreate' then ['delete', 'create'] else ['x'] end, 1) as step)"
    )
    engine.run(
        "create or replace temp table assigners as select student, user_id from learners where known "
        f"and state = 'mapped' and student in (select assigner from decisions where todo in {OPERATIONS})"
    )
    engine.run(
        "create or replace table operations as select o.number, o.place, o.act, "
        f"{text(connection.configuration_id + ':')} || ext::varchar as key, "
        "case when o.act = 'create' then null else activity_id end as graph_id, o.learner as person, "
        f"case when o.act in ('create', 'ensure') then json_merge_patch('{{}}', {_body(connection)})::varchar "
        f"when o.act = 'update' then ({_body(connection)})::varchar end as body "
        "from (select d.*, u.user_id as assigner_id from decisions d left join assigners u on u.student = d.assigner) "
        "join ordered o using (ext)"
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
    ext = f"{text(connection.configuration_id + ':')} || ext::varchar"
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

    Needs `left_over` of the contents (columns of `LEFT_OVER`). `class` is what becomes of the rows when every operation
    succeeds; `key` is given where that depends on Graph's answer.
    """
    engine.run(
        "create or replace table row_weights as select 'contents' as rows_of, "
        "case when class = 'published' then key end as key, class, count(*) as weight from (select c.key, "
        f"case when c.todo in {CONTENT_OPERATIONS} then 'published' when c.todo = 'same' then 'unchanged' "
        "when c.todo = 'limit' then 'rejected' when c.todo = 'park' then 'parked' else 'ignored' end as class "
        "from (select pk from PA_CPNT where came union all select null from left_over) r "
        "left join contents c on c.pk = r.pk) group by all"
    )


def weigh_activities(engine: Engine, *, statuses_known: bool, whole: bool) -> None:
    """Make the table `row_weights` for the assignments and completions of a pass (see `weigh_contents`).

    Without `whole`, no keys are kept: nothing is going to be sent.

    Needs `decisions`, `done`, `history`, and `left_assignments` and `left_completions` (columns of `LEFT_OVER`).
    """
    sent = f"todo in {OPERATIONS}"
    became = (
        "case when todo = 'unmapped' then 'unmapped' when todo = 'same' then 'unchanged' "
        f"when todo = 'frozen' then 'ignored' when {sent} then 'published' else 'parked' end"
    )
    credit = "when not credit then 'ignored'" if statuses_known else ""
    unmapped = "case when state is distinct from 'mapped' then 'unmapped'"
    left = "select null::uuid as key, {} as class, 1 as weight from left_{} left join learners_now l using (student)"
    lost = f"{unmapped} when loser then 'ignored' else 'parked' end"
    key = f"case when {sent} then ext end" if whole else "null::uuid"
    counted_with = (
        "select h.credit, l.state, d.ext, d.todo from (from history where came) h "
        "left join learners_now l on l.student = h.student and l.known "
        f"left join (select person, content, day, status, coalesce(min(ext) filter ({sent}), min(ext)) "
        f"as ext, arg_min(todo, case when {sent} then 0 when todo = 'same' then 2 else 1 end) as todo "
        "from done group by all) d on d.person = h.person and d.content = h.content and d.day = h.day "
        "and d.status = h.status "
        "and h.credit"
    )
    engine.run(
        "create or replace table row_weights as select rows_of, key, class, sum(weight)::bigint as weight from ("
        f"select 'assignments' as rows_of, key, {became} as class, weight from ("
        f"select todo, {key} as key, count(*) as weight from decisions where came group by all) "
        f"union all select 'assignments', * from ({left.format(lost, 'assignments')}) "
        f"union all select 'completions', {key}, {unmapped} {credit} else {became} end, 1 from ({counted_with}) "
        f"union all select 'completions', * from ({left.format(lost, 'completions')})) group by all"
    )


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
            "when v.verdict = 'found' then 'unchanged' "
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
