"""Viva Learning: who may do what, and which resource a path means.

Of every call the provider must be the registered one, and each object that is sent is noted with the answer
it got.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from infra.local.graph.activities import Activities
from infra.local.graph.answers import Answer, RefusedError, bad_request, method_not_allowed, refuse
from infra.local.graph.caller import ACTIVITIES, CONTENTS, READ_CONTENTS
from infra.local.graph.calls import Call, Key, NoBody, read_key, unknown_path
from infra.local.graph.contents import Contents
from infra.local.graph.faults import Faults
from infra.local.graph.providers import Providers, judge_plan, unknown_provider
from infra.local.graph.schema import Schema
from infra.local.graph.state import State

_KEYS = {
    "learningContents": {"externalId"},
    # The type has a small c, the service's pages and answers a capital one.
    "learningCourseActivities": {"externalcourseActivityId", "externalCourseActivityId"},
}


@dataclass(frozen=True, slots=True)
class Target:
    """A collection, or one member of it by id or by alternate key."""

    collection: str
    id: str | None = None
    external_id: str | None = None
    is_reference: bool = False
    """Whether the path ends in `/$ref`."""

    @property
    def is_collection(self) -> bool:
        """Whether no member is meant."""
        return self.id is None and self.external_id is None


def read_target(segments: tuple[str, ...]) -> Target:
    """Read the path below a provider; refuse one that leads nowhere."""
    first, *rest = segments or ("",)
    is_reference = bool(rest) and rest[-1] == "$ref"
    rest = rest[:-1] if is_reference else rest
    key = read_key(first)
    collection = key.collection if key else first
    if collection not in _KEYS or len(rest) > 1 or (rest and (key or not rest[0])):
        raise unknown_path(first)
    if key:
        return Target(collection, external_id=_key_value(key), is_reference=is_reference)
    if is_reference and not rest:
        raise unknown_path("$ref")
    return Target(collection, id=rest[0] if rest else None, is_reference=is_reference)


def _key_value(key: Key) -> str:
    if key.name not in _KEYS[key.collection] or not key.value:
        raise bad_request("The key in the request URI is not valid.", code="BadRequest")
    return key.value


def _roles(target: Target, method: str) -> Collection[str]:
    """App roles of which one is needed."""
    if target.collection == "learningContents":
        return READ_CONTENTS if method == "GET" else CONTENTS
    return ACTIVITIES


class Learning:
    """Contents and activities of the one registered provider."""

    def __init__(self, state: State, contents: Contents, activities: Activities, provider_id: str) -> None:
        self._state = state
        self._schema = Schema()
        self._contents = contents
        self._activities = activities
        self._provider_id = provider_id
        self._providers = Providers(state, provider_id)

    def answer(self, call: Call, faults: Faults, base: str) -> Answer:
        """Carry out a call below `/employeeExperience`."""
        match call.segments[1:]:
            case ("learningCourseActivities", activity_id):
                target = Target("learningCourseActivities", id=activity_id)
                if call.method != "GET":
                    raise method_not_allowed()
            case ("learningProviders",) | ("learningProviders", _):
                return self._providers.answer(call, faults)
            case ("learningProviders", provider_id, *rest):
                target = read_target(tuple(rest))
                self._judge_provider(provider_id, faults)
            case _:
                raise unknown_path(call.segments[-1])
        return self._answer(target, call, faults, base)

    def _answer(self, target: Target, call: Call, faults: Faults, base: str) -> Answer:
        call.caller.need_role(_roles(target, call.method))
        if faults.provider_disabled or (
            faults.course_activity_sync_off and target.collection == "learningCourseActivities"
        ):
            raise bad_request("This provider isn't enabled for the given tenant.")
        call.allow_options({"$skiptoken"} if target.is_collection else {"$select"})
        if call.method in ("POST", "PATCH"):
            return self._write(target, call, faults)
        if call.body is not NoBody:
            raise bad_request("A body was not expected.")
        if target.is_reference and (call.method != "DELETE" or target.collection != "learningContents"):
            raise method_not_allowed()
        if target.collection == "learningContents":
            return self._read_or_delete_content(target, call, faults, base)
        return self._read_or_delete_activity(target, call)

    def _judge_provider(self, provider_id: str, faults: Faults) -> None:
        judge_plan(faults)
        if provider_id.lower() != self._provider_id.lower():
            raise unknown_provider()

    def _write(self, target: Target, call: Call, faults: Faults) -> Answer:
        is_content = target.collection == "learningContents"
        creates = target.is_collection and not is_content
        if target.is_reference or (call.method == "POST") is not creates:
            raise method_not_allowed()
        body = call.json_object()
        purpose = "create" if creates else "update"
        if is_content:
            kind = "learningContent"
            purpose = "upsert" if target.external_id is not None else purpose
        else:
            kind = self._activities.kind(body) or "learningCourseActivity"
        try:
            if is_content:
                answer = self._contents.write(body, faults, id_=target.id, external_id=target.external_id)
            elif creates:
                answer = self._activities.create(body, faults)
            else:
                answer = self._activities.update(body, faults, id_=target.id, external_id=target.external_id)
        except RefusedError as refused:
            self._state.log_payload(kind, purpose, refused.answer.status, body)
            raise
        self._state.log_payload(kind, purpose, answer.status, body)
        return answer

    def _read_or_delete_content(self, target: Target, call: Call, faults: Faults, base: str) -> Answer:
        if call.method == "DELETE" and not target.is_collection:
            return self._contents.delete(id_=target.id, external_id=target.external_id)
        if call.method != "GET":
            raise method_not_allowed()
        if target.is_collection:
            return self._contents.list_page(call, base)
        found = self._contents.find(id_=target.id, external_id=target.external_id)
        if found is None or faults.take("hidden_contents"):
            raise refuse(404, "notFound", "The requested learning content doesn't exist.")
        return Answer(200, self._selected("learningContent", found, call))

    def _read_or_delete_activity(self, target: Target, call: Call) -> Answer:
        if target.is_collection or call.method not in ("GET", "DELETE"):
            raise method_not_allowed()
        if call.method == "DELETE":
            return self._activities.delete(id_=target.id, external_id=target.external_id)
        kind, found = self._activities.get(id_=target.id, external_id=target.external_id)
        body = self._selected(kind, found, call)
        if "externalcourseActivityId" in body:
            # Answers have it with a capital C.
            body["externalCourseActivityId"] = body.pop("externalcourseActivityId")
        return Answer(200, {"@odata.type": f"#microsoft.graph.{kind}", **body})

    def _selected(self, kind: str, found: Mapping[str, Any], call: Call) -> dict[str, Any]:
        if "$select" not in call.options:
            return dict(found)
        names = {name.strip() for name in call.options["$select"].split(",")}
        if not names <= self._schema.names(kind):
            raise bad_request(f"Could not find a property named so on type 'microsoft.graph.{kind}'.")
        return {name: value for name, value in found.items() if name in names}
