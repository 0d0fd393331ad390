"""What is sent, field for field: each field of the interfaces, what it is worth, and where that comes from."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from shared.domain.write_back import Completion, Course
from tests.adapters.learning.scene import Scene
from tests.company import ADA

COURSE = Course.model_validate(
    {
        "course_id": "C-1",
        "titles": {"English": "Negotiating", "pt-BR": "Negociar", "de": "Verhandeln"},
        "descriptions": {"en-US": "How to get to yes.", "de_AT": "Wie man sich einigt."},
        "launch_url": "https://learn.example/c1",
        "mobile_launch_url": "https://m.learn.example/c1",
        "thumbnail_url": "https://learn.example/c1.png",
        "duration": "PT1H30M",
        "schedule": [{"start": "2026-01-01T00:00:00Z", "end": "2026-03-31T00:00:00+02:00", "duration": "89 days"}],
        "price": 12.5,
        "currency": "EUR",
    }
)
BARE = Course.model_validate(
    {"course_id": "C-2", "titles": {"English": "Listening"}, "launch_url": "https://learn.example/c2"}
)
DONE = Completion(
    learner=ADA.student,
    course_id="C-1",
    completed_at=datetime(2026, 10, 20, 12, 0, 0, 250_000, tzinfo=timezone(timedelta(hours=2))),
    completion_id="their-own-1",
    grade="A",
    total_hours=1.5,
    credit_hours=2,
    contact_hours=0,
    cpe_hours=0.25,
    comments="At home",
)
SETTINGS = {"locales": ("English", "German")}

type Row = tuple[str, Any, str]

OCN_COURSE: list[Row] = [
    ("courseID", "C-1", "course_id"),
    ("providerID", "ACADEMY", "the connection's write_back.provider_id"),
    ("status", "ACTIVE", "active; INACTIVE where it is false"),
    (
        "title",
        [
            {"locale": "English", "value": "Negotiating"},
            {"locale": "German", "value": "Verhandeln"},
            {"locale": "Brazilian Portuguese", "value": "Negociar"},
        ],
        "titles, by the names of locales, those of write_back.locales first",
    ),
    (
        "description",
        [
            {"locale": "English", "value": "How to get to yes."},
            {"locale": "German", "value": "Wie man sich einigt."},
        ],
        "descriptions, likewise; there need not be one for each title",
    ),
    ("thumbnailURI", "https://learn.example/c1.png", "thumbnail_url"),
    ("revisionNumber", 1, "always 1: a course is replaced by sending it again"),
    (
        "schedule",
        [{"startDate": 1_767_225_600_000, "endDate": 1_774_908_000_000, "active": True, "duration": "89 days"}],
        "schedule, in milliseconds; [] without one, for SAP fails on an empty date",
    ),
    ("price", [{"currency": "EUR", "value": 12.5}], "price and currency"),
]
OCN_CONTENT: list[Row] = [
    ("providerID", "ACADEMY", "the connection's write_back.provider_id"),
    ("launchURL", "https://learn.example/c1", "launch_url"),
    ("contentTitle", "Negotiating", "the title in the first of write_back.locales"),
    ("contentID", "C-1", "course_id"),
    ("launchType", 3, "always 3: a browser window of its own"),
    ("mobileEnabled", True, "whether there is a mobile_launch_url"),
    ("mobileLaunchURL", "https://m.learn.example/c1", "mobile_launch_url"),
]
OCN_LEARNING_EVENT: list[Row] = [
    ("userID", ADA.student, "learner"),
    ("courseID", "C-1", "course_id"),
    ("providerID", "ACADEMY", "the connection's write_back.provider_id"),
    ("courseCompleted", True, "passed: a boolean from the administrator, a text from the learner"),
    ("completedTimestamp", 1_792_490_400_250, "completed_at, in milliseconds since 1970, UTC"),
    ("grade", "A", "grade"),
    ("totalHours", 1.5, "total_hours"),
    ("creditHours", 2.0, "credit_hours"),
    ("contactHours", 0.0, "contact_hours; 0 is a number and not empty"),
    ("cpeHours", 0.25, "cpe_hours"),
    ("comments", "At home", "comments"),
]
NOT_SENT = {"price", "currency", "instructorName"}
"""Fields of OCNLearningEvents that nobody fills: a completion has no such thing. Its `completion_id` is ours only."""

CONTENT_ITEM: list[Row] = [
    ("external_reference", "C-1", "course_id"),
    ("title", "Negotiating", "the title in the first of write_back.locales"),
    ("description", "How to get to yes.", "the description in the same"),
    (
        "languages",
        [{"source_value": "English"}, {"source_value": "German"}, {"source_value": "Brazilian Portuguese"}],
        "the locales of titles, as SuccessFactors names them",
    ),
    (
        "localizations",
        [
            {
                "title": "Negotiating",
                "description": "How to get to yes.",
                "language": {"source_value": "English"},
            },
            {
                "title": "Verhandeln",
                "description": "Wie man sich einigt.",
                "language": {"source_value": "German"},
            },
            {"title": "Negociar", "language": {"source_value": "Brazilian Portuguese"}},
        ],
        "titles and descriptions",
    ),
    ("content_url", "https://learn.example/c1", "launch_url"),
    ("mobile_launch_content_url", "https://m.learn.example/c1", "mobile_launch_url"),
    ("cover_url", "https://learn.example/c1.png", "thumbnail_url"),
    ("active", True, "active"),
    ("duration", "PT1H30M", "duration"),
]
"""How it is launched is not among them: StackOne sets the method to `browser` itself. Nor is a wrapper around it."""
STACKONE_COMPLETION: list[Row] = [
    ("learning_object_external_reference", "C-1", "course_id"),
    ("completed_at", "2026-10-20T10:00:00.250Z", "completed_at, in UTC"),
    ("result", {"value": "Pass", "source_value": "pass"}, "passed, in both spellings; Fail and fail"),
    ("time_spent", "PT1H30M0S", "total_hours"),
]


def worth(table: list[Row]) -> dict[str, Any]:
    return {name: value for name, value, _ in table}


def sent(scene: Scene, area: str) -> Any:  # noqa: ANN401 - JSON
    (seen,) = [each for each in scene.simulator.seen() if each.area == area]
    assert 200 <= seen.status < 300
    return seen.body


def test_a_course_for_successfactors(successfactors: Scene) -> None:
    successfactors.settings = SETTINGS

    successfactors.send_courses(COURSE)

    body = sent(successfactors, "courses")
    assert list(body) == ["ocnCourses"]
    (payload,) = body["ocnCourses"]
    assert payload == worth(OCN_COURSE) | {"content": [worth(OCN_CONTENT)]}


def test_a_course_for_successfactors_with_nothing_but_the_least(successfactors: Scene) -> None:
    """What is empty is left out, but for the schedule."""
    successfactors.send_courses(BARE)

    (payload,) = sent(successfactors, "courses")["ocnCourses"]
    assert payload == {
        "courseID": "C-2",
        "providerID": "ACADEMY",
        "status": "ACTIVE",
        "title": [{"locale": "English", "value": "Listening"}],
        "content": [
            {
                "providerID": "ACADEMY",
                "launchURL": "https://learn.example/c2",
                "contentTitle": "Listening",
                "contentID": "C-2",
                "launchType": 3,
                "mobileEnabled": False,
            }
        ],
        "revisionNumber": 1,
        "schedule": [],
    }


def test_a_completion_for_successfactors_from_the_administrator(successfactors: Scene) -> None:
    successfactors.offer("C-1")

    successfactors.send(DONE)

    body = sent(successfactors, "completions")
    assert body == worth(OCN_LEARNING_EVENT)
    assert body["courseCompleted"] is True
    assert not NOT_SENT & set(body)


def test_a_completion_for_successfactors_from_the_learner(successfactors: Scene) -> None:
    successfactors.offer("C-1")
    successfactors.target_settings = {"completions_as": "learner"}

    successfactors.send(DONE)

    assert sent(successfactors, "completions") == worth(OCN_LEARNING_EVENT) | {"courseCompleted": "true"}


def test_empty_fields_of_a_completion_are_left_out(scene: Scene) -> None:
    """SAP's interface chokes on empty texts."""
    scene.offer("C-1")

    scene.send(Completion(learner=ADA.student, course_id="C-1", completed_at=DONE.completed_at, grade="", comments=""))

    body = sent(scene, "completions")
    assert set(body) in (
        {"userID", "courseID", "providerID", "courseCompleted", "completedTimestamp"},
        {"learning_object_external_reference", "completed_at", "result"},
    )


