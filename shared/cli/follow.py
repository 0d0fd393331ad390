"""Wait for the end of a sync, and show meanwhile how far it is."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from shared.domain.errors import TransientError
from shared.domain.runs import Outcome
from shared.pipeline.parts import Parts
from shared.pipeline.position import STARTING, Position, find_position

EXIT_STATUS: Mapping[Outcome, int] = {
    Outcome.DONE: 0,
    Outcome.PARTIAL: 3,
    Outcome.REJECTED: 4,
    Outcome.FAILED: 5,
    Outcome.HALTED: 6,
    Outcome.WAITING: 7,
}
"""How a command ends that has waited for a sync."""

_LOOK_SECONDS = 1.0
_PROGRESS_SECONDS = 1.0
_PROGRESS_SHARE = 20
"""Looking takes at most one part in so many of the time: storage has better things to do."""
_LINE_SECONDS = 15.0
"""At least so long between two lines about the same work."""
_MEGABYTE = 1_000_000

type Tell = Callable[[Position], None]


def wait(
    parts: Parts,
    connection: str,
    sync_id: str,
    *,
    deadline: float,
    tell: Tell = lambda _: None,
    check: Callable[[], None] = lambda: None,
    look_seconds: float = _LOOK_SECONDS,
) -> dict[str, Any]:
    """Wait for the end of a sync and return its record; `deadline` is on the monotonic clock.

    A look that is ordered while another is under way takes over its work: then it is waited for that one. `check` may
    raise when there is nothing to wait for any more.

    Raises:
        TimeoutError: it has not ended by then; the message says what it was waiting for.
    """
    next_progress = 0.0
    position = STARTING
    began = False
    tell(position)
    while True:
        try:
            row = parts.syncs.find(connection, sync_id)
            if row is not None:
                return row
            if time.monotonic() >= next_progress:
                looked_at = time.monotonic()
                position = find_position(parts, connection, sync_id)
                took_seconds = time.monotonic() - looked_at
                next_progress = looked_at + max(_PROGRESS_SECONDS, _PROGRESS_SHARE * took_seconds)
                tell(position)
                if began and position.sync_id not in (sync_id, None):
                    sync_id = str(position.sync_id)
                began = began or position.sync_id == sync_id
        except TransientError:
            pass  # storage is busy; there is another look
        check()
        if time.monotonic() >= deadline:
            where = f"{position.doing} {position.package}".strip()
            raise TimeoutError(f"The sync did not end in time (--timeout). It was {where}.")
        pause(look_seconds)


def pause(seconds: float) -> None:
    """Let some time pass."""
    time.sleep(seconds)


@contextmanager
def following(console: Console) -> Iterator[Tell]:
    """Give what shows progress: a moving line on a terminal, a line a step elsewhere."""
    if not console.is_terminal:
        yield _line_by_line(console)
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[far]}"))
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as moving:
        task = moving.add_task("starting", total=None, far="")

        def tell(position: Position) -> None:
            moving.update(
                task,
                description=f"{position.package}  {position.doing}".strip(),
                completed=position.share or 0,
                total=None if position.share is None else 1,
                far=how_far(position),
            )

        yield tell


def _line_by_line(console: Console) -> Tell:
    last, last_far, told_at = "", "", 0.0

    def tell(position: Position) -> None:
        nonlocal last, last_far, told_at
        line, far = f"{position.doing} {position.package}".strip(), how_far(position)
        is_due = far != last_far and time.monotonic() - told_at >= _LINE_SECONDS
        if line != last or is_due:
            shown = f"{line}: {far}" if far and line == last else line
            console.print(shown, highlight=False, markup=False, soft_wrap=True)
            last, last_far, told_at = line, far, time.monotonic()

    return tell


def how_far(position: Position) -> str:
    """Say how far the work under way has come, how fast it goes and what is left."""
    if position.total_shards:
        return f"{position.done_shards:,} of {position.total_shards:,} shards"
    if position.progress is None:
        return ""
    progress = position.progress
    told = []
    if progress.done_bytes:
        of = f" of {progress.total_bytes / _MEGABYTE:,.1f}" if progress.total_bytes else ""
        told.append(f"{progress.done_bytes / _MEGABYTE:,.1f}{of} MB")
    if progress.done_rows:
        of = f" of {progress.total_rows:,}" if progress.total_rows else ""
        told.append(f"{progress.done_rows:,}{of} rows")
    if rate := progress.rows_per_second:
        told.append(f"{rate:,.0f} rows/s")
    elif rate := progress.bytes_per_second:
        told.append(f"{rate / _MEGABYTE:,.1f} MB/s")
    if progress.ends_at is not None:
        seconds = round((progress.ends_at - progress.updated_at).total_seconds())
        told.append(f"{seconds // 60}:{seconds % 60:02d} left")
    return ", ".join(told)
