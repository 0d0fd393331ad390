"""How courses and completions look on the wire of SuccessFactors: pure translation, nothing is sent here.

A field that is empty is left out, never sent as an empty text: the interface chokes on those.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.domain.course_texts import CourseText
from shared.domain.write_back import Completion, Course

NEW_WINDOW = 3
"""`launchType` of a course that opens in a browser window of its own."""
REVISION = 1
"""A course is replaced by sending it again, so there is never another revision of it."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def course_payload(course: Course, texts: Sequence[CourseText], provider_id: str) -> dict[str, Any]:
    """Write one of `ocnCourses`. A course that is not active has no schedule: it can be taken at no time."""
    content = {
        "providerID": provider_id,
        "launchURL": course.launch_url,
        "contentTitle": texts[0].title,
        "contentID": course.course_id,
        "launchType": NEW_WINDOW,
        "mobileEnabled": course.mobile_launch_url is not None,
        "mobileLaunchURL": course.mobile_launch_url,
    }
    payload = {
        "courseID": course.course_id,
        "providerID": provider_id,
        "status": "ACTIVE" if course.active else "INACTIVE",
        "title": [{"locale": text.locale, "value": text.title} for text in texts],
        "description": [{"locale": text.locale, "value": text.description} for text in texts if text.description],
        "thumbnailURI": course.thumbnail_url,
        "content": [_without_empty(content)],
        "revisionNumber": REVISION,
        "price": [] if course.price is None else [{"currency": course.currency, "value": course.price}],
    }
    # An empty schedule says something, unlike other empty fields: that there is none.
    return {**_without_empty(payload), "schedule": _schedule(course)}


def completion_payload(completion: Completion, provider_id: str, *, as_learner: bool) -> dict[str, Any]:
    """Write the body of one completion; the learners' path wants a text where the administrator's wants a boolean."""
    return _without_empty(
        {
            "userID": completion.learner,
            "courseID": completion.course_id,
            "providerID": provider_id,
            "courseCompleted": str(completion.passed).lower() if as_learner else completion.passed,
            "completedTimestamp": epoch_milliseconds(completion.completed_at),
            "grade": completion.grade,
            "totalHours": completion.total_hours,
            "creditHours": completion.credit_hours,
            "contactHours": completion.contact_hours,
            "cpeHours": completion.cpe_hours,
            "comments": completion.comments,
        }
    )


def epoch_milliseconds(time: datetime) -> int:
    """Return a time as milliseconds since 1970 in UTC."""
    return (time - _EPOCH) // _MILLISECOND


def from_epoch_milliseconds(value: object) -> datetime | None:
    """Read what `epoch_milliseconds` writes; `None` for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return _EPOCH + timedelta(milliseconds=value)
    except OverflowError:
        return None


def _schedule(course: Course) -> list[dict[str, Any]]:
    if not course.active:
        return []
    return [
        _without_empty(
            {
                "startDate": epoch_milliseconds(each.start),
                "endDate": epoch_milliseconds(each.end),
                "active": each.active,
                "duration": each.duration,
            }
        )
        for each in course.schedule
    ]


def _without_empty(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (None, "", [])}
