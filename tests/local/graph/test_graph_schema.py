"""What a learning object may look like."""

from typing import Any

import pytest

from infra.local.graph.schema import Problem, Purpose, Schema, longest_text, parse_json

CONTENT: dict[str, Any] = {
    "externalId": "SF-1",
    "title": "Fire safety",
    "contentWebUrl": "https://lms.example.com/1",
    "languageTag": "en-us",
    "additionalTags": ["a", None],
    "contributors": [],
    "createdDateTime": "2026-03-31T08:00:00.1234567Z",
    "description": None,
    "duration": "PT1H30M",
    "format": "Course",
    "isActive": True,
    "isPremium": False,
    "isSearchable": None,
    "lastModifiedDateTime": "2026-03-31T08:00+01:00",
    "level": "beginner",
    "numberOfPages": 12,
    "skillTags": ["safety"],
    "sourceName": "",
    "thumbnailWebUrl": "https://lms.example.com/1.png",
}
ASSIGNMENT: dict[str, Any] = {
    "@odata.type": "#microsoft.graph.learningAssignment",
    "learnerUserId": "7ba2228a-e020-11ec-9d64-0242ac120002",
    "learningContentId": "57baf9dc-e020-11ec-9d64-0242ac120002",
    "learningProviderId": "13727311-e7bb-470d-8b20-6a23d9030d70",
    "externalcourseActivityId": "SF-1-LP-2",
    "status": "notStarted",
    "completionPercentage": 0,
    "completedDateTime": None,
    "assignmentType": "peerRecommended",
    "assignedDateTime": "2026-03-31T08:00:00+02:00",
    "assignerUserId": "7ba2228a-e020-11ec-9d64-0242ac120002",
    "dueDateTime": {"dateTime": "2026-04-30T00:00:00.0000000", "timeZone": "UTC"},
    "notes": {"contentType": "text", "content": "Please do"},
}
COMPLETION: dict[str, Any] = {
    "@odata.type": "#microsoft.graph.learningSelfInitiatedCourse",
    "learnerUserId": "7ba2228a-e020-11ec-9d64-0242ac120002",
    "learningContentId": "57baf9dc-e020-11ec-9d64-0242ac120002",
    "startedDateTime": "2026-03-31T08:00:00Z",
    "completedDateTime": "2026-03-31T09:00:00Z",
    "completionPercentage": 100,
    "status": "completed",
}
BODIES = {
    "learningContent": CONTENT,
    "learningAssignment": ASSIGNMENT,
    "learningSelfInitiatedCourse": COMPLETION,
}
DURATIONS = ["P1D", "PT20M", "P1DT12H", "PT0S", "PT1.5S", "-PT5M", "P0D", "PT1H2M3S"]
NO_DURATIONS = [
    *("PDT1H", "1H", "P", "PT", "P1DT", "PT1H30", "P1W", "P1M", "P1Y", "PT1.5H", "pt1h", "90", "1:30:00"),
    "PT\N{ARABIC-INDIC DIGIT THREE}H",
]
TIMES = ["2026-03-31T08:00Z", "2026-03-31T08:00:00-11:30", "2026-03-31T08:00:00.123456789012Z"]
NO_TIMES = [
    "2026-03-31T08:00:00",
    "2026-03-31",
    "2026-03-31 08:00:00Z",
    "2026-03-31T08:00:00+0100",
    "2026-03-31T08:00:00z",
    "2026-03-31T08:00.5Z",
    "31.03.2026",
    "2026-02-30T08:00:00Z",
    "2026-03-31T24:30:00Z",
    "2026-03-31T08:00:60Z",
    "",
]
WRONG: list[tuple[str, dict[str, Any], list[str]]] = [
    ("learningContent", {"externalID": "1"}, ["externalID"]),
    ("learningContent", {"registrationId": "1"}, ["registrationId"]),
    ("learningContent", {"id": "1"}, ["id"]),
    ("learningContent", {"title": None}, ["title"]),
    ("learningContent", {"title": ""}, ["title"]),
    ("learningContent", {"title": 7}, ["title"]),
    ("learningContent", {"languageTag": None, "contentWebUrl": []}, ["contentWebUrl", "languageTag"]),
    ("learningContent", {"isActive": "true"}, ["isActive"]),
    ("learningContent", {"isActive": 1}, ["isActive"]),
    ("learningContent", {"numberOfPages": "12"}, ["numberOfPages"]),
    ("learningContent", {"numberOfPages": 1.0}, ["numberOfPages"]),
    ("learningContent", {"numberOfPages": True}, ["numberOfPages"]),
    ("learningContent", {"numberOfPages": 2**31}, ["numberOfPages"]),
    ("learningContent", {"numberOfPages": -(2**31) - 1}, ["numberOfPages"]),
    ("learningContent", {"skillTags": "safety"}, ["skillTags"]),
    ("learningContent", {"skillTags": None}, ["skillTags"]),
    ("learningContent", {"skillTags": ["a", 1]}, ["skillTags"]),
    ("learningContent", {"level": "Beginner"}, ["level"]),
    ("learningContent", {"level": 1}, ["level"]),
    ("learningContent", {"level": ""}, ["level"]),
    ("learningContent", {"level": "unknownFutureValue"}, ["level"]),
    ("learningContent", {"duration": 90}, ["duration"]),
    ("learningContent", {"@odata.type": "#microsoft.graph.learningAssignment"}, ["@odata.type"]),
    ("learningAssignment", {"assignmentType": "Required"}, ["assignmentType"]),
    ("learningAssignment", {"assignmentType": None}, ["assignmentType"]),
    ("learningAssignment", {"status": "done"}, ["status"]),
    ("learningAssignment", {"status": None}, ["status"]),
    ("learningAssignment", {"completionPercentage": 101}, ["completionPercentage"]),
    ("learningAssignment", {"completionPercentage": -1}, ["completionPercentage"]),
    ("learningAssignment", {"completionPercentage": "50"}, ["completionPercentage"]),
    ("learningAssignment", {"learnerUserId": ""}, ["learnerUserId"]),
    ("learningAssignment", {"dueDateTime": "2026-04-30T00:00:00Z"}, ["dueDateTime"]),
    ("learningAssignment", {"dueDateTime": {"timeZone": "UTC"}}, ["dueDateTime.dateTime"]),
    ("learningAssignment", {"dueDateTime": {"dateTime": 1}}, ["dueDateTime.dateTime"]),
    ("learningAssignment", {"dueDateTime": {"dateTime": None}}, ["dueDateTime.dateTime"]),
    ("learningAssignment", {"dueDateTime": {"dateTime": "2026-04-30T00:00:00Z"}}, ["dueDateTime.dateTime"]),
    ("learningAssignment", {"dueDateTime": {"dateTime": "tomorrow"}}, ["dueDateTime.dateTime"]),
    ("learningAssignment", {"notes": "x"}, ["notes"]),
    ("learningAssignment", {"notes": {"contentType": "markdown"}}, ["notes.contentType"]),
    ("learningAssignment", {"notes": {"text": "x"}}, ["notes.text"]),
    ("learningAssignment", {"notes": {"@odata.type": "#microsoft.graph.item"}}, ["notes.@odata.type"]),
    ("learningAssignment", {"startedDateTime": "2026-03-31T08:00:00Z"}, ["startedDateTime"]),
    ("learningAssignment", {"externalCourseActivityId": "1"}, ["externalCourseActivityId"]),
    ("learningAssignment", {"registrationId": "1"}, ["registrationId"]),
    ("learningSelfInitiatedCourse", {"assignmentType": "required"}, ["assignmentType"]),
    ("learningSelfInitiatedCourse", {"dueDateTime": None}, ["dueDateTime"]),
    ("learningSelfInitiatedCourse", {"notes": {"content": "x"}}, ["notes"]),
    *(("learningContent", {"duration": text}, ["duration"]) for text in NO_DURATIONS),
    *(("learningContent", {"createdDateTime": text}, ["createdDateTime"]) for text in NO_TIMES),
    *(("learningSelfInitiatedCourse", {"completedDateTime": text}, ["completedDateTime"]) for text in NO_TIMES),
]


