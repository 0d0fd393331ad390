"""The HTTP side of a simulated learning service: it reads requests, lets faults strike, and notes what came."""

import asyncio
import json
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from infra.local.certificate import Certificate
from infra.local.learning.faults import Area, Faults
from infra.local.learning.pace import Clock
from infra.local.loopback import LoopbackServer

_A_PAGE = "<!DOCTYPE html><title>Log on</title>"


@dataclass(frozen=True, slots=True)
class Call:
    """One request."""

    method: str
    path: str
    """As it was sent, with its percent signs."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def read_json(self) -> object:
        """Read the body; `None` unless it is JSON and says so."""
        if not self.headers.get("content-type", "").lower().startswith("application/json"):
            return None
        try:
            value: object = json.loads(self.body)
        except ValueError:
            return None
        return value


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, content and headers of an answer."""

    status: int
    body: Any = None
    """JSON; a text is a page for people."""
    headers: Mapping[str, str] = field(default_factory=dict)


_CUT = Answer(0)
"""No answer: the connection ends."""


class RefusedError(Exception):
    """The request ends here, with this answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Seen:
    """What came and what became of it."""

    at: datetime
    area: Area | None
    method: str
    path: str
    query: Mapping[str, str]
    body: object
    status: int
    """0 when the connection was cut."""


class Front:
    """A server on loopback, while the block lasts."""

    url: str

    def __init__(
        self,
        *,
        serve: Callable[[Call, Area | None], Answer],
        area_of: Callable[[Call], Area | None],
        clock: Clock,
        certificate: Certificate | None,
        wanted_port: int,
    ) -> None:
        self._serve = serve
        self._area_of = area_of
        self._clock = clock
        self._lock = threading.RLock()
        self._faults = Faults()
        self._canned: deque[tuple[Area, Answer]] = deque()
        self._seen: list[Seen] = []
        self._under_way = 0
        self.most_at_once = 0
        """Most requests that were under way at the same time."""
        self._server = LoopbackServer(self._app, certificate, wanted_port=wanted_port)
        self.url = self._server.url
        self.port = self._server.port

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.__exit__(kind, error, traceback)

    @property
    def faults(self) -> Faults:
        """What is left of the faults."""
        with self._lock:
            return self._faults.model_copy()

    def inject(self, faults: Faults) -> None:
        """Let these faults strike from now on, and no others."""
        with self._lock:
            self._faults = faults.model_copy()

    def answer_next(self, area: Area, *answers: Answer) -> None:
        """Give these answers to the next requests of an area, which are not carried out."""
        with self._lock:
            self._canned.extend((area, answer) for answer in answers)

    def take_fault(self, name: str, area: Area) -> bool:
        """Tell whether a fault strikes that only the service can act on."""
        return self._faults.take(name, area)

    def seen(self, area: Area | None = None) -> Sequence[Seen]:
        """Return what came, in that order; of one area, or all of it."""
        with self._lock:
            return [each for each in self._seen if area is None or each.area == area]

    def forget(self) -> None:
        """Begin to note anew."""
        with self._lock:
            self._seen.clear()
            self.most_at_once = 0

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._under_way += 1
        self.most_at_once = max(self.most_at_once, self._under_way)
        try:
            request = Request(scope, receive)
            call = Call(
                request.method,
                scope["raw_path"].decode("latin-1"),
                dict(request.query_params),
                dict(request.headers),
                await request.body(),
            )
            area = self._area_of(call)
            with self._lock:
                slow = area is not None and self._faults.take("slow", area)
                wait = self._faults.slow_seconds
                answer = self._respond(call, area)
                self._note(call, area, answer)
            if slow:
                await asyncio.sleep(wait)
            if answer is _CUT:
                self._server.hang_up()
                while (await receive())["type"] != "http.disconnect":
                    pass
                return
            await _response(answer)(scope, receive, send)
        finally:
            self._under_way -= 1

    def _respond(self, call: Call, area: Area | None) -> Answer:
        """Answer the call, unless a fault strikes before; or after, when it has been carried out."""
        if area is None:
            return self._answer(call, area)
        if self._canned and self._canned[0][0] == area:
            return self._canned.popleft()[1]
        struck = self._strike(
            area,
            {
                "cut": _CUT,
                "throttle": Answer(429, {"error": {"message": "API calling limit exceeded, Try later", "code": None}}),
                "fail": Answer(self._faults.fail_status),
                "reject_tokens": Answer(401, {"error": {"message": "Unauthorized", "code": None}}),
            },
        )
        if struck is not None:
            return struck
        answer = self._answer(call, area)
        struck = self._strike(
            area,
            {
                "cut_after_applying": _CUT,
                "fail_after_applying": Answer(self._faults.fail_status),
                "unreadable": Answer(200, _A_PAGE),
            },
        )
        return answer if struck is None else struck

    def _strike(self, area: Area, faults: Mapping[str, Answer]) -> Answer | None:
        """Return the answer of the first of these faults that strikes, with the pause that it asks for."""
        for name, answer in faults.items():
            if self._faults.take(name, area):
                later = self._faults.retry_after if answer.status >= 429 else None  # noqa: PLR2004 - pauses are for those
                return answer if later is None else Answer(answer.status, answer.body, {"Retry-After": later})
        return None

    def _answer(self, call: Call, area: Area | None) -> Answer:
        try:
            return self._serve(call, area)
        except RefusedError as refused:
            return refused.answer

    def _note(self, call: Call, area: Area | None, answer: Answer) -> None:
        body = call.read_json()
        self._seen.append(Seen(self._clock(), area, call.method, call.path, call.query, body, answer.status))


def _response(answer: Answer) -> Response:
    if answer.body is None:
        return Response(status_code=answer.status, headers=dict(answer.headers))
    if isinstance(answer.body, str):
        return HTMLResponse(answer.body, answer.status)
    return Response(json.dumps(answer.body), answer.status, dict(answer.headers), "application/json")
