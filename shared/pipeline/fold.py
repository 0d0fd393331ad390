"""Fold what Graph confirmed into the snapshots of what is published. Only receipts ever change a snapshot."""

from collections.abc import Sequence
from datetime import datetime

from shared.domain.messages import Stage
from shared.pipeline import show_activities, show_contents
from shared.pipeline.run_data import RunData


def fold_contents(data: RunData) -> None:
    """Bring the receipts of the contents into the table `published_contents`.

    Needs the table `planned_contents` (the snapshot's columns) that was saved with the plan.
    """
    engine = data.engine
    data.load_receipts(Stage.CONTENTS, range(data.run.shards.get(Stage.CONTENTS, 0)))
    columns = ", ".join(show_contents.SNAPSHOT)
    engine.run("create or replace temp table sent as select * from receipts where verdict = 'done'")
    engine.run("delete from published_contents where key in (select key from sent)")
    engine.run(
        f"insert into published_contents by name select {columns.replace('content_id', 's.graph_id as content_id')} "
        "from (select * exclude (content_id) from planned_contents) p join sent s using (key)"
    )


def fold_activities(data: RunData, shards: Sequence[int], now: datetime) -> None:
    """Bring the receipts of a pass's shards into the table `published`.

    Needs the table `planned_activities`, the decisions that send something. A learner whom Graph refused for lack of a
    licence is remembered with the time, so that he is not asked for every day.
    """
    engine = data.engine
    data.load_receipts(Stage.ACTIVITIES, shards)
    prefix = len(data.connection.configuration_id) + 2
    engine.run(f"create or replace temp table answered as select *, substr(key, {prefix})::uuid as ext from receipts")
    kept = ", ".join(
        column for column in show_activities.SNAPSHOT if column not in ("ext", "activity_id", "refused_at")
    )
    engine.run(
        f"create or replace temp table fresh as select p.ext, {kept}, "
        "coalesce(a.graph_id, p.activity_id) as activity_id, "
        f"case when a.verdict = 'unlicensed' then timestamp '{now:%Y-%m-%d %H:%M:%S}' end as refused_at "
        "from planned_activities p join answered a on a.ext = p.ext "
        "where (a.verdict = 'done' and a.act in ('create', 'update', 'ensure')) "
        "or (a.verdict = 'unlicensed' and a.act = 'create')"
    )
    engine.run(
        "delete from published where ext in (select ext from fresh) "
        "or ext in (select ext from answered where verdict = 'done' and act = 'delete')"
    )
    engine.run("insert into published by name select * from fresh")
