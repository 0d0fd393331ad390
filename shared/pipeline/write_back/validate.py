"""Read what was sent in, record by record: what is wrong with one is told by its place, and never by its value."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NoReturn

from pydantic import ValidationError

from shared.domain.batches import Kind
from shared.domain.errors import Code, ConnectorError
from shared.domain.faults import Fault, first_fault
from shared.domain.write_back import Completion, Course, Refusal, WriteBack
from shared.pipeline.intake_formats.completions import StatementReader
from shared.pipeline.intake_formats.findings import Ignored, refused
from shared.pipeline.intake_formats.read_records import FORMS, OWN_KEYS

_AHEAD = timedelta(minutes=5)
"""How far a sender's clock may be ahead of ours."""
_MODELS: Mapping[Kind, type[Completion | Course]] = {Kind.COMPLETIONS: Completion, Kind.COURSES: Course}


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
    ignored: int = 0
    """Statements that are about something else."""


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


def check(kind: Kind, records: Sequence[object], write_back: WriteBack, now: datetime) -> Checked:
    """Sort the records of a batch into good ones and refusals."""
    good: list[tuple[int, Completion | Course]] = []
    refusals: list[Refusal] = []
    ignored = 0
    statements = StatementReader(write_back.statements)
    for place, value in enumerate(records, 1):
        found = _read(kind, place, value, statements)
        if isinstance(found, Ignored):
            ignored += 1
            continue
        refusal = found if isinstance(found, Refusal) else check_record(place, found, now)
        if refusal is not None:
            refusals.append(refusal)
        elif not isinstance(found, Refusal):
            good.append((place, found))
    return Checked(good, refusals, ignored)


def _read(
    kind: Kind, place: int, value: object, statements: StatementReader
) -> Completion | Course | Refusal | Ignored:
    """Return the record that a JSON value holds, be it a completion, a course or an xAPI statement."""
    if kind is Kind.COMPLETIONS and isinstance(value, dict) and ("actor" in value or "verb" in value):
        found = statements.read(value)
        return refused(place, found) if isinstance(found, Fault) else found
    try:
        # As JSON, and strictly: the same is accepted in files.
        return _MODELS[kind].model_validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        return refused(place, first_fault(error, OWN_KEYS, FORMS))


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


def _no_number(_: str) -> NoReturn:
    raise ValueError
