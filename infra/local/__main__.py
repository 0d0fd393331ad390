"""The local tenant on the command line: `python -m infra.local`."""

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from infra.local.generate.cli import EPILOG, generate_command
from infra.local.options import Directory, Now, PassphraseFiles, PrivateKeys, Settings, Sftp, read_now
from infra.local.usage import UsageError

if TYPE_CHECKING:
    from infra.local.given import Given

TIMEOUT_SECONDS = 3600.0

app = typer.Typer(
    help="The whole tenant on one machine: storage, vault, Microsoft Graph, SFTP server, and the app itself.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("generate", epilog=EPILOG)(generate_command)


@app.command()
def sync(
    *,
    sftp: Sftp = None,
    private_key: PrivateKeys = None,
    passphrase_file: PassphraseFiles = None,
    directory: Directory = None,
    settings: Settings = None,
    state: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            file_okay=False,
            help="The tenant's data: a second call is the next day's sync. (default: temporary)",
        ),
    ] = None,
    now: Now = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Plan only.")] = False,
    approve: Annotated[
        str | None, typer.Option(metavar="RUN_ID", help="Let a halted run go on, then look for more.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE.json", dir_okay=False, help="Write what happened.")
    ] = None,
    viva: Annotated[
        Path | None,
        typer.Option(metavar="FILE.ndjson", dir_okay=False, help="Write what Viva Learning now holds."),
    ] = None,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, help="After this the sync has failed.")
    ] = TIMEOUT_SECONDS,
) -> None:
    """Sync given packages once, unattended.

    Exit status: 0 done, 3 partial, 4 rejected, 5 failed, 6 halted, 7 waiting, 2 wrong usage.
    """
    from infra.local.sync_command import sync_once  # noqa: PLC0415 - help and mistakes need no server

    if dry_run and approve is not None:
        _refuse(UsageError("--dry-run and --approve contradict each other."))
    try:
        status = sync_once(
            _given(sftp, private_key, passphrase_file, directory, settings),
            state=state,
            now=read_now(now),
            dry_run=dry_run,
            approve=approve,
            report=report,
            viva=viva,
            timeout_seconds=timeout,
        )
    except UsageError as error:
        _refuse(error)
    raise typer.Exit(status)


@app.command()
def up(
    *,
    sftp: Sftp = None,
    private_key: PrivateKeys = None,
    passphrase_file: PassphraseFiles = None,
    directory: Directory = None,
    settings: Settings = None,
    state: Annotated[Path, typer.Option(metavar="DIR", file_okay=False, help="The tenant's data.")] = Path(
        ".local/tenant"
    ),
    now: Now = None,
    host: Annotated[
        str,
        typer.Option(
            metavar="small|func|none",
            help="What runs the app: the small host, Core Tools (`func`), or you, by hand.",
        ),
    ] = "small",
    port: Annotated[int, typer.Option(help="Of the app's HTTP functions; 0: any.")] = 7071,
) -> None:
    """Keep the tenant up, collecting every hour, until Ctrl+C."""
    from infra.local.up import stay_up  # noqa: PLC0415 - see sync

    try:
        given = _given(sftp, private_key, passphrase_file, directory, settings)
        status = stay_up(given, state=state, now=read_now(now), host=host, port=port)
    except UsageError as error:
        _refuse(error)
    raise typer.Exit(status)


@app.command()
def demo(
    *,
    keep: Annotated[
        Path | None,
        typer.Option(metavar="DIR", file_okay=False, help="Keep packages and tenant here. (default: temporary)"),
    ] = None,
    learners: Annotated[int, typer.Option(min=1, help="Persons.")] = 5_000,
    items: Annotated[int, typer.Option(min=1, help="Learning items.")] = 2_000,
    assignments: Annotated[int, typer.Option(min=0, help="Rows of the plan.")] = 80_000,
    completions: Annotated[int, typer.Option(min=0, help="Rows of the learning history.")] = 20_000,
) -> None:
    """Show a full and a delta package on their way into Viva Learning, step by step."""
    from infra.local.demo import World, run_demo  # noqa: PLC0415 - see sync

    world = World(learners=learners, items=items, assignments=assignments, completions=completions)
    try:
        status = run_demo(world, keep)
    except UsageError as error:
        _refuse(error)
    raise typer.Exit(status)


def _given(
    sftp: Path | None,
    keys: list[Path] | None,
    passphrases: list[Path] | None,
    directory: Path | None,
    settings: list[str] | None,
) -> "Given":
    from infra.local.given import Given  # noqa: PLC0415 - see sync

    return Given.read(
        sftp=sftp,
        private_key_files=keys or (),
        passphrase_files=passphrases or (),
        directory=directory,
        settings=settings or (),
    )


def _refuse(error: UsageError) -> NoReturn:
    print(f"Error: {error}", file=sys.stderr)
    raise typer.Exit(2) from None


def main() -> None:
    """Run a command; when asked to end, it ends what it has started."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    app(prog_name="python -m infra.local")


if __name__ == "__main__":
    main()
