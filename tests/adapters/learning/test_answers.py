"""How the words of an LMS are read: the shape of a failure inside a success is not public, so many are understood."""

from typing import Any

import pytest

from shared.adapters.learning_answers import (
    check_right,
    find_error,
    judge_person,
    read_refusal,
    refused_course,
    rows_of,
)
from shared.adapters.learning_wire import Reply
from shared.domain.errors import Code, SettingsError


@pytest.mark.parametrize(
    "record",
    [
        {"courseID": "C-1", "errorMessage": "no"},
        {"courseID": "C-1", "error": {"code": None, "message": "no"}},
        {"courseID": "C-1", "error": {"code": "E1", "message": {"lang": "en", "value": "no"}}},
        {"courseID": "C-1", "errors": [{"message": "no"}]},
        {"courseID": "C-1", "errors": ["no"]},
        {"courseID": "C-1", "status": "FAILED", "message": "no"},
        {"courseID": "C-1", "operationStatus": "FAILURE", "message": "no"},
        {"success": "false", "message": "no"},
        {"success": False, "message": "no"},
    ],
)
def test_a_failure_is_understood_however_it_is_said(record: dict[str, Any]) -> None:
    error = find_error(record)

    assert error is not None
    assert error.endswith("no")


@pytest.mark.parametrize(
    "record",
    [
        {"courseID": "C-1", "status": "ACTIVE"},
        {"courseID": "C-1", "status": "INACTIVE"},
        {"errorMessage": "", "errors": [], "error": None},
        {"errors": [[], []]},
        {"success": "true", "completion_status": {"grade": "Fail"}},
        {"statusCode": 201, "message": "Record created successfully."},
        {"grade": "failed"},
        {},
        None,
        "failed",
        [],
    ],
)
def test_a_success_is_not_taken_for_a_failure(record: object) -> None:
    """`INACTIVE` is a course's status, and a grade may be called failed."""
    assert find_error(record) is None
    assert read_refusal(Reply(201, record)) is None


def test_a_failure_without_a_word_is_one_all_the_same() -> None:
    assert find_error({"status": "ERROR"}) == "no reason given"
    assert read_refusal(Reply(400, None)) == ""


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("user account is inactive", Code.LEARNER_INACTIVE),
        ("LMS-17 User Account is Inactive.", Code.LEARNER_INACTIVE),
        ("The user x does not exist", Code.LEARNER_UNKNOWN),
        ("User 4711 not found", Code.LEARNER_UNKNOWN),
        ("studentID is invalid", Code.LEARNER_UNKNOWN),
        ("Invalid user ID", Code.LEARNER_UNKNOWN),
        ("No such learner", Code.LEARNER_UNKNOWN),
        ("Course not found", None),
        ("The provider is unknown to the system", None),
        ("The property grade is not valid", None),
        ("", None),
    ],
)
def test_refusals_about_the_person_are_told_from_others(text: str, code: Code | None) -> None:
    receipt = judge_person(text)

    assert (receipt.code if receipt else None) is code


def test_words_about_a_course_are_passed_on_in_short_and_without_addresses() -> None:
    """An administrator has to know what is wrong with it."""
    assert (
        refused_course("Title  is\ntoo long", 200).reason
        == "The LMS refused the course (status 200): Title is too long."
    )
    assert "quokka" not in refused_course("Locked by ada@quokka.example", 200).reason
    assert len(refused_course("x" * 5000, 200).reason) < 300


@pytest.mark.parametrize("status", [400, 409, 413, 422])
def test_a_refusal_of_a_record_is_no_matter_of_rights(status: int) -> None:
    check_right("Courses", "SuccessFactors", Reply(status, None))


@pytest.mark.parametrize(("status", "code"), [(403, Code.ACCESS_DENIED), (404, Code.SETTINGS_INVALID)])
def test_a_missing_right_or_path_is_said_in_a_sentence(status: int, code: Code) -> None:
    with pytest.raises(SettingsError, match=r"^Courses: SuccessFactors .*\.$") as raised:
        check_right("Courses", "SuccessFactors", Reply(status, None))

    assert raised.value.code is code


def test_rows_are_found_under_their_name() -> None:
    assert rows_of({"value": [{"a": 1}, "x"]}, "ocnCourses", "value") == [{"a": 1}]
    assert rows_of({"value": {}}, "value") is None
    assert rows_of(None, "value") is None
