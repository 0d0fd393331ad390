"""Rules for ids: off unless somebody switches them on, and each one says how many learners rest on it."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import pytest

from infra.local.graph import GraphSimulator
from shared.domain.explanation import Cause
from shared.domain.runs import Coverage, Run
from shared.pipeline.doctor import examine
from shared.pipeline.explain import explain
from shared.pipeline.explain_scene import Question
from tests.company import FULL, Person, betrays, files, full, item, make_directory, plan, student
from tests.desk import NAME, Desk

ZEROS, SPACES, SIGNS = RULES = ("drop_leading_zeros", "drop_spaces", "drop_signs")
DELTA = "acme_D_20261101220000.zip.pgp"
NEXT_DELTA = "acme_D_20261102220000.zip.pgp"


def user(number: int, key: str, *, enabled: bool = True) -> Person:
    return Person("", key, f"00000000-0000-4000-8000-0000000000{number:02}", enabled=enabled)


LEARNERS = {
    "exact": ("quokka100", "QUOKKA100"),
    "zeros": ("00123", "123"),
    "spaces": ("quokka 200", "quokka200"),
    "signs": ("quokka-300", "quokka.300"),
    "zeros and signs": ("00-400", "400"),
    "signs on both sides": ("0-500", "0-0-500"),
    "nobody": ("600", "7600"),
}
"""The id in the LMS, and the one user's that comes nearest."""


def world(desk: Desk, folder: Path, *more: Person) -> None:
    users = [user(number, theirs) for number, (_, theirs) in enumerate(LEARNERS.values())]
    make_directory(desk.simulator, folder, *users, *more)
    desk.drop(FULL, package(*(ours for ours, _ in LEARNERS.values())))


def package(*ids: str) -> dict[str, bytes]:
    people = [Person(f"quokka-{number}", key, "") for number, key in enumerate(ids)]
    return full(
        PV_PARTNER_STUDENT=[student(person) for person in people],
        PA_STUD_CPNT=[plan(person, 1) for person in people],
        PA_CPNT_EVTHST=[],
    )


def counted(coverage: Coverage) -> tuple[int, int, int]:
    return coverage.mapped, coverage.unmatched, coverage.near_miss


def report(desk: Desk, run: Run) -> list[dict[str, str]]:
    text = desk.reports.content[f"{NAME}/{run.run_id}/coverage.csv"].decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_without_rules_an_id_stands_as_it_is_and_the_rule_that_would_help_is_named(desk: Desk, tmp_path: Path) -> None:
    world(desk, tmp_path)

    (run,) = desk.sync().runs

    assert counted(run.coverage) == (1, 6, 5)
    assert (run.coverage.by_rules, run.coverage.by_rule) == (0, {})
    assert run.coverage.near_by_rules == {
        ZEROS: 1,
        SPACES: 1,
        SIGNS: 1,
        f"{ZEROS}, {SIGNS}": 2,
    }
    assert [(row["reason"], row["line"], row["rules"]) for row in report(desk, run)] == [
        ("near_miss", "3", ZEROS),
        ("near_miss", "4", SPACES),
        ("near_miss", "5", SIGNS),
        ("near_miss", "6", f"{ZEROS}, {SIGNS}"),
        ("near_miss", "7", f"{ZEROS}, {SIGNS}"),
        ("unmatched", "8", ""),
    ]
    assert f"Would match with {ZEROS} (person_id_rules)" in report(desk, run)[0]["how_to_mend"]


def test_a_run_that_is_halted_for_coverage_names_the_rule_that_would_help_most(desk: Desk, tmp_path: Path) -> None:
    desk.set(coverage_minimum_percent=80, directory_attribute="employeeId")
    world(desk, tmp_path)

    sync = desk.sync()

    assert sync.outcome == "halted"
    assert f"2 near misses would match with {ZEROS}, {SIGNS} (person_id_rules). Correct employeeId" in sync.message


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([ZEROS], (2, 1, {ZEROS: 1}, {SPACES: 1, SIGNS: 3})),
        ([SIGNS], (2, 1, {SIGNS: 1}, {ZEROS: 3, SPACES: 1})),
        ([SPACES, SPACES], (2, 1, {SPACES: 1}, {ZEROS: 1, SIGNS: 1, f"{ZEROS}, {SIGNS}": 2})),
        (RULES, (6, 5, {ZEROS: 3, SPACES: 1, SIGNS: 3}, {})),
    ],
    ids=["zeros", "signs", "spaces", "all"],
)
def test_each_rule_says_who_would_not_be_found_without_it(
    desk: Desk, tmp_path: Path, rules: Sequence[str], expected: tuple[int, int, dict[str, int], dict[str, int]]
) -> None:
    """Of two ids that differ in zeros and in signs, both rules are needed, and each of them says so."""
    desk.set(person_id_rules=rules)
    world(desk, tmp_path)

    (run,) = desk.sync().runs

    told = run.coverage
    assert (run.outcome, (told.mapped, told.by_rules, told.by_rule, told.near_by_rules)) == ("done", expected)
    assert desk.simulator.counters().written["POST activities"] == told.mapped
    found = [row for row in report(desk, run) if row["reason"] == "mapped_by_rules"]
    assert [(row["rules"], int(row["persons"]), row["line"]) for row in found] == [
        (rule, count, "") for rule, count in told.by_rule.items()
    ]


