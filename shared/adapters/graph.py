"""Microsoft Graph over httpx: one client, kept alive; answers are returned, never judged."""

import logging
import re
import ssl
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cache
from http import HTTPStatus
from typing import Protocol
from uuid import uuid4

import httpx

from shared.adapters import graph_wire as wire
from shared.domain.errors import Code, SettingsError, TransientError
from shared.ports import Answer, Call

log = logging.getLogger(__name__)

BATCH_LIMIT = 20
CONNECT_SECONDS = 5.0
THROTTLE_FLOOR_SECONDS = 10.0
PAGE_TRIES = 3

_BATCH_REFUSED = frozenset({400, 404, 405, 413})
_UNAVAILABLE = frozenset({0, 408, 429, 500, 502, 503, 504})
_LINK_EXPIRED = re.compile(r"resyncRequired|syncState(NotFound|Invalid)|ExpiredPageToken", re.IGNORECASE)


class Tokens(Protocol):
    """Gives bearer tokens, from a cache where it can."""

    def get_token(self, scope: str, *, fresh: bool = False) -> str:
        """Return a token for the scope; `fresh` skips the cache.

        Raises:
            TransientError: no token could be had (`GRAPH_UNAVAILABLE`).
        """
        ...


@cache
def _authorities() -> ssl.SSLContext:
    """Read what this machine trusts, once: it takes longer than a request."""
    return httpx.create_ssl_context()


