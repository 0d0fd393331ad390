"""`lms run`, `dry-run`, `approve` and `rerun`: ask the app to do something, and wait until it is done."""

import getpass
import os
import re
import time
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from shared.cli import follow
from shared.cli.options import Json, Yes
from shared.cli.show import outcome_text, print_value, show_run
from shared.cli.tenant import Tenant, ask, fail, telling_errors
from shared.domain.errors import Code, SettingsError
from shared.domain.messages import COMMANDS, Approve, Collect, Rerun
from shared.domain.runs import Outcome, Run, Step
from shared.pipeline import journal
from shared.wiring import find_signed_in

NoWait = Annotated[bool, typer.Option("--no-wait", help="Do not wait for the end; print the id of the sync.")]
Timeout = Annotated[float, typer.Option("--timeout", min=0, metavar="SECONDS", help="How long to wait for the end.")]
As = Annotated[
    str,
    typer.Option(
        "--as",
        metavar="NAME",
        help="Who approves, for the record: a ticket or a role, not a person's name. "
        "(default: the object id of who is signed in)",
    ),
]
_TIMEOUT_SECONDS = 3600.0
_LATEST_RUNS = 20
"""Among so many the runs of a sync are looked for."""
_WHO = re.compile(r"[^@\x00-\x1f]{1,64}")


def run(
    context: typer.Context,
    *,
    yes: Yes = False,
    no_wait: NoWait = False,
    timeout: Timeout = _TIMEOUT_SECONDS,
    json: Json = False,
) -> None:
    """Look into the provider's folder now, and publish what is new.

    Ends with 0 when it is done, 3 partial, 4 rejected, 5 failed, 6 halted, 7 waiting.
    """
    tenant: Tenant = context.obj
    with telling_errors():
        name = tenant.connection
        ask(f"Look into the folder of {name} now, and publish what is new?", yes=yes)
        sync_id = journal.new_run_id(tenant.parts.clock())
        _send(tenant, Collect(connection=name, sync_id=sync_id), no_wait=no_wait, timeout=timeout, json=json)


def dry_run(
    context: typer.Context, *, no_wait: NoWait = False, timeout: Timeout = _TIMEOUT_SECONDS, json: Json = False
) -> None:
    """Show what the next package would change in Viva Learning, and what that would take; nothing is published."""
    tenant: Tenant = context.obj
    with telling_errors():
        sync_id = journal.new_run_id(tenant.parts.clock())
        body = Collect(connection=tenant.connection, sync_id=sync_id, dry_run=True)
        _send(tenant, body, no_wait=no_wait, timeout=timeout, json=json)


def approve(
    context: typer.Context,
    run_id: Annotated[str, typer.Argument(metavar="RUN")],
    *,
    who: As = "",
    yes: Yes = False,
    no_wait: NoWait = False,
    timeout: Timeout = _TIMEOUT_SECONDS,
    json: Json = False,
) -> None:
    """Let a halted run go on: what it would change is published. Who approved it, and when, is kept with the run."""
    tenant: Tenant = context.obj
    with telling_errors():
        found = journal.get_run(tenant.parts, tenant.connection, run_id)
        if found.step is not Step.HALTED:
            raise SettingsError(f"The run {run_id} is not halted: there is nothing to approve.", Code.SETTINGS_INVALID)
        by = _name_approver(who)
        if not yes:
            show_run(_console(tenant, json=json), found)
        ask(f"Publish what the run {run_id} would change?", yes=yes)
        sync_id = journal.new_run_id(tenant.parts.clock())
        body = Approve(connection=tenant.connection, run_id=run_id, sync_id=sync_id, by=by)
        _send(tenant, body, no_wait=no_wait, timeout=timeout, json=json)


