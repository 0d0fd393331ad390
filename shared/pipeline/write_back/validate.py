"""Read what was sent in, record by record: what is wrong with one is told by its place, and never by its value."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NoReturn

from pydantic import ValidationError

from shared.domain.batches import Kind
from shared.domain.errors import Code, ConnectorError
from shared.domain.write_back import Completion, Course, Refusal

_AHEAD = timedelta(minutes=5)
"""How far a sender's clock may be ahead of ours."""
_MODELS: dict[Kind, Callable[[object], Completion | Course]] = {
    Kind.COMPLETIONS: Completion.model_validate,
    Kind.COURSES: Course.model_validate,
}
_REQUIRED = {"missing", "string_too_short", "too_short"}
_UNKNOWN = {"extra_forbidden", "invalid_key"}
_NAMES = {*Completion.model_fields, *Course.model_fields, "start", "end", "active", "duration"}


class BatchError(ConnectorError):
    """A batch is refused as a whole; `status` says so in HTTP's words."""

    def __init__(self, message: str, status: int = 400, code: Code = Code.BATCH_INVALID) -> None:
        super().__init__(message, code)
        self.status = status


@dataclass(frozen=True, slots=True)
class Checked:
    """The records of a batch with their places, from 1, and what was refused of it."""

    records: Sequence[tuple[int, Completion | Course]]
    refusals: Sequence[Refusal]


def read_body(body: bytes) -> dict[str, Any]:
    """Return the JSON object that a batch is.

    Raises:
        BatchError: it is none; the message says where, and quotes nothing.
    """
    try:
        value = json.loads(body, parse_constant=_no_number)
    except UnicodeDecodeError:
        raise BatchError("The batch is no JSON: it is not in UTF-8.") from None
    except json.JSONDecodeError as error:
        raise BatchError(f"The batch is no JSON: line {error.lineno}, column {error.colno}.") from None
    except (ValueError, RecursionError):
        raise BatchError("The batch is no JSON: it holds a number that is none, or is nested too deeply.") from None
    if isinstance(value, list):
        value = {"records": value}
    if not isinstance(value, dict) or not isinstance(value.get("records"), list):
        raise BatchError('The batch must be a JSON object with a list of `records`, or such a list: `{"records": []}`.')
    return value


def check(kind: Kind, records: Sequence[object], now: datetime) -> Checked:
    """Sort the records of a batch into good ones and refusals."""
    good: list[tuple[int, Completion | Course]] = []
    refusals: list[Refusal] = []
    for place, value in enumerate(records, 1):
        record = read_record(kind, place, value)
        refusal = record if isinstance(record, Refusal) else check_record(place, record, now)
        if refusal is not None:
            refusals.append(refusal)
        elif not isinstance(record, Refusal):
            good.append((place, record))
    return Checked(good, refusals)


def read_record(kind: Kind, place: int, value: object) -> Completion | Course | Refusal:
    """Return the record that a JSON value holds, or what is wrong with it."""
    try:
        return _MODELS[kind](value)
    except ValidationError as error:
        return _refusal(place, error)


def check_record(place: int, record: Completion | Course, now: datetime) -> Refusal | None:
    """Return what is wrong with a record that is well-formed, if anything is."""
    if isinstance(record, Completion) and record.completed_at > now + _AHEAD:
        return Refusal(
            line=place,
            path="completed_at",
            code=Code.FIELD_INVALID,
            message="It lies in the future; the LMS would not record it.",
        )
    return None


def _refusal(place: int, error: ValidationError) -> Refusal:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    path = ".".join(_told(part) for part in first["loc"])
    # Neither the name of an unknown field is told: it is the sender's, and may be anything.
    message = "There is no such field." if first["type"] in _UNKNOWN else f"{first['msg']}."
    code = Code.FIELD_REQUIRED if first["type"] in _REQUIRED else Code.FIELD_INVALID
    return Refusal(line=place, path=path, code=code if path else Code.RECORD_MALFORMED, message=message)


def _told(part: str | int) -> str:
    return str(part) if isinstance(part, int) or part in _NAMES else "*"


def _no_number(_: str) -> NoReturn:
    raise ValueError
