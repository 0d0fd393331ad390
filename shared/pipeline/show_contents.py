"""What Viva Learning should show of the catalog, from the tables and from what was published."""

from dataclasses import dataclass

from shared.domain.connection import Connection
from shared.domain.profile import Profile
from shared.pipeline.engine import Engine, fingerprint, text

SNAPSHOT = {
    "key": "varchar",
    "typ": "varchar",
    "id": "varchar",
    "content_id": "varchar",
    "active": "boolean",
    "body": "varchar",
}
"""Columns of the snapshot of published contents."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the tables beyond their rows."""

    seen: frozenset[str]
    """Tables of which any package ever brought rows."""
    came: frozenset[str]
    """Tables that ever came, with rows or without."""
    refused: frozenset[str]
    """Tables whose file this package brought and we refused."""


def external_id(typ: str, item_id: str) -> str:
    """Return SQL for the external id of an item; no two items share one, whatever their ids hold."""

    def escaped(value: str) -> str:
        return f"replace(replace({value}, '%', '%25'), ':', '%3A')"

    return f"{escaped(typ)} || ':' || {escaped(item_id)}"


def content_key(typ: str, item_id: str) -> str:
    """Return SQL for the short key of an item, under which assignments and completions know it."""
    return fingerprint([typ, item_id])


def show_contents(engine: Engine, profile: Profile, connection: Connection, known: Known) -> list[str]:
    """Make the table `contents`: one row for every item that is, or was, known; return warnings.

    Needs the views of the tables and the table `published_contents` (columns of `SNAPSHOT`). `todo` is one of `add`,
    `change`, `deactivate`, `same`, `ignore` (never shown), `limit` (no place left), `park` (labels missing).
    """
    warnings = _labels(engine, profile, connection)
    warnings += _library(engine, known)
    _items(engine, connection)
    labels_refused = "PV_I18N_ACTIVE_LOCALE_LABEL" in known.refused
    body = _body(connection)
    engine.run(
        "create or replace table contents as select *, case "
        "when body is null then case when was_active then 'deactivate' else 'same' end "
        f"when {str(labels_refused).lower()} and (title_is_label or description_is_label) "
        "then case when was_published then 'same' else 'park' end "
        "when not active and not was_published then 'ignore' "
        "when not active then case when was_active then 'deactivate' else 'same' end "
        "when not was_published then 'add' when body = old_body then 'same' else 'change' end as todo "
        "from (select coalesce(i.key, p.key) as key, coalesce(i.typ, p.typ) as typ, coalesce(i.id, p.id) as id, "
        "i.pk, coalesce(i.active, false) as active, p.key is not null as was_published, "
        "coalesce(p.active, false) as was_active, p.content_id, p.body as old_body, "
        "coalesce(i.title_is_label, false) as title_is_label, "
        "coalesce(i.description_is_label, false) as description_is_label, "
        f"case when i.key is not null then {body} end as body "
        "from items i full join published_contents p on i.key = p.key)"
    )
    engine.run("drop table items")
    # What is switched off keeps the texts that people knew it by.
    engine.run(
        "update contents set active = false, body = json_merge_patch(old_body, '{\"isActive\": false}')::varchar "
        "where todo = 'deactivate'"
    )
    _limits(engine, connection)
    return warnings


def _labels(engine: Engine, profile: Profile, connection: Connection) -> list[str]:
    """One text for every label id: the connection's locale, else English, else the first by name."""
    rank = f"case LOCALE_ID when {text(connection.locale)} then '0' when 'English' then '1' else '2' || LOCALE_ID end"
    engine.run(
        "create or replace temp table labels as select LABEL_ID as id, "
        f"arg_min(LABEL_VALUE, {rank}) filter (LABEL_VALUE is not null) as value, "
        f"arg_min(LOCALE_ID, {rank}) filter (LABEL_VALUE is not null) as locale "
        "from PV_I18N_ACTIVE_LOCALE_LABEL group by all"
    )
    tags = ", ".join(f"({text(locale)}, {text(tag)})" for locale, tag in profile.language_tags.items())
    engine.run(f"create or replace temp table tags as select * from (values {tags}) as t(locale, tag)")
    unknown = engine.rows(
        "select distinct locale from labels where locale is not null and locale not in (select locale from tags) "
        "order by locale limit 20"
    )
    return [
        f"The locale {locale} has no language tag in the profile; {connection.language_tag} was used."
        for (locale,) in unknown
    ]


