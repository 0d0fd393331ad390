"""How the words of an LMS are read: the shape of a failure inside a success is not public, so many are understood."""

from typing import Any

import pytest
from hypothesis import given, strategies

from shared.adapters import stackone, successfactors
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
from shared.domain.write_back import Fate
from tests.adapters.learning.scene import course


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
        [{"courseID": "C-1"}, {"courseID": "C-2", "errorMessage": "no"}],
        {"value": [{"courseID": "C-1", "errorMessage": "no"}]},
        {"restOperationStatusVOX": {"status": "SUCCESS"}, "errors": ["no"]},
        {"d": {"results": [{"operationStatus": "FAILED", "message": "no"}]}},
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
        {"success": "true", "completion_status": {"grade": "Fail", "status": "failed"}},
        {"restOperationStatusVOX": {"status": "SUCCESS"}, "errors": None, "warnings": ["slow"]},
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
    assert find_error({"error": True}) == "no reason given"
    assert find_error({"errors": [{"number": 17}]}) == "no reason given"
    assert read_refusal(Reply(400, None)) == ""


JSON = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.integers() | strategies.text(max_size=8),
    lambda inner: (
        strategies.lists(inner, max_size=3)
        | strategies.dictionaries(
            strategies.sampled_from(
                ["error", "errors", "message", "value", "ocnCourses", "courseID", "status", "success"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(status=strategies.sampled_from([200, 201, 204, 400, 404, 409]), body=JSON)
def test_any_json_can_be_judged(status: int, body: object) -> None:
    """Whatever comes, it is a success or a refusal in words; never a surprise."""
    refusal = read_refusal(Reply(status, body))

    assert refusal is None or isinstance(refusal, str)
    assert refusal is not None or status < 300
    assert judge_person(refusal or "") is None or refusal


@given(status=strategies.sampled_from([200, 202, 400]), body=JSON, count=strategies.integers(1, 3))
def test_any_answer_gives_each_course_a_receipt(status: int, body: object, count: int) -> None:
    """And a refusal makes no course look as if it had been taken."""
    reply = Reply(status, body)
    errors = successfactors._errors_by_course(reply)
    receipts = [
        *stackone._judge_courses(reply, count),
        *(successfactors._judge_course(course(f"C-{n}"), reply, errors, count) for n in range(count)),
    ]

    assert len(receipts) == 2 * count
    assert status < 300 or Fate.AWAITS_IMPORT not in {receipt.fate for receipt in receipts}


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
