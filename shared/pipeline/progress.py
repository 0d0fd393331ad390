"""Says how far a long piece of work has come, where people look: in the run's document, or in the look's.

It costs a small write every few seconds. The run counts as touched then, so that nobody takes it for stuck. Work does
not fail because nobody could be told.
"""

import io
import logging
from collections.abc import Buffer, Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import BinaryIO, override

from shared.domain.errors import BusyError, TransientError
from shared.domain.progress import Doing, Progress
from shared.domain.runs import Run, Step
from shared.domain.state import State
from shared.pipeline import journal
from shared.pipeline.parts import Parts

log = logging.getLogger(__name__)

EVERY = timedelta(seconds=3)
_BUFFER_BYTES = 1024 * 1024


class Reporter:
    """Adds up what is done, in any thread, and hands it on every few seconds."""

    def __init__(self, progress: Progress, clock: Callable[[], datetime], tell: Callable[[Progress], None]) -> None:
        self._progress = progress
        self._clock = clock
        self._tell = tell
        self._told_at = progress.started_at
        self._is_new = True
        self._lock = Lock()

    @property
    def progress(self) -> Progress:
        """How far it has come."""
        return self._progress

    def advance(self, *, more_bytes: int = 0, more_rows: int = 0) -> None:
        """Note that more is done. Cheap, but for once a piece and not once a row."""
        self._change(lambda p: {"done_bytes": p.done_bytes + more_bytes, "done_rows": p.done_rows + more_rows})

    def reach(self, done_bytes: int) -> None:
        """Note how many bytes are done in all; the first time that is what an earlier attempt has done."""
        first = {"first_bytes": done_bytes} if self._is_new else {}
        self._is_new = False
        self._change(lambda _: {"done_bytes": done_bytes, **first})

    def restart(self) -> None:
        """Note that all has to be done again."""
        self._change(lambda _: {"done_bytes": 0, "first_bytes": 0, "done_rows": 0})

    def counted(self, stream: BinaryIO) -> BinaryIO:
        """Return the stream as one whose bytes are counted when they are read."""
        return io.BufferedReader(_Counted(stream, self), _BUFFER_BYTES)

    def finish(self) -> None:
        """Tell where it ended, whenever it was told last."""
        self._hand_on()

    def _change(self, change: Callable[[Progress], dict[str, int]]) -> None:
        with self._lock:
            now = self._clock()
            self._progress = self._progress.model_copy(update={**change(self._progress), "updated_at": now})
            if now - self._told_at < EVERY:
                return
            self._told_at = now
        self._hand_on()

    def _hand_on(self) -> None:
        try:
            self._tell(self._progress)
        except (BusyError, TransientError) as error:
            log.info("progress.untold reason=%s", error)


class _Counted(io.RawIOBase):
    """A stream that tells a reporter what was read."""

    def __init__(self, stream: BinaryIO, reporter: Reporter) -> None:
        super().__init__()
        self._stream = stream
        self._reporter = reporter

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Buffer) -> int:
        piece = self._stream.read(memoryview(buffer).nbytes)
        memoryview(buffer).cast("B")[: len(piece)] = piece
        self._reporter.advance(more_bytes=len(piece))
        return len(piece)


def of_run(
    parts: Parts, run: Run, stage: Doing, *, total_bytes: int | None = None, total_rows: int | None = None
) -> Reporter:
    """Return what reports a stage of a run in its document."""

    def tell(progress: Progress) -> None:
        def change(newest: Run) -> Run | None:
            if newest.step is Step.ENDED:
                return None
            return newest.changed(progress=progress.model_dump(), touched_at=parts.clock())

        journal.change_run(parts, run, change)

    now = parts.clock()
    progress = Progress(
        stage=stage,
        package=run.package,
        total_bytes=total_bytes,
        total_rows=total_rows,
        started_at=now,
        updated_at=now,
    )
    return Reporter(progress, parts.clock, tell)


def of_download(parts: Parts, connection: str, package: str, total_bytes: int) -> Reporter:
    """Return what reports a download in the look that is under way; there is no run yet."""

    def tell(progress: Progress) -> None:
        def change(state: State) -> State:
            if state.sync is None:
                return state
            return state.model_copy(update={"sync": state.sync.model_copy(update={"progress": progress})})

        journal.change_state(parts, connection, change)

    now = parts.clock()
    progress = Progress(
        stage=Doing.COLLECTING, package=package, total_bytes=total_bytes, started_at=now, updated_at=now
    )
    return Reporter(progress, parts.clock, tell)
