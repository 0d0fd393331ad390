"""A company in which everything that can come between a learner and a course has happened to somebody."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from infra.local.graph import GraphSimulator
from shared.domain.explanation import Finding
from shared.pipeline.explain import explain
from shared.pipeline.explain_scene import Question
from tests.company import (
    ADA,
    BEA,
    NOBODY,
    Person,
    Rows,
    betrays,
    done,
    files,
    full,
    item,
    make_directory,
    plan,
    rows,
    student,
)
from tests.desk import NAME, Desk

FIRST = "acme_F_20261101000000.zip.pgp"
SECOND = "acme_D_20261102000000.zip.pgp"

NEAR = Person("quokka-nea", "00-Quokka.400", "")
NEARLY = Person("", "quokka400", "00000000-0000-4000-8000-0000000000d4")
"""Whose employeeId is NEAR's but for signs and zeros."""
TWIN = Person("quokka-twin", "quokka500", "00000000-0000-4000-8000-0000000000e5")
OTHER_TWIN = Person("", "Quokka500", "00000000-0000-4000-8000-0000000000e6")
"""Somebody else with TWIN's employeeId."""
LOCKED = Person("quokka-off", "quokka600", "00000000-0000-4000-8000-0000000000f6", enabled=False)
POOR = Person("quokka-poor", "quokka700", "00000000-0000-4000-8000-0000000000f7", licensed=False)
LEFT = Person("quokka-left", "quokka800", "00000000-0000-4000-8000-0000000000f8")
"""No longer active in the LMS."""
LONG = Person("quokka-long", "quokka-9000000000", "")
"""Whose person id is too long for Entra."""
STRANGER = Person("quokka-nix", "quokka-nix", "")
"""In no package."""

OFF, BAD, LOST, UNSHELVED = 6, 7, 8, 9
"""Items: switched off; with a length that is no number; assigned, but in no package; never assigned."""


def first() -> dict[str, Rows]:
    """Everybody is assigned the first course; Ada is assigned the courses that are no good."""
    usual = rows()
    people = (NEAR, TWIN, LOCKED, POOR, LONG)
    assigned = [plan(person, 1) for person in people]
    assigned += [plan(ADA, OFF), plan(ADA, BAD), plan(ADA, LOST), plan(ADA, 5, REQ_DTE="soon"), plan(BEA, 5)]
    return usual | {
        "PV_PARTNER_STUDENT": [
            *usual["PV_PARTNER_STUDENT"],
            *map(student, people),
            student(LEFT, NOTACTIVE="Y"),
        ],
        "PA_CPNT": [
            *usual["PA_CPNT"],
            item(OFF, NOTACTIVE="Y"),
            item(BAD, CPNT_LEN="long"),
            item(UNSHELVED),
        ],
        "PA_STUD_CPNT": [*usual["PA_STUD_CPNT"], *assigned, plan(LEFT, 1)],
        "PA_CPNT_EVTHST": [*usual["PA_CPNT_EVTHST"], done(ADA, UNSHELVED, CMPL_STAT_ID="NO")],
        "PA_CMPL_STAT": [
            *usual["PA_CMPL_STAT"],
            {"CMPL_STAT_ID": "NO", "CPNT_TYP_ID": "", "PROVIDE_CRDT": "N"},
        ],
    }


@contextmanager
def empty_desk(folder: Path) -> Iterator[Desk]:
    """A desk whose directory knows the people, and an empty folder."""
    with GraphSimulator(folder / "graph") as graph:
        make_directory(graph, folder, ADA, BEA, NEARLY, TWIN, OTHER_TWIN, LOCKED, POOR, LEFT)
        desk = Desk(graph, {"reject_limit_percent": 100})
        try:
            yield desk
        finally:
            desk.close()


@contextmanager
def desk_of_all(folder: Path) -> Iterator[Desk]:
    """A desk after a full package with everything, and a delta that brings Bea one course more."""
    with empty_desk(folder) as desk:
        desk.drop(FIRST, full(**first()))
        assert desk.sync().outcome == "partial"
        desk.now += timedelta(days=1)
        desk.drop(SECOND, second())
        assert desk.sync().outcome == "done"
        yield desk


def second() -> dict[str, bytes]:
    """Bea's second course comes a day later."""
    return files({"PA_STUD_CPNT": [plan(NOBODY, 2), plan(BEA, 2, ASSGN_DTE="2026-11-01")]})


def why(desk: Desk, person: Person, course: int | str, **settings: Any) -> Finding:  # noqa: ANN401 - fields of Question
    """Explain, and see that nobody is named."""
    course = f"C-{course}" if isinstance(course, int) else course
    found = explain(desk.parts, NAME, Question(person.key, course, **settings))
    assert betrays(found.model_dump_json()) == []
    return found
