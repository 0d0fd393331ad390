"""Learners who are deactivated in SuccessFactors: what Viva Learning shows of them, day by day.

The generator's `leavers.sql` plays SAP Knowledge Base Article 2305693, and one connector lives through it for five
days. What only Viva Learning's side of the matter is (a disabled account) is below, and elsewhere:

- an inactive student id whose plan rows change: `tests/reference/test_reference_learners.py`, and random worlds against
  the connector in `tests/test_semantics.py`;
- why such a learner does not see a course: `tests/pipeline/test_explain.py`;
- cohorts, curricula and enrolments are in no file that the connector reads: nothing of them can get lost.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from infra.local.generate import Kind, Options
from infra.local.generate.damage import Damage
from infra.local.generate.packages import members
from infra.local.generate.world import World
from infra.local.graph import GraphSimulator
from shared.domain.errors import Code
from tests.bad_input.conftest import Tenant, assert_told
from tests.company import ADA, BEA, PUBLISHED, rows
from tests.desk import Desk, Sync

pytestmark = pytest.mark.slow

OPTIONS: Final = Options(day=date(2026, 11, 5), learners=1, items=1, assignments=0, completions=0, leavers=1)
WAYS: Final = ("MANUAL", "CLEAN", "KEEP")
"""By hand; by a connector with cleanDevPlan = Y; by one with N."""
PROFILES: Final = ("INCLUDED", "EXCLUDED")
LATER: Final = ("AWAY", "REACTIVATED", "REHIRED")
EVERYBODY: Final = [f"{way}-{profile}-{later}-1" for way in WAYS for profile in PROFILES for later in LATER]

OPEN: Final = {"TASK", "SURVEY", "CLASS", "CURRICULUM", "PROGRAM", "ACTIVITY", "PROFILE"}
COMPLETED: Final = {"DONE", "CURRICULUM-DONE", "PROGRAM-DONE", "HISTORY"}

type Record = dict[str, Any]


@dataclass(frozen=True)
class Day:
    """What Viva Learning shows at the end of a day, by the leaver's first student id."""

    syncs: list[Sync]
    shown: Mapping[str, list[Record]]

    def named(self, leaver: str, name: str) -> list[Record]:
        """Return the records of one item."""
        return [record for record in self.shown[leaver] if record["_contentExternalId"].endswith(f":LEAVER-{name}")]

    def open(self, leaver: str) -> set[str]:
        """Name the items that are still to be done."""
        return {_name(record) for record in self.shown[leaver] if record["status"] != "completed"}

    def completed(self, leaver: str) -> list[Record]:
        """Return what is completed."""
        return [record for record in self.shown[leaver] if record["status"] == "completed"]


def _name(record: Record) -> str:
    return str(record["_contentExternalId"]).partition(":LEAVER-")[2]


def of(way: str = "", profile: str = "", later: str = "") -> list[str]:
    """Name the leavers to whom these things happen."""
    return [each for each in EVERYBODY if all(part in f"{each}-".split("-") for part in (way, profile, later))]


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Day]]:
    """Five days: they work, are deactivated, are synchronised, some come back, those complete something."""
    folder = tmp_path_factory.mktemp("leavers")
    with World.of(OPTIONS) as world, GraphSimulator(folder / "graph") as graph:
        (folder / "directory.csv").write_bytes(b"".join(world.csv("FROM directory")))
        graph.load_directory(folder / "directory.csv")
        users = dict(_rows(world, 'SELECT s.id, d.id FROM leaver s JOIN directory d ON d."employeeId" = s.person'))
        desk = Desk(graph, {"mass_change_percent": 10})
        try:
            yield [_live(desk, world, folder, users, number) for number in range(5)]
        finally:
            desk.close()


def _rows(world: World, query: str) -> list[list[str]]:
    return [line.split(",") for line in b"".join(world.csv(query)).decode().splitlines()[1:]]


