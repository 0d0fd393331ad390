"""Assignments and completions: what becomes of each record of the tables."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from zoneinfo import ZoneInfo

from tests.reference.contents import item_of
from tests.reference.contract import (
    HISTORY,
    PLAN,
    REQUIREMENTS,
    STATUSES,
    Assignment,
    AssignmentFact,
    CompletionId,
    ContentFact,
    CourseFact,
    Item,
    Row,
    Tables,
    Viva,
)
from tests.reference.learners import Learners
from tests.reference.reading import read_time

type Class = Literal["published", "unchanged", "unmapped", "parked", "ignored"]
type AssignmentId = tuple[str, ...]


def assignment_id(row: Row) -> AssignmentId:
    """The plan row's primary key and its assignment date as text: a re-used row is a new assignment."""
    names = ("STUD_ID", "CPNT_TYP_ID", "CPNT_ID", "REV_DTE", "SEQ_NUM", "ASSGN_DTE")
    return tuple(row[name] for name in names)


def gives_credit(row: Row, tables: Tables) -> bool:
    """Tell whether the status gives credit for its item type, or for an empty type.

    No credit, or a status nobody defined: no.
    """
    statuses = tables.get(STATUSES, {})
    found = (statuses.get((row["CMPL_STAT_ID"], type_id)) for type_id in (row["CPNT_TYP_ID"], ""))
    return any(status is not None and status["PROVIDE_CRDT"] == "Y" for status in found)


def completion_id(row: Row, person: str, zone: ZoneInfo) -> CompletionId:
    """Completions of a person that are equal in item, calendar day (source's zone) and status are one."""
    day = read_time(row["COMPL_DTE"], zone).astimezone(zone).date()
    return CompletionId(person, item_of(row), day, row["CMPL_STAT_ID"])


