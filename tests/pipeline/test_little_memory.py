"""Plans of large catalogs and companies fit into the memory that a stage is given; what is kept meanwhile goes to disk.

At these sizes a statement that joins everything at once, or sorts whole records, has no room left.
"""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from shared.domain.connection import Connection
from shared.domain.errors import Code
from shared.domain.messages import Stage
from shared.domain.profile import Profile
from shared.domain.runs import Outcome
from shared.domain.state import State
from shared.pipeline import map_learners, plan_changes, show_activities, show_contents
from shared.pipeline.engine import Engine, engine
from shared.pipeline.read_package import Manifest
from shared.pipeline.run_data import RunData
from shared.pipeline.show_contents import Known
from shared.pipeline.tables import make_view
from tests.company import FULL, full, item
from tests.desk import Desk
from tests.desk_connection import DEFAULTS
from tests.pipeline.test_rejects import RUN

ITEMS, ACTIVITIES, MEMORY_MB = 50_000, 120_000, 128
CONNECTION = Connection.model_validate(DEFAULTS)


@pytest.fixture
def small() -> Iterator[Engine]:
    """As the stages that plan have it: nothing depends on the order of rows."""
    with engine(MEMORY_MB) as created:
        created.run("set preserve_insertion_order = false")
        yield created


def shards(desk: Desk, small: Engine, stage: Stage) -> list[str]:
    """Write the table `operations`, and return its lines."""
    nothing: dict[str, Any] = {}
    data = RunData(desk.parts, CONNECTION, State(), RUN, Manifest.model_construct(**nothing), small)
    count = data.write_shards(stage)
    pushes = desk.parts.pushes
    found = [gzip.decompress(pushes.get(f"{data.records}/{stage}/shard-{each:05d}.ndjson.gz")) for each in range(count)]
    return [line for shard in found for line in shard.decode().splitlines()]


def test_a_large_catalog(desk: Desk, small: Engine) -> None:
    profile = desk.parts.get_profile(CONNECTION.profile)
    _catalog(small, profile)
    small.run(
        "create table published_contents ("
        + ", ".join(f"{column} {type_}" for column, type_ in show_contents.SNAPSHOT.items())
        + ")"
    )

    show_contents.show_contents(small, profile, CONNECTION, Known(frozenset(), frozenset(), frozenset()))
    plan_changes.plan_contents(small)

    lines = shards(desk, small, Stage.CONTENTS)
    assert len(lines) == ITEMS
    assert [json.loads(line)["number"] for line in lines] == list(range(ITEMS))
    assert small.rows("select distinct todo, title_is_label, description_is_label from contents") == [
        ("add", True, True)
    ]


def _catalog(small: Engine, profile: Profile) -> None:
    for table in profile.tables:
        make_view(small, profile, table, [], came_now=True)
    small.run(
        "create table catalog as select md5(i::varchar)::uuid as pk, 'COURSE' as CPNT_TYP_ID, 'C-' || i as CPNT_ID, "
        "timestamp '2026-01-01 09:00:00' as REV_DTE, '2026-01-01 09:00:00' as REV_DTE_TEXT, 't' || i as CPNT_TITLE, "
        f"'d' || i as CPNT_DESC, 'https://learning.example.com/' || i as THUMBNAIL_URI from range({ITEMS}) each (i)"
    )
    known = {name for name, *_ in small.rows("describe catalog")}
    kept = ", ".join(
        name if name in known else f"null::{type_} as {name}" for name, type_, *_ in small.rows("describe PA_CPNT")
    )
    small.run(f"create or replace temp view PA_CPNT as select {kept} from catalog")
    small.run(
        "create table texts as select kind || i as LABEL_ID, 'English' as LOCALE_ID, "
        f"repeat(md5(i::varchar), 10) as LABEL_VALUE from range({ITEMS}) each (i), (values ('t'), ('d')) kinds (kind)"
    )
    small.run("create or replace temp view PV_I18N_ACTIVE_LOCALE_LABEL as select *, true as came from texts")


def test_many_activities(desk: Desk, small: Engine) -> None:
    _decisions(small)
    small.run(
        "create table students as select md5('s' || i)::uuid as student, 1::usmallint as place, "
        f"md5('p' || i)::uuid as person, null::uuid[] as forms, false as inactive from range({ACTIVITIES}) each (i)"
    )
    small.run(
        "create table mapping as select person, 'mapped' as state, person::varchar as user_id, true as licensed, "
        "false as near_miss from students"
    )

    show_activities.make_learners(small, [])
    plan_changes.plan_activities(small, CONNECTION)

    lines = shards(desk, small, Stage.ACTIVITIES)
    assert len(lines) == 2 * ACTIVITIES
    deletes, creates = ([json.loads(line) for line in lines[each::2]] for each in range(2))
    assert {each["act"] for each in deletes} == {"delete"}
    assert [each["key"] for each in deletes] == [each["key"] for each in creates]
    assert all(each["body"]["assignerUserId"] == each["body"]["learnerUserId"] for each in creates)


def _decisions(small: Engine) -> None:
    types = {**show_activities.SNAPSHOT, "content_id": "varchar", "assigner": "uuid", "todo": "varchar"}
    given = {
        "ext": "md5('e' || i)::uuid",
        "kind": "'assignment'",
        "activity_id": "md5('a' || i)",
        "user_id": "md5('p' || i)::uuid::varchar",
        "content_id": "md5('c' || i)::uuid::varchar",
        "type": "'required'",
        "status": "'notStarted'",
        "assigned_at": "timestamp '2026-01-01 09:00:00'",
        "assigner": "md5('s' || i)::uuid",
        "todo": "'recreate'",
    }
    columns = ", ".join(f"({given.get(column, 'null')})::{type_} as {column}" for column, type_ in types.items())
    small.run(f"create table decisions as select {columns} from range({ACTIVITIES}) each (i)")


def test_a_run_that_never_has_enough_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has been tried several times by then; once there is more memory, the next look goes on."""
    monkeypatch.setattr(map_learners, "engine", lambda *_: engine(1))
    desk.drop(FULL, full(PA_CPNT=[item(1)]))

    failed = desk.sync()
    monkeypatch.undo()
    done = desk.sync()

    assert (failed.outcome, failed.code) == (Outcome.FAILED, Code.MEMORY_EXCEEDED)
    assert "LMS_MEMORY_LIMIT_MB" in failed.message
    assert done.outcome == Outcome.DONE
