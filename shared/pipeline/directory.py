"""The directory index: who in Entra has which employee id, as keyed hashes, and the join with learners.

The first listing costs one request for every 999 users, later ones only what has changed. The delta token is taken
before the listing, so that nothing that changes meanwhile is missed.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from shared.domain.connection import Connection
from shared.domain.errors import TransientError
from shared.domain.runs import Coverage
from shared.domain.strict import Strict
from shared.pipeline import columns
from shared.pipeline.engine import Engine, parquet, text
from shared.ports import Blobs, Call, Documents, Graph

PAGE_SIZE = 999
_FIELDS = "id,employeeId,accountEnabled,userType"
_PAGES_AT_ONCE = 25
_IDS_PER_FILTER = 15
_BATCH = 20

_SHAPE = (
    "{value: 'STRUCT(id VARCHAR, employeeId VARCHAR, accountEnabled BOOLEAN, userType VARCHAR, "
    'assignedPlans STRUCT(servicePlanId VARCHAR, capabilityStatus VARCHAR)[], "@removed" STRUCT(reason VARCHAR))[]\'}'
)
_COLUMNS = "id varchar, exact uuid, loose uuid, enabled boolean, member boolean, licensed boolean, removed boolean"


class Index(Strict):
    """Where the index stands."""

    path: str
    delta_link: str
    refreshed_at: datetime
    plans: tuple[str, ...] = ()
    """Service plans whose licence it tells; with others it has to be made anew."""
    pepper_version: str
    """Under which employee ids are hashed; with another it has to be made anew."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the index is kept."""

    documents: Documents
    blobs: Blobs


def refresh(
    engine: Engine, graph: Graph, place: Place, connection: Connection, *, pepper_version: str, now: datetime
) -> None:
    """Bring the index up to date and load it as table `users`. A second call asks for changes only."""
    plans = connection.viva.licence_service_plan_ids
    document = place.documents.find("index")
    index = Index.model_validate(document.value) if document else None
    link = None
    if index and (index.plans, index.pepper_version) == (plans, pepper_version):
        link = _apply_delta(engine, graph, place.blobs, index)
    if link is None:
        link = _list_all(engine, graph, plans)
    path = f"users-{now:%Y%m%dT%H%M%S}-{os.urandom(3).hex()}.parquet"
    place.blobs.put_file(path, engine.write("select * exclude (removed) from users", engine.folder / "users.parquet"))
    fresh = Index(path=path, delta_link=link, refreshed_at=now, plans=plans, pepper_version=pepper_version)
    place.documents.put("index", fresh.model_dump(mode="json"), document.etag if document else None)
    if index:
        place.blobs.delete(index.path)


def _list_all(engine: Engine, graph: Graph, plans: Sequence[str]) -> str:
    fields = _FIELDS + (",assignedPlans" if plans else "")
    start = _last_link(graph, f"/users/delta?$select={fields}&$deltatoken=latest")
    engine.run(f"create or replace table users ({_COLUMNS})")
    pages = (page for page, _ in graph.pages(f"/users?$select={fields}&$top={PAGE_SIZE}"))
    _insert(engine, "users", pages, plans)
    return _replay(engine, graph, start, plans)


def _apply_delta(engine: Engine, graph: Graph, blobs: Blobs, index: Index) -> str | None:
    """Return the next delta link; `None` when the old one is no longer good."""
    local = engine.folder / "index.parquet"
    try:
        with blobs.open(index.path) as source, local.open("wb") as target:
            while chunk := source.read(1 << 20):
                target.write(chunk)
    except FileNotFoundError:
        return None
    engine.run(f"create or replace table users as select *, false as removed from {parquet([local])}")
    try:
        return _replay(engine, graph, index.delta_link, index.plans)
    except LookupError:
        return None


def _replay(engine: Engine, graph: Graph, link: str, plans: Sequence[str]) -> str:
    """Apply a delta: items may repeat and come in any order of users; the last word on each user counts."""
    engine.run(f"create or replace temp table changed ({_COLUMNS})")
    last = link
    pages = []
    for page, delta_link in graph.pages(link):
        pages.append(page)
        last = delta_link or last
        if len(pages) == _PAGES_AT_ONCE:
            _insert(engine, "changed", iter(pages), plans)
            pages = []
    _insert(engine, "changed", iter(pages), plans)
    engine.run("delete from users where id in (select id from changed)")
    engine.run(
        "insert into users select * from (select * from changed "
        "qualify row_number() over (partition by id order by rowid desc) = 1) where not removed"
    )
    return last


def _last_link(graph: Graph, path: str) -> str:
    links = [link for _, link in graph.pages(path) if link]
    if not links:
        raise TransientError("Graph gave no delta link for users. It is asked again.")
    return links[-1]


