"""What became of packages, drawn for people."""

import json
import sys
from collections.abc import Sequence
from datetime import datetime

import typer
from pydantic import BaseModel
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from shared.domain.runs import Outcome, Run

COLOURS = {
    Outcome.DONE: "green",
    Outcome.SKIPPED: "dim",
    Outcome.WAITING: "cyan",
    Outcome.PARTIAL: "yellow",
    Outcome.HALTED: "yellow",
    Outcome.REJECTED: "red",
    Outcome.FAILED: "red",
}
_TALLY = ("read", "published", "unchanged", "withdrawn", "unmapped", "parked", "ignored", "rejected")
_REJECTS_SHOWN = 5
PLAIN_WIDTH = 120
"""Columns where nobody knows how wide the paper is."""


def make_console() -> Console:
    """Return the standard output, at a good width where it is no terminal."""
    return Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH, highlight=False, soft_wrap=False)


def print_json(found: BaseModel | Sequence[BaseModel]) -> None:
    """Print what was found for programs: an object, or a list of them."""
    documents = [found] if isinstance(found, BaseModel) else found
    values = [each.model_dump(mode="json") for each in documents]
    print_value(values[0] if isinstance(found, BaseModel) else values)


def print_value(value: object) -> None:
    """Print a JSON value for programs."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def show_run(console: Console, run: Run) -> None:
    """Show what became of one package."""
    title = Text.assemble(
        (run.package, "bold"), "  ", run.kind, "  ", outcome_text(run.outcome), f"  {run.code or ''}", style=""
    )
    console.print(title)
    console.print(Text(f"  run {run.run_id}"), style="dim")
    if run.message:
        console.print(Text(f"  {run.message}"))
    for warning in run.warnings:
        console.print(Text(f"  Warning: {warning}"))
    console.print(tally_table(run))
    if run.dry_run or run.outcome is Outcome.HALTED:
        console.print(Text(f"  {changes_line(run)}"))
        if run.graph_requests is not None:
            console.print(Text(f"  {cost_line(run)}"))
    if run.approved_at is not None:
        console.print(Text(f"  approved {time_text(run.approved_at)} by {run.approved_by}"))
    if run.learner_part:
        for line in (coverage_line(run), *rules_lines(run)):
            console.print(Text(f"  {line}"))
    show_rejects(console, run)
    console.print()


def tally_table(run: Run) -> Table:
    """Return the rows of the package by what became of them."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("", no_wrap=True)
    for name in _TALLY:
        table.add_column(name, justify="right", no_wrap=True)
    for kind, counts in run.tally.model_dump().items():
        table.add_row(kind, *(f"{counts[name]:,}" if name in counts else "" for name in _TALLY))
    return table


def coverage_line(run: Run) -> str:
    """Say how many persons were found in Entra."""
    found = run.coverage
    return (
        f"{found.learners:,} persons: {found.mapped:,} mapped ({found.percent:.1f} %), "
        f"{found.unmatched:,} unmatched ({found.near_miss:,} near misses), "
        f"{found.ambiguous:,} ambiguous, {found.disabled:,} disabled"
    )


def rules_lines(run: Run) -> list[str]:
    """Say who is matched thanks to the rules for ids, rule by rule, and who would be with more of them."""
    found = run.coverage
    lines = []
    if found.by_rule:
        each = ", ".join(f"{count:,} not without {rule}" for rule, count in found.by_rule.items())
        lines.append(f"matched thanks to person_id_rules: {found.by_rules:,} ({each})")
    lines += [f"near misses that would match with {rules}: {count:,}" for rules, count in found.near_by_rules.items()]
    return lines


def changes_line(run: Run) -> str:
    """Say what would change."""
    planned = run.changes
    return (
        f"would change: contents +{planned.contents.add:,} ~{planned.contents.change:,} "
        f"off {planned.contents.deactivate:,}, assignments +{planned.assignments.add:,} "
        f"~{planned.assignments.change:,} -{planned.assignments.withdraw:,}, "
        f"completions +{planned.completions.add:,}"
    )


def cost_line(run: Run) -> str:
    """Say what sending the changes would take."""
    return (
        f"that takes about {run.graph_requests or 0:,} requests to Graph, which write {run.graph_writes or 0:,} objects"
    )


def show_rejects(console: Console, run: Run, count: int = _REJECTS_SHOWN) -> None:
    """Show the first rejected rows."""
    for reject in run.rejects[:count]:
        console.print(Text(f"  {reject.file}, line {reject.line}, {reject.field}: {reject.message} ({reject.code})"))
    if run.reject_count > count:
        console.print(Text(f"  ... and {run.reject_count - count:,} more"))


def outcome_text(outcome: Outcome | None) -> Text:
    """Return the outcome in its colour; a run without one is still open."""
    return Text(outcome or "open", style=f"bold {COLOURS[outcome]}" if outcome else "bold")


def duration_text(run: Run) -> str:
    """Return how long the run took, waiting included; nothing while it is under way."""
    if run.ended_at is None:
        return ""
    seconds = max(round((run.ended_at - run.started_at).total_seconds()), 0)
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"


def time_text(moment: datetime | None) -> str:
    """Return a time in UTC, to the minute."""
    return f"{moment:%Y-%m-%d %H:%M}" if moment else ""
