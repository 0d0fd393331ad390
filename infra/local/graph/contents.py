"""Learning contents: upserted, read, listed, deleted."""

import json
import sqlite3
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from infra.local.graph.answers import Answer, bad_request, refuse, wrong_fields
from infra.local.graph.calls import Call
from infra.local.graph.directory import make_token, read_token
from infra.local.graph.faults import Faults
from infra.local.graph.schema import Problem, Purpose, Schema, longest_text
from infra.local.graph.state import State

_PAGE = 100
_DEFAULTS = {"isActive": True, "isPremium": False, "isSearchable": True}


def too_long(body: Mapping[str, Any], faults: Faults) -> list[Problem]:
    """Find fields whose text is longer than the service allows; it says how long they may be."""
    return [
        Problem(name, f"Input field {name} length exceeded than {length}")
        for name, length in faults.max_lengths.items()
        if longest_text(body.get(name)) > length
    ]


def select_by(id_: str | None, external_id: str | None) -> tuple[str, str]:
    """Column and value that find one object by its id or its alternate key."""
    if id_ is not None:
        return "id", id_
    return "external_id", external_id or ""


class Contents:
    """The provider's catalogue."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._schema = Schema()

    def find(self, *, id_: str | None = None, external_id: str | None = None) -> dict[str, Any] | None:
        """Read a content as stored."""
        column, value = select_by(id_, external_id)
        with self._state.transaction() as db:
            row = db.execute(f"SELECT body FROM contents WHERE {column} = ?", (value,)).fetchone()
        return json.loads(row[0]) if row else None

    def write(self, body: Mapping[str, Any], faults: Faults, *, id_: str | None, external_id: str | None) -> Answer:
        """Upsert by external id, or update by id.

        The service's page says in one place that omitted properties keep their value and in another that they
        are replaced; here they keep it, unless the fault `upsert_replaces` is set.
        """
        purpose = Purpose.UPDATE if external_id is None else Purpose.UPSERT
        problems = self._schema.check("learningContent", body, purpose)
        problems += too_long({"externalId": external_id, **body}, faults)
        if problems:
            raise wrong_fields([each.message for each in problems])
        found = self.find(id_=id_, external_id=external_id)
        if found is None and external_id is None:
            raise refuse(404, "notFound", "The requested learning content doesn't exist.")
        kept = _DEFAULTS if found is None or faults.upsert_replaces else found
        stored = {
            "id": found["id"] if found else str(uuid4()),
            "externalId": found["externalId"] if found else external_id,
        }
        if body.get("externalId", stored["externalId"]) != stored["externalId"]:
            raise bad_request("Input field externalId is invalid: it is not that of the request URI")
        given = {name: value for name, value in body.items() if "@" not in name}
        stored = {
            **stored,
            **{name: value for name, value in {**kept, **given}.items() if name not in stored},
        }
        self._store(stored)
        shown = {name: value for name, value in stored.items() if name != "id" or not faults.upsert_body_without_id}
        return Answer(202, shown)

    def delete(self, *, id_: str | None, external_id: str | None) -> Answer:
        """Remove a content; activities that refer to it are left without one."""
        column, value = select_by(id_, external_id)
        with self._state.transaction() as db:
            if not db.execute(f"DELETE FROM contents WHERE {column} = ?", (value,)).rowcount:
                raise refuse(404, "notFound", "The requested learning content doesn't exist.")
        return Answer(204)

    def list_page(self, call: Call, base: str) -> Answer:
        """Give the next contents, in the order they came."""
        after = read_token(call.options["$skiptoken"]).get("number") if "$skiptoken" in call.options else 0
        with self._state.transaction() as db:
            rows = db.execute(
                "SELECT number, body FROM contents WHERE number > ? ORDER BY number LIMIT ?",
                (after, _PAGE + 1),
            ).fetchall()
        body: dict[str, Any] = {"value": [json.loads(row[1]) for row in rows[:_PAGE]]}
        if len(rows) > _PAGE:
            query = urlencode({"$skiptoken": make_token({"number": rows[_PAGE - 1][0]})}, safe="$")
            body["@odata.nextLink"] = f"{base}/{'/'.join(call.segments)}?{query}"
        return Answer(200, body)

    def _store(self, content: Mapping[str, Any]) -> None:
        with self._state.transaction() as db:
            _put(db, content)


def _put(db: sqlite3.Connection, content: Mapping[str, Any]) -> None:
    db.execute(
        "INSERT INTO contents(id, external_id, body) VALUES (?, ?, ?)"
        " ON CONFLICT(id) DO UPDATE SET body = excluded.body",
        (content["id"], content["externalId"], json.dumps(content)),
    )