def _library(engine: Engine, known: Known) -> list[str]:
    """Items of active libraries, once libraries are in use at all."""
    in_use = "PA_CATALOG" in known.seen
    if in_use and "PA_CATALOG_ITEM" in known.came:
        engine.run(
            "create or replace temp table shelved as select distinct i.CPNT_TYP_ID as typ, i.CPNT_ID as id "
            "from PA_CATALOG_ITEM i semi join (select * from PA_CATALOG where ACTIVE) c using (CATALOG_ID)"
        )
        return []
    engine.run("create or replace temp table shelved as select distinct CPNT_TYP_ID as typ, CPNT_ID as id from PA_CPNT")
    if in_use:
        return ["Libraries came without PA_CATALOG_ITEM, so items are shown whatever library they are in."]
    return []


def _items(engine: Engine, connection: Connection) -> None:
    """One row an item: the latest active revision speaks, of an inactive item the latest one.

    Every statement joins one large table: several at once have no room for a catalog of a million items.
    """
    engine.run(
        "create or replace temp table speaking as select pk, not coalesce(NOTACTIVE, false) as revision_active "
        "from PA_CPNT qualify row_number() over (partition by CPNT_TYP_ID, CPNT_ID "
        "order by revision_active desc, REV_DTE desc, REV_DTE_TEXT desc) = 1"
    )
    for table, described, short, its_text in (
        ("formats", "PA_CPNT_TYPE", "CPNT_TYP_ID", "CPNT_TYP_DESC"),
        ("sources", "PA_CPNT_SRC", "CPNT_SRC_ID", "CPNT_SRC_DESC"),
    ):
        engine.run(
            f"create or replace temp table {table} as select s.{short} as id, "
            f"case when l.id is null then s.{its_text} else l.value end as name "
            f"from {described} s left join labels l on l.id = s.{its_text}"
        )
    engine.run(
        "create or replace temp table items as "
        f"select {external_id('s.CPNT_TYP_ID', 's.CPNT_ID')} as key, s.CPNT_TYP_ID as typ, s.CPNT_ID as id, s.pk, "
        "c.revision_active, s.CPNT_TITLE as title, s.CPNT_DESC as description, "
        "coalesce(f.name, s.CPNT_TYP_ID) as format, o.name as source, s.CPNT_LEN as minutes, "
        "s.THUMBNAIL_URI as thumbnail, s.REV_DTE as revised_at, s.CREATE_DTE as created_at, "
        "s.LST_UPD_TSTMP as modified_at, []::varchar[] as authors from PA_CPNT s join speaking c using (pk) "
        "left join formats f on f.id = s.CPNT_TYP_ID left join sources o on o.id = s.CPNT_SRC_ID"
    )
    engine.run("drop table speaking")
    engine.run(
        "create or replace temp table items as select i.* exclude (revision_active), "
        "i.revision_active and k.typ is not null as active from items i left join shelved k using (typ, id)"
    )
    engine.run("drop table shelved")
    engine.run(
        "create or replace temp table items as select i.* exclude (title), t.id is not null as title_is_label, "
        "coalesce(case when t.id is null then i.title else t.value end, i.id) as title, "
        f"coalesce(g.tag, {text(connection.language_tag)}) as language_tag "
        "from items i left join labels t on t.id = i.title left join tags g on g.locale = t.locale"
    )
    engine.run(
        "create or replace temp table items as select i.* exclude (description), "
        "d.id is not null as description_is_label, "
        "case when d.id is null then i.description else d.value end as description "
        "from items i left join labels d on d.id = i.description"
    )
    engine.run("drop table labels")
    if connection.publish_author:
        engine.run(
            "create or replace temp table authors as select CONTENT as content, "
            "list_sort(list_distinct(list(INST_NAME))) as authors from PA_CPNT_EVTHST where INST_NAME is not "
            "null group by all"
        )
        engine.run(
            "create or replace temp table items as select i.* replace (coalesce(a.authors, []) as authors) "
            f"from items i left join authors a on a.content = {content_key('i.typ', 'i.id')}"
        )


