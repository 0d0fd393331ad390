"""`GET /users/delta`: what changed in the directory since a token was given."""

from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

from infra.local.graph.answers import Answer, bad_request, method_not_allowed, refuse
from infra.local.graph.calls import Call
from infra.local.graph.directory import COLUMNS, make_token, read_select, read_token, user
from infra.local.graph.faults import Faults
from infra.local.graph.state import State

_TOKENS = ("$deltatoken", "$skiptoken")


class Delta:
    """Changes of the directory, page by page.

    Only selected properties are tracked. Changes of `assignedPlans`, `mail` or `onPremisesExtensionAttributes` alone
    do not appear: Graph promises changes only for properties of the directory's main store, and does not say that
    these are there.
    """

    page_size: ClassVar[int] = 200
    """Chosen by the server; a caller has no say in it."""
    _tracked: ClassVar[dict[str, str]] = {
        "employeeId": "employee_id_at",
        "accountEnabled": "account_enabled_at",
        "userType": "user_type_at",
        "userPrincipalName": "coalesce((SELECT user_principal_name_at FROM attributes a WHERE a.id = users.id), 0)",
    }

    def __init__(self, state: State) -> None:
        self._state = state

    def expire(self) -> None:
        """Make every token given so far worthless."""
        self._state.set_number("delta_age", self._state.number("delta_age") + 1)

    def answer(self, call: Call, faults: Faults, base: str) -> Answer:
        """Start, go on with, or repeat a round of changes."""
        if call.method != "GET":
            raise method_not_allowed()
        call.allow_options({"$select", *_TOKENS})
        tokens = [call.options[name] for name in _TOKENS if call.options.get(name)]
        if not tokens or tokens == ["latest"]:
            names = read_select(call)
            version = self._state.number("directory_version")
            start = self._token(names, since=0, until=version)
            if tokens:
                return self._page(base, names, [], delta=self._token(names, since=version, until=None))
        else:
            if len(call.options) > 1:
                raise bad_request("Nothing can be added to a link.", code="Request_BadRequest")
            start = read_token(tokens[0])
            names = start.get("names", ["id"])
        if start.get("age") != self._state.number("delta_age"):
            query = urlencode({"$select": ",".join(names), "$deltatoken": ""}, safe="$,")
            raise refuse(
                410,
                "syncStateNotFound",
                "The sync state generation is not found.",
                headers={"Location": f"{base}/users/delta?{query}"},
            )
        return self._round(start, faults, base)

    def _round(self, start: dict[str, Any], faults: Faults, base: str) -> Answer:
        names = start["names"]
        until = start["until"] or self._state.number("directory_version")
        if faults.take("empty_pages"):
            return self._page(base, names, [], go_on={**start, "until": until})
        # An item may come more than once in a round; here the last of a page opens the next one.
        size = self.page_size + start["repeat"]
        rows = self._changes(start, size + 1)
        value = [self._item(names, row) for row in rows[:size]]
        if len(rows) > size:
            place = [rows[size - 1][0], rows[size - 1][1]]
            return self._page(base, names, value, go_on={**start, "until": until, "place": place, "repeat": True})
        return self._page(base, names, value, delta=self._token(names, since=until, until=None))

    def _changes(self, start: dict[str, Any], limit: int) -> list[Any]:
        names = start["names"]
        tracked = [self._tracked[name] for name in names if name in self._tracked]
        newest = f"max({', '.join(['created_at', *tracked])})" if tracked else "created_at"
        reached = ">=" if start["repeat"] else ">"
        columns = ", ".join(COLUMNS[name] for name in names)
        with self._state.transaction() as db:
            return db.execute(
                f"SELECT changed_at AS at, id AS key, 0, {columns} FROM users"
                f" WHERE (changed_at, id) {reached} (:at, :id)"
                f" AND {newest} > :since"
                f" UNION ALL SELECT changed_at, id, 1 {', NULL' * len(names)} FROM removed"
                f" WHERE (changed_at, id) {reached} (:at, :id) AND :since > 0"
                " ORDER BY at, key LIMIT :limit",
                {
                    "at": start["place"][0],
                    "id": start["place"][1],
                    "since": start["since"],
                    "limit": limit,
                },
            ).fetchall()

    def _item(self, names: Sequence[str], row: Sequence[Any]) -> dict[str, Any]:
        if row[2]:
            return {"id": row[1], "@removed": {"reason": "changed"}}
        return user(names, row[3:])

    def _token(self, names: Sequence[str], *, since: int, until: int | None) -> dict[str, Any]:
        # `~` sorts behind every id, so that the round starts with the next version.
        return {
            "age": self._state.number("delta_age"),
            "names": list(names),
            "since": since,
            "until": until,
            "place": [since, "~"],
            "repeat": False,
        }

    def _page(
        self,
        base: str,
        names: Sequence[str],
        value: list[Any],
        *,
        go_on: dict[str, Any] | None = None,
        delta: dict[str, Any] | None = None,
    ) -> Answer:
        body: dict[str, Any] = {
            "@odata.context": f"{base}/$metadata#users({','.join(names)})",
            "value": value,
        }
        if go_on:
            body["@odata.nextLink"] = f"{base}/users/delta?$skiptoken={make_token(go_on)}"
        if delta:
            body["@odata.deltaLink"] = f"{base}/users/delta?$deltatoken={make_token(delta)}"
        return Answer(200, body, {"x-ms-resource-unit": "1"})
