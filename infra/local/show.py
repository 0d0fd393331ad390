"""What a sync tells people: progress while it runs, and an account at its end."""

import shlex
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from infra.local.sync import Ending, Standing
from shared.cli.show import outcome_text, show_run
from shared.domain.runs import Outcome

PLAIN_WIDTH = 100
"""Columns where nobody knows how wide the paper is."""
_LINE_SECONDS = 15.0
"""At least so long between two lines about the same work."""
_MEGABYTE = 1_000_000


def make_console() -> Console:
    """Return the standard output, at a good width where it is no terminal."""
    return Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH, highlight=False, soft_wrap=False)


@contextmanager
def following(console: Console) -> Iterator[Callable[[Standing], None]]:
    """Give what shows progress: a moving line on a terminal, a line a step elsewhere."""
    if not console.is_terminal:
        yield _line_by_line(console)
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[far]}"))
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as moving:
        task = moving.add_task("starting", total=None, far="")

        def tell(standing: Standing) -> None:
            moving.update(
                task,
                description=f"{standing.package}  {standing.doing}".strip(),
                completed=share(standing) or 0,
                total=None if share(standing) is None else 1,
                far=how_far(standing),
            )

        yield tell


def _line_by_line(console: Console) -> Callable[[Standing], None]:
    last, last_far, told_at = "", "", 0.0

    def tell(standing: Standing) -> None:
        nonlocal last, last_far, told_at
        line, far = f"{standing.doing} {standing.package}".strip(), how_far(standing)
        is_due = far != last_far and time.monotonic() - told_at >= _LINE_SECONDS
        if line != last or is_due:
            shown = f"{line}: {far}" if far and line == last else line
            console.print(shown, highlight=False, markup=False, soft_wrap=True)
            last, last_far, told_at = line, far, time.monotonic()

    return tell


def share(standing: Standing) -> float | None:
    """Return the part of the work under way that is done, where anybody knows."""
    if standing.total_shards:
        return standing.done_shards / standing.total_shards
    return standing.progress.share if standing.progress else None


def how_far(standing: Standing) -> str:
    """Say how far the work under way has come, how fast it goes and what is left."""
    if standing.total_shards:
        return f"{standing.done_shards:,} of {standing.total_shards:,} shards"
    if standing.progress is None:
        return ""
    progress = standing.progress
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


def show_ending(console: Console, ending: Ending, *, rejects: Path | None, state: Path | None) -> None:
    """Tell how the sync ended, run by run, and what to do next."""
    for run in ending.runs:
        show_run(console, run)
    console.print(outcome_line(ending))
    if ending.message:
        console.print(Text(ending.message))
    console.print(cost_line(ending), style="dim")
    if rejects is not None:
        where = f"All rejected rows: {rejects}" if state else "Rejected rows are kept with --state DIR only."
        console.print(Text(where), soft_wrap=True)
    for run in ending.runs:
        if run.outcome is Outcome.HALTED and not run.dry_run:
            again = shlex.join(["python", "-m", "infra.local", "sync", *(["--state", str(state)] if state else [])])
            console.print(Text("To let it go on after you have looked at it:"))
            console.print(Text(f"  {again} --approve {run.run_id}"), soft_wrap=True)


def outcome_line(ending: Ending) -> Text:
    """Say the outcome and its code."""
    return Text.assemble("Outcome: ", outcome_text(ending.outcome), f" {ending.code}" if ending.code else "")


def cost_line(ending: Ending) -> str:
    """Say what it has cost."""
    memory = f", {ending.peak_memory_bytes / 1_000_000:,.0f} MB at most" if ending.peak_memory_bytes else ""
    return f"{ending.seconds:,.1f} s{memory}, {ending.requests:,} requests to Graph, {ending.writes:,} objects written"