@dataclass(slots=True)
class Planner:
    """Works out what Viva shall show of the learners, and what became of each record on the way."""

    tables: Tables
    learners: Learners
    contents: Mapping[Item, ContentFact]
    """As they will be."""
    published: Viva
    settings: Mapping[str, Any]
    zone: ZoneInfo = field(init=False)
    assignments: dict[AssignmentId, Assignment] = field(init=False)
    courses: dict[CompletionId, CourseFact] = field(init=False)
    assignment_classes: dict[AssignmentId, Class] = field(init=False, default_factory=dict)
    completion_classes: dict[CompletionId, Class] = field(init=False, default_factory=dict)
    withdrawn: int = field(init=False, default=0)
    _credited: dict[CompletionId, list[CourseFact]] = field(init=False)
    _completing: dict[CompletionId, list[Class]] = field(init=False)

    def __post_init__(self) -> None:
        self.zone = ZoneInfo(self.settings["source_time_zone"])
        self.assignments = dict(self.published.assignments)
        self.courses = dict(self.published.courses)
        self._credited = self._find_credited()
        self._completing = defaultdict(list)

    @property
    def credited(self) -> set[CompletionId]:
        """Every credited completion of the tables whose learner is known."""
        return set(self._credited)

    def plan(self) -> None:
        """Go through the plan, then through what has gone from it, then through the history."""
        rows = {assignment_id(row): row for row in self.tables.get(PLAN, {}).values()}
        for id_, row in rows.items():
            self._note(id_, self._plan_assignment(id_, row))
        for id_ in self.published.assignments.keys() - rows.keys():
            self._note(id_, self._plan_gone(id_))
        for completion in self._credited:
            self.completion_classes[completion] = self._plan_completion(completion)

    def classify_completion(self, row: Row) -> Class:
        """Say what became of a completion row, in the order unmapped, ignored, parked, then the record's."""
        if self.learners.user_of(row["STUD_ID"]) is None:
            return "unmapped"
        if STATUSES not in self.tables:
            return "parked"
        if not gives_credit(row, self.tables):
            return "ignored"
        person = self.learners.person_of(row["STUD_ID"]) or ""
        return self.completion_classes[completion_id(row, person, self.zone)]

    def _find_credited(self) -> dict[CompletionId, list[CourseFact]]:
        """Group the credited completions; the earliest moment of those that are one speaks."""
        found: dict[CompletionId, list[CourseFact]] = defaultdict(list)
        for row in self.tables.get(HISTORY, {}).values():
            person = self.learners.person_of(row["STUD_ID"])
            if person is not None and gives_credit(row, self.tables):
                moment = read_time(row["COMPL_DTE"], self.zone)
                user = self.learners.user_of(row["STUD_ID"])
                fact = CourseFact(user.id if user else "", item_of(row), moment)
                found[completion_id(row, person, self.zone)].append(fact)
        for facts in found.values():
            facts.sort(key=lambda fact: fact.completed)
        return found

    def _take(self, person: str, fact: AssignmentFact) -> tuple[AssignmentFact, CompletionId | None]:
        """Complete an assignment with the earliest credited completion on or after its calendar day.

        Without an assignment date it was assigned always.
        """
        day = fact.assigned.astimezone(self.zone).date() if fact.assigned else None
        fitting = [
            (facts[0].completed, completion)
            for completion, facts in self._credited.items()
            if (completion.person, completion.item) == (person, fact.item) and (day is None or completion.day >= day)
        ]
        if not fitting:
            return fact, None
        moment, completion = min(fitting)
        return fact._replace(status="completed", completed=moment), completion

    def _plan_assignment(self, id_: AssignmentId, row: Row) -> Class:
        """Say what becomes of a row of the plan.

        A completed one never changes again. A learner who is not mapped keeps what was published. An open
        one of an inactive student id is neither created nor changed. A new one waits for its content.
        """
        student = row["STUD_ID"]
        user = self.learners.user_of(student)
        old = self.published.assignments.get(id_)
        if user is None:
            return "unmapped"
        if old and old.fact.status == "completed":
            return "unchanged"
        fact, took = self._take(self.learners.person_of(student) or "", self._describe(row, user.id))
        new = Assignment(student, fact, took)
        if took is None and self.learners.is_inactive(student):
            return "ignored"
        if old == new:
            return "unchanged"
        knows_type = not row["RTYP_ID"] or REQUIREMENTS in self.tables
        if not user.licensed or not knows_type or not (old or self._is_shown(fact.item)):
            if took:
                self._completing[took].append("parked")
            return "parked"
        self.assignments[id_] = new
        return "published"

    def _plan_gone(self, id_: AssignmentId) -> Class:
        """Complete a published assignment whose row has gone, or withdraw it.

        Nothing completed is withdrawn; nor is anything while completions could not be known.
        """
        old = self.published.assignments[id_]
        user = self.learners.user_of(old.student)
        if user is None:
            return "unmapped"
        if old.fact.status == "completed":
            return "unchanged"
        fact = old.fact._replace(user=user.id)
        fact, took = self._take(self.learners.person_of(old.student) or "", fact)
        if not user.licensed or not {HISTORY, STATUSES} <= self.tables.keys():
            if took:
                self._completing[took].append("parked")
            return "parked"
        if took:
            self.assignments[id_] = replace(old, fact=fact, took=took)
        else:
            del self.assignments[id_]
            self.withdrawn += 1
        return "published"

    def _plan_completion(self, completion: CompletionId) -> Class:
        """Say what becomes of a credited completion.

        It goes with the assignments it completes; one that completes none is a self-initiated course, once.
        A plan row that turns up later leaves both. Without any plan known, it waits.
        """
        user = self.learners.directory.find(completion.person)[1]
        if user is None:
            return "unmapped"
        if PLAN not in self.tables:
            return "parked"
        by_assignment = self._completing.get(completion, [])
        for class_ in ("published", "parked"):
            if class_ in by_assignment:
                return class_
        if by_assignment or completion in self.published.courses:
            return "unchanged"
        if not user.licensed or not self._is_shown(completion.item):
            return "parked"
        self.courses[completion] = self._credited[completion][0]
        return "published"

    def _describe(self, row: Row, user_id: str) -> AssignmentFact:
        return AssignmentFact(
            user=user_id,
            item=item_of(row),
            status="notStarted",
            type=self._type_of(row),
            assigned=read_time(row["ASSGN_DTE"], self.zone) if row["ASSGN_DTE"] else None,
            due=read_time(row["REQ_DTE"], self.zone, ends_the_day=True) if row["REQ_DTE"] else None,
            completed=None,
        )

    def _type_of(self, row: Row) -> str:
        """Recommended or required, as the requirement type says; without one, as the connection says."""
        requirement = self.tables.get(REQUIREMENTS, {}).get((row["RTYP_ID"],))
        if requirement is None:
            return str(self.settings["default_assignment_type"])
        return "required" if requirement["REQUIRED"] == "Y" else "recommended"

    def _is_shown(self, item: Item) -> bool:
        return item in self.contents and self.contents[item].is_active

    def _note(self, id_: AssignmentId, class_: Class) -> None:
        """Remember the class, and with which completion an assignment of Viva is completed."""
        self.assignment_classes[id_] = class_
        assignment = self.assignments.get(id_)
        if assignment and assignment.took:
            self._completing[assignment.took].append(class_)
