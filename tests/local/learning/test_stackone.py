"""The simulator of StackOne refuses what StackOne's reference and its guide for SuccessFactors do not allow."""

from datetime import timedelta
from typing import Any

import pytest

from infra.local.learning.lms import User
from infra.local.stackone.server import BATCH, META, USERS
from infra.local.stackone.users import stackone_id
from tests.local.learning.conftest import NOW, One


def item(reference: str = "C-1", **values: Any) -> dict[str, Any]:  # noqa: ANN401 - of any field
    english = {"source_value": "English"}
    return {
        "external_reference": reference,
        "title": "Negotiating",
        "languages": [english],
        "localizations": [{"title": "Negotiating", "language": english}],
        "content_url": "https://learn.example/c1",
    } | values


def done(**values: object) -> dict[str, Any]:
    return {
        "learning_object_external_reference": "C-1",
        "completed_at": (NOW - timedelta(days=3)).isoformat(),
        "result": {"value": "Pass"},
    } | values


@pytest.fixture
def imported(one: One) -> One:
    one.ask("POST", BATCH, {"items": [item()]})
    one.simulator.import_courses()
    return one


def complete(one: One, user: str = "ada", **values: Any) -> int:  # noqa: ANN401 - of any field
    return one.ask("POST", f"{USERS}/{user}/completions", done(**values)).status_code


def test_everything_is_refused_until_the_account_is_linked(one: One) -> None:
    one.simulator.linked = False

    assert one.ask("GET", USERS).status_code == 401
    one.simulator.linked = True
    assert one.ask("GET", USERS).status_code == 200


@pytest.mark.parametrize("wrong", [{"key": "another"}, {"account": "another"}])
def test_key_and_account_have_to_be_right(one: One, wrong: dict[str, str]) -> None:
    assert one.ask("GET", USERS, **wrong).status_code == 401


def test_a_batch_says_of_each_item_what_is_wrong(one: One) -> None:
    answer = one.ask("POST", BATCH, {"items": [item("C-1"), item("C-2", languages=[{"value": "en_US"}])]})

    assert answer.status_code == 202
    assert [len(errors) for errors in answer.json()["errors"]] == [0, 1]
    assert list(one.simulator.lms.courses()) == ["C-1"]


def test_of_two_items_with_one_reference_the_second_wins(one: One) -> None:
    one.ask("POST", BATCH, {"items": [item(), item(title="Another")]})
    one.simulator.import_courses()

    assert [each.title for each in one.simulator.items()] == ["Another"]


@pytest.mark.parametrize(
    "wrong", [{"title": ""}, {"content_url": ""}, {"external_reference": ""}, {"languages": []}, {"launchType": 3}]
)
def test_an_item_that_is_written_wrongly_fails_its_whole_batch(one: One, wrong: dict[str, Any]) -> None:
    assert one.ask("POST", BATCH, {"items": [item(), item(**wrong)]}).status_code == 400
    assert one.simulator.lms.courses() == {}


def test_a_batch_is_a_thousand_items_once_in_five_minutes(one: One) -> None:
    assert one.ask("POST", BATCH, {"items": [item(f"C-{n}") for n in range(1001)]}).status_code == 400
    assert one.ask("POST", BATCH, {"items": [item()]}).status_code == 429
    one.clock.move(300)
    assert one.ask("POST", BATCH, {"items": [item()]}).status_code == 202


@pytest.mark.parametrize(
    ("result", "status"),
    [
        ({"value": "Pass"}, 201),
        ({"value": "Fail", "source_value": "fail"}, 201),
        ({"source_value": "pass"}, 201),
        ({"value": "pass"}, 400),
        ({"value": "Passed"}, 400),
        ({"source_value": "Pass"}, 400),
        ({}, 400),
        ("pass", 400),
    ],
)
def test_a_result_is_pass_or_fail(imported: One, result: object, status: int) -> None:
    assert complete(imported, result=result) == status


@pytest.mark.parametrize(
    "wrong",
    [{"completed_at": "2026-10-20"}, {"learning_object_external_reference": "C-9"}, {"content_id": "C-1"}],
)
def test_a_completion_that_is_written_wrongly_is_refused(imported: One, wrong: dict[str, Any]) -> None:
    assert complete(imported, **wrong) == 400
    assert imported.simulator.history() == []


def test_users_are_known_by_either_id(imported: One) -> None:
    assert complete(imported, "ada") == 201
    assert complete(imported, stackone_id("ada")) == 201
    assert complete(imported, "nobody") == 404
    assert complete(imported, "bea") == 400
    assert len(imported.simulator.history("ada")) == 2


def test_a_completion_in_the_future_is_taken_and_recorded_nowhere(imported: One) -> None:
    assert complete(imported, completed_at=(NOW + timedelta(days=1)).isoformat()) == 201
    assert imported.simulator.history() == []


def test_assignments_are_refused(one: One) -> None:
    answer = one.ask("POST", f"{USERS}/ada/assignments", {"learning_object_external_reference": "C-1"})

    assert answer.status_code == 501


def test_users_are_listed_page_by_page(one: One) -> None:
    one.simulator.add_users(*(User(f"u-{n:02}", "", active=True) for n in range(48)))
    sizes, following = [], "0"
    while following:
        one.clock.move(0.5)
        page = one.ask("GET", f"{USERS}?next={following}").json()
        sizes.append(len(page["data"]))
        following = page["next"]

    assert sizes == [25, 25]
    one.clock.move(0.5)
    assert one.ask("GET", f"{USERS}?page_size=101").status_code == 400
    one.clock.move(0.5)
    assert one.ask("GET", f"{USERS}?filter=x").status_code == 400


def test_reads_come_twice_a_second(one: One) -> None:
    assert [one.ask("GET", USERS).status_code for _ in range(2)] == [200, 429]


def test_the_filter_has_to_be_percent_encoded_rightly(one: One) -> None:
    one.simulator.add_users(User("x", "a&b=c d", active=True))

    found = one.ask("GET", f"{USERS}?filter%5Bexternal_reference%5D=a%26b%3Dc%20d").json()["data"]

    assert [each["remote_id"] for each in found] == ["x"]


def test_the_connector_tells_which_field_identifies_users(one: One) -> None:
    assert "connector_meta_field" not in one.ask("GET", META).json()
    told = one.ask("GET", f"{META}?include=connector_meta_field").json()
    assert told["connector_meta_field"] == "external_reference"