def rerun(
    context: typer.Context,
    run_id: Annotated[str, typer.Argument(metavar="RUN")],
    *,
    yes: Yes = False,
    no_wait: NoWait = False,
    timeout: Timeout = _TIMEOUT_SECONDS,
    json: Json = False,
) -> None:
    """Process the latest published package again; an older one would bring back what has changed since."""
    tenant: Tenant = context.obj
    with telling_errors():
        found = journal.get_run(tenant.parts, tenant.connection, run_id)
        committed = journal.get_state(tenant.parts, tenant.connection).committed
        if committed is None or committed.run_id != run_id:
            latest = f"That is {committed.run_id}." if committed else "Nothing is published yet."
            raise SettingsError(
                f"The run {run_id} is not the latest published one; only that can be run again. {latest}",
                Code.SETTINGS_INVALID,
            )
        ask(f"Process {found.package} again, and publish what differs?", yes=yes)
        sync_id = journal.new_run_id(tenant.parts.clock())
        body = Rerun(connection=tenant.connection, run_id=run_id, sync_id=sync_id)
        _send(tenant, body, no_wait=no_wait, timeout=timeout, json=json)


def _name_approver(given: str) -> str:
    """Return who is to be recorded: what was given, who is signed in to Entra, or on the local tenant the user.

    Raises:
        SettingsError: it looks like an address, or is too long.
    """
    if given and not _WHO.fullmatch(given):
        raise SettingsError(
            "--as takes up to 64 signs and no @: it is kept with the run, where no e-mail address belongs.",
            Code.SETTINGS_INVALID,
        )
    if given:
        return given
    try:
        return find_signed_in(os.environ) or getpass.getuser()
    except OSError:
        return ""  # a machine without user names


def _send(tenant: Tenant, body: Approve | Collect | Rerun, *, no_wait: bool, timeout: float, json: bool) -> None:
    """Send a command; unless told otherwise wait for the end of its sync, show it, and end with its exit status."""
    parts = tenant.parts
    parts.messages.send(COMMANDS, body.model_dump_json())
    if no_wait:
        print_value({"sync_id": body.sync_id}) if json else tenant.console.print(Text(body.sync_id))
        return
    try:
        with follow.following(Console(stderr=True)) as tell:
            deadline = time.monotonic() + timeout
            row = follow.wait(parts, body.connection, body.sync_id, deadline=deadline, tell=tell)
    except TimeoutError as error:
        fail(f"{error} It goes on by itself once the app runs: see `lms status`.")
    runs = _runs_of(tenant, {body.sync_id, row["sync_id"]}, getattr(body, "run_id", None))
    outcome = Outcome(row["outcome"])
    if json:
        told = {name: row[name] for name in ("sync_id", "outcome", "code", "message")}
        print_value({**told, "runs": [each.model_dump(mode="json") for each in runs]})
    else:
        _show_ending(tenant.console, row["code"], row["message"], outcome, runs)
    raise typer.Exit(follow.EXIT_STATUS[outcome])


def _runs_of(tenant: Tenant, sync_ids: set[str], named: str | None) -> list[Run]:
    """Return the runs of a sync, oldest first, and the halted one behind which everything waits."""
    parts, name = tenant.parts, tenant.connection
    open_run = journal.get_state(parts, name).open_run
    wanted = {*journal.list_run_ids(parts, name)[-_LATEST_RUNS:], *filter(None, (open_run, named))}
    found = [each for run_id in sorted(wanted) if (each := journal.find_run(parts, name, run_id)) is not None]
    return [
        each for each in found if each.sync_id in sync_ids or (each.run_id == open_run and each.step is Step.HALTED)
    ]


def _show_ending(console: Console, code: str, message: str, outcome: Outcome, runs: list[Run]) -> None:
    for each in runs:
        show_run(console, each)
    console.print(Text.assemble("Outcome: ", outcome_text(outcome), f" {code}" if code else ""))
    if message:
        console.print(Text(message))
    for each in runs:
        if each.step is Step.HALTED:
            console.print(Text(f"Once you have looked at it, let it go on: lms approve {each.run_id}"))
        if each.graph_writes and (each.dry_run or each.step is Step.HALTED):
            console.print(Text(f"Item by item: lms changes {each.run_id}"))
        if each.reject_count:
            console.print(Text(f"All that was refused: lms rejects {each.run_id}"))


def _console(tenant: Tenant, *, json: bool) -> Console:
    """Return where a person reads: not where a program does."""
    return Console(stderr=True, highlight=False) if json else tenant.console
