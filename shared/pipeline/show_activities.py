"""What Viva Learning should show of assignments and completions, for the learners of one pass.

Assigned and completed is one thing: an assignment takes the earliest credited completion of the same person and
item on or after its calendar day, and then never changes again. A credited completion that no assignment takes
stands for itself.
"""

import re
from collections.abc import Sequence

from shared.domain.connection import Connection
from shared.domain.matching import PersonIdRule, bits_of
from shared.domain.profile import Profile
from shared.pipeline.columns import time_number
from shared.pipeline.engine import Engine, fingerprint, name, parquet, text
from shared.pipeline.person_keys import key_under
from shared.pipeline.show_contents import Known
from shared.pipeline.table_parts import LocalPart
from shared.pipeline.zones import join_days, to_local

SNAPSHOT = {
    "ext": "uuid",
    "kind": "varchar",
    "activity_id": "varchar",
    "user_id": "varchar",
    "person": "uuid",
    "student": "uuid",
    "place": "usmallint",
    "content": "uuid",
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

`kind` is `assignment` or `self`; `content` the fingerprint of the item's type and id; `day` is the calendar day of the
assignment, `completed_on` and `completed_as` the day and status that tell completions apart, all in the source time
zone. A row with `refused_at` is not published: Graph refused the learner then for lack of a licence.
"""


_TYPES = {
    "activity_kind": ("assignment", "self"),
    "activity_status": ("notStarted", "inProgress", "completed"),
    "learner_state": ("mapped", "unmatched", "ambiguous", "disabled"),
    "activity_todo": (
        *("add", "update", "recreate", "withdraw", "ensure"),
        *("same", "unmapped", "frozen", "outside", "park_table", "park_content", "park_licence"),
    ),
}
"""Words about an activity and its learner, which take a byte each and are compared as fast."""


def make_types(engine: Engine) -> None:
    """See that the types of the words about an activity and its learner are there."""
    for each, words in _TYPES.items():
        engine.run(f"create type if not exists {each} as enum ({', '.join(map(text, words))})")


def given(case: str, type_: str) -> str:
    """Return SQL for a `case` that gives words of a type from the start, and not texts that have to be looked up."""
    return re.sub(r"(then|else) ('\w+')", rf"\1 \2::{type_}", case)


def make_students(engine: Engine, rules: Sequence[PersonIdRule]) -> None:
    """Make the table `students` (student, place, person, forms, inactive) from all that are known.

    `person` is the key under the rules; where there are some, `exact` is that of the id as it stands.
    """
    person = key_under(bits_of(rules), "PERSON_ID_EXTERNAL", "FORMS")
    exact = "PERSON_ID_EXTERNAL as exact, " if rules else ""
    engine.run(
        f"create or replace table students as select STUD_ID as student, place, {person} as person, {exact}"
        "FORMS as forms, coalesce(NOTACTIVE, false) as inactive from PV_PARTNER_STUDENT"
    )


def make_learners(engine: Engine, published: list[LocalPart]) -> None:
    """Make the table `learners`: every student id with its person, and who that is in Entra.

    Needs `students` and `mapping`. One that is no longer known, but has published activities, is kept with the person
    of these; `known` is false then. In the order of places, so that a pass finds its own quickly.
    """
    make_types(engine)
    engine.run("create or replace temp table strangers (student uuid, place usmallint, person uuid)")
    if published:
        engine.run(
            "insert into strangers select student, any_value(place), any_value(person) "
            f"from {parquet([part.file for part in published])} anti join students using (student) group by student"
        )
    # Joined first and sorted then: in a company of a million there is no room for both at once.
    engine.run(
        "create or replace temp table unordered as select l.*, m.state::learner_state as state, m.user_id, m.licensed, "
        "coalesce(m.near_miss, false) as near_miss from ("
        "select student, place, person, inactive, true as known from students union all "
        "select student, place, person, false, false from strangers) l left join mapping m using (person)"
    )
    engine.run("create or replace table learners as from unordered order by place")
    engine.run("drop table unordered")


def show_history(engine: Engine, connection: Connection, known: Known) -> None:
    """Make the tables `history`, `completions` and `completed_days` of the pass.

    `history` has a row of the table each, `credit` tells whether it gives credit; `completions` are the credited ones
    of known persons: equal ones in person, item, calendar day and status are one, the earliest. `completed_days` are
    those that assignments may take: from the day after `after` to `day`, it is the one that an assignment of that day
    takes. Needs `zone_days` (see `zones`), as do the `assignments`.
    """
    day = to_local("h.COMPL_DTE", connection.source_time_zone, day="d")
    engine.run(
        "create or replace temp table credits as select distinct CMPL_STAT_ID as status, CPNT_TYP_ID as typ "
        "from PA_CMPL_STAT where PROVIDE_CRDT"
    )
    engine.run(
        "create or replace temp table history as select h.pk, h.STUD_ID as student, h.place, l.person, h.came, "
        "h.CONTENT as content, h.COMPL_DTE as done_at, h.COMPL_DTE_TEXT as done_text, "
        f"{day}::date as day, h.CMPL_STAT_ID as status, "
        "h.CMPL_STAT_ID in (select status from credits where typ is null) or coalesce((h.CMPL_STAT_ID, h.CPNT_TYP_ID) "
        "in (select (status, typ) from credits where typ is not null), false) as credit "
        "from PA_CPNT_EVTHST h left join learners_now l on l.student = h.STUD_ID and l.known"
        f"{join_days({'d': 'h.COMPL_DTE'}, connection.source_time_zone)}"
    )
    ext = fingerprint(["person::varchar", "content::varchar", "done_text", "status"])
    same = "person, content, day, status"
    # One number for the time and what decides between equal ones: to compare rows of both takes several times as long.
    earliest = f"({time_number('done_at')}::uhugeint << 64) | (pk::uhugeint >> 64)"
    engine.run(
        f"create or replace temp table completions as with credited as (select {same}, done_at, done_text, student, "
        f"place, {earliest} as number from history where credit and person is not null) "
        f"select {ext} as ext, * exclude (number) from credited "
        f"semi join (select min(number) as number from credited group by {same}) using (number)"
    )
    taking = "completions" if completions_known(known) else "(from completions where false)"
    engine.run(
        "create or replace temp table completed_days as select person, content, day, done_at, status, "
        "coalesce(lag(day) over (partition by person, content order by day, done_at, status), date '-infinity') "
        f"as after from {taking}"
    )


def assignments(profile: Profile, connection: Connection, known: Known) -> str:
    """Return the query for all assignments of the pass, in the plan or published, beside what was published.

    Needs `show_history`, `learners_now` and `published`. `origin` is `plan`, `gone` (published, open, no longer in the
    plan) or `done` (published and completed). Columns `was_` are those of the snapshot.
    """
    default = text(connection.default_assignment_type)
    type_unknown = str("PA_RQMT_TYPE" not in known.came or "PA_RQMT_TYPE" in known.refused).lower()
    in_progress = " or ".join(
        f"a.{name(column)} in ({', '.join(text(each) for each in values)})"
        for column, values in profile.in_progress.items()
    )
    hold = str(not _withdrawal_proven(known)).lower()
    day = to_local("a.ASSGN_DTE", connection.source_time_zone, day="d")
    planned = (
        "select a.EXT as ext, a.STUD_ID as student, a.place, a.CONTENT as content, a.ASSGN_DTE as assigned_at, "
        f"{day}::date as day, a.REQ_DTE as due_at, "
        f"case r.REQUIRED when true then 'required' when false then 'recommended' else {default} end as type, "
        f"{type_unknown} and a.RTYP_ID is not null as parked, "
        f"coalesce({in_progress or 'false'}, false) as in_progress, "
        "a.ASSGN_USER as assigner, a.came "
        "from PA_STUD_CPNT a left join PA_RQMT_TYPE r on r.RTYP_ID = a.RTYP_ID"
        f"{join_days({'d': 'a.ASSGN_DTE'}, connection.source_time_zone)}"
    )
    done = "origin = 'done'"
    since = "coalesce(o.day, date '0001-01-01')"
    both = (
        "select coalesce(a.ext, p.ext) as ext, coalesce(a.student, p.student) as student, "
        "coalesce(a.place, p.place) as place, coalesce(a.came, false) as came, a.ext is not null as in_plan, "
        "case when p.status = 'completed' then 'done' when a.ext is null then 'gone' else 'plan' end as origin, "
        "coalesce(a.content, p.content) as content, coalesce(a.type, p.type) as type, "
        "case when a.ext is null then p.assigned_at else a.assigned_at end as assigned_at, "
        "case when a.ext is null then p.day else a.day end as day, "
        "case when a.ext is null then p.due_at else a.due_at end as due_at, "
        "coalesce(a.in_progress, p.status = 'inProgress') as in_progress, coalesce(a.parked, false) as parked, "
        "a.assigner, p.ext is not null as was_published, p.activity_id, p.user_id as was_user_id, "
        "p.type as was_type, p.content as was_content, p.status as was_status, p.assigned_at as was_assigned_at, "
        "p.due_at as was_due_at, p.completed_at as was_completed_at, p.completed_on as was_completed_on, "
        "p.completed_as as was_completed_as, p.person as was_person "
        f"from ({planned}) a full join (from published where kind = 'assignment' and refused_at is null) p "
        "on p.ext = a.ext"
    )
    owned = (
        "select b.*, case when l.known or b.origin <> 'plan' then coalesce(l.person, b.was_person) end as person, "
        "l.state, l.user_id, l.licensed, coalesce(l.inactive, false) and b.in_plan as inactive "
        f"from ({both}) b left join learners_now l on l.student = b.student and (l.known or b.origin <> 'plan')"
    )
    matched = (
        "select o.*, c.day as taken_on, c.done_at as taken_at, c.status as taken_as "
        f"from ({owned}) o left join completed_days c "
        f"on c.person = o.person and c.content = o.content and c.day >= {since} and c.after < {since}"
    )
    kept = "ext, 'assignment'::activity_kind as kind, person, student, place, came, in_plan, origin, content, state, "
    kept += "user_id, licensed"
    status = f"case when {done} or taken_on is not null then 'completed' when in_progress then 'inProgress' "
    status += "else 'notStarted' end"
    return (
        f"select {kept}, case when {done} then was_type else type end as type, "
        f"{given(status, 'activity_status')} as status, assigned_at, day, due_at, "
        f"case when {done} then was_completed_at else taken_at end as completed_at, "
        f"case when {done} then was_completed_on else taken_on end as completed_on, "
        f"case when {done} then was_completed_as else taken_as end as completed_as, assigner, "
        "inactive and taken_on is null as frozen, "
        f"parked or ({hold} and origin = 'gone' and taken_on is null) as parked, "
        "was_published, activity_id, was_user_id, was_type, was_content, was_status, was_assigned_at, was_due_at, "
        f"was_completed_at from ({matched})"
    )


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