def _live(desk: Desk, world: World, folder: Path, users: Mapping[str, str], number: int) -> Day:
    """Let a day's packages come, and take them; approve what halts after a dry run has said so."""
    today = OPTIONS.first_day + timedelta(days=number)
    world.move_to(today)
    for kind, stamp in [(Kind.DELTA, "000000"), (Kind.KEYS, "013000")] if number else [(Kind.FULL, "000000")]:
        content = {each.name: b"".join(each.chunks) for each in members(world, kind, Damage(()))}
        desk.drop(f"acme_{kind.letter}_{today:%Y%m%d}{stamp}.zip.pgp", content)
    desk.now = datetime(today.year, today.month, today.day, 6, tzinfo=UTC)
    syncs = [desk.sync(dry_run=True), desk.sync()] if number == 1 else [desk.sync()]
    if syncs[-1].outcome == "halted":
        syncs.append(desk.approve(syncs[-1].runs[-1].run_id))
    desk.simulator.export_viva(folder / "viva.ndjson")
    records = [json.loads(line) for line in (folder / "viva.ndjson").read_text("utf-8").splitlines()]
    shown = {
        leaver: [each for each in records if each.get("learnerUserId") == user_id] for leaver, user_id in users.items()
    }
    return Day(syncs, shown)


def test_everybody_begins_with_the_same(days: list[Day]) -> None:
    """Or the other tests would compare nothing."""
    first = days[0]

    assert sorted(first.shown) == sorted(EVERYBODY)
    for leaver in EVERYBODY:
        assert first.open(leaver) == OPEN
        assert {_name(each) for each in first.completed(leaver)} == COMPLETED
    assert [day.syncs[-1].outcome for day in days] == ["done"] * 5
    assert [run.rejects for day in days for sync in day.syncs for run in sync.runs if run.rejects] == []


def test_g1_g2_a_learner_who_is_deactivated_by_hand_keeps_everything(days: list[Day]) -> None:
    """To the last field, also what belongs to a cohort or a class."""
    for leaver in of("MANUAL"):
        assert days[1].shown[leaver] == days[0].shown[leaver]


def test_g3_g5_g7_g9_g11_with_y_all_that_is_open_goes_except_surveys(days: list[Day]) -> None:
    """Manual assignments, curricula, programs, learning activities; profiles see to their own (G13)."""
    for leaver in of("CLEAN"):
        assert days[1].open(leaver) == {"SURVEY", "PROFILE"}


def test_g8_classes_go_with_y_and_with_n_and_a_cancelled_enrolment_is_no_error(days: list[Day]) -> None:
    for leaver in [*of("CLEAN"), *of("KEEP")]:
        assert days[1].named(leaver, "CLASS") == []
    for leaver in of("MANUAL"):
        assert days[1].named(leaver, "CLASS")
    (run,) = days[1].syncs[-1].runs
    assert run.reject_count == 0
    assert "PA_ENROLL_SEAT.csv was left alone: not read for now." in run.warnings


def test_g12_with_n_everything_stays_but_classes(days: list[Day]) -> None:
    """The exact difference between the two values of the parameter."""
    for keeps, cleans in zip(of("KEEP"), of("CLEAN"), strict=True):
        assert days[1].open(keeps) == OPEN - {"CLASS"}
        assert days[1].open(keeps) - days[1].open(cleans) == {"TASK", "CURRICULUM", "PROGRAM", "ACTIVITY"}
        assert {_name(each) for each in days[1].completed(cleans)} == {_name(each) for each in days[1].completed(keeps)}


@pytest.mark.parametrize("way", WAYS)
def test_g4_g6_what_was_completed_is_never_touched(days: list[Day], way: str) -> None:
    """However and whenever: items whose plan row went with the curriculum or the program as well."""
    for leaver in of(way):
        for day in days[1:]:
            assert all(each in day.shown[leaver] for each in days[0].completed(leaver))


def test_g13_g15_what_a_profile_assigned_goes_a_day_later_however_they_were_deactivated(days: list[Day]) -> None:
    for leaver in EVERYBODY:
        assert len(days[1].named(leaver, "PROFILE")) == 1
        assert len(days[2].named(leaver, "PROFILE")) == ("INCLUDED" in leaver)
    for leaver in of(profile="INCLUDED"):
        assert days[2].shown[leaver] == days[1].shown[leaver]


def test_g14_a_learner_who_moves_to_another_domain_is_the_same_learner(days: list[Day]) -> None:
    """All of them move on the day. What stays is the same record, not one withdrawn and made anew."""
    for leaver in EVERYBODY:
        before = {each["id"]: each for each in days[0].shown[leaver]}
        assert all(before[each["id"]] == each for each in days[1].shown[leaver])