def test_a_course_for_stackone(stackone: Scene) -> None:
    stackone.settings = SETTINGS

    stackone.send_courses(COURSE)

    assert sent(stackone, "courses") == {"items": [worth(CONTENT_ITEM)]}


def test_a_completion_for_stackone(stackone: Scene) -> None:
    """The person stands in the path and nowhere else."""
    stackone.offer("C-1")

    stackone.send(DONE)

    (seen,) = stackone.simulator.seen("completions")
    assert seen.body == worth(STACKONE_COMPLETION)
    assert seen.path == f"/unified/lms/users/{ADA.student}/completions"


def test_a_failed_course_is_a_fail(scene: Scene) -> None:
    scene.offer("C-1")

    scene.send(DONE.model_copy(update={"passed": False}))

    body = sent(scene, "completions")
    assert body.get("courseCompleted") is False or body["result"] == {"value": "Fail", "source_value": "fail"}


def test_the_tables_know_every_field_of_a_record() -> None:
    """So that a field that is added to a record does not quietly go nowhere."""
    told = " ".join(source for table in (OCN_COURSE, OCN_CONTENT, CONTENT_ITEM) for _, _, source in table)
    told_of_completions = " ".join(source for _, _, source in OCN_LEARNING_EVENT)

    assert [name for name in Course.model_fields if name not in told] == []
    assert [name for name in Completion.model_fields if name not in told_of_completions] == ["completion_id"]


def test_the_time_of_the_table_is_the_completions() -> None:
    at = worth(OCN_LEARNING_EVENT)["completedTimestamp"]

    assert datetime.fromtimestamp(at / 1000, UTC) == DONE.completed_at
