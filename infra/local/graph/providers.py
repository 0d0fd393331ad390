"""Learning providers: a person registers, lists and changes them, and no app ever does.

Contents and activities belong to the provider with which the simulator was started; one that is registered later can
be listed and changed, and no more.
"""

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from infra.local.graph.answers import Answer, RefusedError, bad_request, method_not_allowed, refuse, wrong_fields
from infra.local.graph.caller import PROVIDERS, READ_PROVIDERS
from infra.local.graph.calls import Call
from infra.local.graph.faults import Faults
from infra.local.graph.schema import Purpose, Schema
from infra.local.graph.state import State

_TYPE = "learningProvider"


def judge_plan(faults: Faults) -> None:
    """Refuse whoever is in a tenant without Viva Learning."""
    if faults.no_service_plan:
        raise refuse(403, "Forbidden", "You don't have an adequate service plan for this request.")


def unknown_provider() -> RefusedError:
    """Refuse an id that nobody has registered."""
    return bad_request(
        "There was an issue with your request. Make sure the registrationId you entered is valid or"
        " registered for your tenant."
    )


class Providers:
    """The tenant's providers: the one it began with, if any, and those that were registered since."""

    def __init__(self, state: State, provider_id: str) -> None:
        self._state = state
        self._schema = Schema()
        self._first = provider_id

    def answer(self, call: Call, faults: Faults) -> Answer:
        """Carry out a call for the collection, or for one provider."""
        call.caller.need_scope(READ_PROVIDERS if call.method == "GET" else PROVIDERS)
        judge_plan(faults)
        provider_id = call.segments[2] if len(call.segments) > 2 else None  # noqa: PLR2004 (below the collection)
        call.allow_options(())
        match call.method, provider_id:
            case "GET", None:
                return Answer(200, {"value": list(self._all(faults).values())})
            case "POST", None:
                return self._register(call.json_object())
            case "GET", str(one):
                return Answer(200, self._find(one, faults))
            case "PATCH", str(one):
                return self._change(self._find(one, faults), call.json_object())
        raise method_not_allowed()

    def _register(self, body: Mapping[str, Any]) -> Answer:
        self._judge(body, Purpose.CREATE)
        stored = {"isCourseActivitySyncEnabled": False, **_said(body), "id": str(uuid4())}
        self._put(stored)
        return Answer(201, stored)

    def _change(self, known: Mapping[str, Any], body: Mapping[str, Any]) -> Answer:
        self._judge(body, Purpose.UPDATE)
        self._put({**known, **_said(body)})
        return Answer(204)

    def _judge(self, body: Mapping[str, Any], purpose: Purpose) -> None:
        if problems := self._schema.check(_TYPE, body, purpose):
            raise wrong_fields([each.message for each in problems])

    def _find(self, provider_id: str, faults: Faults) -> dict[str, Any]:
        for known, provider in self._all(faults).items():
            if known.lower() == provider_id.lower():
                return provider
        raise unknown_provider()

    def _all(self, faults: Faults) -> dict[str, dict[str, Any]]:
        """Give them by id, in the order in which they were registered."""
        found: dict[str, dict[str, Any]] = {}
        if self._first:
            found[self._first] = {
                "id": self._first,
                "displayName": "Local LMS",
                "isCourseActivitySyncEnabled": not faults.course_activity_sync_off,
            }
        with self._state.transaction() as db:
            rows = db.execute("SELECT id, body FROM providers ORDER BY number").fetchall()
        return found | {row[0]: json.loads(row[1]) for row in rows}

    def _put(self, provider: Mapping[str, Any]) -> None:
        with self._state.transaction() as db:
            db.execute(
                "INSERT INTO providers(id, body) VALUES (?, ?) ON CONFLICT(id) DO UPDATE SET body = excluded.body",
                (provider["id"], json.dumps(provider)),
            )


def _said(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if "@" not in name}
