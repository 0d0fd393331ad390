"""`lms push`: what goes back to the LMS: batches and what became of them, the plan, a sample, and parked records."""

from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from shared.cli.options import Json, Yes
from shared.cli.show import print_value, time_text
from shared.cli.tenant import Tenant, ask, fail, telling_errors
from shared.domain.batches import Batch, Stand
from shared.domain.messages import PUSH_COMPLETIONS, PushCompletions
from shared.domain.write_back import Fate
from shared.pipeline.write_back import report
from shared.pipeline.write_back.accept import find_write_back
from shared.pipeline.write_back.batches import find_batch, list_batches
from shared.pipeline.write_back.inactive import count_inactive
from shared.pipeline.write_back.opened import Desk
from shared.pipeline.write_back.outbox import batch_id_of
from shared.pipeline.write_back.plan import Plan, make_plan
from shared.pipeline.write_back.progress import with_progress
from shared.pipeline.write_back.replay import ALL
from shared.pipeline.write_back.requests import describe

app = typer.Typer(help="See and steer what goes back to the LMS: completions and courses.", no_args_is_help=True)

_COLOURS = {Stand.SEALING: "dim", Stand.WAITING: "cyan", Stand.PARTIAL: "yellow", Stand.DONE: "green"}
_FATES = (Fate.DONE, Fate.AWAITS_IMPORT, Fate.ALREADY, Fate.REJECTED, Fate.PARKED)


@app.command("batches")
def batches(
    context: typer.Context,
    batch_id: Annotated[str | None, typer.Argument(metavar="[BATCH]", help="Only this one, with its report.")] = None,
    *,
    count: Annotated[int, typer.Option("--last", min=1, help="How many, the newest.")] = 20,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write what was refused or not taken of BATCH.")
    ] = None,
    json: Json = False,
) -> None:
    """List the batches that were accepted, the newest first, with what became of their records."""
    tenant: Tenant = context.obj
    if csv is not None and batch_id is None:
        fail("--csv needs BATCH.")
    with telling_errors():
        if batch_id is not None:
            _show_one(tenant, batch_id, csv, json=json)
            return
        found = [
            with_progress(tenant.parts.outbox, each) for each in list_batches(tenant.parts, tenant.connection)[:count]
        ]
        if json:
            print_value([describe(each) for each in found])
        elif not found:
            tenant.console.print("No batch was accepted yet.")
        else:
            tenant.console.print(_table(found))


@app.command("plan")
def plan(context: typer.Context, *, json: Json = False) -> None:
    """Say how many requests it takes to send what waits, and when it will be done; sends nothing."""
    tenant: Tenant = context.obj
    with telling_errors():
        found = make_plan(tenant.parts, tenant.connection)
    if json:
        print_value({**found.model_dump(mode="json"), "requests": found.requests})
    else:
        _show_plan(tenant, found)


