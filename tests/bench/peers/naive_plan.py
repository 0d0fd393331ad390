"""From the rows of a package to what Viva Learning would be sent, row by row in dicts: a tenant's first package."""

import csv
import hashlib
import io
import json
import sys
import zipfile
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, TextIO

import pydantic

from tests.bench.peers.naive_rows import (
    Assignment,
    Completion,
    Label,
    Library,
    Requirement,
    Revision,
    Shelved,
    Status,
    Student,
    read_person,
)

LOCALES = ("English", "German", "French")

type Item = tuple[str, str]
"""Type and id; an item's revisions are the same content."""


@dataclass(slots=True)
class Learner:
    """A student id: the person, and who that is in the directory."""

    person: str
    inactive: bool
    user_id: str | None
    licensed: bool
    """Whether Graph would take a record."""


@dataclass(slots=True)
class Pipeline:
    """One package on its way."""

    archive: zipfile.ZipFile
    out: TextIO
    counts: Counter[str] = field(default_factory=Counter)
    learners: dict[str, Learner] = field(default_factory=dict)
    shown: dict[Item, str] = field(default_factory=dict)
    """Ids of the contents that Viva shows."""
    done: dict[tuple[str, Item], list[tuple[date, datetime, str]]] = field(default_factory=dict)
    """Credited completions of a person and an item: day, moment and status, in their order."""
    taken: set[tuple[str, Item, date, str]] = field(default_factory=set)
    """Completions that complete an assignment."""

    def run(self, directory: Path) -> None:
        """Read all tables, those first that others need."""
        self.map_learners(directory)
        self.show_contents()
        self.credit_completions()
        self.plan_assignments()
        self.plan_courses()

    def rows[Row: pydantic.BaseModel](self, model: type[Row], table: str) -> Iterator[Row]:
        """Yield the valid rows of a table."""
        member = next(each for each in self.archive.infolist() if Path(each.filename).stem == table)
        with self.archive.open(member) as content:
            for row in csv.DictReader(io.TextIOWrapper(content, "utf-8", newline="")):
                self.counts["rows"] += 1
                try:
                    yield model.model_validate(row)
                except pydantic.ValidationError as error:
                    self.counts["rejected"] += 1
                    sys.stderr.write(f"{error}\n")

    def map_learners(self, directory: Path) -> None:
        """Find for each student id the one enabled member with the person's id."""
        users: dict[str, list[dict[str, str]]] = defaultdict(list)
        with directory.open(encoding="utf-8", newline="") as file:
            for user in csv.DictReader(file):
                if user["employeeId"].strip() and user["userType"] == "Member" and user["accountEnabled"] == "true":
                    users[read_person(user["employeeId"])].append(user)
        for row in self.rows(Student, "PV_PARTNER_STUDENT"):
            found = users.get(row.PERSON_ID_EXTERNAL, [])
            member = found[0] if len(found) == 1 else None
            self.learners[row.STUD_ID] = Learner(
                person=row.PERSON_ID_EXTERNAL,
                inactive=row.NOTACTIVE.upper() == "Y",
                user_id=member["id"] if member else None,
                licensed=member is not None and member["licensed"] == "true",
            )

    def show_contents(self) -> None:
        """Write the active items of active libraries, as their latest active revision says."""
        labels: dict[str, dict[str, str]] = defaultdict(dict)
        for label in self.rows(Label, "PV_I18N_ACTIVE_LOCALE_LABEL"):
            labels[label.LABEL_ID][label.LOCALE_ID] = label.LABEL_VALUE
        active = {row.CATALOG_ID for row in self.rows(Library, "PA_CATALOG") if row.ACTIVE.upper() == "Y"}
        items = self.rows(Shelved, "PA_CATALOG_ITEM")
        shelved = {(row.CPNT_TYP_ID, row.CPNT_ID) for row in items if row.CATALOG_ID in active}
        speaking: dict[Item, Revision] = {}
        for row in self.rows(Revision, "PA_CPNT"):
            item = row.CPNT_TYP_ID, row.CPNT_ID
            if row.NOTACTIVE.upper() == "Y" or item not in shelved:
                continue
            if item not in speaking or row.REV_DTE > speaking[item].REV_DTE:
                speaking[item] = row
        for item, row in speaking.items():
            self.shown[item] = external_id(*item)
            title, description = text_of(labels, row.CPNT_TITLE), text_of(labels, row.CPNT_DESC)
            self.send(
                "contents",
                {
                    "externalId": self.shown[item],
                    "title": title or row.CPNT_ID,
                    "description": description,
                    "duration": f"PT{row.CPNT_LEN}M" if row.CPNT_LEN else None,
                    "thumbnailWebUrl": row.THUMBNAIL_URI or None,
                    "createdDateTime": stamp(row.CREATE_DTE),
                    "lastModifiedDateTime": stamp(row.LST_UPD_TSTMP),
                    "isActive": True,
                },
            )

    def credit_completions(self) -> None:
        """Put the completions that give credit in order; those of a person, item, day and status are one."""
        credited = {
            (row.CMPL_STAT_ID, row.CPNT_TYP_ID)
            for row in self.rows(Status, "PA_CMPL_STAT")
            if row.PROVIDE_CRDT.upper() == "Y"
        }
        earliest: dict[tuple[str, Item, date, str], datetime] = {}
        for row in self.rows(Completion, "PA_CPNT_EVTHST"):
            learner = self.learners.get(row.STUD_ID)
            if learner is None or learner.user_id is None:
                continue
            if (row.CMPL_STAT_ID, row.CPNT_TYP_ID) in credited or (row.CMPL_STAT_ID, "") in credited:
                item = row.CPNT_TYP_ID, row.CPNT_ID
                same = learner.person, item, row.COMPL_DTE.date(), row.CMPL_STAT_ID
                earliest[same] = min(row.COMPL_DTE, earliest.get(same, row.COMPL_DTE))
        for (person, item, day, status), moment in earliest.items():
            self.done.setdefault((person, item), []).append((day, moment, status))
        for each in self.done.values():
            each.sort()

    def plan_assignments(self) -> None:
        """Write the assignments of mapped learners, completed by the first completion since."""
        required = {row.RTYP_ID: row.REQUIRED.upper() == "Y" for row in self.rows(Requirement, "PA_RQMT_TYPE")}
        seen: set[str] = set()
        for row in self.rows(Assignment, "PA_STUD_CPNT"):
            key = external_id(row.STUD_ID, row.CPNT_TYP_ID, row.CPNT_ID, row.REV_DTE, row.SEQ_NUM)
            learner = self.learners.get(row.STUD_ID)
            if key in seen or learner is None or learner.user_id is None:
                continue
            seen.add(key)
            item = row.CPNT_TYP_ID, row.CPNT_ID
            done = self.done.get((learner.person, item), [])
            first = bisect_left(done, (row.ASSGN_DTE.date(),)) if row.ASSGN_DTE else 0
            taken = done[first] if first < len(done) else None
            if taken is not None:
                self.taken.add((learner.person, item, taken[0], taken[2]))
            if item not in self.shown or not learner.licensed or (taken is None and learner.inactive):
                continue
            assigner = self.learners.get(row.ASSGN_USER)
            self.send(
                "assignments",
                {
                    "externalCourseActivityId": f"{key}-{stamp(row.ASSGN_DTE)}",
                    "learnerUserId": learner.user_id,
                    "assignerUserId": assigner.user_id if assigner else None,
                    "learningContentId": self.shown[item],
                    "assignmentType": "required" if required.get(row.RTYP_ID, True) else "recommended",
                    "status": "completed" if taken else "notStarted",
                    "assignedDateTime": stamp(row.ASSGN_DTE),
                    "dueDateTime": stamp(row.REQ_DTE),
                    "completedDateTime": stamp(taken[1]) if taken else None,
                },
            )

    def plan_courses(self) -> None:
        """Write the completions that complete no assignment."""
        users = {each.person: each.user_id for each in self.learners.values() if each.licensed}
        for (person, item), done in self.done.items():
            for day, moment, status in done:
                if item in self.shown and person in users and (person, item, day, status) not in self.taken:
                    course = {
                        "externalCourseActivityId": external_id(person, *item, stamp(moment) or "", status),
                        "learnerUserId": users[person],
                        "learningContentId": self.shown[item],
                        "status": "completed",
                        "completedDateTime": stamp(moment),
                    }
                    self.send("completions", course)

    def send(self, kind: str, record: dict[str, Any]) -> None:
        """Write what would be sent."""
        self.counts[kind] += 1
        self.out.write(json.dumps({"kind": kind, **record}) + "\n")


def text_of(labels: dict[str, dict[str, str]], text: str) -> str:
    """Return the text of a label; what is none is the text."""
    if text not in labels:
        return text
    return next((labels[text][locale] for locale in LOCALES if labels[text].get(locale)), "")


def stamp(moment: datetime | None) -> str | None:
    """Write a time as Graph has it."""
    return moment.isoformat().replace("+00:00", "Z") if moment else None


def external_id(*parts: str) -> str:
    """Make an id of some texts, of which no two sets collide."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]