def _insert(engine: Engine, table: str, pages: Iterator[bytes], plans: Sequence[str]) -> None:
    """Read pages as Graph wrote them into columns; an employee id is a hash before it is anywhere else."""
    wanted = ", ".join(text(plan.lower()) for plan in plans)
    licensed = (
        f"len(list_filter(coalesce(u.assignedPlans, []), lambda p: lower(p.servicePlanId) in ({wanted}) "
        "and p.capabilityStatus in ('Enabled', 'Warning'))) > 0"
        if plans
        else "null"
    )
    v = "nullif(trim(u.employeeId), '')"
    for path, largest in _in_memory(pages):
        engine.run(
            f"insert into {table} select u.id, {columns.person_key(v)}, {columns.loose_key(v)}, "
            "coalesce(u.accountEnabled, false), coalesce(u.userType, 'Member') <> 'Guest', "
            f'{licensed}, u."@removed" is not null '
            f"from (select unnest(value) as u from read_json({text(path)}, format = 'newline_delimited', "
            f"columns = {_SHAPE}, maximum_object_size = {largest + 1024}))"
        )


def _in_memory(pages: Iterator[bytes]) -> Iterator[tuple[str, int]]:
    """Yield paths to some pages at a time, one a line, that never touch a disk; and the size of the largest."""
    more = True
    while more:
        descriptor = os.memfd_create("users")
        with os.fdopen(descriptor, "wb") as target:
            count = largest = 0
            for page in pages:
                largest = max(largest, len(page))
                target.write(page.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n")
                count += 1
                if count == _PAGES_AT_ONCE:
                    break
            target.flush()
            more = count == _PAGES_AT_ONCE
            if count:
                yield f"/proc/self/fd/{descriptor}", largest


def map_persons(engine: Engine) -> None:
    """Make the table `mapping`: every learner's person key with `state`, user and licence.

    Exactly one enabled member is `mapped`; two or more are `ambiguous`, and nobody guesses. Guests never count.
    """
    engine.run(
        "create or replace table mapping as select s.person, case when u.enabled = 1 then 'mapped' "
        "when u.enabled > 1 then 'ambiguous' when u.disabled > 0 then 'disabled' else 'unmatched' end as state, "
        "case when u.enabled = 1 then u.id end as user_id, case when u.enabled = 1 then u.licensed end as licensed, "
        "coalesce(u.enabled, 0) = 0 and coalesce(u.disabled, 0) = 0 and s.loose in "
        "(select loose from users where enabled and member and loose is not null) as near_miss "
        "from (select person, any_value(loose) as loose from students where person is not null group by person) s "
        "left join (select exact, count(*) filter (enabled) as enabled, count(*) filter (not enabled) as disabled, "
        "any_value(id) filter (enabled) as id, bool_or(licensed) filter (enabled) as licensed "
        "from users where member and exact is not null group by exact) u on u.exact = s.person"
    )


def cover(engine: Engine) -> Coverage:
    """Count the persons of a pass with at least one assignment or credited completion, by how they were found.

    Needs `decisions`, `history` and `learners_now`; makes `covered` (person, state, near_miss).
    """
    engine.run(
        "create or replace temp table covered as select person, state, near_miss from decisions "
        "where in_plan and person is not null and state is not null union "
        "select h.person, l.state, l.near_miss from history h join learners_now l on l.student = h.student and l.known "
        "where h.credit and h.person is not null"
    )
    counted = dict.fromkeys(("mapped", "unmatched", "ambiguous", "disabled"), 0)
    near_misses = 0
    for state, near_miss, count in engine.rows("select state, near_miss, count(*) from covered group by all"):
        counted[state] += count
        near_misses += count if near_miss else 0
    return Coverage(learners=sum(counted.values()), near_miss=near_misses, **counted)


def recheck_licences(engine: Engine, graph: Graph, connection: Connection, users: Sequence[str]) -> bool:
    """Ask again whether these users have a licence; tell whether that is news of any.

    Graph's delta may not tell of licences.
    """
    plans = {plan.lower() for plan in connection.viva.licence_service_plan_ids}
    calls = []
    for start in range(0, len(users), _IDS_PER_FILTER):
        ids = ",".join("'" + user.replace("'", "''") + "'" for user in users[start : start + _IDS_PER_FILTER])
        query = f"$filter={quote(f'id in ({ids})')}&$select=id,assignedPlans&$top={PAGE_SIZE}"
        calls.append(Call("GET", f"/users?{query}"))
    ids_by_licence: dict[bool, list[str]] = {False: [], True: []}
    for start in range(0, len(calls), _BATCH):
        for answer in graph.send(calls[start : start + _BATCH], batch=connection.viva.batch):
            for user in answer.body.get("value", ()):
                ids_by_licence[_is_licensed(user, plans)].append(user["id"])
    news = False
    for licensed, ids_asked in ids_by_licence.items():
        changed = engine.rows(
            "update mapping set licensed = $1 where licensed is distinct from $1 "
            "and user_id in (select unnest($2::varchar[])) returning true",
            [licensed, ids_asked],
        )
        news = news or bool(changed)
    return news


def _is_licensed(user: Mapping[str, Any], plans: set[str]) -> bool:
    return any(
        str(plan.get("servicePlanId")).lower() in plans and plan.get("capabilityStatus") in ("Enabled", "Warning")
        for plan in user.get("assignedPlans", ())
    )


def local_copy(blobs: Blobs, path: str, target: Path) -> Path:
    """Bring a blob to a local file for the engine."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with blobs.open(path) as source, target.open("wb") as file:
        while chunk := source.read(4 << 20):
            file.write(chunk)
    return target
