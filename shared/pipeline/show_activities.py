"""What Viva Learning should show of assignments and completions.

Assigned and completed is one thing: an assignment takes the earliest credited completion of the same person and
item on or after its calendar day, and then never changes again. A credited completion that no assignment takes
stands for itself.
"""

from shared.domain.connection import Connection
from shared.domain.profile import Profile
from shared.pipeline.columns import local_day
from shared.pipeline.engine import Engine, name, text
from shared.pipeline.show_contents import Known, external_id

SNAPSHOT = {
    "ext": "varchar",
    "kind": "varchar",
    "activity_id": "varchar",
    "user_id": "varchar",
    "person": "uuid",
    "student": "uuid",
    "content": "varchar",
    "type": "varchar",
    "status": "varchar",
    "assigned_at": "timestamp",
    "day": "date",
    "due_at": "timestamp",
    "completed_at": "timestamp",
    "completed_on": "date",
    "completed_as": "varchar",
    "refused_at": "timestamp",
}
"""Columns of the snapshot of published activities.

`kind` is `assignment` or `self`; `day` is the calendar day of the assignment, `completed_on` and `completed_as` the day
and status that tell completions apart, all in the source time zone. A row with `refused_at` is not published: Graph
refused the learner then for lack of a licence.
"""

ACTIVITY_COLUMNS = (
    "ext, kind, person, student, content, type, status, assigned_at, day, due_at, "
    "completed_at, completed_on, completed_as, assigner, frozen, parked, origin"
)


def show_activities(engine: Engine, profile: Profile, connection: Connection, known: Known) -> None:
    """Make the tables `activities`, `plan_rows` and `completion_rows`.

    Needs the views of the tables, `students`, and the table `published` (columns of `SNAPSHOT`).
    `activities` has one row for every assignment in the plan, everything published, and every credited completion
    that stands for itself; `origin` is `plan`, `gone` (published, open, no longer in the plan), `done` (published
    and completed) or `self`.
    `plan_rows` and `completion_rows` lead from a row of the package (its pk) to its activity.
    """
    judged = completions_known(known)
    _plan(engine, profile, connection, known)
    _completions(engine, connection)
    taking = "completions" if judged else "(select * from completions where false)"
    engine.run(
        "create or replace temp table days as select person, content, day, min(done_at) as done_at, "
        f"arg_min(status, row(done_at, status)) as status from {taking} group by all"
    )
    engine.run(
        "create or replace temp table open as "
        "select ext, person, student, content, type, assigned_at, day, due_at, assigner, frozen, parked, in_progress, "
        "'plan' as origin from plan where ext not in "
        "(select ext from published where status = 'completed' and refused_at is null) "
        "union all select p.ext, coalesce(s.person, p.person), p.student, p.content, p.type, p.assigned_at, p.day, "
        "p.due_at, null::uuid, false, false, p.status = 'inProgress', 'gone' from published p "
        "left join students s on s.student = p.student where p.kind = 'assignment' and p.status <> 'completed' "
        "and p.refused_at is null and p.ext not in (select ext from plan)"
    )
    hold = "false" if _withdrawal_proven(known) else "origin = 'gone' and status <> 'completed'"
    engine.run(
        f"create or replace table activities as select * replace (parked or ({hold}) as parked) from ("
        "select o.ext, 'assignment' as kind, o.person, o.student, o.content, o.type, "
        "case when d.day is not null then 'completed' when o.in_progress then 'inProgress' else 'notStarted' end "
        "as status, "
        "o.assigned_at, o.day, o.due_at, d.done_at as completed_at, d.day as completed_on, d.status as completed_as, "
        "o.assigner, o.frozen and d.day is null as frozen, o.parked, o.origin "
        "from open o asof left join days d on o.person = d.person and o.content = d.content "
        "and coalesce(o.day, date '0001-01-01') <= d.day)"
    )
    engine.run(
        f"insert into activities select {_published_columns()} from published p "
        "left join students s on s.student = p.student "
        "where p.status = 'completed' and p.refused_at is null"
    )
    engine.run(
        "create or replace temp table taken as select distinct person, content, completed_on as day, "
        "completed_as as status, ext from activities where status = 'completed'"
    )
    engine.run(
        "insert into activities select c.ext, 'self', c.person, c.student, c.content, null, 'completed', null, null, "
        f"null, c.done_at, c.day, c.status, null, false, {str(not judged).lower()}, 'self' "
        "from completions c anti join taken t on t.person = c.person and t.content = c.content "
        "and t.day = c.day and t.status = c.status where c.ext not in (select ext from activities)"
    )
    _completion_rows(engine)


def completions_known(known: Known) -> bool:
    """Tell whether completions can be judged: the plan and the status definitions are known."""
    needed = {"PA_STUD_CPNT", "PA_CMPL_STAT", "PV_PARTNER_STUDENT"}
    return needed <= known.came and not (needed | {"PA_CPNT_EVTHST"}) & known.refused


