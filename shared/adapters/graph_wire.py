"""How calls and answers look on the wire of Microsoft Graph: pure translation, nothing is sent here."""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from shared.ports import Answer, Call, Caller

NO_ANSWER = Answer(status=0)

_WAIT_IN_TEXT = re.compile(r"retry after (\d+(?:\.\d+)?)\s*(second|minute|hour)", re.IGNORECASE)
_SECONDS = {"second": 1, "minute": 60, "hour": 3600}
_ERROR = 400


def parse_object(content: bytes) -> dict[str, Any] | None:
    """Read a JSON object; an empty body is an empty object, anything else is `None`."""
    if not content:
        return {}
    try:
        value = json.loads(content)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def headers_of(call: Call) -> dict[str, str]:
    """Headers of one call: directory calls step back when the tenant's directory is busy."""
    headers = dict(call.headers)
    if call.body is not None:
        headers["Content-Type"] = "application/json"
    if not call.path.startswith("/employeeExperience"):
        headers.setdefault("x-ms-throttle-priority", "low")
    return headers


def encode(body: Mapping[str, Any]) -> bytes:
    """Write a JSON body."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def encode_batch(calls: Sequence[Call]) -> bytes:
    """Write a `$batch` whose items are numbered from 1."""
    requests: list[dict[str, Any]] = []
    for number, call in enumerate(calls, start=1):
        item: dict[str, Any] = {"id": str(number), "method": call.method, "url": call.path}
        headers = headers_of(call)
        if headers:
            item["headers"] = headers
        if call.body is not None:
            item["body"] = call.body
        requests.append(item)
    return encode({"requests": requests})


def read_answer(status: int, headers: Mapping[str, str], body: dict[str, Any] | None, now: datetime) -> Answer:
    """Make an answer of one response; a success that cannot be read is no answer.

    `headers` are looked up by their lower-case names.
    """
    if body is None:
        if status < _ERROR:
            return NO_ANSWER
        body = {}
    wait = None if status < _ERROR else _wait_seconds(headers.get("retry-after"), body, now)
    return Answer(status, body, wait, served_at=_time(headers.get("date")))


def read_batch(body: Mapping[str, Any], count: int, now: datetime) -> list[Answer]:
    """Sort the responses of a batch by their numbers; one that is missing was not answered."""
    answers = [NO_ANSWER] * count
    responses = body.get("responses")
    for response in responses if isinstance(responses, list) else ():
        number, status = str(response.get("id", "")), response.get("status")
        if not (number.isdecimal() and 1 <= int(number) <= count and isinstance(status, int)):
            continue
        headers = {str(name).lower(): str(value) for name, value in (response.get("headers") or {}).items()}
        content = response.get("body")
        answers[int(number) - 1] = read_answer(status, headers, content if isinstance(content, dict) else {}, now)
    return answers


def read_caller(token: str) -> Caller | None:
    """Read what a token says of its bearer, unverified; `None` when it cannot be read."""
    try:
        payload = token.split(".")[1]
        claims = parse_object(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return None
    if claims is None:
        return None
    roles = claims.get("roles")
    return Caller(
        roles=frozenset(str(each) for each in roles) if isinstance(roles, list) else frozenset(),
        scopes=frozenset(str(claims.get("scp", "")).split()),
    )


def _time(header: str | None) -> datetime | None:
    if header is not None:
        with suppress(ValueError):
            return parsedate_to_datetime(header)
    return None


def _wait_seconds(header: str | None, body: Mapping[str, Any], now: datetime) -> float | None:
    """The longer of both waits: Viva Learning writes minutes into the text of the error."""
    waits: list[float] = []
    if header is not None:
        try:
            waits.append(float(header))
        except ValueError:
            with suppress(ValueError, TypeError):  # neither a number nor an aware date
                waits.append((parsedate_to_datetime(header) - now).total_seconds())
    found = _WAIT_IN_TEXT.search(str(body.get("error", "")))
    if found:
        waits.append(float(found[1]) * _SECONDS[found[2].lower()])
    return max(0.0, *waits) if waits else None