def utc(timestamp: str) -> str:
    """Return SQL for a UTC timestamp as Graph writes it; null stays null."""
    return (
        f"case when epoch_us({timestamp}) % 1000000 = 0 then strftime({timestamp}, '%Y-%m-%dT%H:%M:%SZ') "
        f"else strftime({timestamp}, '%Y-%m-%dT%H:%M:%S.%gZ') end"
    )


def duration(minutes: str) -> str:
    """Return SQL for minutes as ISO 8601 duration, such as `PT1H30M`."""
    seconds = f"round({minutes} * 60)::bigint"
    return (
        f"case when {minutes} is not null then 'PT' || case when {seconds} = 0 then '0M' else "
        f"concat(case when {seconds} >= 3600 then ({seconds} // 3600) || 'H' end, "
        f"case when {seconds} % 3600 >= 60 then ({seconds} % 3600 // 60) || 'M' end, "
        f"case when {seconds} % 60 > 0 then ({seconds} % 60) || 'S' end) end end"
    )


def deep_link(connection: Connection) -> str:
    """Return SQL for the address that opens the item in SuccessFactors, through its sign-in."""
    viva = connection.viva
    inner = (
        f"'https://{viva.learning_host}/learning/user/deeplink_redirect.jsp?linkId=ITEM_DETAILS&componentID=' "
        "|| url_encode(i.id) || '&componentTypeID=' || url_encode(i.typ) "
        "|| '&revisionDate=' || epoch_ms(i.revised_at) || '&fromSF=Y'"
    )
    return (
        f"'https://{viva.bizx_host}/sf/learning?destUrl=' || url_encode({inner}) "
        f"|| '&company=' || url_encode({text(viva.company_id)})"
    )


def _body(connection: Connection) -> str:
    """Return SQL for the whole learningContent; every property is sent, so that nothing old stays behind."""
    picture = connection.viva.default_thumbnail_url
    thumbnail = f"coalesce(i.thumbnail, {text(picture)})" if picture else "i.thumbnail"
    properties = {
        "title": "i.title",
        "description": "i.description",
        "contentWebUrl": deep_link(connection),
        "languageTag": "i.language_tag",
        "duration": duration("i.minutes"),
        "format": "i.format",
        "sourceName": "i.source",
        "thumbnailWebUrl": thumbnail,
        "createdDateTime": utc("i.created_at"),
        "lastModifiedDateTime": utc("i.modified_at"),
        "contributors": "i.authors",
        "additionalTags": "[]::varchar[]",
        "skillTags": "[]::varchar[]",
        "isActive": "i.active",
        "isSearchable": "true",
    }
    pairs = ", ".join(f"{text(each)}, {sql}" for each, sql in properties.items())
    return f"json_object({pairs})::varchar"


def _limits(engine: Engine, connection: Connection) -> None:
    """Refuse what has no place left; what is published keeps its place, then the order of the keys decides."""
    shown = "todo in ('add', 'change', 'same') and active"
    if engine.one(f"select count(*) from contents where {shown}") > connection.active_item_limit:
        engine.run(
            "update contents set todo = 'limit' from (select key, row_number() over "
            f"(order by was_active desc, key) as place from contents where {shown}) ranked "
            f"where ranked.key = contents.key and ranked.place > {connection.active_item_limit} "
            "and not contents.was_active"
        )
    published = engine.one("select count(*) from contents where was_published")
    if published + engine.one("select count(*) from contents where todo = 'add'") > connection.total_item_limit:
        engine.run(
            "update contents set todo = 'limit' from (select key, row_number() over (order by key) as place "
            "from contents where todo = 'add') ranked where ranked.key = contents.key "
            f"and ranked.place > {connection.total_item_limit - published}"
        )
