"""Learners who are deactivated: what SAP Knowledge Base Article 2305693 says becomes of their rows."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest

from infra.local.generate import KeyFiles, Kind, Options, generate
from infra.local.generate.world import World
from tests.local.generate.reader import Reader, Rows, rows_of, rows_on

OPTIONS = Options(day=date(2026, 11, 2), learners=1, items=1, assignments=0, completions=0, leavers=2)
PLAN = "TASK DONE SURVEY CLASS CURRICULUM CURRICULUM-DONE PROGRAM PROGRAM-DONE ACTIVITY PROFILE"


@pytest.fixture(scope="module")
def days() -> Iterator[list[dict[str, Rows]]]:
    """Every table on each of five days."""
    with World.of(OPTIONS) as world:
        states = []
        for number in range(5):
            world.move_to(OPTIONS.first_day + timedelta(days=number))
            states.append({table: rows_on(world, table) for table in world.tables})
        yield states


def plan(state: dict[str, Rows], *marks: str) -> list[set[str]]:
    """Return the plans of all leavers to whom these things happen, each as the names of its items."""
    students = [row["STUD_ID"] for row in state["PV_PARTNER_STUDENT"] if set(marks) <= set(row["STUD_ID"].split("-"))]
    assert students
    rows = [(row["STUD_ID"], row["CPNT_ID"].removeprefix("LEAVER-")) for row in state["PA_STUD_CPNT"]]
    return [{name for student, name in rows if student == each} for each in students]


@pytest.mark.parametrize(
    ("way", "gone"),
    [
        ("MANUAL", ""),
        ("CLEAN", "TASK CLASS CURRICULUM CURRICULUM-DONE PROGRAM PROGRAM-DONE ACTIVITY"),
        ("KEEP", "CLASS"),
    ],
)
def test_each_way_takes_from_the_plan_what_the_article_says(days: list[dict[str, Rows]], way: str, gone: str) -> None:
    """At once what was assigned by people; a day later what a profile assigned, if that has lost them."""
    left = set(PLAN.split()) - set(gone.split())

    assert plan(days[0], way) == [set(PLAN.split())] * 12
    assert plan(days[1], way) == [left] * 12
    assert plan(days[2], way, "INCLUDED") == [left] * 6
    assert plan(days[2], way, "EXCLUDED") == [left - {"PROFILE"}] * 6


def test_history_stays_whatever_happens(days: list[dict[str, Rows]]) -> None:
    for before, after in pairwise(days):
        assert all(row in after["PA_CPNT_EVTHST"] for row in before["PA_CPNT_EVTHST"] if "DONE" in row["CPNT_ID"])


def test_programs_enrolments_and_domains_follow(days: list[dict[str, Rows]]) -> None:
    """Files that the connector does not read, and columns that it leaves alone, as they are in real packages."""
    programs = {row["STUD_ID"].partition("-")[0] for row in days[1]["PA_STUD_PROGRAM"]}
    seats = {row["STUD_ID"].partition("-")[0]: row["ENRL_STAT_ID"] for row in days[1]["PA_ENROLL_SEAT"]}
    domains = {row["DMN_ID"] for row in days[1]["PV_PARTNER_STUDENT"] if row["PERSON_ID_EXTERNAL"].startswith("LV")}

    assert {"MANUAL", "KEEP"} <= programs
    assert "CLEAN" not in programs
    assert seats == {"MANUAL": "ENROLLED", "CLEAN": "CANCELED", "KEEP": "CANCELED"}
    assert domains == {"FORMER"}


def test_some_come_back_as_themselves_and_some_under_a_new_student_id(days: list[dict[str, Rows]]) -> None:
    students = {row["STUD_ID"]: row for row in days[3]["PV_PARTNER_STUDENT"]}
    new = {student: row for student, row in students.items() if student.endswith("-NEW")}

    assert {row["NOTACTIVE"] for student, row in students.items() if "REACTIVATED" in student} == {"N"}
    assert len(new) == 12
    for student, row in new.items():
        old = students[student.removesuffix("-NEW")]
        assert (old["NOTACTIVE"], row["NOTACTIVE"]) == ("Y", "N")
        assert old["PERSON_ID_EXTERNAL"] == row["PERSON_ID_EXTERNAL"]
    assert plan(days[3], "NEW") == [{"TASK", "PROFILE"}] * 12
    assert plan(days[4], "NEW") == [{"PROFILE"}] * 12


@pytest.mark.slow
def test_they_are_written_into_packages_beside_the_company(reader: Reader, keys: KeyFiles) -> None:
    """And a world without them holds nothing of it."""
    options = replace(OPTIONS, kinds=(Kind.FULL, Kind.DELTA), key=keys.public)

    full, delta, key_lists = (reader.files(package) for package in generate(reader.out, options).packages)
    (without,) = generate(reader.out / "without", replace(OPTIONS, leavers=0, key=keys.public)).packages

    plans = rows_of(full["PA_STUD_CPNT.csv"])
    assert (len(plans), len(rows_of(key_lists["PA_STUD_CPNT_K.csv"]))) == (360, 360 - 12 * 7 - 12)
    assert sum(row["NOTACTIVE"] == "Y" for row in rows_of(delta["PV_PARTNER_STUDENT.csv"])) >= 36
    assert "PA_ENROLL_SEAT.csv" in delta
    assert "PA_ENROLL_SEAT.csv" not in reader.files(without)
    assert b"leaver" not in b"".join(reader.files(without).values()).lower()
