"""What Graph answers, and how it says no."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

TOO_MANY_REQUESTS = 429


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, JSON body and headers of one answer, alone or inside a batch."""

    status: int
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class RefusedError(Exception):
    """The request ends here, with this answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def error(
    status: int,
    code: str,
    message: str,
    *,
    details: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Shape an error as Graph does."""
    request_id = str(uuid4())
    inner = {
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        "request-id": request_id,
        "client-request-id": request_id,
    }
    body: dict[str, Any] = {"code": code, "message": message, "innerError": inner}
    if details:
        body["details"] = [{"code": code, "message": each} for each in details]
    return Answer(status, {"error": body}, headers or {})


def refuse(
    status: int,
    code: str,
    message: str,
    *,
    details: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
) -> RefusedError:
    """Make the exception that ends a request with an error."""
    return RefusedError(error(status, code, message, details=details, headers=headers))


def bad_request(message: str, *, code: str = "badRequest") -> RefusedError:
    """Refuse with 400."""
    return refuse(400, code, message)


def wrong_fields(messages: Sequence[str]) -> RefusedError:
    """Refuse with 400, naming every wrong field in the message and in the details."""
    return refuse(400, "badRequest", ". ".join(messages), details=messages)


def method_not_allowed() -> RefusedError:
    """Refuse with 405."""
    return refuse(
        405,
        "methodNotAllowed",
        "This method isn't supported for this entity type. See the Microsoft Graph documentation for the"
        " methods applicable to this entity.",
    )


def later(status: int, *, seconds: int | None, minutes: int | None) -> Answer:
    """Say 429, 503 or another failure that passes.

    Graph's employee learning API gives the wait in minutes, in the text, and no header; the rest of Graph
    gives it in seconds, in the header.
    """
    code = {TOO_MANY_REQUESTS: "tooManyRequests", 503: "serviceUnavailable"}.get(status, "internalServerError")
    text = "Please retry again later." if minutes is None else f"Retry after {minutes} minutes"
    return error(status, code, text, headers={} if seconds is None else {"Retry-After": str(seconds)})
