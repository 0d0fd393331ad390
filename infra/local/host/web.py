"""Simple HTTP triggers: enough for a portal and its API on one machine.

Served on loopback only. Functions that are not anonymous ask for a key, in the header `x-functions-key` or as `code`,
where the setting `LOCAL_HOST_FUNCTION_KEY` says which; without it they ask for none, as with Core Tools.
A route may have `{name}`, `{name?}`, `{name:int}` and `{*rest}`; constraints other than `int` and `guid`
match any segment. The more literal route wins. Bodies come whole, with a `Content-Length`, and are no longer than the
real host takes (`FUNCTIONS_REQUEST_BODY_SIZE_LIMIT`).
"""

import asyncio
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from hmac import compare_digest
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from infra.local.host.invocations import Invocations
from infra.local.host.protos import RpcHttp, TypedData, typed
from infra.local.host.settings import HostError, Settings
from infra.local.host.worker import Function, FunctionError

log = logging.getLogger("host")

LOOPBACK = "127.0.0.1"
CONSTRAINTS = {"int": r"-?\d+", "guid": r"[0-9A-Fa-f-]{36}"}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
KEY_HEADER = "x-functions-key"
ANONYMOUS = "ANONYMOUS"
COOKIE_PARTS = (("domain", "Domain"), ("path", "Path"), ("max_age", "Max-Age"))


@dataclass(frozen=True, slots=True)
class Route:
    """Which requests a function answers."""

    function: Function
    pattern: re.Pattern[str]
    methods: frozenset[str]
    template: str

    @classmethod
    def of(cls, function: Function, prefix: str) -> "Route":
        """Read the route of a function with an HTTP trigger; without one, its name is the route."""
        template = str(function.trigger.get("route") or function.name).strip("/")
        whole = "/".join(part for part in (prefix.strip("/"), template) if part)
        pattern = "".join(_segment(part) for part in whole.split("/"))
        methods = frozenset(str(each).upper() for each in function.trigger.get("methods") or METHODS)
        return cls(function, re.compile(f"{pattern}/?"), methods, whole)

    @property
    def literalness(self) -> tuple[bool, int, int]:
        """Sort key: no catch-all before catch-all, few parameters before many, long before short."""
        return ("{*" in self.template, self.template.count("{"), -len(self.template))


def _segment(part: str) -> str:
    match = re.fullmatch(r"\{(\*?)(\w+)(?::(\w+)(?:\([^)]*\))?)?(\??)\}", part)
    if match is None:
        return "/" + re.escape(part)
    everything, name, constraint, optional = match.groups()
    if everything:
        return f"(?:/(?P<{name}>.*))?"
    value = f"/(?P<{name}>{CONSTRAINTS.get(constraint, '[^/]+')})"
    return f"(?:{value})?" if optional else value


class WebListener:
    """Serves the HTTP functions until it is told to stop."""

    def __init__(self, settings: Settings, invocations: Invocations, functions: Sequence[Function], port: int) -> None:
        self._invocations = invocations
        self._key = settings.function_key
        self._limit_bytes = settings.body_limit_bytes
        self._port = port
        self._routes = sorted(
            (Route.of(each, settings.http.route_prefix) for each in functions),
            key=lambda route: route.literalness,
        )

    async def listen(self, stop: asyncio.Event) -> None:
        """Work until `stop`."""
        loop = asyncio.get_running_loop()

        def answer(request: RpcHttp, path: str) -> RpcHttp:
            return asyncio.run_coroutine_threadsafe(self._answer(request, path), loop).result()

        try:
            server = _Server(self._port, self._limit_bytes, answer)
        except OSError as error:
            raise HostError(f"Port {self._port} cannot be opened: {error.strerror}.") from None
        loop.add_reader(server.fileno(), server.handle_request)
        port = server.server_address[1]
        for route in self._routes:
            log.info("%s: http://%s:%d/%s", route.function.name, LOOPBACK, port, route.template)
        await stop.wait()
        loop.remove_reader(server.fileno())
        await asyncio.to_thread(server.server_close)

    async def _answer(self, request: RpcHttp, path: str) -> RpcHttp:
        matching = [(route, match) for route in self._routes if (match := route.pattern.fullmatch(path))]
        if not matching:
            return RpcHttp(status_code=HTTPStatus.NOT_FOUND)
        for route, match in matching:
            if request.method in route.methods:
                if not self._may_call(route.function, request):
                    return RpcHttp(status_code=HTTPStatus.UNAUTHORIZED)
                params = {key: unquote(value) for key, value in match.groupdict().items() if value}
                return await self._run(route.function, RpcHttp(**vars(request), params=params))
        return RpcHttp(status_code=HTTPStatus.METHOD_NOT_ALLOWED)

    def _may_call(self, function: Function, request: RpcHttp) -> bool:
        if not self._key or str(function.trigger.get("authLevel") or "").upper() == ANONYMOUS:
            return True
        given = request.headers.get(KEY_HEADER) or request.query.get("code") or ""
        return compare_digest(given.encode(), self._key.encode())

    async def _run(self, function: Function, request: RpcHttp) -> RpcHttp:
        try:
            answer = await self._invocations.run(function, TypedData(http=request), {})
        except FunctionError:
            return RpcHttp(status_code=HTTPStatus.INTERNAL_SERVER_ERROR)
        returned = answer.outputs.get("$return")
        if returned is None:
            return RpcHttp(status_code=HTTPStatus.NO_CONTENT)
        return returned.http if returned.http is not None else RpcHttp(status_code=HTTPStatus.OK, body=returned)


