"""Where a sync has got to, for whoever waits for it."""

from dataclasses import dataclass

from shared.domain.messages import Stage
from shared.domain.progress import Doing, Progress
from shared.domain.runs import Step
from shared.pipeline import journal
from shared.pipeline.parts import Parts

_STAGES = {Step.PUSHING_CONTENTS: Stage.CONTENTS, Step.PUSHING_ACTIVITIES: Stage.ACTIVITIES}
_DOING = {
    Step.PROCESSING: "decrypting and reading",
    Step.MAPPING: "mapping learners, planning contents",
    Step.PUSHING_CONTENTS: "sending contents",
    Step.MAPPING_ACTIVITIES: "planning activities",
    Step.PUSHING_ACTIVITIES: "sending activities",
    Step.HALTED: "halted",
    Step.ENDED: "finishing",
}
_LONG = {
    Step.PROCESSING: (Doing.READING,),
    Step.MAPPING: (Doing.DECIDING,),
    Step.PUSHING_CONTENTS: (),
    Step.MAPPING_ACTIVITIES: (Doing.DECIDING,),
    Step.PUSHING_ACTIVITIES: (Doing.FOLDING,),
}
"""What takes long in a step; the progress of an earlier one is old news."""


@dataclass(frozen=True, slots=True)
class Position:
    """What a sync is at, and how much of it is done."""

    doing: str
    package: str = ""
    done_shards: int = 0
    total_shards: int = 0
    """Shards of what is being sent; 0 when nothing is."""
    progress: Progress | None = None
    """Of the work under way, where it says so."""
    sync_id: str | None = None
    """The sync that is under way, which may be another one; `None` when none is."""

    @property
    def share(self) -> float | None:
        """The part of the work under way that is done, where anybody knows."""
        if self.total_shards:
            return self.done_shards / self.total_shards
        return self.progress.share if self.progress else None


STARTING = Position("starting")


def find_position(parts: Parts, connection: str, sync_id: str) -> Position:
    """Return where a sync is that has not ended."""
    state = journal.get_state(parts, connection)
    current = state.sync.sync_id if state.sync else None
    if state.open_run is None:
        if state.sync is None or current != sync_id:
            return Position(STARTING.doing, sync_id=current)
        download = state.sync.progress
        return Position("collecting", download.package if download else "", progress=download, sync_id=current)
    run = journal.get_run(parts, connection, state.open_run)
    stage = _STAGES.get(run.step)
    total = run.shards.get(stage, 0) if stage else 0
    done = 0
    if total:
        paths = parts.pushes.list_paths(f"{connection}/{run.run_id}/{stage}/")
        done = sum(path.endswith(".done") for path in paths)
    progress = run.progress if run.progress and run.progress.stage in _LONG.get(run.step, ()) else None
    return Position(_DOING[run.step], run.package, done, total, progress, current)
