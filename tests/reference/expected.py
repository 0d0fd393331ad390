"""The reference: what must come of a package, after all packages before it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from tests.reference.activities import Planner, assignment_id
from tests.reference.contents import find_speakers, item_of, plan_contents
from tests.reference.contract import (
    HISTORY,
    ITEMS,
    KEYS,
    LEARNER_TABLES,
    LIBRARIES,
    PLAN,
    STUDENTS,
    Coverage,
    Expected,
    Outcome,
    Package,
    Reject,
    Tables,
    User,
    Viva,
    empty_tally,
)
from tests.reference.learners import Directory, Learners, measure_coverage
from tests.reference.reading import ReadTable, merge, read_table

DEFAULTS: Mapping[str, Any] = {
    "learner_sync": True,
    "person_id_rules": (),
    "source_time_zone": "UTC",
    "locale": "English",
    "language_tag": "en-us",
    "default_thumbnail_url": None,
    "default_assignment_type": "required",
    "reject_limit_percent": 10.0,
    "reject_limit_count": None,
    "coverage_minimum_percent": 0.0,
    "mass_change_percent": 20.0,
    "mass_change_count": None,
}
"""Of the connection's settings, those that change the answer; learner sync is on, to ask about learners."""


@dataclass(slots=True)
class State:
    """What is kept between packages."""

    tables: Tables = field(default_factory=dict)
    viva: Viva = field(default_factory=Viva)
    timestamp: str = ""
    """Of the newest package committed; empty before the first full one."""
    libraries_came: bool = False
    learners_came: bool = False
    """A full package was read with learner sync on."""


@dataclass(slots=True)
class Draft:
    """A package read and planned, not published yet."""

    state: State
    reads: dict[str, ReadTable]
    planner: Planner | None
    coverage: Coverage
    deactivated: int
    needs_full: bool