class _Server(ThreadingHTTPServer):
    """Accepts on the event loop, reads and writes in a thread a request; `server_close` waits for those."""

    timeout = 0
    daemon_threads = False

    def __init__(self, port: int, limit_bytes: int, answer: Callable[[RpcHttp, str], RpcHttp]) -> None:
        super().__init__((LOOPBACK, port), _Handler)
        self.limit_bytes = limit_bytes
        self.answer = answer


class _Handler(BaseHTTPRequestHandler):
    """One request of a connection of its own (HTTP/1.0): an idle one would hold up a clean stop."""

    server: _Server

    def handle_any(self) -> None:
        """Read the request, have it answered, write the answer."""
        address = urlsplit(self.path)
        length = self.headers.get("Content-Length") or "0"
        if "Transfer-Encoding" in self.headers or not length.isdecimal():
            self._write(RpcHttp(status_code=HTTPStatus.LENGTH_REQUIRED))
            return
        if int(length) > self.server.limit_bytes:
            self._write(RpcHttp(status_code=HTTPStatus.CONTENT_TOO_LARGE))
            return
        body = self.rfile.read(int(length))
        request = RpcHttp(
            method=self.command,
            url=f"http://{self.headers.get('Host', LOOPBACK)}{self.path}",
            headers={name.lower(): value for name, value in self.headers.items()},
            query=dict(parse_qsl(address.query, keep_blank_values=True)),
            body=typed(body),
        )
        self._write(self.server.answer(request, address.path))

    # The names http.server looks for.
    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = handle_any  # noqa: N815 - see above

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Say nothing: the invocation has its own log lines, and an address may name a person."""

    def _write(self, answer: RpcHttp) -> None:
        content = _content(answer.body)
        self.send_response(int(answer.status_code or HTTPStatus.OK))
        headers: Mapping[str, str] = answer.headers or {}
        for name, value in headers.items():
            self.send_header(name, value)
        for cookie in answer.cookies or ():
            self.send_header("Set-Cookie", _cookie(cookie))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def _content(body: TypedData | None) -> bytes:
    if body is None or (kind := body.WhichOneof("data")) is None:
        return b""
    value = getattr(body, kind)
    return value if isinstance(value, bytes) else str(value).encode()


def _cookie(cookie: Any) -> str:  # noqa: ANN401 - a message of the worker's
    parts = [f"{cookie.name}={cookie.value}"]
    for name, written in COOKIE_PARTS:
        if (part := getattr(cookie, name)) is not None and part.value != "":
            parts.append(f"{written}={part.value:g}" if name == "max_age" else f"{written}={part.value}")
    if cookie.expires is not None:
        parts.append(f"Expires={formatdate(cookie.expires.value.seconds, usegmt=True)}")
    flags = (("Secure", cookie.secure), ("HttpOnly", cookie.http_only))
    parts += [word for word, flag in flags if flag and flag.value]
    if cookie.same_site:
        parts.append(f"SameSite={cookie.same_site}")
    return "; ".join(parts)
