"""`lms push` over a desk whose records go back to an LMS in memory."""

from pathlib import Path

import pytest

from shared.domain.batches import Kind
from shared.domain.errors import Code
from tests.cli.conftest import Lms
from tests.company import betrays
from tests.desk import Desk
from tests.write_back.conftest import Office, completion, course


@pytest.fixture
def office(desk: Desk) -> Office:
    return Office(desk)


def test_a_plan_says_how_many_requests_and_until_when(office: Office, lms: Lms) -> None:
    """Before anything is sent."""
    office.set(paused=True)
    office.post(Kind.COURSES, [course(number) for number in range(1500)])
    office.post(Kind.COURSES, [course(number, active=number != 1500) for number in range(1500, 2500)])
    office.post(Kind.COMPLETIONS, [completion(number) for number in range(250)])
    office.post(Kind.COMPLETIONS, [completion(1)])

    found = lms("push", "plan", "--json").json

    assert found["requests"] == 253
    assert (found["creations"], found["created_inactive"], found["completions"], found["already"]) == (2500, 1, 250, 1)
    steps = {each["asked"]: each for each in found["steps"]}
    assert (steps["courses"]["requests"], steps["completions"]["requests"]) == (3, 250)
    assert found["ends_at"].startswith("2026-11-01T06:10:00")
    told = lms("push", "plan").output
    assert "3 requests for 2,500 records" in told
    assert "Done at 2026-11-01 06:10 UTC" in told
    assert "1 new courses are inactive" in told
    assert office.lms.requests == []
    assert lms("push", "now", "--yes").status == 1


def test_one_completion_is_sent_to_see_it_arrive(office: Office, lms: Lms) -> None:
    office.set(paused=True)
    office.post(Kind.COMPLETIONS, [completion(number) for number in range(5)])
    office.work()

    answer = lms("push", "now", "--sample", "1", "--yes", "--json")
    office.work()

    assert answer.json["completions"] == 5
    assert len(office.lms.history) == 1
    (shown,) = lms("push", "batches", "--json").json
    assert (shown["waiting"], shown["fates"], shown["confirmed"]) == (4, {"done": 1}, 1)
    assert "found in the history" in " ".join(lms("push", "batches", shown["batch"]).output.split())


def test_what_was_not_taken_is_shown_and_sent_again(office: Office, lms: Lms, tmp_path: Path) -> None:
    office.lms.inactive = {"quokka-2"}
    office.post(Kind.COMPLETIONS, [completion(1), completion(2), {"learner": "quokka"}])
    office.work()
    batch = office.batch.batch_id

    shown = lms("push", "batches", batch, "--csv", str(tmp_path / "report.csv"))
    assert Code.LEARNER_INACTIVE in shown.output
    assert "partial" in shown.output
    report = (tmp_path / "report.csv").read_text("utf-8-sig")
    assert betrays(shown.output + report) == []
    assert Code.FIELD_REQUIRED in report

    again = lms("push", "replay", batch, given="n\n")
    assert "1 completions will be parked again: their learners are not active yet." in again.errors
    assert betrays(again.output + again.errors) == []
    office.lms.inactive = set()
    assert lms("push", "replay", "0" * 32, "--yes").status == 1
    assert lms("push", "replay", batch, "--yes", "--json").json == {"batches": [batch], "still_inactive": 0}
    office.desk.pass_time(1)
    office.work()
    assert len(office.lms.history) == 2
    assert lms("push", "replay", "--yes").status == 1
    assert lms("push", "batches").output.count("replay") == 1


def test_nothing_is_shown_of_nothing(office: Office, lms: Lms) -> None:
    assert "No batch" in lms("push", "batches").output
    assert lms("push", "batches", "x").status == 1
    assert lms("push", "now", "--sample", "1", "--yes").status == 1
    assert lms("push", "plan", "--json").json["requests"] == 0
    office.desk.set(write_back=None)
    assert Code.WRITE_BACK_OFF in lms("push", "plan").errors
