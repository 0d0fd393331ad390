"""Situations in which edX's exporters, transmitters and clean-up are tested, and what this connector does in each.

The names are those of edx-enterprise, below `tests/test_integrated_channels/test_sap_success_factors/`; what it makes
of its own courses (titles with a start date, descriptions with a pacing) is the sender's affair here and passes as it
was given.

| there | here |
| --- | --- |
| test_exporters/test_content_metadata.py: delete | test_delete_is_inactive_and_has_no_schedule |
| test_transform_price | the same: a price, none, and free of charge |
| test_transform_courserun_title_includes_start, ..._excludes_start, ..._includes_enrollment_closed | the same |
| the schedule of a run, of the most recent run, with an empty end, without runs | test_transform_schedule |
| test_transform_image, test_transform_launch_points, test_transform_course_description | the same |
| test_exporters/test_learner_data.py: test_call_get_remote_id | the same: the user is looked up |
| test_transmitters/test_content_metadata.py: test_transmit_create_failure | the same |
| test_filter_api_response_successful, test_filter_api_response_exception | the same: each course finds its own part |
| test_transmitters/test_learner_data.py: test_transmit_success, test_transmit_failure | the same |
| test_transmit_failure_user_inactive | the same: parked for that text, not for another |
| test_transmit_by_course_key_success, test_transmit_by_course_id_success | one request for one id; a refusal is told |
| tests/test_management.py: TestUnlinkSAPLearnersManagementCommand | test_unlink_pages, ..._connection, ..._error_body |

What is decided before anything is sent has its tests with the push: already sent, no resend after a change of grade,
the same record used again, one completion for a learner and a course, limits of use, and the order of deactivating,
updating and creating.
"""

from typing import Any

import pytest

from infra.local.learning.faults import Faults
from infra.local.learning.lms import User
from infra.local.learning.web import Answer
from infra.local.successfactors.search import MOST_ROWS
from shared.domain.errors import Code, SettingsError, TransientError
from shared.domain.write_back import Fate, Receipt
from tests.adapters.learning.scene import Scene, completion, course
from tests.company import ADA


def sent(scene: Scene, **values: Any) -> dict[str, Any]:  # noqa: ANN401 - of any field
    """Send a course and return what went over the wire."""
    (receipt,) = scene.send_courses(course(**values))
    assert receipt.fate is Fate.AWAITS_IMPORT
    (seen,) = scene.simulator.seen("courses")
    assert isinstance(seen.body, dict)
    payload: dict[str, Any] = seen.body["ocnCourses"][0]
    return payload


RUN = {"start": "2014-02-05T05:00:00Z", "end": "2050-12-31T18:00:00Z", "duration": "89 days"}
RUN_SENT = {"startDate": 1_391_576_400_000, "endDate": 2_556_122_400_000, "active": True, "duration": "89 days"}


def test_delete_is_inactive_and_has_no_schedule(successfactors: Scene) -> None:
    payload = sent(successfactors, active=False, schedule=[RUN])

    assert (payload["status"], payload["schedule"]) == ("INACTIVE", [])


@pytest.mark.parametrize(
    ("price", "expected"),
    [(100, [{"currency": "USD", "value": 100.0}]), (0, [{"currency": "USD", "value": 0.0}]), (None, None)],
)
def test_transform_price(successfactors: Scene, price: float | None, expected: object) -> None:
    """Without a price none is named; theirs is then free of charge."""
    assert sent(successfactors, price=price).get("price") == expected


@pytest.mark.parametrize(
    "title",
    [
        pytest.param("Demonstration (Starts: February 2013)", id="test_transform_courserun_title_includes_start"),
        pytest.param("Demonstration", id="test_transform_courserun_title_excludes_start"),
        pytest.param(
            "Demonstration (February 2013 - Enrollment Closed)",
            id="test_transform_courserun_title_includes_enrollment_closed",
        ),
    ],
)
@pytest.mark.parametrize("language", ["en", "English"])
def test_transform_title(successfactors: Scene, title: str, language: str) -> None:
    payload = sent(successfactors, titles={language: title})

    assert payload["title"] == [{"locale": "English", "value": title}]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        pytest.param([RUN], [RUN_SENT], id="run"),
        pytest.param([RUN | {"active": False}, RUN], [RUN_SENT | {"active": False}, RUN_SENT], id="several runs"),
        pytest.param([], [], id="no runs"),
    ],
)
def test_transform_schedule(successfactors: Scene, schedule: object, expected: object) -> None:
    assert sent(successfactors, schedule=schedule)["schedule"] == expected


@pytest.mark.parametrize("end", ["", None])
def test_transform_schedule_with_an_empty_end(end: object) -> None:
    """It never gets that far: a course with an empty date is none."""
    with pytest.raises(ValueError, match=r"schedule\.0\.end"):
        course(schedule=[RUN | {"end": end}])


@pytest.mark.parametrize("url", ["https://learn.example/c1.jpg", None])
def test_transform_image(successfactors: Scene, url: str | None) -> None:
    assert sent(successfactors, thumbnail_url=url).get("thumbnailURI") == url


def test_transform_launch_points(successfactors: Scene) -> None:
    payload = sent(successfactors, mobile_launch_url="https://learn.example/c1")

    assert payload["content"] == [
        {
            "providerID": "ACADEMY",
            "launchURL": "https://learn.example/c1",
            "contentTitle": "Negotiating",
            "contentID": "C-1",
            "launchType": 3,
            "mobileEnabled": True,
            "mobileLaunchURL": "https://learn.example/c1",
        }
    ]


