"""What a sync tells people at its end."""

import shlex
from pathlib import Path

from rich.console import Console
from rich.text import Text

from infra.local.sync import Ending
from shared.cli.show import outcome_text, show_run
from shared.domain.runs import Outcome


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
