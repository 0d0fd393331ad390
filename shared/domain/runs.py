"""Runs: what became of a package, in numbers that add up."""

from datetime import datetime
from enum import StrEnum
from typing import Self

from pydantic import Field

from shared.domain.errors import Code
from shared.domain.package import Kind
from shared.domain.progress import Progress
from shared.domain.strict import Strict
from shared.domain.table_part import TablePart

ATTEMPTS = 5
"""How often a step of a run is tried before the run fails; `maxDequeueCount` of host.json is the same number."""


class Outcome(StrEnum):
    """How a run or a sync ended, from good to bad."""

    DONE = "done"
    SKIPPED = "skipped"
    WAITING = "waiting"
    PARTIAL = "partial"
    HALTED = "halted"
    REJECTED = "rejected"
    FAILED = "failed"

    @property
    def badness(self) -> int:
        """A higher number is worse; a sync is as bad as its worst run."""
        return 0 if self is Outcome.SKIPPED else list(Outcome).index(self)


def worst(outcomes: list[tuple[Outcome, Code | None]]) -> tuple[Outcome, Code | None]:
    """Return the worst outcome with its code; of equals the first that has a code."""
    if not outcomes:
        return Outcome.DONE, None
    outcome, code = min(outcomes, key=lambda each: (-each[0].badness, each[1] is None))
    return (Outcome.DONE if outcome is Outcome.SKIPPED else outcome), code


class Step(StrEnum):
    """Where an open run stands."""

    PROCESSING = "processing"
    MAPPING = "mapping"
    PUSHING_CONTENTS = "pushing_contents"
    MAPPING_ACTIVITIES = "mapping_activities"
    PUSHING_ACTIVITIES = "pushing_activities"
    HALTED = "halted"
    ENDED = "ended"


class ContentTally(Strict):
    """Rows of content in the package, by what became of them."""

    read: int = 0
    published: int = 0
    unchanged: int = 0
    withdrawn: int = 0
    parked: int = 0
    ignored: int = 0
    rejected: int = 0

    def adds_up(self) -> bool:
        """Tell whether every row is accounted for exactly once; `withdrawn` stands apart."""
        counted = self.model_dump()
        return bool(counted.pop("read") == sum(counted.values()) - self.withdrawn)


class ActivityTally(ContentTally):
    """Rows of assignments or completions in the package, by what became of them."""

    unmapped: int = 0


class Tally(Strict):
    """Every row of the package, by kind."""

    contents: ContentTally = ContentTally()
    assignments: ActivityTally = ActivityTally()
    completions: ActivityTally = ActivityTally()

    def adds_up(self) -> bool:
        """Tell whether all three kinds do."""
        return self.contents.adds_up() and self.assignments.adds_up() and self.completions.adds_up()


class Coverage(Strict):
    """Persons with records in the tables, by how they were found in Entra."""

    learners: int = 0
    mapped: int = 0
    unmatched: int = 0
    ambiguous: int = 0
    disabled: int = 0
    near_miss: int = 0
    """A part of `unmatched`: equal to a user but for leading zeros, spaces and signs."""
    near_by_rules: dict[str, int] = Field(
        default_factory=dict, description="Near misses by the rules with which they would match, where some would."
    )
    by_rules: int = Field(default=0, description="A part of `mapped`: matched thanks to `person_id_rules` alone.")
    by_rule: dict[str, int] = Field(
        default_factory=dict,
        description="The rules in force, each with the learners who would not have been matched without it.",
    )

    def plus(self, other: Self) -> Self:
        """Return the coverage of both."""
        added: dict[str, object] = {}
        for name, value in other.model_dump().items():
            mine = getattr(self, name)
            added[name] = (
                {key: mine.get(key, 0) + value.get(key, 0) for key in {**mine, **value}}
                if isinstance(value, dict)
                else mine + value
            )
        return type(self).model_validate(added)

    @property
    def percent(self) -> float:
        """Mapped persons of all; nobody at all is 100 %."""
        return 100 * self.mapped / self.learners if self.learners else 100.0


class Changes(Strict):
    """What a run changes in Viva Learning."""

    class Contents(Strict):
        """Contents."""

        add: int = 0
        change: int = 0
        deactivate: int = 0

    class Assignments(Strict):
        """Assignments."""

        add: int = 0
        change: int = 0
        withdraw: int = 0

    class Completions(Strict):
        """Completions that stand for themselves."""

        add: int = 0

    contents: Contents = Contents()
    assignments: Assignments = Assignments()
    completions: Completions = Completions()


class Reject(Strict):
    """One row, file or record that was refused."""

    file: str
    line: int
    field: str
    code: Code
    message: str


class Run(Strict):
    """One package's way through the connector."""

    run_id: str
    connection: str
    sync_id: str
    package: str
    kind: Kind
    content_hash: str
    sealed_path: str
    keys_path: str | None = None
    keys_hash: str | None = None
    size_bytes: int = Field(default=0, description="Of the sealed package and its keys package.")
    timestamp: datetime
    dry_run: bool = False
    scheduled: bool = Field(default=False, description="Ordered by the timer; else somebody asked for it.")
    approved_by: str | None = Field(default=None, description="Who approved it; the sync, where nobody said who.")
    approved_at: datetime | None = None
    step: Step = Step.PROCESSING
    attempts: int = 0
    touched_at: datetime
    started_at: datetime
    ended_at: datetime | None = None
    outcome: Outcome | None = None
    code: Code | None = None
    message: str = ""
    warnings: tuple[str, ...] = ()
    progress: Progress | None = Field(default=None, description="Of the stage that took long last.")
    key_id: str | None = None
    learner_part: bool = False
    tally: Tally = Tally()
    coverage: Coverage = Coverage()
    changes: Changes = Changes()
    graph_requests: int | None = Field(
        default=None, description="What sending the changes takes, about; `None` before they are planned."
    )
    graph_writes: int | None = None
    reject_count: int = 0
    rejects: tuple[Reject, ...] = Field(default=(), description="The first 100; the CSV holds all.")
    shards: dict[str, int] = Field(default_factory=dict, description="Number of shards by stage.")
    contents_path: str | None = Field(default=None, description="New snapshot of contents, when there is one.")
    activities_parts: tuple[TablePart, ...] | None = Field(
        default=None, description="The new snapshot of activities, when there is one."
    )
    pass_shards: tuple[int, ...] = Field(default=(), description="Shards of activities by pass over the learners.")
    place_passes: int = Field(
        default=0,
        ge=0,
        description="Passes about a range of places each, split evenly; those behind them are about persons with "
        "several student ids. 0 where an earlier version did not tell.",
    )
    unmapped_path: str | None = Field(default=None, description="Since when which learners are unmapped.")
    tables: dict[str, tuple[TablePart, ...]] = Field(default_factory=dict, description="Tables to commit.")
    seen_tables: tuple[str, ...] = ()
    learner_base: bool = False

    def changed(self, **values: object) -> Self:
        """Return the run with other values."""
        return self.model_validate({**self.model_dump(), **values})
