"""Why a learner sees a course or does not: the right cause, the package, the file, the line."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any

import pytest

from shared.domain.errors import Code, SettingsError
from shared.domain.explanation import About, Cause
from shared.pipeline import journal
from shared.pipeline.engine import Engine
from shared.pipeline.explain import explain
from shared.pipeline.explain_scene import Question
from tests.company import ADA, BEA, NOBODY, Person, betrays
from tests.desk import NAME, Desk
from tests.situations import (
    BAD,
    FIRST,
    LEFT,
    LOCKED,
    LONG,
    LOST,
    NEAR,
    NEARLY,
    OFF,
    OTHER_TWIN,
    POOR,
    SECOND,
    STRANGER,
    TWIN,
    UNSHELVED,
    desk_of_all,
    first,
    why,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with desk_of_all(tmp_path_factory.mktemp("world")) as desk:
        yield desk


def line(table: str, is_it: Any) -> int:  # noqa: ANN401 - a predicate over a row
    """Return the line in the first package of the one row that is it."""
    (number,) = (number for number, row in enumerate(first()[table]) if is_it(row))
    return number + 2


def planned(person: Person, course: int) -> int:
    return line("PA_STUD_CPNT", lambda row: (row["STUD_ID"], row["CPNT_ID"]) == (person.student, f"C-{course}"))


def learner(person: Person) -> int:
    return line("PV_PARTNER_STUDENT", lambda row: row["STUD_ID"] == person.student)


def course(number: int) -> int:
    return line("PA_CPNT", lambda row: row["CPNT_ID"] == f"C-{number}")


@pytest.mark.parametrize(
    ("person", "number", "cause", "where"),
    [
        (ADA, 1, Cause.PUBLISHED, ("PA_STUD_CPNT.csv", planned(ADA, 1))),
        (BEA, 1, Cause.COMPLETED, ("PA_STUD_CPNT.csv", planned(BEA, 1))),
        (NOBODY, 1, Cause.UNMATCHED, ("PA_STUD_CPNT.csv", planned(NOBODY, 1))),
        (NEAR, 1, Cause.UNMATCHED, ("PA_STUD_CPNT.csv", planned(NEAR, 1))),
        (TWIN, 1, Cause.AMBIGUOUS, ("PA_STUD_CPNT.csv", planned(TWIN, 1))),
        (LOCKED, 1, Cause.DISABLED, ("PA_STUD_CPNT.csv", planned(LOCKED, 1))),
        (POOR, 1, Cause.UNLICENSED, ("PA_STUD_CPNT.csv", planned(POOR, 1))),
        (LEFT, 1, Cause.LEARNER_INACTIVE, ("PV_PARTNER_STUDENT.csv", learner(LEFT))),
        (LONG, 1, Cause.RECORD_REJECTED, ("PV_PARTNER_STUDENT.csv", learner(LONG))),
        (ADA, 5, Cause.RECORD_REJECTED, ("PA_STUD_CPNT.csv", planned(ADA, 5))),
        (ADA, OFF, Cause.CONTENT_INACTIVE, ("PA_CPNT.csv", course(OFF))),
        (ADA, BAD, Cause.CONTENT_REJECTED, ("PA_CPNT.csv", course(BAD))),
        (ADA, LOST, Cause.NEVER_IN_A_PACKAGE, ("PA_STUD_CPNT.csv", planned(ADA, LOST))),
        (ADA, UNSHELVED, Cause.NO_CREDIT, ("PA_CPNT_EVTHST.csv", 5)),
    ],
)
def test_every_situation_is_told_with_its_package_file_and_line(
    world: Desk, person: Person, number: int, cause: Cause, where: tuple[str, int]
) -> None:
    found = why(world, person, number)

    assert found.cause is cause
    assert found.decisive is not None
    assert (found.decisive.package, found.decisive.file, found.decisive.line) == (FIRST, *where)
    assert found.what
    assert found.mend or cause is Cause.COMPLETED


def test_a_rejected_row_is_told_with_its_field_and_code(world: Desk) -> None:
    for found, field, code in (
        (why(world, ADA, BAD), "CPNT_LEN", Code.FIELD_INVALID),
        (why(world, ADA, 5), "REQ_DTE", Code.FIELD_INVALID),
        (why(world, LONG, 1), "PERSON_ID_EXTERNAL", Code.PERSON_ID_TOO_LONG),
    ):
        assert found.decisive is not None
        assert (found.decisive.field, found.decisive.code) == (field, code)


def test_what_is_shown_is_told_with_its_activity_user_and_time(world: Desk) -> None:
    (shown,) = why(world, ADA, 1).shown

    assert (shown.kind, shown.status, shown.user_id) == ("assignment", "notStarted", ADA.user_id)
    assert shown.activity_id
    assert shown.since == journal.list_runs(world.parts, NAME)[0].ended_at
    (alone,) = why(world, ADA, 2).shown
    assert (alone.kind, alone.status) == ("self", "completed")


def test_a_row_of_a_delta_is_found_in_the_delta(world: Desk) -> None:
    found = why(world, BEA, 2)

    assert found.cause is Cause.PUBLISHED
    assert found.decisive is not None
    assert (found.decisive.package, found.decisive.line) == (SECOND, 3)


def test_what_never_came_names_the_packages_looked_at(world: Desk) -> None:
    for found, table in ((why(world, STRANGER, 1), "PV_PARTNER_STUDENT"), (why(world, BEA, 3), "PA_STUD_CPNT")):
        assert found.cause is Cause.NEVER_IN_A_PACKAGE
        assert found.decisive is not None
        assert (found.decisive.package, found.decisive.file) == (SECOND, table)
        assert f"2 packages since {FIRST}" in found.decisive.text


@pytest.mark.parametrize(
    ("person", "users"), [(NEAR, [NEARLY]), (TWIN, [TWIN, OTHER_TWIN]), (LOCKED, [LOCKED]), (NOBODY, [])]
)
def test_users_who_may_be_meant_are_named_by_their_object_ids(world: Desk, person: Person, users: list[Person]) -> None:
    (told,) = (fact for fact in why(world, person, 1).facts if fact.about is About.DIRECTORY)

    assert all(user.user_id in told.text for user in users)
    assert ("leading zeros" in told.text) == (person is NEAR)
    assert told.at


def test_a_learner_may_be_named_by_the_student_id(world: Desk) -> None:
    by_student = Person("", TWIN.student, "")

    found = why(world, by_student, 1, by_student=True)

    assert found == why(world, TWIN, 1)
    nobody = why(world, STRANGER, 1, by_student=True)
    assert nobody.cause is Cause.NEVER_IN_A_PACKAGE
    # The learner's own row was rejected, the assignment was not.
    rejected = why(world, Person("", LONG.student, ""), 1, by_student=True)
    assert rejected.cause is Cause.RECORD_REJECTED


def test_person_ids_are_compared_as_in_packages(world: Desk) -> None:
    assert why(world, Person("", "  quokka 100 ", ""), 1).cause is Cause.PUBLISHED


def test_without_opening_packages_the_table_stands_for_the_file(world: Desk) -> None:
    found = why(world, NOBODY, 1, read_packages=False)

    assert found.cause is Cause.UNMATCHED
    assert found.decisive is not None
    assert (found.decisive.file, found.decisive.line) == ("PA_STUD_CPNT", None)


def test_a_package_that_is_no_longer_kept_costs_the_lines_only(world: Desk) -> None:
    path = journal.list_runs(world.parts, NAME)[0].sealed_path
    kept = world.intake.packages.pop(path)

    found = why(world, NOBODY, 1)
    world.intake.packages[path] = kept

    assert found.cause is Cause.UNMATCHED
    (told,) = (fact for fact in found.facts if "no longer kept" in fact.text)
    assert told.package == FIRST


def test_which_course_is_meant(world: Desk) -> None:
    assert why(world, ADA, "COURSE:C-1").item == why(world, ADA, 1).item == "COURSE:C-1"
    assert why(world, ADA, "VIDEO:C-1").cause is Cause.NEVER_IN_A_PACKAGE


def test_nobody_is_betrayed(world: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is written at all, so nothing about anybody is; nor does it stand in a log or in an error."""
    before = _stored(world)

    with caplog.at_level(logging.DEBUG):
        for person in (ADA, NOBODY, STRANGER, LONG):
            question = Question(person.key, "COURSE:C-1")
            explain(world.parts, NAME, question)
            assert betrays(repr(question)) == []
        with pytest.raises(SettingsError) as error:
            explain(world.parts, "elsewhere", Question(ADA.key, "COURSE:C-1"))

    assert _stored(world) == before
    assert betrays(caplog.text) == []
    assert betrays(str(error.value)) == []


def test_what_is_clear_is_read_without_a_disk(world: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The id that is asked about, and the packages that are opened again."""
    disks: dict[str, set[str]] = {"question": set(), "package": set()}
    run, attempt = Engine.run, Engine.attempt

    def watched_run(columnar: Engine, sql: str, values: Sequence[Any] | None = None) -> None:
        if NOBODY.key in (values or ()):
            disks["question"].add(columnar.one("select current_setting('temp_directory')"))
        run(columnar, sql, values)

    def watched_attempt(columnar: Engine, sql: str) -> bool:
        disks["package"].add(columnar.one("select current_setting('temp_directory')"))
        return attempt(columnar, sql)

    monkeypatch.setattr(Engine, "run", watched_run)
    monkeypatch.setattr(Engine, "attempt", watched_attempt)

    assert why(world, NOBODY, 1).cause is Cause.UNMATCHED
    assert disks == {"question": {""}, "package": {""}}


def _stored(desk: Desk) -> dict[str, str]:
    storages = {each.name: getattr(desk.parts, each.name) for each in fields(desk.parts)}
    return {name: repr(vars(kept)) for name, kept in storages.items() if type(kept).__name__.startswith("Memory")}