def test_g16_a_mass_deactivation_is_seen_in_a_dry_run_and_halts_until_approved(days: list[Day]) -> None:
    rehearsed, halted, approved = days[1].syncs

    for sync in (rehearsed, halted):
        assert_told(sync, "halted", Code.MASS_CHANGE, "36 of 180")
        assert sync.runs[-1].changes.assignments.withdraw == 6 * 5 + 6
    assert approved.outcome == "done"
    assert approved.runs[-1].tally.assignments.withdrawn == 6 * 5 + 6


def test_somebody_who_is_away_is_shown_no_news(days: list[Day]) -> None:
    """A due date was moved on the third day; whoever is not there does not see it."""
    for leaver in of(later="AWAY"):
        assert days[4].named(leaver, "TASK") == days[1].named(leaver, "TASK")


@pytest.mark.parametrize("way", ["MANUAL", "KEEP"])
def test_somebody_who_is_reactivated_sees_what_has_changed_meanwhile(days: list[Day], way: str) -> None:
    """The package of that day says nothing about the plan."""
    for leaver in of(way, later="REACTIVATED"):
        (before,), (frozen,), (after,) = (day.named(leaver, "TASK") for day in days[1:4])
        assert before == frozen
        assert frozen["dueDateTime"]["dateTime"] < after["dueDateTime"]["dateTime"]
        assert frozen["id"] == after["id"]


def test_somebody_whose_plan_was_emptied_gets_what_is_assigned_anew(days: list[Day]) -> None:
    """As a new assignment, with its own date."""
    for leaver in of("CLEAN", later="REACTIVATED"):
        assert days[2].named(leaver, "TASK") == []
        (task,) = days[3].named(leaver, "TASK")
        (old,) = days[0].named(leaver, "TASK")
        assert task["assignedDateTime"] > old["assignedDateTime"]
        assert task["externalcourseActivityId"] != old["externalcourseActivityId"]


@pytest.mark.parametrize("later", ["REACTIVATED", "REHIRED"])
def test_somebody_who_comes_back_gets_what_the_profile_assigns(days: list[Day], later: str) -> None:
    for leaver in of(profile="EXCLUDED", later=later):
        assert len(days[3].named(leaver, "PROFILE")) == 1


def test_somebody_rehired_under_a_new_student_id_is_the_same_person(days: list[Day]) -> None:
    """The history stays; open assignments of the old id stay as they are, and those of the new one come beside them."""
    for leaver in of(later="REHIRED"):
        kept = 0 if "CLEAN" in leaver else 1
        assert len(days[2].named(leaver, "TASK")) == kept
        assert len(days[3].named(leaver, "TASK")) == kept + 1
        assert all(each in days[3].named(leaver, "TASK") for each in days[2].named(leaver, "TASK"))


def test_what_the_rehired_complete_completes_the_old_assignment_as_well(days: list[Day]) -> None:
    """Nobody sees as overdue what the same person has done under another id."""
    for leaver in of(later="REHIRED"):
        tasks = days[4].named(leaver, "TASK")
        assert len(tasks) == len(days[3].named(leaver, "TASK"))
        assert {each["status"] for each in tasks} == {"completed"}
        assert len({each["completedDateTime"] for each in tasks}) == 1
        assert len({each["_type"] for each in tasks}) == 1, "no completion of its own beside them"


@pytest.mark.parametrize(
    "gone", [pytest.param(False, id="disabled"), pytest.param(True, id="deleted", marks=pytest.mark.slow)]
)
def test_g18_an_account_that_is_disabled_in_entra_keeps_its_records_until_it_is_back(
    tenant: Tenant, *, gone: bool
) -> None:
    """Withdrawals wait as well: they are made when there is somebody to make them for."""
    plans = [row for row in rows()["PA_STUD_CPNT"] if (row["STUD_ID"], row["CPNT_ID"]) != (ADA.student, "C-3")]
    tenant.people(*([] if gone else [replace(ADA, enabled=False)]), BEA)
    tenant.full(2, PA_STUD_CPNT=plans)

    with tenant.nothing_changes():
        (run,) = tenant.desk.sync().runs
    tenant.people(ADA, BEA)
    tenant.full(3, PA_STUD_CPNT=plans, PA_CPNT_SRC=[])
    back = tenant.desk.sync()

    assert run.coverage is not None
    assert (run.outcome, run.coverage.mapped) == ("done", 1)
    assert (run.coverage.disabled, run.coverage.unmatched) == ((0, 2) if gone else (1, 1))
    assert back.runs[0].tally.assignments.withdrawn == 1
    assert tenant.shown()["learningAssignment"] == PUBLISHED["learningAssignment"] - 1
