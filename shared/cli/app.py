"""The commands of `lms`, each in a module of its own or with those of its kind."""

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from shared.cli import act, doctor, explain, keys, look, poison, provider, push, replay, reports
from shared.cli.show import make_console
from shared.cli.tenant import DEFAULT_FILE, FILE_VARIABLE, Tenant

app = typer.Typer(
    help="See what happened, why a person does or does not see a course, and mend it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def choose(
    context: typer.Context,
    *,
    environment: Annotated[
        Path | None,
        typer.Option(
            "--environment",
            "-e",
            metavar="FILE",
            help=f"Where the tenant is, as lines of NAME=VALUE. (default: ${FILE_VARIABLE}, then {DEFAULT_FILE})",
        ),
    ] = None,
    connection: Annotated[
        str | None, typer.Option("--connection", "-c", metavar="NAME", help="Needed where there are several.")
    ] = None,
) -> None:
    """Choose the tenant and the connection."""
    context.obj = Tenant(environment, connection, make_console())


app.command("status")(look.status)
app.command("runs")(look.runs)
app.command("run")(act.run)
app.command("dry-run")(act.dry_run)
app.command("approve")(act.approve)
app.command("rerun")(act.rerun)
app.command("rejects")(reports.rejects)
app.command("coverage")(reports.coverage)
app.command("changes")(reports.changes)
app.command("explain")(explain.explain)
app.command("replay")(replay.replay)
app.command("poison")(poison.poison)
app.command("backfill")(replay.backfill)
app.add_typer(push.app, name="push")
app.add_typer(keys.app, name="keys")
app.add_typer(provider.app, name="provider")
app.command("doctor")(doctor.doctor)


def main() -> None:
    """Run a command; when asked to end, it ends what it has started."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    app(prog_name="lms")
