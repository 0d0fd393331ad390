"""`lms status` and `lms runs`: what happened, and how things stand."""

from typing import Annotated

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from shared.cli.options import Json
from shared.cli.show import duration_text, outcome_text, print_json, show_run, time_text
from shared.cli.tenant import Tenant, telling_errors
from shared.domain.runs import Run
from shared.pipeline import journal
from shared.pipeline.status import Status, read_status


def status(context: typer.Context, *, json: Json = False) -> None:
    """Show how every connection stands: its last sync, what is published, what waits for somebody."""
    tenant: Tenant = context.obj
    with telling_errors():
        found = [read_status(tenant.parts, name) for name in tenant.connections]
        if json:
            print_json(found)
            return
        if not found:
            tenant.console.print("There is no connection yet.")
        for each in found:
            _show_status(tenant, each)


def runs(
    context: typer.Context,
    run_id: Annotated[str | None, typer.Argument(metavar="RUN", help="Show this one.")] = None,
    *,
    count: Annotated[int, typer.Option("--last", min=1, help="How many, the newest.")] = 20,
    json: Json = False,
) -> None:
    """List the runs of a connection, the newest last; or show what became of one package."""
    tenant: Tenant = context.obj
    with telling_errors():
        if run_id is not None:
            one = journal.get_run(tenant.parts, tenant.connection, run_id)
            print_json(one) if json else show_run(tenant.console, one)
            return
        ids = journal.list_run_ids(tenant.parts, tenant.connection)[-count:]
        found = [run for each in ids if (run := journal.find_run(tenant.parts, tenant.connection, each)) is not None]
        if json:
            print_json(found)
            return
        tenant.console.print(_runs_table(found))


def _show_status(tenant: Tenant, found: Status) -> None:
    table = Table.grid(padding=(0, 2))
    for name, value in (
        ("enabled", "yes" if found.enabled else "no"),
        ("last sync", Text.assemble(time_text(found.synced_at), "  ", outcome_text(found.outcome), f"  {found.code}")),
        ("", found.message),
        ("published", f"{found.package or 'nothing yet'}"),
        ("last full", time_text(found.full_at) or "none yet"),
        ("now", found.doing),
        ("waits for you", found.waits_for_you),
    ):
        if value:
            table.add_row(Text(name, style="bold"), value if isinstance(value, Text) else Text(value, overflow="fold"))
    tenant.console.print(Text(found.connection, style="bold"))
    tenant.console.print(table)
    tenant.console.print()


def _runs_table(found: list[Run]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("run", "took", "by", "package", "kind", "outcome", "code"):
        table.add_column(title, overflow="fold")
    table.add_column("rows", justify="right")
    table.add_column("rejected", justify="right")
    for each in found:
        tally = each.tally
        rows = tally.contents.read + tally.assignments.read + tally.completions.read
        table.add_row(
            each.run_id,
            duration_text(each),
            "timer" if each.scheduled else "somebody",
            Text(each.package + (" (dry run)" if each.dry_run else "")),
            each.kind,
            outcome_text(each.outcome),
            each.code or "",
            f"{rows:,}",
            f"{each.reject_count:,}",
        )
    return table
