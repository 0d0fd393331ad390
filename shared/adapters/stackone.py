"""SuccessFactors behind StackOne's unified interface."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from shared.adapters import learning_answers as answers
from shared.adapters.learning_wire import LearningWire, Reply
from shared.adapters.stackone_payloads import completion_payload, content_payload
from shared.domain.course_texts import read_texts
from shared.domain.errors import Code, SettingsError, TransientError
from shared.domain.write_back import Completion, Course, Fate, Receipt, StackOne, WriteBack, completed_day
from shared.ports import Secret

PAGE_ROWS = 100

_IDENTITY_FIELD = "connector_meta_field"


class StackOneTarget:
    """The port `LearningTarget`, while a session is open."""

    def __init__(
        self,
        wire: LearningWire,
        write_back: WriteBack,
        target: StackOne,
        secrets: Sequence[Secret],
        wait: Callable[[float], None],
    ) -> None:
        self._wire = wire
        self._write_back = write_back
        self._target = target
        self._keys = [each.value for each in sorted(secrets, key=lambda each: each.created_at, reverse=True)]
        self._accepted: str | None = None
        self._wait = wait

    def send_courses(self, courses: Sequence[Course]) -> Sequence[Receipt]:
        """Make or replace courses in one request (see the port)."""
        doing = "Courses"
        texts = [read_texts(course, self._write_back) for course in courses]
        payloads = [
            content_payload(course, text)
            for course, text in zip(courses, texts, strict=True)
            if not isinstance(text, Receipt)
        ]
        if not payloads:
            return [text for text in texts if isinstance(text, Receipt)]
        reply = self._request(doing, "POST", self._target.courses_path, {"items": payloads})
        if not reply.is_success:
            answers.check_right(doing, self._wire.service, reply)
        judged = iter(_judge_courses(reply, len(payloads)))
        return [text if isinstance(text, Receipt) else next(judged) for text in texts]

    def send_completions(self, completions: Sequence[Completion]) -> Sequence[Receipt]:
        """Record one completion (see the port).

        One that lies in the future is refused here: SuccessFactors accepts it, and never records it.
        """
        if len(completions) > 1:
            raise ValueError("StackOne takes one completion in a request")
        return [self._send_completion(each) for each in completions]

    def is_recorded(self, completion: Completion) -> bool | None:
        """Look for the completion among those of its user, by course and day.

        Only a find proves something: whether StackOne shows what SuccessFactors holds of such courses is not known.
        """
        for rows in self._pages("Completions", f"{self._user_path(completion.learner)}/completions", {}):
            if rows is None:
                return None
            if any(_is_about(row, completion) for row in rows):
                return True
        return None

    def find_users(self, external_reference: str) -> Sequence[str]:
        """Return StackOne's ids of the users with this external reference; at most two are told."""
        doing = "Search for a user"
        query = {"filter[external_reference]": external_reference}
        found: list[str] = []
        for rows in self._pages(doing, self._target.users_path, query):
            if rows is None:
                raise SettingsError(f"{doing}: StackOne did not accept the search.", Code.SETTINGS_INVALID)
            # Whoever has another one was found by a search that is laxer than ours.
            same = [row for row in rows if row.get("external_reference") in (external_reference, None)]
            found += [str(row["id"]) for row in same if row.get("id")]
            if len(found) > 1:
                break
        return found[:2]

    def list_inactive(self) -> Iterator[str]:
        """Yield StackOne's ids of the users who are said not to be active, page by page."""
        for rows in self._pages("Users who are not active", self._target.users_path, {"fields": "id,active"}):
            yield from (str(row["id"]) for row in rows or () if row.get("id") and row.get("active") in (False, "false"))

    def describe_identity(self) -> str | None:
        """Return which field identifies users; `None` when StackOne does not tell."""
        reply = self._request("Field of users", "GET", self._target.meta_path)
        return _find_identity(reply.body) if reply.is_success else None

    def _send_completion(self, completion: Completion) -> Receipt:
        if completion.completed_at > self._wire.now():
            return answers.refused_future()
        path = f"{self._user_path(completion.learner)}/completions"
        reply = self._request("Completion", "POST", path, completion_payload(completion))
        return answers.judge_completion(reply, self._wire.service, path_names_learner=True)

    def _user_path(self, user_id: str) -> str:
        return f"{self._target.users_path}/{quote(user_id, safe='')}"

    def _pages(self, doing: str, path: str, query: Mapping[str, str]) -> Iterator[Sequence[Mapping[str, Any]] | None]:
        """Yield a listing page by page, and `None` when there is none to be had; waits between the pages."""
        pace = self._write_back.reads_pace
        parameters = {**query, "page_size": str(PAGE_ROWS)}
        while True:
            reply = self._request(doing, "GET", f"{path}?{urlencode(parameters, quote_via=quote)}")
            if reply.status == HTTPStatus.FORBIDDEN:
                answers.check_right(doing, self._wire.service, reply)
            rows = answers.rows_of(reply.body, "data")
            if not reply.is_success:
                yield None
                return
            if rows is None:
                raise TransientError(f"{doing}: StackOne answered without a list.", Code.LMS_UNREACHABLE)
            yield rows
            following = reply.body.get("next")
            if not isinstance(following, str) or not following:
                return
            parameters["next"] = following
            self._wait(pace.seconds / pace.requests)

    def _request(self, doing: str, method: str, target: str, body: Mapping[str, Any] | None = None) -> Reply:
        """Send with the key that was accepted last, or else with the newest that is."""
        headers = {"x-account-id": self._target.account_id}
        for key in dict.fromkeys((self._accepted, *self._keys)):
            if key is None:
                continue
            reply = self._wire.exchange(doing, method, target, headers=headers, auth=(key, ""), body=body)
            if reply.status != HTTPStatus.UNAUTHORIZED:
                self._accepted = key
                return reply
        raise SettingsError(
            f"{doing}: StackOne refused the API key for account {self._target.account_id!r} (401). Compare the secret "
            f"{self._target.secret!r} and `write_back.target.account_id` with StackOne. An account that was linked a "
            "moment ago may be refused for 15 minutes.",
            Code.INVALID_CREDENTIALS,
        )


