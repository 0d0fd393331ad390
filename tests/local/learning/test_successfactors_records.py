"""The simulator takes no course, no completion and no search that the real interface is known to refuse."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.local.learning.faults import Faults
from infra.local.learning.lms import User, milliseconds
from infra.local.learning.pace import LIMITS, Gate, Limit
from infra.local.successfactors import SuccessFactorsSimulator
from infra.local.successfactors.server import HISTORIES, STUDENTS, USERS
from tests.local.learning.conftest import NOW, Clock, Sap, content, ocn_course

RUN = {"startDate": 1_767_225_600_000, "endDate": 1_774_908_000_000, "active": True, "duration": "89 days"}


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"schedule": [RUN | {"endDate": ""}]}, id="an empty end"),
        pytest.param({"schedule": [RUN | {"startDate": None}]}, id="no start"),
        pytest.param({"schedule": [RUN | {"startDate": 1_767_225_600}]}, id="seconds"),
        pytest.param({"schedule": None}, id="no schedule"),
        pytest.param({"title": []}, id="no title"),
        pytest.param({"title": [{"locale": "English", "value": ""}]}, id="an empty title"),
        pytest.param({"status": "DELETED"}, id="another status"),
        pytest.param({"content": [content(launchType=1)]}, id="another launch type"),
        pytest.param({"content": [content(launchType="3")]}, id="a launch type that is a text"),
        pytest.param({"content": [content(mobileEnabled="true")]}, id="a text for a boolean"),
        pytest.param({"content": []}, id="nothing to launch"),
        pytest.param({"thumbnailURI": ""}, id="an empty thumbnail"),
        pytest.param({"price": [{"currency": "euro", "value": 1}]}, id="another currency"),
        pytest.param({"duration": "PT1H"}, id="an unknown field"),
    ],
)
def test_a_course_that_is_written_wrongly_fails_its_whole_request(sap: Sap, wrong: dict[str, Any]) -> None:
    answer = sap.post_courses(ocn_course("C-2"), ocn_course(**wrong))

    assert answer.status_code == 400
    assert set(answer.json()["error"]) == {"code", "message"}
    assert sap.simulator.lms.courses() == {}


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": [{"locale": "en-US", "value": "Negotiating"}]},
        {"description": [{"locale": "Klingon", "value": "ghoj"}]},
        {"providerID": "SOMEBODY"},
        {"content": [content(providerID="SOMEBODY")]},
    ],
)
def test_a_course_that_this_tenant_does_not_take_fails_alone(sap: Sap, wrong: dict[str, Any]) -> None:
    """Locales have names here, and providers have to be enabled."""
    answer = sap.post_courses(ocn_course("C-2"), ocn_course(**wrong))

    assert answer.status_code == 200
    assert ["errorMessage" in row for row in answer.json()["ocnCourses"]] == [False, True]
    assert list(sap.simulator.lms.courses()) == ["C-2"]


def test_a_request_takes_a_thousand_courses_and_no_more(sap: Sap) -> None:
    assert sap.post_courses(*(ocn_course(f"C-{n}") for n in range(1001))).status_code == 400
    assert sap.post_courses(*(ocn_course(f"C-{n}") for n in range(1000))).status_code == 200
    assert sap.post_courses().status_code == 400


def test_courses_come_once_in_five_minutes(sap: Sap) -> None:
    """A request that is turned away does not make the next one wait longer."""
    statuses = []
    for seconds in (300, 0, 200, 99, 1):
        sap.clock.move(seconds - 300)
        statuses.append(sap.post_courses(ocn_course()).status_code)

    assert statuses == [200, 429, 429, 429, 200]


def test_import_is_the_administrators_and_brings_what_is_active(sap: Sap) -> None:
    sap.post_courses(ocn_course("C-1"), ocn_course("C-2", status="INACTIVE"))
    sap.post_courses(ocn_course("C-2"))

    assert sap.simulator.import_menu() == ["C-1"]
    assert sap.simulator.import_courses() == ["C-1"]
    assert sap.simulator.import_menu() == []
    sap.post_courses(ocn_course("C-1", status="INACTIVE"))
    assert [item.active for item in sap.simulator.items()] == [True]
    sap.simulator.import_courses()
    assert [(item.active, item.category) for item in sap.simulator.items()] == [(False, "MOOC")]


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"courseCompleted": "true"}, 400),
        ({"completedTimestamp": "2026-10-20"}, 400),
        ({"completedTimestamp": 1_792_490_400}, 400),
        ({"grade": ""}, 400),
        ({"totalHours": "1.5"}, 400),
        ({"instructor": "x"}, 400),
        ({"providerID": "SOMEBODY"}, 400),
        ({"userID": "nobody"}, 400),
        ({"userID": "bea"}, 400),
        ({"grade": "A", "totalHours": 2, "instructorName": "Prof"}, 201),
    ],
)
def test_a_completion_has_to_be_written_rightly(imported: Sap, values: dict[str, object], status: int) -> None:
    assert imported.complete(**values).status_code == status
    assert len(imported.simulator.history()) == (status == 201)


@pytest.mark.parametrize("flag", [True, "yes", "True"])
def test_learners_say_true_as_a_text(imported: Sap, flag: object) -> None:
    assert imported.complete_oneself(courseCompleted=flag).status_code == 400


def test_the_words_for_an_inactive_account_are_saps(imported: Sap) -> None:
    assert "user account is inactive" in imported.complete(userID="bea").json()["error"]["message"]


def test_a_completion_in_the_future_is_accepted_and_never_seen_again(imported: Sap) -> None:
    answer = imported.complete(completedTimestamp=milliseconds(NOW + timedelta(days=1)))

    assert answer.status_code == 201
    assert "errorMessage" not in answer.json()
    assert imported.simulator.history() == []


def test_a_course_that_nobody_imported_fails_inside_a_201(imported: Sap) -> None:
    answer = imported.complete(courseID="C-9")

    assert answer.status_code == 201
    assert "errorMessage" in answer.json()
    assert imported.simulator.history() == []


def test_completions_come_a_hundred_a_minute(sap: Sap) -> None:
    gate = Gate(LIMITS["completions"], sap.clock)
    admitted = [gate.admit() for _ in range(101)]

    assert (admitted[99], admitted[100]) == (True, False)
    sap.clock.move(60)
    assert gate.admit()


def test_a_completion_too_many_is_turned_away() -> None:
    clock = Clock()
    with (
        SuccessFactorsSimulator(clock=clock, limits={"completions": Limit(1, 60)}) as simulator,
        httpx.Client(base_url=simulator.url) as client,
    ):
        sap = Sap(simulator, clock, client)
        statuses = [sap.complete().status_code for _ in range(2)]

    assert statuses == [400, 429]


def test_searches_come_twice_a_second(sap: Sap) -> None:
    sap.token()
    sap.get(STUDENTS, "$filter=criteria/isActive eq False")
    sap.clock.move(-0.6)

    assert sap.get(STUDENTS, "$filter=criteria/isActive eq False").status_code == 429


@pytest.mark.parametrize(
    "query",
    [
        "",
        "$filter=criteria/isActive ne True",
        "$filter=contains(criteria/studentID,'a')",
        "$filter=scriteria/isActive eq False",
        "$filter=criteria/hairColour eq 'red'",
        "$filter=criteria/isActive eq False or criteria/studentID eq 'ada'",
        "$filter=criteria/isActive eq False&$top=1001",
        "$filter=criteria/isActive eq False&$top=0",
        "$filter=criteria/isActive eq False&$orderby=studentID",
    ],
)
def test_a_search_that_is_not_understood_is_refused(sap: Sap, query: str) -> None:
    assert sap.get(STUDENTS, query).status_code == 400


def test_pages_and_their_count(sap: Sap) -> None:
    sap.simulator.add_users(*(User(f"u-{n}", "", active=False) for n in range(9)))

    answer = sap.get(STUDENTS, "$filter=criteria/isActive eq False&$select=studentID&$count=true&$top=4&$skip=8").json()

    assert answer["@odata.count"] == 10
    assert answer["value"] == [{"studentID": "u-7"}, {"studentID": "u-8"}]


def test_users_are_found_by_their_external_id(sap: Sap) -> None:
    sap.simulator.add_users(User("o'hara", "O'Hara", active=True))

    answer = sap.get(USERS, "$filter=scriteria/personExternalID eq 'O''Hara'").json()

    assert answer["value"] == [{"studentID": "o'hara", "personExternalID": "O'Hara", "notActive": "no"}]


def test_a_history_is_of_one_user(imported: Sap) -> None:
    imported.complete(grade="A")

    answer = imported.get(HISTORIES, "$filter=criteria/targetUserID eq 'ada' and criteria/itemID eq 'C-1'").json()

    (entry,) = answer["value"]
    assert (entry["componentID"], entry["grade"], entry["provideCredit"]) == ("C-1", "A", True)
    assert imported.get(HISTORIES, "$filter=criteria/itemID eq 'C-1'").status_code == 400


def test_what_the_lms_holds_outlives_the_simulator(tmp_path: Path) -> None:
    """So that the local tenant can be stopped and started."""
    with SuccessFactorsSimulator(tmp_path) as before:
        before.add_users(User("ada", "100", active=True))
        secret, port = before.secret, before.front.port
    with SuccessFactorsSimulator(tmp_path) as after:
        assert (after.secret, after.front.port) == (secret, port)
        assert after.lms.find_user("ada") == User("ada", "100", active=True)


def test_requests_at_the_same_time_are_noticed(imported: Sap) -> None:
    """SAP asks for no parallel calls; whoever tests a sender wants to know."""
    imported.simulator.front.forget()
    imported.simulator.inject(Faults(slow=1, slow_seconds=0.3, area="completions"))

    with ThreadPoolExecutor(2) as people:
        list(people.map(lambda _: imported.complete(), range(2)))

    assert imported.simulator.front.most_at_once == 2