@app.command("now")
def now(
    context: typer.Context,
    *,
    sample: Annotated[
        int | None, typer.Option("--sample", min=1, metavar="N", help="Only so many completions, even while paused.")
    ] = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Send what waits, as far as the pace allows; with `--sample 1` one completion, to see it arrive in the LMS."""
    tenant: Tenant = context.obj
    with telling_errors():
        found = make_plan(tenant.parts, tenant.connection)
        if sample is None and found.paused:
            fail("Sending is paused (`write_back.paused`). Send a sample, or switch that off.")
        if sample is not None and not found.completions:
            fail("No completion waits to be sent.")
        what = f"{min(sample, found.completions)} of {found.completions:,} completions" if sample else "All that waits"
        ask(f"{what} will be sent to the LMS. Go on?", yes=yes)
        _send(tenant, PushCompletions(connection=tenant.connection, sample=sample))
    if json:
        print_value(found.model_dump(mode="json"))
    else:
        tenant.console.print("Asked for. What came of it: lms push batches")


@app.command("replay")
def replay(
    context: typer.Context,
    batch_id: Annotated[str, typer.Argument(metavar="[BATCH]", help="Only what this one left parked.")] = ALL,
    *,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Send parked records again, once their cause has been mended; those that were sent are not sent again."""
    tenant: Tenant = context.obj
    with telling_errors():
        _, write_back = find_write_back(tenant.parts, tenant.connection)
        desk = Desk(tenant.parts, tenant.connection, write_back)
        stems = [stem for stem in desk.outbox.parked_stems() if batch_id in (ALL, batch_id_of(stem))]
        found = [batch_id_of(stem) for stem in stems]
        if not found:
            fail("There are no parked records." if batch_id == ALL else f"The batch {batch_id} has no parked records.")
        inactive = count_inactive(desk, stems)
        if inactive:
            typer.echo(f"{inactive:,} completions will be parked again: their learners are not active yet.", err=True)
        ask(f"The parked records of {len(found)} batches will be sent again. Go on?", yes=yes)
        _send(tenant, PushCompletions(connection=tenant.connection, replay=batch_id))
    if json:
        print_value({"batches": found, "still_inactive": inactive})
    else:
        tenant.console.print("Asked for; they become a batch of their own. What came of it: lms push batches")


def _send(tenant: Tenant, message: PushCompletions) -> None:
    tenant.parts.messages.send(PUSH_COMPLETIONS, message.model_dump_json())


def _show_one(tenant: Tenant, batch_id: str, csv: Path | None, *, json: bool) -> None:
    batch = find_batch(tenant.parts, tenant.connection, batch_id)
    if batch is None:
        fail(f"There is no batch {batch_id!r}; see `lms push batches`.")
    reports = _reports(tenant, batch)
    if csv is not None:
        csv.write_bytes(b"".join(reports))
    if json:
        print_value(describe(with_progress(tenant.parts.outbox, batch)))
        return
    tenant.console.print(_table([with_progress(tenant.parts.outbox, batch)]))
    for content in reports:
        for line in content.decode("utf-8-sig").splitlines()[:20]:
            tenant.console.print(Text(f"  {line.partition(',')[2]}"), soft_wrap=True)
    if csv is not None:
        tenant.console.print(f"Written to {csv}.")


def _reports(tenant: Tenant, batch: Batch) -> list[bytes]:
    found = []
    for path in (report.refused_path(batch.connection, batch.stem), report.sent_path(batch.connection, batch.stem)):
        try:
            found.append(tenant.parts.reports.get(path))
        except FileNotFoundError:
            continue
    return found


def _table(found: list[Batch]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("batch", "kind", "from", "received", "state"):
        table.add_column(title, no_wrap=True)
    table.add_column("records", justify="right")
    table.add_column("became", overflow="fold")
    for each in found:
        table.add_row(
            each.batch_id,
            each.kind,
            each.source,
            time_text(each.received_at),
            Text(each.stand, style=_COLOURS[each.stand]),
            f"{each.records:,}",
            _became(each),
        )
    return table


def _became(batch: Batch) -> str:
    """Say what became of the records of a batch, and how many of them wait."""
    counts = [(str(fate).replace("_", " "), batch.fates.get(fate, 0)) for fate in _FATES]
    counts += [("waiting", batch.waiting), ("refused", batch.refused), ("with another grade", batch.grade_changes)]
    counts += [("found in the history", batch.confirmed), ("not found in the history", batch.unconfirmed)]
    return ", ".join(f"{count:,} {word}" for word, count in counts if count)


def _show_plan(tenant: Tenant, found: Plan) -> None:
    console = tenant.console
    console.print(
        f"{found.batches:,} batches wait: courses {found.deactivations:,} to switch off, {found.updates:,} to change, "
        f"{found.creations:,} new; completions {found.completions:,}; nothing to do for {found.already:,}.",
        soft_wrap=True,
    )
    for step in found.steps:
        console.print(
            f"  {step.asked}: {step.requests:,} requests for {step.records:,} records, "
            f"from {time_text(step.begins_at)} to {time_text(step.ends_at)} UTC",
            soft_wrap=True,
        )
    if found.ends_at is not None:
        console.print(f"  Done at {time_text(found.ends_at)} UTC at the earliest.")
    if found.created_inactive:
        console.print(
            f"Warning: {found.created_inactive:,} new courses are inactive; the LMS does not offer them for import.",
            style="yellow",
            soft_wrap=True,
        )
    if found.paused:
        console.print("Sending is paused (`write_back.paused`).", style="yellow")
    if found.trouble is not None:
        told = f"Sending stands still since {time_text(found.trouble.since)} UTC: {found.trouble.message}"
        console.print(Text(f"{told} ({found.trouble.code})", style="red"), soft_wrap=True)
