"""Brings what is kept about one learner and one course into a scene, and decides about it as a run would."""

from datetime import datetime

from shared.domain.errors import Code, SettingsError
from shared.domain.matching import ALL_RULES, bits_of
from shared.domain.table_part import TablePart
from shared.pipeline import columns, match_persons, plan_changes, show_activities, show_contents
from shared.pipeline.engine import parquet, place_of, text
from shared.pipeline.explain_scene import HISTORY, ITEMS, Question, Scene, relation
from shared.pipeline.person_keys import key_under, person_forms, person_key
from shared.pipeline.run_data import PLAN
from shared.pipeline.show_contents import content_key, external_id
from shared.pipeline.staging import STUDENTS
from shared.pipeline.table_parts import LocalPart, download
from shared.pipeline.zones import make_zone_days

_SHELVES = "PA_CATALOG_ITEM"
_SMALL = ("PA_RQMT_TYPE", "PA_CMPL_STAT", "PA_CATALOG")
_BLANKS = "' ' || chr(9)"


def ask(scene: Scene, question: Question) -> None:
    """Make the tables `asked` (person, exact, forms, student) and `asked_item` (typ, id, key, content).

    Raises:
        SettingsError: it cannot be told which course is meant.
    """
    v = f"nullif(trim($1, {_BLANKS}), '')"
    hashes = f"{person_key(v)}, {person_forms(v)}, null::uuid"
    if question.by_student:
        hashes = f"null::uuid, null::uuid[], {columns.student_key(v)}"
    with scene.engine.reader() as clear:
        clear.run("create table asked (person uuid, exact uuid, forms uuid[], student uuid)")
        clear.run(f"insert into asked (exact, forms, student) select {hashes}", [question.learner])
        clear.give("asked", scene.engine)
    _apply_rules(scene)
    _load_contents(scene, question.item.strip())


def load_learner(scene: Scene) -> None:
    """Bring the learner's rows here, by all student ids; needs `ask`."""
    engine = scene.engine
    if engine.one("select student is not null from asked"):
        place = engine.one(f"select {place_of('student')} from asked")
        rows = scene.filter(STUDENTS, "STUD_ID in (select student from asked)", lambda part: _spans(part, place))
        if rows:
            engine.run(f"update asked set exact = PERSON_ID_EXTERNAL, forms = s.FORMS from {relation(rows)} s")
            _apply_rules(scene)
    if engine.one("select person is not null from asked"):
        scene.filter(STUDENTS, f"{scene.person_of_row} in (select person from asked)")
    scene.view(STUDENTS)
    rules = scene.connection.person_id_rules
    show_activities.make_students(engine, rules)
    engine.run(
        f"insert into students by name select student, person, {'exact, ' if rules else ''}forms, false as inactive "
        "from asked where person is not null and not exists (from students)"
    )
    places = {place for (place,) in engine.rows("select place from students where place is not null")}
    if not places and engine.one("select student is not null from asked"):
        places = {engine.one(f"select {place_of('student')} from asked")}
    his = "STUD_ID in (select student from students union all select student from asked) and "
    his += "CONTENT in (select content from asked_item)"
    for table in (PLAN, HISTORY):
        scene.filter(table, his, lambda part: any(_spans(part, place) for place in places))
        scene.view(table)
    _load_published(scene, places)
    _map(scene)


def _apply_rules(scene: Scene) -> None:
    bits = bits_of(scene.connection.person_id_rules)
    scene.engine.run(f"update asked set person = {key_under(bits, 'exact', 'forms')}")


def decide(scene: Scene, now: datetime) -> None:
    """Make `contents`, `decisions` and `history` as the next run would; needs `load_learner`."""
    engine = scene.engine
    for table in _SMALL:
        scene.loaded[table] = download(scene.parts.tables, scene.tables.get(table, ()), engine.folder / table)
    shelves_matter = "PA_CATALOG" in scene.known.seen
    if shelves_matter:
        scene.filter(_SHELVES, "(CPNT_TYP_ID, CPNT_ID) in (select (typ, id) from asked_item)")
    for table in scene.profile.tables:
        scene.view(table)
    show_contents.show_contents(engine, scene.profile, scene.connection, scene.known)
    # Whether there is a place left for the course cannot be told from one course alone.
    engine.run("update contents set todo = case when was_published then 'same' else 'add' end where todo = 'limit'")
    engine.run(
        f"create or replace temp table available as select {content_key('typ', 'id')} as key, "
        "coalesce(content_id, '') as content_id, active and todo in ('add', 'change', 'same') as active "
        "from contents"
    )
    make_zone_days(engine, scene.connection.source_time_zone)
    show_activities.show_history(engine, scene.connection, scene.known)
    plan_changes.decide(engine, scene.profile, scene.connection, scene.known, now, whole=True)