def _judge_courses(reply: Reply, count: int) -> Sequence[Receipt]:
    """Read the errors of a batch that was taken: a list of texts for each item, in the order of the items."""
    errors = reply.body.get("errors") if isinstance(reply.body, Mapping) else None
    if reply.is_success and isinstance(errors, list) and len(errors) == count and any(errors):
        return [
            answers.refused_course(error, reply.status) if error is not None else Receipt(fate=Fate.AWAITS_IMPORT)
            for error in (answers.find_error({"errors": each}) for each in errors)
        ]
    refusal = answers.read_refusal(reply)
    if refusal is None:
        return [Receipt(fate=Fate.AWAITS_IMPORT)] * count
    refused = (
        answers.refused_course(refusal, reply.status) if count == 1 else answers.refused_together(reply.status, count)
    )
    return [refused] * count


def _is_about(row: Mapping[str, Any], completion: Completion) -> bool:
    try:
        completed_at = datetime.fromisoformat(str(row.get("completed_at")))
    except ValueError:
        return False
    return (
        completion.course_id in (row.get("learning_object_external_reference"), row.get("content_external_reference"))
        and completed_at.tzinfo is not None
        and completed_at.astimezone(UTC).date() == completed_day(completion)
    )


def _find_identity(body: object) -> str | None:
    """Find the field wherever it stands: how the answer is built is not documented."""
    if isinstance(body, Mapping):
        found = body.get(_IDENTITY_FIELD)
        if isinstance(found, str) and found:
            return found
        nested = [_find_identity(each) for each in body.values()]
    elif isinstance(body, list):
        nested = [_find_identity(each) for each in body]
    else:
        return None
    return next((each for each in nested if each is not None), None)
