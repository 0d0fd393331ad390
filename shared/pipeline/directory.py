"""The directory index: who in Entra has which person id, in the attribute of the connection, as keyed hashes.

The first listing costs one request for every 999 users, later ones only what has changed. The delta token is taken
before the listing, so that nothing that changes meanwhile is missed.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self
from urllib.parse import quote

from shared.domain.connection import Connection
from shared.domain.errors import TransientError
from shared.domain.matching import TRACKED
from shared.domain.strict import Strict
from shared.pipeline.engine import Engine, parquet, text
from shared.pipeline.person_keys import person_forms, person_key
from shared.ports import Blobs, Call, Documents, Graph

PAGE_SIZE = 999
_LISTING_AGE = timedelta(hours=20)
"""How old a listing may be where nobody knows whether the delta tells of changes: every daily package lists anew."""
_PAGES_AT_ONCE = 10
_IDS_PER_FILTER = 15
_BATCH = 20

_COLUMNS = "id varchar, exact uuid, forms uuid[], enabled boolean, member boolean, licensed boolean, removed boolean"


@dataclass(frozen=True, slots=True)
class Asked:
    """What Graph is asked about every user."""

    attribute: str
    """That holds the person id."""
    plans: tuple[str, ...]
    """Service plans that make a user licensed."""

    @classmethod
    def of(cls, connection: Connection) -> Self:
        """Return what a connection asks for."""
        return cls(connection.directory_attribute, connection.viva.licence_service_plan_ids)

    @property
    def fields(self) -> str:
        """What to select."""
        property_, _, _ = self.attribute.partition("/")
        return f"id,{property_},accountEnabled,userType" + (",assignedPlans" if self.plans else "")

    @property
    def listing(self) -> str:
        """Where Graph lists all users."""
        return f"/users?$select={self.fields}&$top={PAGE_SIZE}"

    @property
    def shape(self) -> str:
        """What is read of a page, as the engine wants it: of an object with many attributes no other one is read."""
        property_, _, inner = self.attribute.partition("/")
        user = {
            "id": "VARCHAR",
            property_: {inner: "VARCHAR"} if inner else "VARCHAR",
            "accountEnabled": "VARCHAR",
            "userType": "VARCHAR",
            "assignedPlans": [{"servicePlanId": "VARCHAR", "capabilityStatus": "VARCHAR"}],
            "@removed": {"reason": "VARCHAR"},
        }
        return json.dumps({"value": [user]})

    @property
    def person_id(self) -> str:
        """SQL for the person id of a user `u`, trimmed, null when empty."""
        return f"nullif(trim(u.{self.attribute.replace('/', '.')}), '')"


class Index(Strict):
    """Where the index stands."""

    path: str
    delta_link: str
    refreshed_at: datetime
    plans: tuple[str, ...] = ()
    """Service plans whose licence it tells; with others it has to be made anew."""
    pepper_version: str
    """Under which person ids are hashed; with another it has to be made anew."""
    attribute: str = ""
    """That holds the person ids; with another, or none, it has to be made anew."""
    listed_at: datetime | None = None
    """When all users were listed last."""

    def serves(self, asked: Asked, pepper_version: str, now: datetime) -> bool:
        """Tell whether it holds what is asked for, once the changes since then are applied."""
        if (self.attribute, self.plans, self.pepper_version) != (asked.attribute, asked.plans, pepper_version):
            return False
        return asked.attribute in TRACKED or (self.listed_at is not None and now - self.listed_at < _LISTING_AGE)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the index is kept."""

    documents: Documents
    blobs: Blobs


def refresh(
    engine: Engine, graph: Graph, place: Place, connection: Connection, *, pepper_version: str, now: datetime
) -> None:
    """Bring the index up to date and load it as table `users`. A second call asks for changes only."""
    asked = Asked.of(connection)
    document = place.documents.find("index")
    index = Index.model_validate(document.value) if document else None
    link, listed_at = None, index.listed_at if index else None
    if index and index.serves(asked, pepper_version, now):
        link = _apply_delta(engine, graph, place.blobs, index, asked)
    if link is None:
        link, listed_at = _list_all(engine, graph, asked), now
    path = f"users-{now:%Y%m%dT%H%M%S}-{os.urandom(3).hex()}.parquet"
    place.blobs.put_file(path, engine.write("select * exclude (removed) from users", engine.folder / "users.parquet"))
    fresh = Index(
        path=path,
        delta_link=link,
        refreshed_at=now,
        plans=asked.plans,
        pepper_version=pepper_version,
        attribute=asked.attribute,
        listed_at=listed_at,
    )
    place.documents.put("index", fresh.model_dump(mode="json"), document.etag if document else None)
    if index:
        place.blobs.delete(index.path)