def _load_contents(scene: Scene, item: str) -> None:
    """Find out which course is meant, and bring what is known of it here."""
    engine = scene.engine
    named = f"(CPNT_ID = {text(item)} or CPNT_TYP_ID || ':' || CPNT_ID = {text(item)})"
    scene.filter(ITEMS, named)
    engine.run(
        "create or replace table published_contents "
        f"({', '.join(f'{column} {type_}' for column, type_ in show_contents.SNAPSHOT.items())})"
    )
    if scene.state.contents_path:
        local = scene.parts.tables.get_file(scene.state.contents_path, engine.folder / "contents.parquet")
        engine.run(
            f"insert into published_contents by name select * from {parquet([local])} "
            f"where id = {text(item)} or typ || ':' || id = {text(item)}"
        )
        local.unlink()
    known = "select typ, id from published_contents"
    if scene.loaded[ITEMS]:
        known += f" union select CPNT_TYP_ID, CPNT_ID from {relation(scene.loaded[ITEMS])}"
    exact = f"select distinct typ, id from ({known}) where typ || ':' || id = {text(item)}"
    found = engine.rows(exact) or engine.rows(f"select distinct typ, id from ({known}) order by all")
    if len(found) > 1:
        told = ", ".join(f"{typ}:{item_id}" for typ, item_id in found)
        raise SettingsError(f"Several courses have this id: {told}. Say which one.", Code.SETTINGS_INVALID)
    typ, item_id = found[0] if found else _split(item, _only_type(scene))
    scene.item = f"{typ}:{item_id}"
    engine.run(
        "create or replace temp table asked_item as select typ, id, "
        f"{external_id('typ', 'id')} as key, {content_key('typ', 'id')} as content "
        "from (select $1::varchar as typ, $2::varchar as id)",
        [typ, item_id],
    )
    engine.run("delete from published_contents where (typ, id) not in (select (typ, id) from asked_item)")
    if scene.loaded[ITEMS]:
        _narrow_items(scene)


def _narrow_items(scene: Scene) -> None:
    """Leave out what has the id and another type."""
    file = scene.engine.folder / "scene" / "items.parquet"
    scene.engine.write(
        f"from {relation(scene.loaded[ITEMS])} where (CPNT_TYP_ID, CPNT_ID) in (select (typ, id) from asked_item)", file
    )
    rows = scene.engine.one(f"select count(*) from {parquet([file])}")
    scene.loaded[ITEMS] = [LocalPart(file, rows, 0, 0)] if rows else []


def _load_published(scene: Scene, places: set[int]) -> None:
    """Make the table `published` of what was published of the course for the learner."""
    engine = scene.engine
    folder = engine.folder / "scene" / "published"
    for number, part in enumerate(scene.state.activities_parts):
        if places and not any(_spans(part, place) for place in places):
            continue
        (local,) = download(scene.parts.tables, [part], folder / f"{number:05d}")
        file = folder / f"{number:05d}.parquet"
        engine.write(
            f"from {relation([local])} where content in (select content from asked_item) and (student in "
            "(select student from students union all select student from asked) "
            "or person in (select person from asked))",
            file,
        )
        local.file.unlink()
        scene.published.append(LocalPart(file, 1, part.first, part.last))
    columns_ = ", ".join(f"{column} {type_}" for column, type_ in show_activities.SNAPSHOT.items())
    engine.run(f"create or replace table published ({columns_})")
    if scene.published:
        engine.run(f"insert into published by name from {relation(scene.published)}")


def _map(scene: Scene) -> None:
    """Make `users` (who in Entra may be meant), `mapping` and `learners_now`."""
    engine = scene.engine
    engine.run(
        "create or replace temp table users "
        "(id varchar, exact uuid, forms uuid[], enabled boolean, member boolean, licensed boolean)"
    )
    if index := scene.index:
        local = scene.parts.directory.get_file(index.path, engine.folder / "index.parquet")
        engine.run(
            f"insert into users by name from {parquet([local])} where exact in "
            f"(select {scene.key_of_students(0)} from students) or {key_under(ALL_RULES, 'exact', 'forms')} in "
            f"(select {scene.key_of_students(ALL_RULES)} from students)"
        )
        local.unlink()
    match_persons.map_persons(engine, scene.connection.person_id_rules)
    for run in reversed(scene.runs):
        path = f"{scene.connection_name}/{run.run_id}/mapping.parquet"
        try:
            local = scene.parts.records.get_file(path, engine.folder / "mapping.parquet")
        except FileNotFoundError:
            continue
        # A run asks about licences beyond what the index tells.
        engine.run(
            f"update mapping set licensed = m.licensed from {parquet([local])} m where m.person = mapping.person "
            "and m.user_id = mapping.user_id and m.licensed is not null"
        )
        local.unlink()
        break
    show_activities.make_learners(engine, scene.published)
    engine.run("create or replace temp table learners_now as from learners")


def _only_type(scene: Scene) -> str | None:
    """Return the type of all items, if they have just one."""
    types: set[str] = set()
    for number, part in enumerate(scene.tables.get(ITEMS, ())):
        (local,) = download(scene.parts.tables, [part], scene.engine.folder / "types" / f"{number:05d}")
        types |= {typ for (typ,) in scene.engine.rows(f"select distinct CPNT_TYP_ID from {relation([local])}")}
        local.file.unlink()
    return types.pop() if len(types) == 1 else None


def _split(item: str, only_type: str | None) -> tuple[str, str]:
    typ, colon, item_id = item.partition(":")
    if typ and colon and item_id:
        return typ, item_id
    if only_type and item and not colon:
        return only_type, item
    raise SettingsError(
        f"No course with the id {item!r} is known. Name it with its type, as TYPE:ID.", Code.SETTINGS_INVALID
    )


def _spans(part: TablePart, place: int) -> bool:
    return part.first <= place <= part.last
