"""The learning interface of SuccessFactors: courses for its Open Content Network, and completions of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from shared.adapters import learning_answers as answers
from shared.adapters.learning_wire import Reply
from shared.adapters.successfactors_login import SuccessFactorsLogin
from shared.adapters.successfactors_payloads import completion_payload, course_payload, from_epoch_milliseconds
from shared.domain.course_texts import read_texts
from shared.domain.errors import Code, SettingsError, TransientError
from shared.domain.write_back import (
    Completion,
    Course,
    Fate,
    Receipt,
    SuccessFactors,
    WriteBack,
    completed_day,
)

PAGE_USERS = 500
"""SAP allows 1000 and advises no more than 500."""

_COURSES_LISTS = ("ocnCourses", "value")
"""Under which name an answer lists courses."""


class SuccessFactorsTarget:
    """The port `LearningTarget`, while a session is open."""

    def __init__(
        self,
        login: SuccessFactorsLogin,
        write_back: WriteBack,
        target: SuccessFactors,
        clock: Callable[[], datetime],
        wait: Callable[[float], None],
    ) -> None:
        self._login = login
        self._write_back = write_back
        self._target = target
        self._clock = clock
        self._wait = wait

    def send_courses(self, courses: Sequence[Course]) -> Sequence[Receipt]:
        """Make or replace courses in one request (see the port)."""
        doing = "Courses"
        texts = [read_texts(course, self._write_back) for course in courses]
        payloads = [
            course_payload(course, text, self._write_back.provider_id)
            for course, text in zip(courses, texts, strict=True)
            if not isinstance(text, Receipt)
        ]
        if not payloads:
            return [text for text in texts if isinstance(text, Receipt)]
        reply = self._login.request(doing, "POST", self._target.courses_path, {"ocnCourses": payloads})
        if not reply.is_success:
            answers.check_right(doing, self._login.service, reply)
        errors = _errors_by_course(reply)
        return [
            text if isinstance(text, Receipt) else _judge_course(course, reply, errors, len(payloads))
            for course, text in zip(courses, texts, strict=True)
        ]

    def send_completions(self, completions: Sequence[Completion]) -> Sequence[Receipt]:
        """Record one completion (see the port).

        One that lies in the future is refused here: SuccessFactors accepts it, and never records it.
        """
        if len(completions) > 1:
            raise ValueError("SuccessFactors takes one completion in a request")
        return [self._send_completion(each) for each in completions]

    def is_recorded(self, completion: Completion) -> bool | None:
        """Look for the completion in the learner's history, by course and day."""
        path = self._target.history_path
        if path is None:
            return None
        criteria = f"{_equals('criteria/targetUserID', completion.learner)} and "
        criteria += _equals("criteria/itemID", completion.course_id)
        reply = self._login.request("Learning history", "GET", f"{path}?$filter={_encode(criteria)}")
        rows = answers.rows_of(reply.body, "value")
        if not reply.is_success or rows is None:
            return None
        return any(_is_about(row, completion) for row in rows)

    def find_users(self, external_reference: str) -> Sequence[str]:
        """Return the ids of the users with this person external id; at most two are told."""
        criteria = _equals("scriteria/personExternalID", external_reference)
        query = f"$filter={_encode(criteria)}&$select=studentID,personExternalID&$top=2"
        rows = self._read_rows("Search for a user", f"{self._target.users_path}?{query}")
        # Whoever has another one was found by a search that is laxer than ours.
        same = [row for row in rows if row.get("personExternalID", external_reference) == external_reference]
        return [str(row["studentID"]) for row in same if row.get("studentID")][:2]

    def list_inactive(self) -> Iterator[str]:
        """Yield the ids of users who are not active, page by page."""
        pace = self._write_back.reads_pace
        criteria = _encode("criteria/isActive eq False")
        skip = 0
        while True:
            query = f"$filter={criteria}&$select=studentID&$count=true&$top={PAGE_USERS}&$skip={skip}"
            rows = self._read_rows("Users who are not active", f"{self._target.students_path}?{query}")
            yield from (str(row["studentID"]) for row in rows if row.get("studentID"))
            if len(rows) < PAGE_USERS:
                return
            skip += PAGE_USERS
            self._wait(pace.seconds / pace.requests)

    def describe_identity(self) -> str | None:
        """Return `None`: SuccessFactors does not tell how single sign-on names its users."""
        return None

    def _send_completion(self, completion: Completion) -> Receipt:
        if completion.completed_at > self._clock():
            return answers.refused_future()
        as_learner = self._target.completions_as == "learner"
        payload = completion_payload(completion, self._write_back.provider_id, as_learner=as_learner)
        if as_learner:
            path = self._target.learner_events_path
            reply = self._login.request_as(completion.learner, "Completion", "POST", path, payload)
            if reply is None:
                return answers.unknown_learner()
        else:
            reply = self._login.request("Completion", "POST", self._target.events_path, payload)
        return answers.judge_completion(reply, self._login.service)

    def _read_rows(self, doing: str, target: str) -> list[Mapping[str, Any]]:
        reply = self._login.request(doing, "GET", target)
        if not reply.is_success:
            answers.check_right(doing, self._login.service, reply)
            raise SettingsError(
                f"{doing}: SuccessFactors did not accept the search (status {reply.status}).", Code.SETTINGS_INVALID
            )
        rows = answers.rows_of(reply.body, "value")
        if rows is None:
            raise TransientError(f"{doing}: SuccessFactors answered without a list.", Code.LMS_UNREACHABLE)
        return rows


def _errors_by_course(reply: Reply) -> Mapping[str, str | None]:
    """Read the answer's list of courses: by id, what each is said to have failed of; the worst, should one be twice."""
    found: dict[str, str | None] = {}
    for row in answers.rows_of(reply.body, *_COURSES_LISTS) or ():
        course_id = str(row.get("courseID"))
        found[course_id] = found.get(course_id) or answers.find_error(row)
    return found


def _judge_course(course: Course, reply: Reply, errors: Mapping[str, str | None], count: int) -> Receipt:
    error = errors.get(course.course_id)
    if error is not None:
        return answers.refused_course(error, reply.status)
    refusal = answers.read_refusal(reply, without=_COURSES_LISTS)
    if refusal is not None:
        if count > 1:
            return answers.refused_together(reply.status, count)
        return answers.refused_course(refusal, reply.status)
    if errors and course.course_id not in errors:
        return Receipt(
            fate=Fate.RETRY,
            code=Code.LMS_UNREACHABLE,
            reason="The answer of the LMS says nothing about this course.",
        )
    return Receipt(fate=Fate.AWAITS_IMPORT)


def _is_about(row: Mapping[str, Any], completion: Completion) -> bool:
    completed_at = from_epoch_milliseconds(row.get("completionDate"))
    return (
        row.get("componentID") == completion.course_id
        and completed_at is not None
        and completed_at.astimezone(UTC).date() == completed_day(completion)
    )


def _equals(field_name: str, value: str) -> str:
    """Write an OData comparison; a quote in a text is written twice."""
    doubled = value.replace("'", "''")
    return f"{field_name} eq '{doubled}'"


def _encode(text: str) -> str:
    return quote(text, safe="/'")
