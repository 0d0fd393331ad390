"""`lms replay` and `lms backfill`: send what is missing, once its cause has been mended."""

from datetime import datetime
from typing import Annotated

import typer

from shared.cli.options import Json, Yes
from shared.cli.show import print_json, time_text
from shared.cli.tenant import Tenant, ask, fail, telling_errors
from shared.domain.messages import COMMANDS, Backfill, Replay
from shared.domain.strict import Strict
from shared.pipeline import journal
from shared.pipeline.backfill import check
from shared.pipeline.keep_poison import Poison, list_poison, replay_message, replayable
from shared.pipeline.replay import explain_single, find_remedy
from shared.pipeline.replay_rejects import find_reject


class Asked(Strict):
    """What was put into the queue, and what will come of it."""

    command: str
    sync_id: str
    """Also the id of the run that records are sent by; a package that is read again has a run of its own."""
    told: str


def replay(
    context: typer.Context,
    run_id: Annotated[str | None, typer.Argument(metavar="[RUN]", help="All that this run left undone.")] = None,
    *,
    reject: Annotated[
        int | None, typer.Option("--reject", min=1, metavar="N", help="Only the N-th reject of the run's report.")
    ] = None,
    line: Annotated[
        str | None, typer.Option("--line", metavar="FILE:LINE", help="Only the reject at this place.")
    ] = None,
    message: Annotated[
        str | None, typer.Option("--message", metavar="ID", help="A message that `lms poison` lists.")
    ] = None,
    queue: Annotated[
        str | None, typer.Option("--queue", metavar="NAME", help="All messages of this queue that were put aside.")
    ] = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Send what was missing once its cause is mended: of a run, of one record, or messages that were put aside."""
    tenant: Tenant = context.obj
    if [run_id, message, queue].count(None) != 2 or (run_id is None and (reject or line)) or (reject and line):  # noqa: PLR2004 - one of three
        fail("Give either RUN, with --reject or --line for one record, or --message, or --queue.")
    with telling_errors():
        if run_id is not None:
            _replay_run(tenant, run_id, reject, line, yes=yes, json=json)
        else:
            _replay_messages(tenant, message, queue, yes=yes, json=json)


def backfill(
    context: typer.Context,
    first: Annotated[
        datetime, typer.Option("--from", formats=["%Y-%m-%d"], metavar="DAY", help="The first day, inclusive.")
    ],
    last: Annotated[
        datetime, typer.Option("--to", formats=["%Y-%m-%d"], metavar="DAY", help="The last day, inclusive.")
    ],
    *,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Look for the records of some days in Viva Learning, and make anew what is missing there."""
    tenant: Tenant = context.obj
    with telling_errors():
        sync_id = journal.new_run_id(tenant.parts.clock())
        command = Backfill(connection=tenant.connection, sync_id=sync_id, first=first.date(), last=last.date())
        check(tenant.parts, command)
        told = (
            f"Records assigned or completed from {command.first} to {command.last} are looked for in Viva Learning, "
            "one call each, and made anew where they are missing."
        )
        _send(tenant, command, told, yes=yes, json=json)


def _replay_run(tenant: Tenant, run_id: str, number: int | None, line: str | None, *, yes: bool, json: bool) -> None:
    parts, name = tenant.parts, tenant.connection
    key = None
    if number is not None or line is not None:
        run = journal.get_run(parts, name, run_id)
        found = find_reject(parts, run, number=number, line=line)
        explain_single(run, found, journal.get_state(parts, name))
        key = found.field
    remedy = find_remedy(parts, name, run_id, key)
    sync_id = journal.new_run_id(parts.clock())
    command = Replay(connection=name, run_id=run_id, sync_id=sync_id, key=key)
    _send(tenant, command, remedy.told, yes=yes, json=json, has_run=remedy.asks)


def _send(
    tenant: Tenant, command: Replay | Backfill, told: str, *, yes: bool, json: bool, has_run: bool = True
) -> None:
    ask(f"{told} Go on?", yes=yes)
    tenant.parts.messages.send(COMMANDS, command.model_dump_json())
    if json:
        print_json(Asked(command=command.command, sync_id=command.sync_id, told=told))
        return
    if yes:
        tenant.console.print(told)
    came = f"lms runs {command.sync_id}" if has_run else "lms runs"
    tenant.console.print(f"Asked for. How it goes: lms status; what came of it: {came}")


def _replay_messages(tenant: Tenant, message: str | None, queue: str | None, *, yes: bool, json: bool) -> None:
    parts = tenant.parts
    if queue is not None:
        wanted = [each.message for each in replayable(parts, queue)]
        what = f"{len(wanted)} messages of the queue {queue.removesuffix('-poison')} are put back."
    else:
        wanted = [str(message)]
        what = f"The message {message} is put back."
    before = {each.message for each in list_poison(parts) if each.replayed_at is not None}
    if wanted:
        ask(f"{what} Go on?", yes=yes)
    done = [replay_message(parts, each) for each in wanted]
    if json:
        print_json(done)
        return
    if not done:
        tenant.console.print("There is no message to put back.")
    for each in done:
        tenant.console.print(_told_of(each, is_old=each.message in before))


def _told_of(done: Poison, *, is_old: bool) -> str:
    if is_old:
        return f"{done.message} was put back before, at {time_text(done.replayed_at)} UTC; it is not sent again."
    return f"{done.message} is back in its queue ({done.queue})."
