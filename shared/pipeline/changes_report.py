"""What a run would change, item by item: the report of a dry run, and of a run that waits for approval.

Learners are counted and never told apart.
"""

from collections.abc import Mapping

from shared.domain.cost import Cost
from shared.domain.runs import Run
from shared.pipeline import report_csv
from shared.pipeline.engine import Engine, text
from shared.pipeline.plan_changes import CONTENT_OPERATIONS, OPERATIONS
from shared.pipeline.run_data import RunData
from shared.pipeline.show_activities import make_types
from shared.pipeline.show_contents import content_key

_COLUMNS = ("run", "kind", "action", "item_type", "item_id", "count", "file", "line")
_CONTENTS = "PA_CPNT"
_ACTIONS = {"update": "change"}
"""Words of an admin for those of a plan, where they differ."""
_ROWS_NOT_SUMMED = 3_000_000
"""As many as are kept at least before they are summed up: with those of a pass, they take about 30 MB."""


def path(run: Run) -> str:
    """Return where the report of a run's changes stands in the container `reports`."""
    return f"{run.connection}/{run.run_id}/changes.csv"


def begin(engine: Engine) -> None:
    """Forget what was collected."""
    make_types(engine)
    engine.run(
        "create or replace table activity_changes "
        "(kind activity_kind, todo activity_todo, number uinteger, records bigint)"
    )
    _begin_sent(engine)


def _begin_sent(engine: Engine) -> None:
    # What is deleted from a table stays in memory.
    engine.run("create or replace table sent (kind activity_kind, todo activity_todo, number uinteger)")


def collect(engine: Engine) -> None:
    """Collect what is sent of a pass. Needs `decisions`."""
    engine.run(f"insert into sent select kind, todo, number from decisions where todo in {OPERATIONS}")


def end_pass(engine: Engine) -> None:
    """Sum up what was collected of several passes: once the tables of the last are gone, for it takes much room.

    One pass has hardly two records of an item in a large catalog: to sum up many at a time is much cheaper.
    """
    if engine.one("select count(*) from sent") >= _ROWS_NOT_SUMMED:
        _sum_up(engine)


def _sum_up(engine: Engine) -> None:
    sent = "select kind, todo, number, count(*) as records from sent group by all"
    engine.run(
        "create or replace table activity_changes as select kind, todo, number, sum(records)::bigint as records "
        f"from (from activity_changes union all {sent}) group by all"
    )
    _begin_sent(engine)


def report(data: RunData) -> None:
    """Write what was collected since `begin`, and the contents. Needs `contents`, and `available` as it was then."""
    engine = data.engine
    _sum_up(engine)
    file = text(data.manifest.files.get(_CONTENTS, _CONTENTS))
    actions = " ".join(f"when {text(todo)} then {text(action)}" for todo, action in _ACTIONS.items())
    contents = (
        "select 'content' as kind, c.todo, c.typ, c.id, 1 as records, r.line from contents c "
        f"left join (select pk, line from {_CONTENTS} where came) r on r.pk = c.pk where c.todo in {CONTENT_OPERATIONS}"
    )
    activities = (
        "select case a.kind when 'self' then 'completion' else a.kind end, a.todo, c.typ, c.id, "
        "a.records, null from activity_changes a left join available v on v.rowid = a.number "
        f"left join (select typ, id, {content_key('typ', 'id')} as key from contents) c on c.key = v.key"
    )
    # One after the other: two joins and a sort at once take more memory than there is for a large catalog.
    engine.run(f"create or replace temp table changed_rows as {contents}")
    engine.run(f"insert into changed_rows {activities}")
    report_csv.keep(
        data.parts,
        engine,
        path(data.run),
        _COLUMNS,
        f"select {text(data.run.run_id)}, kind, case todo {actions} else todo end as action, "
        f"{report_csv.harmless('typ')}, {report_csv.harmless('id')}, records, "
        f"case when line is not null then {report_csv.harmless(file)} end, line "
        "from changed_rows "
        "order by case kind when 'content' then 0 when 'assignment' then 1 else 2 end, action, typ, id",
    )
    engine.run("drop table changed_rows")


def cost_of_contents(engine: Engine, *, batched: bool) -> Cost:
    """Return what sending the contents takes."""
    count = engine.one(f"select count(*) from contents where todo in {CONTENT_OPERATIONS}")
    return Cost.of(deletes=0, others=count, batched=batched)


def cost_of_pass(decided: Mapping[tuple[str, str], int], *, batched: bool) -> Cost:
    """Return what sending the activities of a pass takes, counted by kind and decision."""
    counts = dict.fromkeys(("add", "update", "recreate", "withdraw"), 0)
    for (_, todo), count in decided.items():
        if todo in counts:
            counts[todo] += count
    again = counts["recreate"]
    return Cost.of(deletes=counts["withdraw"] + again, others=counts["add"] + counts["update"] + again, batched=batched)