class HttpxGraph:
    """The port `Graph`; `url` is the root without the version, `http://` only for the local tenant."""

    def __init__(
        self,
        url: str,
        tokens: Tokens,
        *,
        timeout_seconds: float,
        scope: str,
        clock: Callable[[], datetime],
    ) -> None:
        # httpx writes the URL of every request at level INFO, and with it ids of activities.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        logging.getLogger("httpcore").setLevel(logging.WARNING)
        self._root = httpx.URL(url)
        self._base = f"{url.rstrip('/')}/v1.0"
        self._tokens = tokens
        self._scope = scope
        self._clock = clock
        self._client = httpx.Client(
            timeout=httpx.Timeout(timeout_seconds, connect=min(CONNECT_SECONDS, timeout_seconds)),
            headers={"Accept": "application/json", "Accept-Encoding": "gzip"},
            verify=_authorities(),
        )

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def send(self, calls: Sequence[Call], *, batch: bool) -> Sequence[Answer]:
        """Send the calls and return their answers in the same order (see the port)."""
        if batch and len(calls) > BATCH_LIMIT:
            raise ValueError(f"a batch holds at most {BATCH_LIMIT} calls, not {len(calls)}")
        answers = self._send(calls, batch=batch, fresh=False)
        refused = [i for i, answer in enumerate(answers) if answer.status == HTTPStatus.UNAUTHORIZED]
        if refused:
            again = self._send([calls[i] for i in refused], batch=batch, fresh=True)
            for i, answer in zip(refused, again, strict=True):
                answers[i] = answer
        return answers

    def pages(self, url: str) -> Iterator[tuple[bytes, str | None]]:
        """Yield the pages of a listing (see the port).

        The message of the `LookupError` is empty when Graph did not say where to start again. A link to
        another host is never followed: it would carry the token there (`SETTINGS_INVALID`).
        """
        link: str | None = url
        while link is not None:
            content, link, delta = self._page(self._absolute(link))
            yield content, delta

    def _send(self, calls: Sequence[Call], *, batch: bool, fresh: bool) -> list[Answer]:
        if batch and len(calls) > 1:
            return self._send_batch(calls, fresh=fresh)
        token = self._tokens.get_token(self._scope, fresh=fresh)
        return [self._send_one(call, token) for call in calls]

    def _send_one(self, call: Call, token: str) -> Answer:
        content = None if call.body is None else wire.encode(call.body)
        response = self._exchange(call.method, self._base + call.path, token, wire.headers_of(call), content)
        return wire.NO_ANSWER if response is None else self._read(response)

    def _send_batch(self, calls: Sequence[Call], *, fresh: bool) -> list[Answer]:
        token = self._tokens.get_token(self._scope, fresh=fresh)
        response = self._exchange(
            "POST",
            f"{self._base}/$batch",
            token,
            {"Content-Type": "application/json"},
            wire.encode_batch(calls),
        )
        if response is None:
            return [wire.NO_ANSWER] * len(calls)
        if response.status_code in _BATCH_REFUSED:
            # None of the items was looked at, so each may still be sent alone.
            log.warning("graph.batch_refused status=%d", response.status_code)
            return [self._send_one(call, token) for call in calls]
        answer = self._read(response)
        if answer.status != HTTPStatus.OK:
            return [answer] * len(calls)
        return wire.read_batch(answer.body, len(calls), self._clock())

    def _read(self, response: httpx.Response) -> Answer:
        body = wire.parse_object(response.content)
        return wire.read_answer(response.status_code, response.headers, body, self._clock())

    def _exchange(
        self, method: str, url: str, token: str, headers: dict[str, str], content: bytes | None = None
    ) -> httpx.Response | None:
        """Send one HTTP request; `None` when there was no complete answer."""
        request_id = str(uuid4())
        sent = {**headers, "Authorization": f"Bearer {token}", "client-request-id": request_id}
        try:
            response = self._client.request(method, url, headers=sent, content=content)
        except httpx.HTTPError as error:
            # Its class only: its text holds the URL.
            log.warning("graph.no_answer client_request_id=%s kind=%s", request_id, type(error).__name__)
            return None
        if response.is_error:
            log.warning(
                "graph.refused status=%d client_request_id=%s request_id=%s",
                response.status_code,
                request_id,
                response.headers.get("request-id", ""),
            )
        return response

    def _page(self, url: str) -> tuple[bytes, str | None, str | None]:
        """Content, next link and delta link of one page."""
        for _ in range(PAGE_TRIES):
            response, answer = self._get(url)
            if response is not None and answer.status == HTTPStatus.OK:
                if not isinstance(answer.body.get("value"), list):
                    # Taken for a page it would say that nobody is there.
                    continue
                next_link, delta = answer.body.get("@odata.nextLink"), answer.body.get("@odata.deltaLink")
                return response.content, next_link, delta
            if answer.status not in _UNAVAILABLE:
                raise self._refusal(response, answer)
            wait = answer.retry_after_seconds
            if wait is None and answer.status == HTTPStatus.TOO_MANY_REQUESTS:
                wait = THROTTLE_FLOOR_SECONDS
            if wait:
                raise TransientError(
                    f"Graph asked for a pause of {wait:.0f} seconds (status {answer.status}).",
                    Code.GRAPH_UNAVAILABLE,
                    not_before=self._clock() + timedelta(seconds=wait),
                )
        raise TransientError("Graph could not be read; it may be busy or out of reach.", Code.GRAPH_UNAVAILABLE)

    def _get(self, url: str) -> tuple[httpx.Response | None, Answer]:
        """Get one page, with a fresh token when the first one is refused."""
        headers = {"x-ms-throttle-priority": "low"}
        response = self._exchange("GET", url, self._tokens.get_token(self._scope), headers)
        if response is not None and response.status_code == HTTPStatus.UNAUTHORIZED:
            response = self._exchange("GET", url, self._tokens.get_token(self._scope, fresh=True), headers)
        return response, wire.NO_ANSWER if response is None else self._read(response)

    def _refusal(self, response: httpx.Response | None, answer: Answer) -> LookupError | SettingsError:
        if answer.status == HTTPStatus.GONE or _LINK_EXPIRED.search(str(answer.body.get("error", ""))):
            return LookupError("" if response is None else response.headers.get("location", ""))
        if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            return SettingsError(
                f"Graph refused to list users (status {answer.status}): grant the app role User.Read.All to "
                "the app's managed identity. A role granted a moment ago may take a day to reach its tokens.",
                Code.GRAPH_PERMISSION_MISSING,
            )
        return SettingsError(f"Graph did not accept the listing (status {answer.status}).", Code.SETTINGS_INVALID)

    def _absolute(self, url: str) -> str:
        if url.startswith("/v1.0/"):
            return self._base.removesuffix("/v1.0") + url
        if url.startswith("/"):
            return self._base + url
        link = httpx.URL(url)
        if (link.scheme, link.host, link.port) != (self._root.scheme, self._root.host, self._root.port):
            raise SettingsError(
                "Graph's listing goes on at another host; it is not followed, for the token would go there.",
                Code.SETTINGS_INVALID,
            )
        return url