def test_two_who_are_equal_under_the_rules_are_ambiguous_and_nothing_is_sent(desk: Desk, tmp_path: Path) -> None:
    """Even if one of them is the very same: a rule that makes people equal makes nobody right."""
    desk.set(person_id_rules=[ZEROS])
    make_directory(desk.simulator, tmp_path, user(1, "123"), user(2, "00123"), user(3, "0500", enabled=False))
    desk.drop(FULL, package("123", "0123", "500"))

    (run,) = desk.sync().runs

    assert (run.coverage.ambiguous, run.coverage.disabled, run.coverage.learners) == (1, 1, 2)
    assert desk.simulator.counters().written.get("POST activities", 0) == 0


def test_a_near_miss_of_several_users_is_told_without_a_rule(desk: Desk, tmp_path: Path) -> None:
    make_directory(desk.simulator, tmp_path, user(1, "123"), user(2, "0123"))
    desk.drop(FULL, package("00123"))

    (run,) = desk.sync().runs

    assert (counted(run.coverage), run.coverage.near_by_rules) == ((0, 1, 1), {})
    (row,) = report(desk, run)
    assert (row["reason"], row["rules"]) == ("near_miss", "")
    assert (row["file"], row["line"]) == ("PV_PARTNER_STUDENT.csv", "2")
    assert row["how_to_mend"].startswith("Make employeeId and PERSON_ID_EXTERNAL the same")


def test_rules_hold_from_the_next_package_on_and_nothing_is_taken_back(desk: Desk, tmp_path: Path) -> None:
    """A delta without anybody in it is enough: what is kept of an id serves every set of rules."""
    world(desk, tmp_path)
    desk.sync()
    shown = desk.simulator.counters().written["POST activities"]

    desk.set(person_id_rules=RULES)
    desk.drop(DELTA, files({"PA_CPNT": [item(6)]}))
    desk.pass_time(86_400)
    on = desk.sync().runs[0]
    desk.set(person_id_rules=[])
    desk.drop(NEXT_DELTA, files({"PA_CPNT": [item(7)]}))
    desk.pass_time(86_400)
    off = desk.sync().runs[0]

    assert shown == 1
    assert (on.outcome, on.coverage.mapped, on.changes.assignments.add) == ("done", 6, 5)
    assert (off.outcome, off.coverage.mapped) == ("done", 1)
    assert off.changes.assignments.model_dump() == {"add": 0, "change": 0, "withdraw": 0}
    assert desk.simulator.counters().written["POST activities"] == 6
    assert "DELETE activities" not in desk.simulator.counters().written


def test_rules_that_change_in_the_midst_of_a_run_hold_for_the_next(desk: Desk, tmp_path: Path) -> None:
    """Who is who was decided, reported and maybe approved under those of its beginning."""
    desk.set(person_id_rules=RULES)
    world(desk, tmp_path)
    send = desk.messages.send

    def change(queue: str, body: str, *, delay_seconds: float = 0) -> None:
        if '"stage":"contents"' in body and queue == "push-records":
            desk.set(person_id_rules=[])
        send(queue, body, delay_seconds=delay_seconds)

    desk.messages.send = change  # type: ignore[method-assign]  # to see what passes

    (run,) = desk.sync().runs

    assert (run.outcome, run.coverage.mapped) == ("done", 6)
    assert desk.simulator.counters().written["POST activities"] == 6
    document = desk.parts.connections.find(NAME)
    assert document is not None
    assert document.value["person_id_rules"] == []


def test_two_student_ids_whose_ids_are_equal_under_the_rules_are_one_person(desk: Desk, tmp_path: Path) -> None:
    desk.set(person_id_rules=[ZEROS])
    make_directory(desk.simulator, tmp_path, user(1, "123"))
    desk.drop(FULL, package("123", "00123"))

    (run,) = desk.sync().runs

    assert (run.coverage.learners, run.coverage.mapped, run.coverage.by_rule) == (1, 1, {ZEROS: 1})


def test_explain_names_the_rules_and_finds_whoever_is_meant(desk: Desk, tmp_path: Path) -> None:
    world(desk, tmp_path)
    desk.sync()
    before = explain(desk.parts, NAME, Question("00123", "C-1"))
    desk.set(person_id_rules=RULES)
    next_time = explain(desk.parts, NAME, Question("00123", "C-1"))
    desk.drop(DELTA, files({"PA_CPNT": [item(6)]}))
    desk.pass_time(86_400)
    desk.sync()

    after = explain(desk.parts, NAME, Question("0-0123", "C-1"))

    assert before.cause is Cause.UNMATCHED
    assert any(f"It would match with {ZEROS} (person_id_rules)." in fact.text for fact in before.facts)
    assert next_time.cause is not Cause.UNMATCHED
    assert after.cause is Cause.PUBLISHED
    assert any(f"they match thanks to {ZEROS}." in fact.text for fact in after.facts)
    assert any((fact.file, fact.line) == ("PV_PARTNER_STUDENT.csv", 3) for fact in after.facts)
    assert betrays(f"{before} {next_time} {after}") == []


def test_a_directory_is_examined_under_the_rules(tmp_path: Path) -> None:
    """Whoever switches a rule on has to see whom it makes equal, before and after the first sync."""
    with GraphSimulator(tmp_path / "graph") as graph:
        desk = Desk(graph, {"person_id_rules": [ZEROS, SIGNS]})
        make_directory(graph, tmp_path, user(1, "123"), user(2, "00-123"), user(3, "5"))
        fresh = next(check for check in examine(desk.parts, [NAME]) if check.name == "directory coverage")
        desk.drop(FULL, package("5"))
        desk.sync()
        synced = next(check for check in examine(desk.parts, [NAME]) if check.name == "directory coverage")
        desk.close()

    for check in (fresh, synced):
        assert "1 ids are shared by several" in check.found
    assert "as the app saw them" in synced.found