@pytest.mark.parametrize("text", ["Pacing: Self-Paced. Enrollment is closed. The bunnies are delighted.", ""])
def test_transform_course_description(successfactors: Scene, text: str) -> None:
    expected = [{"locale": "English", "value": text}] if text else None

    assert sent(successfactors, descriptions={"English": text}).get("description") == expected


def test_call_get_remote_id(successfactors: Scene) -> None:
    with successfactors.session() as target:
        assert target.find_users(ADA.key) == [ADA.student]


def test_transmit_create_failure(successfactors: Scene) -> None:
    successfactors.simulator.inject(Faults(refuse_rows=1))

    (receipt,) = successfactors.send_courses(course())

    assert (receipt.fate, receipt.code) == (Fate.REJECTED, Code.RECORD_REFUSED)


def test_filter_api_response_successful(successfactors: Scene) -> None:
    """Each course is judged by its own part of the answer; of one that is not in it nothing is known."""
    successfactors.simulator.front.answer_next(
        "courses",
        Answer(
            200, {"ocnCourses": [{"courseID": "course:DemoX2", "errorMessage": "no"}, {"courseID": "course:DemoX"}]}
        ),
    )

    receipts = successfactors.send_courses(course("course:DemoX"), course("course:DemoX2"), course("course:DemoX3"))

    assert [receipt.fate for receipt in receipts] == [Fate.AWAITS_IMPORT, Fate.REJECTED, Fate.RETRY]


def test_filter_api_response_exception(successfactors: Scene) -> None:
    successfactors.simulator.inject(Faults(unreadable=1, area="courses"))

    with pytest.raises(TransientError, match="no JSON"):
        successfactors.send_courses(course())


def test_transmit_success(successfactors: Scene) -> None:
    successfactors.offer("C-1")

    assert successfactors.send(completion(grade="Pass")) == Receipt(fate=Fate.DONE)


def test_transmit_failure(successfactors: Scene) -> None:
    successfactors.simulator.front.answer_next("completions", Answer(400, {"error": {"message": "error occurred"}}))

    receipt = successfactors.send(completion())

    assert (receipt.fate, receipt.code) == (Fate.REJECTED, Code.RECORD_REFUSED)
    assert "status 400" in receipt.reason


@pytest.mark.parametrize(
    ("text", "fate", "code"),
    [
        ("user account is inactive", Fate.PARKED, Code.LEARNER_INACTIVE),
        ("meh, usual network problem", Fate.REJECTED, Code.RECORD_REFUSED),
    ],
)
@pytest.mark.parametrize("completions_as", ["admin", "learner"])
def test_transmit_failure_user_inactive(
    successfactors: Scene, text: str, fate: Fate, code: Code, completions_as: str
) -> None:
    successfactors.target_settings = {"completions_as": completions_as}
    successfactors.simulator.front.answer_next("completions", Answer(400, {"error": {"message": text, "code": None}}))

    receipt = successfactors.send(completion())

    assert (receipt.fate, receipt.code) == (fate, code)


def test_transmit_by_course_key_success(successfactors: Scene) -> None:
    successfactors.offer("edX+DemoX")

    assert successfactors.send(completion(course_id="edX+DemoX")).fate is Fate.DONE
    assert len(successfactors.simulator.seen("completions")) == 1


def test_transmit_by_course_id_success(successfactors: Scene) -> None:
    """Whoever has two ids for a course learns that the first is refused, and may send the second."""
    successfactors.offer("course-v1:edX+DemoX+DemoCourse")

    assert successfactors.send(completion(course_id="edX+DemoX")).fate is Fate.REJECTED
    assert successfactors.send(completion(course_id="course-v1:edX+DemoX+DemoCourse")).fate is Fate.DONE


def test_unlink_pages(successfactors: Scene) -> None:
    """Pages of 500, as SAP advises, although it would give 1000."""
    successfactors.simulator.add_users(*(User(f"gone-{n:04}", "", active=False) for n in range(700)))

    with successfactors.session() as target:
        found = list(target.list_inactive())

    assert len(found) == 701
    queries = [each.query for each in successfactors.simulator.seen("reads")]
    assert [(each["$top"], each["$skip"], each["$count"]) for each in queries] == [
        ("500", "0", "true"),
        ("500", "500", "true"),
    ]
    assert {(each["$filter"], each["$select"]) for each in queries} == {("criteria/isActive eq False", "studentID")}
    assert MOST_ROWS == 1000


def test_unlink_connection(successfactors: Scene) -> None:
    successfactors.simulator.inject(Faults(cut=1, area="reads"))

    with successfactors.session() as target, pytest.raises(TransientError, match="gave no answer"):
        list(target.list_inactive())


def test_unlink_error_body(successfactors: Scene) -> None:
    """Theirs goes on as if nobody were inactive; ours says that it could not be asked, and not in SAP's words."""
    body = {"error": {"message": f"The search for {ADA.student} is wrong", "code": None}}
    successfactors.simulator.front.answer_next("reads", Answer(400, body))

    with successfactors.session() as target, pytest.raises(SettingsError, match="did not accept") as raised:
        list(target.list_inactive())

    assert ADA.student not in str(raised.value)
