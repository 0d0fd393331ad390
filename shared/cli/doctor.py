"""`lms doctor`: look at everything a connection needs, and say what to mend."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from shared.cli.options import Json
from shared.cli.show import print_json
from shared.cli.tenant import EXIT_FAILED, Tenant, telling_errors
from shared.pipeline.doctor import Check, Result, examine
from shared.pipeline.doctor.directory import SCENARIOS

_COLOURS = {
    Result.PASSED: "green",
    Result.WARNED: "yellow",
    Result.FAILED: "red",
    Result.SKIPPED: "dim",
}
_SCENARIOS = (
    ("1", "yes", "yes", "yes", "no", "Provision from SuccessFactors into Active Directory."),
    ("2", "no", "yes", "-", "no", "Provision from SuccessFactors into Entra."),
    ("3", "yes", "yes", "yes", "yes", "Nothing, if employeeID is in Active Directory and in Entra already."),
    ("4", "yes", "no", "no", "no", "Get Entra with P1; provision into Active Directory; then Connect or Cloud sync."),
    ("5", "yes", "yes", "no", "no", "Provision into Active Directory; then Connect or Cloud sync."),
    ("6", "yes", "yes", "no", "yes", "Set up Connect or Cloud sync."),
)
"""How employee ids come into Entra, after Microsoft's page on learner record sync."""


def doctor(context: typer.Context, *, json: Json = False) -> None:
    """Look at everything a connection needs, and say what to mend; ends with 1 when something failed."""
    tenant: Tenant = context.obj
    with telling_errors(), _quiet():
        names = [tenant.connection] if tenant.chosen is not None else tenant.connections
        found = []
        with tenant.console.status("Looking ...") as status:
            for check in examine(tenant.parts, names):
                found.append(check)
                status.update(f"Looking ... ({check.name}: {check.result})")
    if json:
        print_json(found)
    else:
        _show(tenant, found)
    if any(check.result is Result.FAILED for check in found):
        raise typer.Exit(EXIT_FAILED)


@contextmanager
def _quiet() -> Iterator[None]:
    """Log no refusals: they are what the checks are about, and the checks say it better."""
    log = logging.getLogger("shared")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


def _show(tenant: Tenant, found: list[Check]) -> None:
    for connection in dict.fromkeys(check.connection for check in found):
        tenant.console.print(Text(connection or "storage", style="bold"))
        tenant.console.print(_table([check for check in found if check.connection == connection]))
    if any(check.name == "directory coverage" and SCENARIOS in check.mend for check in found):
        tenant.console.print(_scenarios())
    counts = ", ".join(f"{sum(check.result is result for check in found)} {result}" for result in Result)
    tenant.console.print(Text(f"{len(found)} checks: {counts}."))


def _table(checks: list[Check]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("check", no_wrap=True)
    table.add_column("result", no_wrap=True)
    table.add_column("about", no_wrap=True)
    table.add_column("what was found, and how to mend it", overflow="fold")
    for check in checks:
        told = Text(check.found + (f" ({check.code})" if check.code else ""))
        if check.mend:
            told.append(f"\n-> {check.mend}", style="italic")
        table.add_row(check.name, Text(check.result, style=_COLOURS[check.result]), check.about, told)
    return table


def _scenarios() -> Table:
    table = Table(title="How employee ids come into Entra", box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left")
    for title in ("", "on-premises AD", "Entra tenant", "Connect or Cloud sync", "SuccessFactors synced", "what to do"):
        table.add_column(title)
    for row in _SCENARIOS:
        table.add_row(*row)
    return table
