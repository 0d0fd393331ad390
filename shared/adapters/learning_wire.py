"""HTTP to an LMS, or to a service in front of it: what is the same for every kind of them.

An answer is a status and JSON. What is none (no connection, no JSON, a server in trouble, a request for a pause) is
translated here, once. Nothing of a request or an answer stands in an error or a log: both are about people.
"""

import logging
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from http import HTTPStatus
from time import monotonic
from types import TracebackType
from typing import Any, Self

import httpx

from shared.domain.errors import Code, SettingsError, TransientError

log = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
TIMEOUT_SECONDS = 60.0
THROTTLED_TEXT = "api calling limit exceeded"
"""What SuccessFactors writes when it has been asked too often."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that can be judged: a success, or a refusal that will not pass by itself."""

    status: int
    body: Any
    """What was JSON; `None` for an empty body, and for a refusal without JSON."""

    @property
    def is_success(self) -> bool:
        """Whether the status says so; what is inside may say otherwise."""
        return 200 <= self.status < 300  # noqa: PLR2004 - not every status has a name


@cache
def read_authorities() -> ssl.SSLContext:
    """Read what this machine trusts, once: it takes longer than a request."""
    return httpx.create_ssl_context()


class LearningWire:
    """One client of one service, kept alive while the block lasts."""

    def __init__(
        self,
        service: str,
        base_url: str,
        now: datetime,
        *,
        throttled_seconds: float,
        timeout_seconds: float,
        trusted: Callable[[], ssl.SSLContext],
    ) -> None:
        # httpx writes the URL of every request at level INFO, and with it the ids of people.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        logging.getLogger("httpcore").setLevel(logging.WARNING)
        self.service = service
        """The name of the service, in messages."""
        self._base_url = base_url.rstrip("/")
        self._began, self._began_at = monotonic(), now
        self._throttled_seconds = throttled_seconds
        self._client = httpx.Client(
            timeout=httpx.Timeout(timeout_seconds, connect=min(CONNECT_SECONDS, timeout_seconds)),
            headers={"Accept": "application/json"},
            follow_redirects=False,
            verify=trusted(),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._client.close()

    def now(self) -> datetime:
        """Return the time by the clock of whoever opened the session."""
        return self._began_at + timedelta(seconds=monotonic() - self._began)

    def exchange(
        self,
        doing: str,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Reply:
        """Send one request; `target` is path and query, `doing` stands in messages and is about nobody.

        Raises:
            TransientError: no answer, or one that is none, or a request for a pause.
            SettingsError: another address was named; it is not followed, for the login would go there.
        """
        try:
            response = self._client.request(
                method, self._base_url + target, headers=headers, auth=auth, json=body if body is not None else None
            )
        except httpx.InvalidURL:
            raise SettingsError(
                f"{doing}: the address of {self.service} is none. Correct `write_back.target`.", Code.SETTINGS_INVALID
            ) from None
        except httpx.HTTPError as error:
            # Its class only: its text may hold the URL.
            kind = type(error).__name__
            log.warning("lms.no_answer doing=%r kind=%s", doing, kind)
            raise TransientError(f"{doing}: {self.service} gave no answer ({kind}).", Code.LMS_UNREACHABLE) from None
        return self._read(doing, response)

    def _read(self, doing: str, response: httpx.Response) -> Reply:
        status = response.status_code
        if not response.is_success:
            log.warning("lms.refused doing=%r status=%d", doing, status)
        if status == HTTPStatus.TOO_MANY_REQUESTS or (response.is_error and THROTTLED_TEXT in response.text.lower()):
            wait = _pause_seconds(response.headers.get("retry-after"), self.now())
            pause = self._throttled_seconds if wait is None else wait
            raise TransientError(
                f"{doing}: {self.service} asked for a pause of {pause:.0f} seconds.",
                Code.LMS_REQUESTS_LIMIT,
                not_before=self.now() + timedelta(seconds=pause),
            )
        if status == HTTPStatus.REQUEST_TIMEOUT or (response.is_server_error and status != HTTPStatus.NOT_IMPLEMENTED):
            wait = _pause_seconds(response.headers.get("retry-after"), self.now())
            raise TransientError(
                f"{doing}: {self.service} is in trouble (status {status}).",
                Code.LMS_UNREACHABLE,
                not_before=None if wait is None else self.now() + timedelta(seconds=wait),
            )
        if response.is_redirect:
            raise SettingsError(
                f"{doing}: {self.service} is at another address (status {status}), which is not followed. Correct "
                "`write_back.target.base_url`.",
                Code.SETTINGS_INVALID,
            )
        try:
            return Reply(status, response.json() if response.content else None)
        except ValueError:
            if response.is_error:
                return Reply(status, None)
        raise TransientError(f"{doing}: {self.service} answered something that is no JSON.", Code.LMS_UNREACHABLE)


def _pause_seconds(header: str | None, now: datetime) -> float | None:
    """The wait that an answer asks for, in seconds or until a date; `None` when it names none."""
    if header is None:
        return None
    with suppress(ValueError):
        return max(0.0, float(header))
    with suppress(ValueError, TypeError):  # neither a number nor an aware date
        return max(0.0, (parsedate_to_datetime(header) - now).total_seconds())
    return None