def statuses_known(known: Known) -> bool:
    """Tell whether a completion's status can be judged, whatever else is missing."""
    return "PA_CMPL_STAT" in known.came - known.refused


def _withdrawal_proven(known: Known) -> bool:
    """Tell whether a plan row that has gone can be told from one that was completed."""
    return completions_known(known) and "PA_CPNT_EVTHST" in known.came


def make_students(engine: Engine) -> None:
    """Make the table `students` (student, person, loose, inactive) from all that are known."""
    engine.run(
        "create or replace table students as select STUD_ID as student, PERSON_ID_EXTERNAL as person, LOOSE as loose, "
        "coalesce(NOTACTIVE, false) as inactive from PV_PARTNER_STUDENT"
    )


def _plan(engine: Engine, profile: Profile, connection: Connection, known: Known) -> None:
    """The learning plan: one row an assignment; a re-used row with another date is another assignment."""
    default = text(connection.default_assignment_type)
    type_unknown = "PA_RQMT_TYPE" not in known.came or "PA_RQMT_TYPE" in known.refused
    progress = " or ".join(
        f"{name(column)} in ({', '.join(text(each) for each in values)})"
        for column, values in profile.in_progress.items()
    )
    ext = "concat_ws(chr(31), a.pk::varchar, coalesce(a.ASSGN_DTE_TEXT, ''))"
    engine.run(
        f"create or replace temp table plan as select sha256({ext})[1:32] as ext, a.pk, a.STUD_ID as student, "
        "s.person, "
        f"{external_id('a.CPNT_TYP_ID', 'a.CPNT_ID')} as content, a.ASSGN_DTE as assigned_at, "
        f"{local_day('a.ASSGN_DTE', connection.source_time_zone)} as day, a.REQ_DTE as due_at, "
        f"case r.REQUIRED when true then 'required' when false then 'recommended' else {default} end as type, "
        "u.person as assigner, coalesce(s.inactive, false) as frozen, "
        f"{str(type_unknown).lower()} and a.RTYP_ID is not null as parked, coalesce({progress or 'false'}, false) "
        "as in_progress "
        "from PA_STUD_CPNT a left join students s on s.student = a.STUD_ID "
        "left join PA_RQMT_TYPE r on r.RTYP_ID = a.RTYP_ID left join students u on u.student = a.ASSGN_USER"
    )
    engine.run("create or replace table plan_rows as select pk, ext, person, student from plan")


def _completions(engine: Engine, connection: Connection) -> None:
    """Credited completions; equal ones in person, item, calendar day and status are one, the earliest."""
    engine.run(
        "create or replace temp table credits as select distinct CMPL_STAT_ID as status, CPNT_TYP_ID as typ "
        "from PA_CMPL_STAT where PROVIDE_CRDT"
    )
    engine.run(
        "create or replace temp table credited as select h.pk, h.STUD_ID as student, s.person, "
        f"{external_id('h.CPNT_TYP_ID', 'h.CPNT_ID')} as content, h.COMPL_DTE as done_at, h.COMPL_DTE_TEXT as "
        "done_text, "
        f"{local_day('h.COMPL_DTE', connection.source_time_zone)} as day, h.CMPL_STAT_ID as status "
        "from PA_CPNT_EVTHST h left join students s on s.student = h.STUD_ID "
        "where h.CMPL_STAT_ID in (select status from credits where typ is null) "
        "or (h.CMPL_STAT_ID, h.CPNT_TYP_ID) in (select (status, typ) from credits where typ is not null)"
    )
    first = "arg_min({}, row(done_at, pk))"
    ext = "concat_ws(chr(31), person::varchar, content, done_text, status)"
    engine.run(
        f"create or replace temp table completions as select sha256({ext})[1:32] as ext, * from (select person, "
        "content, day, "
        f"status, min(done_at) as done_at, {first.format('done_text')} as done_text, {first.format('student')} as "
        "student, "
        f"{first.format('pk')} as pk from credited where person is not null group by person, content, day, status)"
    )


def _published_columns() -> str:
    return (
        "p.ext, p.kind, coalesce(s.person, p.person), p.student, p.content, p.type, p.status, p.assigned_at, p.day, "
        "p.due_at, p.completed_at, p.completed_on, p.completed_as, null, false, false, 'done'"
    )


def _completion_rows(engine: Engine) -> None:
    """Lead every completion row to the activity it counts with; without `credit` it is ignored."""
    engine.run(
        "create or replace temp table counts_with as select person, content, completed_on as day, completed_as "
        "as status, "
        "min(ext) as ext from activities where status = 'completed' group by all"
    )
    engine.run(
        "create or replace table completion_rows as select h.pk, h.STUD_ID as student, s.person, "
        "c.pk is not null as credit, l.ext "
        "from PA_CPNT_EVTHST h left join students s on s.student = h.STUD_ID "
        "left join credited c on c.pk = h.pk "
        "left join counts_with l on l.person = c.person and l.content = c.content and l.day = c.day and l.status "
        "= c.status"
    )
