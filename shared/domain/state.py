"""What a connection remembers between packages; one small JSON document, replaced as a whole."""

from datetime import datetime

from pydantic import Field

from shared.domain.errors import Code
from shared.domain.package import Kind
from shared.domain.progress import Progress
from shared.domain.runs import Outcome
from shared.domain.strict import Strict
from shared.domain.table_part import TablePart


class Committed(Strict):
    """The newest package whose records are published."""

    package: str
    kind: Kind
    timestamp: datetime
    content_hash: str
    run_id: str


class CurrentSync(Strict):
    """The look into the folder that is under way, and what it has come to so far."""

    sync_id: str
    started_at: datetime
    dry_run: bool = False
    scheduled: bool = False
    """Ordered by the timer; else somebody asked for it."""
    collecting: bool = True
    """The look is under way, or another one has been ordered because a file still grew."""
    planned: bool = False
    """Of a dry run: the next package has been planned, and nothing more is to be done."""
    outcome: Outcome = Outcome.DONE
    code: Code | None = None
    message: str = ""
    progress: Progress | None = None
    """Of the download that is under way."""


class State(Strict):
    """Pointers to what is committed. Blobs they point to are never changed, only replaced by others."""

    enabled_at: datetime | None = None
    pepper_version: str | None = None
    """Version of the secret under which people were hashed; it stays, whatever versions come."""
    committed: Committed | None = None
    full_at: datetime | None = None
    """Timestamp of the newest committed full package."""
    learner_base: bool = False
    """Whether the learner tables rest on a full package, so that deltas may be applied to them."""
    tables: dict[str, tuple[TablePart, ...]] = Field(default_factory=dict)
    """Where the rows of every table are."""
    seen_tables: tuple[str, ...] = ()
    """Tables of which any package ever brought rows."""
    contents_path: str | None = None
    activities_parts: tuple[TablePart, ...] = ()
    unmapped_path: str | None = None
    open_run: str | None = None
    look_up_first: bool = False
    """Whether a run ended while something was on its way, so that creates have to be looked up first."""
    rerun_hash: str | None = None
    sync: CurrentSync | None = None
    looked_at: datetime | None = None
    """When the last look into the folder began, whatever came of it."""
    last_sync: CurrentSync | None = None
    """The last one that has ended, dry runs apart."""
    needs_full: str | None = None
    """Why a new full package is wanted, in words."""
    expired_at: datetime | None = None
    """When what is past its time was last deleted."""

    @property
    def paths(self) -> set[str]:
        """All paths that are pointed to."""
        parts = (*self.activities_parts, *(part for table in self.tables.values() for part in table))
        return {path for path in (self.contents_path, self.unmapped_path, *(part.path for part in parts)) if path}
