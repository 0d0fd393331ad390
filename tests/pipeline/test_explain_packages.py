"""Why a learner does not see a course: what packages, tables and settings do to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.domain.errors import Code, SettingsError
from shared.domain.explanation import Cause
from shared.pipeline import passes, table_parts
from tests.company import ADA, BEA, NOBODY, Person, files, full, item, plan, student
from tests.desk import Desk
from tests.situations import FIRST, LEFT, SECOND, empty_desk, why

pytestmark = pytest.mark.slow


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Desk]:
    with empty_desk(tmp_path) as desk:
        yield desk


def test_an_id_of_two_types_has_to_be_said_with_one(fresh: Desk) -> None:
    fresh.drop(FIRST, full(PA_CPNT=[item(1), item(1, CPNT_TYP_ID="VIDEO")]))
    fresh.sync()

    with pytest.raises(SettingsError, match="COURSE:C-1, VIDEO:C-1"):
        why(fresh, ADA, 1)
    with pytest.raises(SettingsError, match="TYPE:ID"):
        why(fresh, ADA, 77)
    assert why(fresh, ADA, "COURSE:C-1").cause is Cause.PUBLISHED
    assert why(fresh, ADA, "VIDEO:C-1").cause is Cause.NEVER_IN_A_PACKAGE


def test_a_course_in_no_active_library_is_not_active(fresh: Desk) -> None:
    shelf = {"CPNT_TYP_ID": "COURSE", "REV_DTE": "2025-01-01"}
    fresh.drop(
        FIRST,
        full(
            PA_CATALOG=[{"CATALOG_ID": "A", "ACTIVE": "Y"}, {"CATALOG_ID": "B", "ACTIVE": "N"}],
            PA_CATALOG_ITEM=[
                {"CATALOG_ID": "A", "CPNT_ID": "C-1", **shelf},
                {"CATALOG_ID": "B", "CPNT_ID": "C-3", **shelf},
            ],
        ),
    )
    fresh.sync()

    found = why(fresh, ADA, 3)

    assert found.cause is Cause.CONTENT_INACTIVE
    assert found.decisive is not None
    assert "no active library" in found.decisive.text
    assert why(fresh, ADA, 1).cause is Cause.PUBLISHED


def test_rows_of_unmapped_learners_that_were_dropped_are_found_in_the_package(fresh: Desk) -> None:
    fresh.set(unmapped_retention_days=0)
    fresh.drop(FIRST, full())
    fresh.sync()

    found = why(fresh, NOBODY, 1)

    assert found.cause is Cause.UNMATCHED
    assert found.decisive is not None
    assert (found.decisive.package, found.decisive.file, found.decisive.line) == (FIRST, "PV_PARTNER_STUDENT.csv", 4)
    assert why(fresh, NOBODY, 1, read_packages=False).cause is Cause.NEVER_IN_A_PACKAGE


def test_without_learner_sync_nothing_is_to_be_seen(fresh: Desk) -> None:
    fresh.set(learner_sync=False)
    fresh.drop(FIRST, full())
    fresh.sync()

    off = why(fresh, ADA, 1)
    fresh.set(learner_sync=True)
    on = why(fresh, ADA, 1)

    assert off.cause is Cause.LEARNER_SYNC_OFF
    assert on.cause is Cause.FULL_PACKAGE_NEEDED


def test_a_missing_table_parks_what_depends_on_it(fresh: Desk) -> None:
    """Nobody knows which statuses give credit, so nobody knows whether this is completed."""
    fresh.drop(FIRST, full(PA_CMPL_STAT=None))
    fresh.sync()

    found = why(fresh, ADA, 2)

    assert found.cause is Cause.TABLE_MISSING
    assert found.decisive is not None
    assert "never came: PA_CMPL_STAT" in found.decisive.text
    assert (found.decisive.package, found.decisive.file, found.decisive.line) == (FIRST, "PA_CPNT_EVTHST.csv", 2)


def test_rows_that_nobody_can_read_are_told_by_their_lines(fresh: Desk) -> None:
    good = files({"PA_STUD_CPNT": [plan(BEA, 1)]})["PA_STUD_CPNT.csv"]
    fresh.drop(FIRST, full(PA_STUD_CPNT=good + b"only,three,fields\n"))
    fresh.sync()

    found = why(fresh, ADA, 1)

    assert found.cause is Cause.NEVER_IN_A_PACKAGE
    (told,) = (fact for fact in found.facts if "nobody can tell" in fact.text)
    assert (told.file, told.line) == ("PA_STUD_CPNT.csv", 3)


def test_many_passes_and_several_student_ids_are_looked_through(fresh: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a large company: a pass is about few rows, and one person has two student ids."""
    for module in (table_parts, passes):
        monkeypatch.setattr(module, "ROWS_PER_PASS", 2)
    again = Person("quokka-ada-2", ADA.key, ADA.user_id)
    people = [student(person) for person in (ADA, again, BEA, LEFT)]
    fresh.drop(
        FIRST,
        full(
            PV_PARTNER_STUDENT=people,
            PA_STUD_CPNT=[plan(ADA, 1), plan(again, 3), plan(BEA, 4), plan(LEFT, 4)],
        ),
    )
    run = fresh.sync().runs[0]

    count = len(run.pass_shards)
    opened: list[str] = []
    really_get = fresh.parts.records.get_file

    def noted(path: str, file: Path) -> Path:
        opened.append(path)
        return really_get(path, file)

    monkeypatch.setattr(fresh.parts.records, "get_file", noted)
    why(fresh, BEA, 4)
    plans = [path for path in opened if "planned_activities" in path]
    assert 1 <= len(plans) < count, "passes over other places are left alone"
    for person, number in ((ADA, 1), (ADA, 3), (BEA, 4), (LEFT, 4)):
        found = why(fresh, person, number)
        assert found.cause is Cause.PUBLISHED
        assert found.shown[0].since == run.ended_at, "the plan was found in one of the passes"
    document = fresh.parts.runs.find(f"{run.connection}/{run.run_id}")
    assert document is not None
    del document.value["place_passes"]
    fresh.parts.runs.put(f"{run.connection}/{run.run_id}", document.value, document.etag)
    opened.clear()
    why(fresh, BEA, 4)
    assert sum("planned_activities" in path for path in opened) == count, "an earlier version did not tell"


def test_a_package_that_was_refused_is_named(fresh: Desk) -> None:
    """It may have held what nobody can find."""
    fresh.drop(FIRST, full())
    fresh.sync()
    fresh.now = fresh.now.replace(day=2)
    fresh.folder.files[SECOND] = b"no package at all"
    assert fresh.sync().outcome == "rejected"

    found = why(fresh, BEA, 3)

    assert found.cause is Cause.NEVER_IN_A_PACKAGE
    assert found.decisive is not None
    assert f"What {SECOND} would have brought is not known" in found.decisive.text
    assert any((fact.package, fact.code) == (SECOND, Code.NOT_A_ZIP) for fact in found.facts)