def _list_all(engine: Engine, graph: Graph, asked: Asked) -> str:
    start = _last_link(graph, f"/users/delta?$select={asked.fields}&$deltatoken=latest")
    read_users(engine, (page for page, _ in graph.pages(asked.listing)), asked)
    return _replay(engine, graph, start, asked)


def read_users(engine: Engine, pages: Iterator[bytes], asked: Asked) -> None:
    """Make the table `users` of pages of Graph's listing."""
    with TemporaryDirectory(dir=engine.folder) as folder:
        files = _read(engine, pages, asked, Path(folder))
        engine.run(f"create or replace table users ({_COLUMNS})")
        if files:
            engine.run(f"insert into users by name from {parquet(files)}")


def _apply_delta(engine: Engine, graph: Graph, blobs: Blobs, index: Index, asked: Asked) -> str | None:
    """Return the next delta link; `None` when the old one is no longer good."""
    try:
        local = blobs.get_file(index.path, engine.folder / "index.parquet")
    except FileNotFoundError:
        return None
    engine.run(f"create or replace table users as select *, false as removed from {parquet([local])}")
    try:
        return _replay(engine, graph, index.delta_link, asked)
    except LookupError:
        return None


def _replay(engine: Engine, graph: Graph, link: str, asked: Asked) -> str:
    """Apply a delta: items may repeat and come in any order of users; the last word on each user counts."""
    last = link

    def pages() -> Iterator[bytes]:
        nonlocal last
        for page, delta_link in graph.pages(link):
            last = delta_link or last
            yield page

    with TemporaryDirectory(dir=engine.folder) as folder:
        files = _read(engine, pages(), asked, Path(folder))
        engine.run(f"create or replace temp table changed ({_COLUMNS})")
        if files:
            # By their places in the files: the engine of a run keeps rows in no order.
            engine.run(
                f"insert into changed by name select * from {parquet(files)} qualify row_number() over "
                "(partition by id order by filename desc, file_row_number desc) = 1"
            )
    engine.run("delete from users where id in (select id from changed)")
    engine.run("insert into users from changed where not removed")
    return last


def _last_link(graph: Graph, path: str) -> str:
    links = [link for _, link in graph.pages(path) if link]
    if not links:
        raise TransientError("Graph gave no delta link for users. It is asked again.")
    return links[-1]


def _read(engine: Engine, pages: Iterator[bytes], asked: Asked, folder: Path) -> list[Path]:
    """Write pages as Graph wrote them into files of columns, in their order; a person id is a hash there.

    The engine itself does nothing meanwhile: it may spill only once the one that reads is closed.
    `read_json` would take 30 us for each object in a list, ten times as long.
    """
    wanted = ", ".join(text(plan.lower()) for plan in asked.plans)
    licensed = (
        f"len(list_filter(coalesce(u.assignedPlans, []), lambda p: lower(p.servicePlanId) in ({wanted}) "
        "and p.capabilityStatus in ('Enabled', 'Warning'))) > 0"
        if asked.plans
        else "null::boolean"
    )
    v = asked.person_id
    files: list[Path] = []
    with engine.reader() as reader:
        for path, largest in _in_memory(pages):
            users = (
                f"select u.id, {person_key(v)} as exact, {person_forms(v)} as forms, "
                "coalesce(u.accountEnabled::boolean, false) as enabled, "
                "coalesce(u.userType, 'Member') <> 'Guest' as member, "
                f'{licensed} as licensed, u."@removed" is not null as removed '
                f"from (select unnest(from_json(json, {text(asked.shape)}).value) as u "
                f"from read_ndjson_objects({text(path)}, maximum_object_size = {largest + 1024}))"
            )
            files.append(reader.write(users, folder / f"{len(files):05d}.parquet"))
    return files


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
