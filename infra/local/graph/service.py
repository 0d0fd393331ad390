"""Graph without HTTP: a call comes in, an answer goes out, faults strike, and everything is counted."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from infra.local.graph.activities import Activities
from infra.local.graph.answers import Answer, RefusedError, bad_request, error, later, refuse
from infra.local.graph.batch import answer_batch
from infra.local.graph.caller import READ_LICENCES, READ_USERS
from infra.local.graph.calls import Call, unknown_path
from infra.local.graph.contents import Contents
from infra.local.graph.delta import Delta
from infra.local.graph.directory import Directory, licences
from infra.local.graph.faults import Area, Faults
from infra.local.graph.learning import Learning
from infra.local.graph.state import State


@dataclass(frozen=True, slots=True)
class Counters:
    """What was asked of Graph since the counters were reset."""

    requests: int
    """HTTP requests, a batch being one."""
    items: int
    """Calls inside of batches."""
    writes: int
    """Objects created, updated or deleted, whether or not the answer said so."""
    reads: Mapping[str, int]
    """Calls that read, answered or refused, by `users`, `delta`, `providers`, `contents` and `activities`."""
    written: Mapping[str, int]
    """`writes` by method and kind, as in `POST activities`."""


class Service:
    """One tenant's Graph. Its methods are called by one thread at a time."""

    def __init__(self, state: State, provider_id: str) -> None:
        self.faults = Faults()
        self.directory = Directory(state)
        self.delta = Delta(state)
        contents = Contents(state)
        activities = Activities(state, contents, self.directory, provider_id)
        self._learning = Learning(state, contents, activities, provider_id)
        self._state = state
        self.reset_counters()

    def reset_counters(self) -> None:
        """Begin to count anew."""
        self._requests = self._items = 0
        self._reads: Counter[str] = Counter()
        self._written: Counter[str] = Counter()

    def counters(self) -> Counters:
        """Give the counts so far."""
        return Counters(self._requests, self._items, self._written.total(), dict(self._reads), dict(self._written))

    def count_request(self) -> None:
        """Count an HTTP request, whatever becomes of it."""
        self._requests += 1

    def answer(self, call: Call, base: str) -> Answer:
        """Answer one request; `base` is the address of the version, for links."""
        try:
            with self._state.transaction():
                if call.segments == ("$batch",):
                    return self._batch(call, base)
                return self._call(call, base)
        except RefusedError as refused:
            return refused.answer

    def _batch(self, call: Call, base: str) -> Answer:
        if call.method != "POST":
            raise refuse(405, "methodNotAllowed", "A batch is posted.")
        if self.faults.take("throttle_batches"):
            return self._later(429)
        body = call.json_object()

        def item(each: Call) -> Answer:
            self._items += 1
            return self._call(replace(each, caller=call.caller), base)

        return answer_batch(body, item)

    def _call(self, call: Call, base: str) -> Answer:
        """Answer one call; a refusal is an answer too, so that what was noted of it is kept."""
        try:
            return self._dispatch(call, base)
        except RefusedError as refused:
            return refused.answer

    def _dispatch(self, call: Call, base: str) -> Answer:
        area: Area
        match call.segments:
            case ("users",):
                area, kind = "users", "users"
            case ("users", "delta"):
                area, kind = "users", "delta"
            case ("subscribedSkus",):
                call.caller.need(READ_LICENCES, of_app=False)
                return licences(call)
            case ("employeeExperience", _, *_):
                area, kind = "learning", _learning_kind(call.segments)
            case _:
                raise unknown_path(call.segments[0])
        if call.method == "GET":
            self._reads[kind] += 1
        self._strike(area, call)
        if kind == "users":
            return self.directory.answer(call, self.faults, base)
        if kind == "delta":
            return self.delta.answer(call, self.faults, base)
        answer = self._learning.answer(call, self.faults, base)
        if call.method != "GET":
            self._written[f"{call.method} {kind}"] += 1
            if self.faults.take("fail_after_applying"):
                return self._later(500)
        return answer

    def _strike(self, area: Area, call: Call) -> None:
        faults = self.faults
        if faults.strikes(area):
            if faults.take("throttle"):
                raise RefusedError(self._later(429))
            if faults.take("fail"):
                raise RefusedError(self._later(faults.fail_status))
        if area == "users" and faults.refuse_users:
            raise refuse(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
        if area == "users":
            call.caller.need(READ_USERS, of_app=True)
        if area == "learning" and faults.refuse_learning:
            raise refuse(
                403,
                "Forbidden",
                "Your account doesn't have access to this report or data. Contact your global administrator"
                " to request access.",
            )

    def _later(self, status: int) -> Answer:
        return later(status, seconds=self.faults.retry_after_seconds, minutes=self.faults.retry_after_minutes)


def _learning_kind(segments: tuple[str, ...]) -> str:
    if segments[1] == "learningProviders" and len(segments) < 4:  # noqa: PLR2004 (one provider, or all of them)
        return "providers"
    return "contents" if any(each.startswith("learningContents") for each in segments) else "activities"


def unauthorised() -> Answer:
    """Say 401, as to a token that has expired."""
    return error(
        401,
        "InvalidAuthenticationToken",
        "Access token is empty, or has expired.",
        headers={
            "WWW-Authenticate": 'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize"'
        },
    )


def unreadable_body() -> RefusedError:
    """Refuse a body that is not JSON."""
    return bad_request("Unable to read JSON request payload.", code="BadRequest")