class Reference:
    """The connector as it must behave; packages are given in the order in which it would take them.

    Left out: item limits, retention of unmapped learners, files with missing columns, late keys packages,
    authors, assigners, and the source's name.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.settings: dict[str, Any] = {**DEFAULTS, **settings}
        self._state = State()
        self._halted: tuple[Package, str] | None = None

    def apply(self, package: Package, directory: Sequence[User], now: datetime) -> Expected:
        """Say what a package brings.

        A delta before any full waits. One that is not newer than what was committed is skipped. Behind a
        halted package a delta waits; a full supersedes it. `now` is aware; nothing here depends on it.
        """
        if now.tzinfo is None:
            raise ValueError("now needs a zone")
        if package.kind == "delta" and self._halted:
            return self._stand("halted", self._halted[1], blocked=True)
        if package.kind == "delta" and not self._state.timestamp:
            return self._stand("waiting", None)
        if package.timestamp <= self._state.timestamp:
            return self._stand("skipped", None)
        self._halted = None
        return self._publish(package, directory, approved=False)

    def approve(self, directory: Sequence[User]) -> Expected:
        """Let the halted package go on, whatever the gates say."""
        if not self._halted:
            raise ValueError("nothing is halted")
        package, _ = self._halted
        self._halted = None
        return self._publish(package, directory, approved=True)

    def _publish(self, package: Package, directory: Sequence[User], *, approved: bool) -> Expected:
        reads = self._read(package)
        rejects = Counter(reject for read in reads.values() for reject in read.refused.values())
        refusal = self._find_refusal(package, reads)
        if refusal:
            return self._stand("rejected", refusal, rejects=rejects)
        draft = self._draft(package, reads, directory)
        gate = self._find_gate(draft)
        if gate and not approved:
            self._halted = (package, gate)
            return self._stand("halted", gate, rejects=rejects, coverage=draft.coverage)
        tally = self._count(draft)
        self._state = draft.state
        return Expected(
            outcome="partial" if rejects or draft.needs_full else "done",
            code="CONN_ERROR_FULL_PACKAGE_NEEDED" if draft.needs_full else None,
            viva=self._state.viva.facts(),
            tally=tally,
            coverage=draft.coverage,
            rejects=rejects,
        )

    def _read(self, package: Package) -> dict[str, ReadTable]:
        """Read the known files; those of learners only while learner sync is on and has had a full."""
        with_learners = self._reads_learners(package)
        zone = ZoneInfo(self.settings["source_time_zone"])
        return {
            table: read_table(table, rows, zone)
            for table, rows in package.tables.items()
            if table in KEYS and (with_learners or table not in LEARNER_TABLES)
        }

    def _find_refusal(self, package: Package, reads: Mapping[str, ReadTable]) -> str | None:
        """Refuse a full without learners, and a package with too many rejects among its rows."""
        if self.settings["learner_sync"] and package.kind == "full" and STUDENTS not in reads:
            return "CONN_ERROR_FILE_MISSING"
        refused = sum(len(read.refused) for read in reads.values())
        rows = sum(len(read.rows) for read in reads.values())
        if self._is_above(refused, rows, "reject_limit"):
            return "CONN_ERROR_REJECT_LIMIT"
        return None

    def _draft(self, package: Package, reads: dict[str, ReadTable], directory: Sequence[User]) -> Draft:
        """Upsert into the tables known so far, and plan as if it were a full."""
        old = self._state
        learner_sync = bool(self.settings["learner_sync"])
        tables = self._merge(package, reads)
        state = State(
            tables=tables,
            timestamp=package.timestamp,
            libraries_came=old.libraries_came or bool(reads.get(LIBRARIES, ReadTable()).accepted),
            learners_came=learner_sync and (package.kind == "full" or old.learners_came),
        )
        contents = plan_contents(tables, old.viva.contents, self.settings, libraries_came=state.libraries_came)
        deactivated = sum(fact.is_active and not contents[item].is_active for item, fact in old.viva.contents.items())
        planner, coverage = None, Coverage()
        assignments, courses = old.viva.assignments, old.viva.courses
        if state.learners_came:
            learners = Learners(tables, Directory(directory, self.settings["person_id_rules"]))
            planner = Planner(tables, learners, contents, old.viva, self.settings)
            planner.plan()
            coverage = measure_coverage(learners, planner.credited)
            assignments, courses = planner.assignments, planner.courses
        state.viva = Viva(contents, assignments, courses)
        return Draft(
            state=state,
            reads=reads,
            planner=planner,
            coverage=coverage,
            deactivated=deactivated,
            needs_full=learner_sync and not state.learners_came,
        )

    def _merge(self, package: Package, reads: Mapping[str, ReadTable]) -> Tables:
        """Absence proves deletion in a full's table and in the keys of a delta, nowhere else."""
        tables = dict(self._state.tables)
        keys = (package.keys or {}) if package.kind == "delta" else package.tables
        for table in KEYS:
            if table in LEARNER_TABLES and not self._reads_learners(package):
                continue
            if table in reads or (table in keys and table in tables):
                read = reads.get(table, ReadTable())
                tables[table] = merge(table, tables.get(table, {}), read, keys.get(table))
        return tables

    def _reads_learners(self, package: Package) -> bool:
        return bool(self.settings["learner_sync"]) and (package.kind == "full" or self._state.learners_came)

    def _find_gate(self, draft: Draft) -> str | None:
        """Stop before the first write; equal to a limit passes."""
        learners, mapped = draft.coverage.learners, draft.coverage.mapped
        if learners and mapped * 100 < self.settings["coverage_minimum_percent"] * learners:
            return "CONN_ERROR_COVERAGE_BELOW_MINIMUM"
        published = self._state.viva
        active = sum(fact.is_active for fact in published.contents.values())
        withdrawn = draft.planner.withdrawn if draft.planner else 0
        if self._is_above(withdrawn, len(published.assignments), "mass_change") or self._is_above(
            draft.deactivated, active, "mass_change"
        ):
            return "CONN_ERROR_MASS_CHANGE"
        return None

    def _is_above(self, part: int, whole: int, limit: str) -> bool:
        percent, count = self.settings[f"{limit}_percent"], self.settings[f"{limit}_count"]
        return part * 100 > percent * whole or (count is not None and part > count)

    def _count(self, draft: Draft) -> dict[str, dict[str, int]]:
        """Count this package's rows; first match of rejected, unmapped, ignored, parked, published."""
        tally = empty_tally()
        for kind, table in (("contents", ITEMS), ("assignments", PLAN), ("completions", HISTORY)):
            read = draft.reads.get(table, ReadTable())
            for number in range(len(read.rows)):
                tally[kind]["read"] += 1
                tally[kind][self._classify(draft, table, number)] += 1
        tally["contents"]["withdrawn"] = draft.deactivated
        tally["assignments"]["withdrawn"] = draft.planner.withdrawn if draft.planner else 0
        return tally

    def _classify(self, draft: Draft, table: str, number: int) -> str:
        read = draft.reads[table]
        row = read.rows[number]
        if number in read.refused:
            return "rejected"
        if table == ITEMS:
            return "ignored" if number in read.twins else self._classify_content(draft, row)
        planner = draft.planner
        if planner is None:
            raise AssertionError("learners were read, and so planned")
        if planner.learners.user_of(row["STUD_ID"]) is None:
            return "unmapped"
        if number in read.twins:
            return "ignored"
        if table == PLAN:
            return planner.assignment_classes[assignment_id(row)]
        return planner.classify_completion(row)

    def _classify_content(self, draft: Draft, row: Mapping[str, str]) -> str:
        """Older revisions and items never shown are ignored."""
        item = item_of(row)
        speaker = find_speakers(draft.state.tables, ZoneInfo(self.settings["source_time_zone"])).get(item)
        fact = draft.state.viva.contents.get(item)
        if fact is None or speaker is None or speaker["REV_DTE"] != row["REV_DTE"]:
            return "ignored"
        return "unchanged" if fact == self._state.viva.contents.get(item) else "published"

    def _stand(
        self,
        outcome: Outcome,
        code: str | None,
        *,
        rejects: Counter[Reject] | None = None,
        coverage: Coverage | None = None,
        blocked: bool = False,
    ) -> Expected:
        """Say that what was published stays."""
        return Expected(
            outcome=outcome,
            code=code,
            viva=self._state.viva.facts(),
            coverage=coverage,
            rejects=rejects or Counter(),
            blocked=blocked,
        )
