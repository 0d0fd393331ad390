"""`python -m tests.bench`. Exit status: 0, or 1 when too much memory was used or there was nothing to measure."""

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from infra.local.azurite import AzuriteError
from infra.local.generate import SealingError
from infra.local.sftp_openssh import OpenSshError
from infra.local.show import following, make_console
from infra.local.worker import WorkerError
from shared.domain.errors import ConnectorError
from tests.bench import chain, imports, stages
from tests.bench.data import Data, Sizes, find, make
from tests.bench.report import make_result, show

FOLDER = Path(__file__).parents[2] / ".local" / "bench"


def bench(
    *,
    rows: Annotated[int, typer.Option(min=1, help="Assignments.")] = 2_000_000,
    completions: Annotated[int | None, typer.Option(min=0, help="[default: a quarter of the rows]")] = None,
    learners: Annotated[int | None, typer.Option(min=1, help="[default: one for 20 rows]")] = None,
    items: Annotated[int | None, typer.Option(min=1, help="[default: one for 100 rows]")] = None,
    folder: Annotated[Path, typer.Option(help="Where data is kept and the result goes.")] = FOLDER,
) -> None:
    """Measure a full package through the whole connector as a dry run, beside the bare chain of its tools."""
    sizes = Sizes.of(rows, completions=completions, learners=learners, items=items)
    console = make_console()
    try:
        result = _measure(Console(stderr=True), sizes, folder.absolute())
    except (
        stages.BenchError,
        AzuriteError,
        OpenSshError,
        SealingError,
        WorkerError,
        ConnectorError,
        TimeoutError,
    ) as e:
        console.print(Text(str(e)), style="red", soft_wrap=True)
        sys.exit(1)
    file = folder / "result.json"
    file.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    show(console, result)
    console.print(Text(f"All figures: {file}"), style="dim", soft_wrap=True)
    sys.exit(0 if result["within_limit"] else 1)


def _measure(console: Console, sizes: Sizes, folder: Path) -> dict[str, Any]:
    data = _data(console, sizes, folder)
    with tempfile.TemporaryDirectory(prefix="state-", dir=folder) as state, following(console) as tell:
        measured = stages.measure(data, Path(state), tell)
    with _working(console, "the bare chain"):
        limit = chain.measure(data)
    with _working(console, "importing"):
        imported = [imports.measure(name) for name in imports.names()]
    return make_result(sizes, data, measured, limit, imported)


def _data(console: Console, sizes: Sizes, folder: Path) -> Data:
    place = folder / sizes.name
    found = find(place)
    if found is None:
        with _working(console, f"inventing {sizes.rows:,} assignments, once"):
            found = make(place, sizes)
    return found


@contextmanager
def _working(console: Console, what: str) -> Iterator[None]:
    """Show that something goes on: a moving line on a terminal, a line elsewhere."""
    if not console.is_terminal:
        console.print(Text(what))
        yield
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as moving:
        moving.add_task(what, total=None)
        yield


if __name__ == "__main__":
    typer.run(bench)
