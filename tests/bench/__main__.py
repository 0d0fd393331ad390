"""`python -m tests.bench`. Exit status: 0, or 1 when a bound does not hold or there was nothing to measure."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from infra.local.azurite import AzuriteError
from infra.local.generate import SealingError
from infra.local.sftp import find_sshd
from infra.local.sftp_openssh import OpenSshError
from infra.local.worker import WorkerError
from shared.cli.show import make_console
from shared.domain.errors import ConnectorError
from tests.bench import data, plot, publish, report
from tests.bench.meter import CommandError
from tests.bench.stages import BenchError
from tests.bench.suite import Plan, Suite

FOLDER = Path(__file__).parents[2] / ".local" / "bench"


class Size(StrEnum):
    """Sizes that have a name."""

    FULL = "full"
    LIMIT = "limit"


def bench(
    *,
    size: Annotated[
        Size, typer.Option(help="`limit` is the largest package that is taken, and a tenth of it.")
    ] = Size.FULL,
    rows: Annotated[int | None, typer.Option(min=1, help="Assignments, instead of a size with a name.")] = None,
    completions: Annotated[int | None, typer.Option(min=0, help="[default: a tenth of the rows]")] = None,
    learners: Annotated[int | None, typer.Option(min=1, help="[default: one for 20 rows]")] = None,
    items: Annotated[int | None, typer.Option(min=1, help="[default: one for 50 rows]")] = None,
    folder: Annotated[Path, typer.Option(help="Where data is kept and the result goes.")] = FOLDER,
    without_peers: Annotated[bool, typer.Option("--without-peers", help="Only the connector and the chain.")] = False,
    publishing: Annotated[bool, typer.Option("--publish", help="Make this run the one that the README shows.")] = False,
) -> None:
    """Measure a full package through the whole connector as a dry run, beside the bare chain of its tools and peers."""
    sizes = data.FULL
    if rows is not None:
        sizes = data.Sizes.of(rows, completions=completions, learners=learners, items=items)
    plan = Plan(sizes, folder.absolute(), peers=not without_peers, at_limit=size is Size.LIMIT and rows is None)
    console, progress = make_console(), Console(stderr=True)
    if plan.peers and not plan.at_limit and find_sshd() is None:
        missing = (
            "There is no sshd on this machine: nothing that reads by SFTP is compared (apt-get install openssh-server)."
        )
        console.print(Text(missing), style="yellow", soft_wrap=True)
    try:
        result = Suite(plan, lambda what: _working(progress, what)).run()
    except (
        BenchError,
        CommandError,
        AzuriteError,
        OpenSshError,
        SealingError,
        WorkerError,
        ConnectorError,
        TimeoutError,
    ) as e:
        console.print(Text(str(e)), style="red", soft_wrap=True)
        sys.exit(1)
    name = "limit" if plan.at_limit else "result"
    files = [folder / f"{name}.{ending}" for ending in ("json", "png", "svg")]
    files[0].write_text(result.model_dump_json(indent=2) + "\n", "utf-8")
    plot.draw(result, *files[1:])
    report.show(console, result)
    console.print(Text(f"All figures: {files[0]}; drawn: {files[1]}"), style="dim", soft_wrap=True)
    if publishing:
        publish.main(str(files[0]))
    sys.exit(1 if result.missed else 0)


@contextmanager
def _working(console: Console, what: str) -> Iterator[Callable[[str], None]]:
    """Show that something goes on: a moving line on a terminal, a line elsewhere."""
    if not console.is_terminal:
        console.print(Text(what))
        yield lambda _: None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as moving:
        task = moving.add_task(what, total=None)
        yield lambda more: moving.update(task, description=f"{what}: {more}")


if __name__ == "__main__":
    typer.run(bench)
