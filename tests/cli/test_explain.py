"""`lms explain`, as an admin reads it, and as a program does."""

import logging
from collections.abc import Iterator

import pytest

from shared.domain.explanation import WORDS, Cause
from tests.cli.conftest import Lms
from tests.company import ADA, NOBODY, betrays
from tests.desk import Desk
from tests.situations import BAD, FIRST, NEAR, NEARLY, TWIN, desk_of_all


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One desk for all: nothing here changes anything."""
    with desk_of_all(tmp_path_factory.mktemp("explain")) as desk:
        yield desk


def test_the_cause_its_place_and_how_to_mend_it_are_told(lms: Lms) -> None:
    answer = lms("explain", ADA.key, f"C-{BAD}")

    assert answer.status == 0
    assert Cause.CONTENT_REJECTED in answer.output
    for told in (FIRST, "PA_CPNT.csv", "line 8", "CPNT_LEN", "CONN_ERROR_FIELD_INVALID"):
        assert told in answer.output
    assert WORDS[Cause.CONTENT_REJECTED].mend in " ".join(answer.output.split())


def test_what_is_shown_is_told(lms: Lms) -> None:
    answer = lms("explain", ADA.key, "C-1")

    assert "Shown: assignment notStarted" in answer.output
    assert ADA.user_id in answer.output
    assert "since 2026-11-01" in answer.output


def test_programs_get_the_whole_chain(lms: Lms) -> None:
    found = lms("explain", NEAR.key, "COURSE:C-1", "--json").json

    assert (found["item"], found["cause"]) == ("COURSE:C-1", "unmatched")
    assert found["decisive"]["package"] == FIRST
    assert {fact["about"] for fact in found["facts"]} >= {"run", "learner", "directory", "course", "assignment", "push"}
    assert any(NEARLY.user_id in fact["text"] for fact in found["facts"])


def test_the_id_may_come_from_the_standard_input(lms: Lms) -> None:
    """So that it is in no shell's history."""
    given = lms("explain", "-", "C-1", "--json", given=f"{NOBODY.key}\n")

    assert given.json == lms("explain", NOBODY.key, "C-1", "--json").json
    assert lms("explain", "-", "C-1", given="\n").status == 1


def test_a_student_id_does_as_well(lms: Lms) -> None:
    assert lms("explain", TWIN.student, "C-1", "--student", "--json").json["cause"] == "ambiguous"


def test_a_quick_answer_has_no_lines(lms: Lms) -> None:
    found = lms("explain", NOBODY.key, "C-1", "--quick", "--json").json

    assert found["cause"] == "unmatched"
    assert found["decisive"]["line"] is None


def test_an_unknown_course_is_told_in_a_sentence(lms: Lms, desk: Desk) -> None:
    answer = lms("explain", ADA.key, ":")

    assert answer.status == 1
    assert "TYPE:ID" in answer.errors
    assert desk.messages.sent == []


def test_the_id_is_never_printed_nor_logged(lms: Lms, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        answers = [
            lms("explain", ADA.key, "C-1"),
            lms("explain", NOBODY.key, "C-1", "--json"),
            lms("explain", "quokka-nix", "C-1"),
            lms("explain", ADA.key, ":"),
            lms("explain", ADA.student, "C-1", "--student"),
            lms("explain", "-", "C-1", given=f"{ADA.key}\n"),
        ]

    for answer in answers:
        assert betrays(answer.output + answer.errors) == []
    assert betrays(caplog.text) == []