@pytest.fixture(scope="module")
def schema() -> Schema:
    return Schema()


def fields(problems: list[Problem]) -> list[str]:
    return sorted(each.field for each in problems)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        *((kind, {}) for kind in BODIES),
        *(("learningContent", {"duration": text}) for text in DURATIONS),
        *(("learningContent", {"createdDateTime": text}) for text in TIMES),
        ("learningContent", {"@odata.type": "#microsoft.graph.learningContent", "level@odata.type": "#x"}),
        ("learningAssignment", {"dueDateTime": {"dateTime": "2026-04-30T00:00:00"}, "notes": None}),
        ("learningAssignment", {"notes": {}}),
        ("learningSelfInitiatedCourse", {"startedDateTime": None, "completionPercentage": None}),
    ],
)
def test_what_graph_takes_is_taken(schema: Schema, kind: str, change: dict[str, Any]) -> None:
    assert schema.check(kind, BODIES[kind] | change, Purpose.CREATE) == []


@pytest.mark.parametrize(("kind", "change", "wrong"), WRONG)
def test_what_graph_refuses_is_refused_by_field(
    schema: Schema, kind: str, change: dict[str, Any], wrong: list[str]
) -> None:
    """A client that passes here must not learn of its mistakes at the customer's tenant."""
    found = [fields(schema.check(kind, BODIES[kind] | change, purpose)) for purpose in Purpose]

    assert found == [wrong, wrong, wrong]


@pytest.mark.parametrize(
    ("kind", "purpose", "missing"),
    [
        ("learningContent", Purpose.CREATE, ["contentWebUrl", "externalId", "languageTag", "title"]),
        ("learningContent", Purpose.UPSERT, ["contentWebUrl", "languageTag", "title"]),
        ("learningContent", Purpose.UPDATE, []),
        (
            "learningAssignment",
            Purpose.CREATE,
            ["assignmentType", "learnerUserId", "learningContentId", "status"],
        ),
        ("learningSelfInitiatedCourse", Purpose.CREATE, ["learnerUserId", "learningContentId", "status"]),
    ],
)
def test_what_is_missing_depends_on_the_purpose(
    schema: Schema, kind: str, purpose: Purpose, missing: list[str]
) -> None:
    """An upsert has its key in the URL; an update names what it changes."""
    assert fields(schema.check(kind, {}, purpose)) == missing


def test_a_finding_never_repeats_the_value(schema: Schema) -> None:
    """What a client sent may be a person's."""
    problems = schema.check("learningContent", CONTENT | {"level": "Mrs Jones"}, Purpose.CREATE)

    assert [each.message for each in problems] == ["Input field level is invalid"]


@pytest.mark.parametrize("text", [b"{", b'{"a": NaN}', b'{"a": 1, "a": 2}', b"\xff", b""])
def test_what_is_not_quite_json_is_no_json(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_json(text)


def test_the_longest_text_counts_wherever_it_is() -> None:
    assert longest_text({"content": "1234", "tags": ["12345", None]}) == 5
