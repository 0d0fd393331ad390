"""The simulator behind a loopback port."""

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from email.utils import formatdate
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from infra.local.graph.answers import Answer, RefusedError, error
from infra.local.graph.caller import read_caller
from infra.local.graph.calls import NoBody, read_target
from infra.local.graph.faults import Faults
from infra.local.graph.schema import parse_json
from infra.local.graph.service import Counters, Service, unauthorised, unreadable_body
from infra.local.graph.state import Payload, State
from infra.local.loopback import LoopbackServer

PROVIDER_ID = "6d1f7a52-93c4-4e0e-8b67-2f5a0c9d4e13"
"""The learning provider's registration in this tenant."""
_VERSION = "/v1.0"
_CONTROL = "/_simulator/"


class GraphSimulator:
    """Microsoft Graph of one tenant on this machine, over plain HTTP, while the block lasts.

    What the tenant holds is kept in the folder and found again the next time, on the same port if it is free:
    links that Graph gave stay good. Counters and faults begin anew.

    Another process reads with `GET /_simulator/counters` and `GET /_simulator/faults`, and injects with
    `PUT /_simulator/faults` and the fields of `Faults` as JSON.
    """

    def __init__(self, state: Path, *, provider_id: str = PROVIDER_ID) -> None:
        self.provider_id = provider_id
        self._folder = state
        self.url = ""

    def __enter__(self) -> Self:
        self._state = State(self._folder)
        self._lock = threading.RLock()
        self._service = Service(self._state, self.provider_id)
        self._server = LoopbackServer(self._app, wanted_port=self._state.number("port"))
        self._state.set_number("port", self._server.port)
        self.url = self._server.url
        self._server.__enter__()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.__exit__(exc_type, exc, traceback)
        self._state.close()

    def load_directory(self, csv: Path) -> None:
        """Make the users of the file the whole directory; what differs from before is told by the delta.

        Columns `id,employeeId,accountEnabled,userType,licensed`, with a header; booleans are `true` and
        `false`, without `licensed` everybody is. There may be `userPrincipalName`, `mail`, and
        `extensionAttribute1` to `15` as well.

        Raises:
            ValueError: the file has other columns, an unreadable row, or an id twice; nothing was changed.
        """
        with self._lock:
            self._service.directory.load(csv)

    def expire_delta_tokens(self) -> None:
        """Answer every delta link and page link given so far with 410."""
        with self._lock:
            self._service.delta.expire()

    @property
    def faults(self) -> Faults:
        """What is left of the faults."""
        with self._lock:
            return self._service.faults.model_copy(deep=True)

    def inject(self, faults: Faults) -> None:
        """Let these faults strike from now on, and no others; `Faults()` ends them all."""
        with self._lock:
            self._service.faults = faults.model_copy(deep=True)

    def counters(self) -> Counters:
        """Give what was counted since the start or the last reset."""
        with self._lock:
            return self._service.counters()

    def reset_counters(self) -> None:
        """Begin to count anew."""
        with self._lock:
            self._service.reset_counters()

    def duplicate_activities(self) -> int:
        """Count the activities ever created with an external id that was there already."""
        return self._state.number("duplicates")

    def payloads(self) -> Iterator[Payload]:
        """Yield every learning object that was ever sent, taken or refused, in that order."""
        return self._state.payloads()

    def export_viva(self, path: Path) -> None:
        """Write what Viva Learning holds, one JSON object a line: contents, then activities, by external id.

        Properties are as stored, with `_type` and, for activities, `_contentExternalId` before them.
        """
        self._state.export_viva(path)

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        target = scope["raw_path"].decode("latin-1")
        if self._service.faults.offline and not target.startswith(_CONTROL):
            self._server.hang_up()
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        if scope["query_string"]:
            target += "?" + scope["query_string"].decode("latin-1")
        body = await request.body()
        with self._lock:
            answer = self._respond(request, target, body)
        await _response(answer, request.headers)(scope, receive, send)

    def _respond(self, request: Request, target: str, body: bytes) -> Answer:
        if target.startswith(_CONTROL):
            return self._control(request.method, target.removeprefix(_CONTROL), body)
        self._service.count_request()
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip() or self._service.faults.take("reject_tokens"):
            return unauthorised()
        version, slash, path = target.removeprefix("/").partition("/")
        if f"/{version}" != _VERSION or not slash:
            return error(400, "BadRequest", "Invalid version.")
        try:
            value: object = NoBody
            if body:
                if not request.headers.get("content-type", "").lower().startswith("application/json"):
                    return error(415, "UnsupportedMediaType", "The content type must be application/json.")
                value = _read_json(body)
            call = replace(read_target(request.method, path, value), caller=read_caller(token))
        except RefusedError as refused:
            return refused.answer
        return self._service.answer(call, self.url + _VERSION)

    def _control(self, method: str, name: str, body: bytes) -> Answer:
        match method, name:
            case "GET", "counters":
                return Answer(200, asdict(self._service.counters()))
            case "GET", "faults":
                return Answer(200, self._service.faults.model_dump())
            case "PUT", "faults":
                try:
                    self._service.faults = Faults.model_validate_json(body)
                except ValidationError as wrong:
                    return error(400, "BadRequest", str(wrong))
                return Answer(204)
        return error(404, "notFound", "The simulator has no such control.")


def _read_json(body: bytes) -> object:
    try:
        value: object = parse_json(body)
    except ValueError:
        raise unreadable_body() from None
    return value


def _response(answer: Answer, asked: Mapping[str, str]) -> Response:
    headers = {"Date": formatdate(usegmt=True), **answer.headers}
    if "client-request-id" in asked:
        headers["client-request-id"] = asked["client-request-id"]
    if answer.body is None:
        return Response(status_code=answer.status, headers=headers)
    return Response(json.dumps(answer.body), answer.status, headers, "application/json")
