"""`lms poison`: messages that failed too often."""

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from shared.cli.options import Json
from shared.cli.show import print_json, time_text
from shared.cli.tenant import Tenant, telling_errors
from shared.pipeline.keep_poison import Poison, list_poison


def poison(context: typer.Context, *, json: Json = False) -> None:
    """List the messages that failed in every try and were put aside, the oldest first."""
    tenant: Tenant = context.obj
    with telling_errors():
        found = list_poison(tenant.parts)
        if json:
            print_json(found)
        elif not found:
            tenant.console.print("No message was put aside.")
        else:
            tenant.console.print(_table(found))


def _table(found: list[Poison]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("message", "queue", "connection", "run", "first seen", "tries", "code", "reason", "replayed"):
        table.add_column(title, overflow="fold")
    for each in found:
        table.add_row(
            each.message,
            each.queue,
            each.connection,
            each.run_id,
            time_text(each.first_seen),
            str(each.attempts),
            each.code,
            Text(each.reason),
            time_text(each.replayed_at),
        )
    return table
