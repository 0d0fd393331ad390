"""How StackOne answers."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from infra.local.learning.web import Answer, RefusedError


def said(status: int, message: str, **more: Any) -> Answer:  # noqa: ANN401 - JSON
    """Make an answer with the fields that all answers to writes, and all errors, have."""
    timestamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Answer(status, {"statusCode": status, "message": message, "timestamp": timestamp, **more})


def refuse(status: int, message: str) -> RefusedError:
    """Make the exception that ends a request with an error."""
    return RefusedError(said(status, message, error=HTTPStatus(status).phrase))
