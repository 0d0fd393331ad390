"""What an LMS says about single records, and what follows from it: pure reading.

How SuccessFactors reports that one record of several has failed is not public, only that a success of the whole
request does not mean success of each. So every usual way to say it is understood. Texts about completions are never
passed on, for they may name the person.
"""

import re
from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Any

from shared.adapters.learning_wire import Reply
from shared.domain.errors import Code, SettingsError
from shared.domain.write_back import Fate, Receipt

INACTIVE_TEXT = "user account is inactive"

_UNKNOWN_PERSON = re.compile(
    r"\b(user|student|learner|employee).{0,60}?(not (be )?(found|exist|known)|unknown|invalid|no such)|"
    r"\b(unknown|invalid|no such)\b.{0,20}\b(user|student|learner|employee)",
    re.IGNORECASE | re.DOTALL,
)
_ERROR_FIELDS = ("errorMessage", "error", "errors", "errorMessages", "provider_errors")
_OUTCOME_FIELDS = ("success", "status", "operationStatus")
_FAILURE_WORDS = frozenset({"error", "fail", "failed", "failure", "false"})
_NO_WORDS = "no reason given"
_DEEPEST = 8
_LONGEST_REASON = 200


def find_error(record: object, *, depth: int = 0) -> str | None:
    """Return what a record, or a whole body, says of its failure; `None` when it does not speak of any.

    Whatever it holds is looked through as well: an answer may come in an envelope. The outcome of what is inside is
    the outcome of a course or of somebody's learning, but its errors are ours.
    """
    if depth > _DEEPEST:
        return None
    if isinstance(record, list):
        return next(filter(None, (find_error(each, depth=depth + 1) for each in record)), None)
    if not isinstance(record, Mapping):
        return None
    for field in _ERROR_FIELDS:
        text = _text(record.get(field))
        if text:
            return text
    for field in _OUTCOME_FIELDS if depth == 0 else ("operationStatus",):
        if str(record.get(field, "")).lower() in _FAILURE_WORDS:
            return _text(record.get("message")) or _NO_WORDS
    return find_error([value for value in record.values() if isinstance(value, Mapping | list)], depth=depth + 1)


def read_refusal(reply: Reply, *, without: Collection[str] = ()) -> str | None:
    """Return the words of a refusal, empty when there are none; `None` for a success that speaks of no failure.

    `without` are the parts of the answer that are about single records, and judged with them.
    """
    body = reply.body
    if isinstance(body, Mapping):
        body = {name: value for name, value in body.items() if name not in without}
    error = find_error(body)
    if error is None and reply.is_success:
        return None
    said = _text(body.get("message")) if isinstance(body, Mapping) else ""
    return " ".join(filter(None, (said, error)))


def judge_completion(reply: Reply, service: str, *, path_names_learner: bool = False) -> Receipt:
    """Say what became of one completion that was sent.

    Where the path names the learner, there is nothing at it (404) when the LMS does not know the person.

    Raises:
        SettingsError: a right or a path is missing.
    """
    refusal = read_refusal(reply)
    if refusal is None:
        return Receipt(fate=Fate.DONE)
    about_person = judge_person(refusal)
    if about_person is not None:
        return about_person
    if path_names_learner and reply.status == HTTPStatus.NOT_FOUND and isinstance(reply.body, Mapping):
        return unknown_learner()
    if not reply.is_success:
        check_right("Completion", service, reply)
    return refused_completion(reply.status)


def judge_person(text: str) -> Receipt | None:
    """Tell whether a refusal is about the person: not active, or not known."""
    if INACTIVE_TEXT in text.lower():
        return Receipt(
            fate=Fate.PARKED, code=Code.LEARNER_INACTIVE, reason="The LMS says that the user's account is inactive."
        )
    if _UNKNOWN_PERSON.search(text):
        return unknown_learner()
    return None


def unknown_learner() -> Receipt:
    """Make the receipt of a completion about somebody whom the LMS does not know."""
    return Receipt(fate=Fate.PARKED, code=Code.LEARNER_UNKNOWN, reason="The LMS does not know the learner.")


def refused_completion(status: int) -> Receipt:
    """Make the receipt of a completion that will not be taken as it is; the LMS's words may name the person."""
    return Receipt(
        fate=Fate.REJECTED, code=Code.RECORD_REFUSED, reason=f"The LMS refused the completion (status {status})."
    )


def refused_future() -> Receipt:
    """Make the receipt of a completion that lies in the future: the LMS would say yes, and never record it."""
    return Receipt(
        fate=Fate.REJECTED,
        code=Code.FIELD_INVALID,
        reason="completed_at: it lies in the future, and SuccessFactors records no such completion.",
    )


def refused_course(text: str, status: int) -> Receipt:
    """Make the receipt of a course that will not be taken as it is, with the LMS's words if they are about nobody."""
    words = " ".join(text.split())[:_LONGEST_REASON]
    said = f": {words}" if words and "@" not in words else ""
    return Receipt(
        fate=Fate.REJECTED, code=Code.RECORD_REFUSED, reason=f"The LMS refused the course (status {status}){said}."
    )


def refused_together(status: int, count: int) -> Receipt:
    """Make the receipt of each course of a request that was refused as a whole, without a word on which is at fault."""
    return Receipt(
        fate=Fate.PARKED,
        code=Code.RECORD_REFUSED,
        reason=f"The LMS refused a request with {count} courses as a whole (status {status}); send fewer at a time "
        "(`write_back.courses_per_request`) to find the one at fault.",
    )


def check_right(doing: str, service: str, reply: Reply) -> None:
    """Raise what a person has to mend: a missing right, or a path that is not there.

    Raises:
        SettingsError: `ACCESS_DENIED` or `SETTINGS_INVALID`.
    """
    if reply.status == 403:  # noqa: PLR2004 - the numbers of HTTP say more than their names here
        raise SettingsError(
            f"{doing}: {service} refused it (403). Give the administrator named in the connection the rights for the "
            "Open Content Network, users and learning history.",
            Code.ACCESS_DENIED,
        )
    if reply.status in {404, 405, 412, 501}:
        raise SettingsError(
            f"{doing}: {service} has nothing at that path (status {reply.status}). Compare the paths and ids of "
            "`write_back.target` with what the service offers.",
            Code.SETTINGS_INVALID,
        )


def _text(value: object) -> str:
    """All words of an error, whatever its shape; empty when there is none."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, Mapping):
        words = [_text(value.get(field)) for field in ("code", "message", "details", "raw", "value")]
        return " ".join(filter(None, words)) or (_NO_WORDS if value else "")
    if isinstance(value, list):
        return " ".join(filter(None, map(_text, value)))
    return _NO_WORDS if value else ""


def rows_of(body: Any, *names: str) -> list[Mapping[str, Any]] | None:  # noqa: ANN401 - whatever JSON holds
    """Return the list of records in an answer, under the first of the names that is there; `None` without one."""
    if not isinstance(body, Mapping):
        return None
    for name in names:
        found = body.get(name)
        if isinstance(found, list):
            return [row for row in found if isinstance(row, Mapping)]
    return None
