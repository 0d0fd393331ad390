"""The figures, for people and for machines."""

import os
import platform
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

import duckdb
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tests.bench.chain import Chain
from tests.bench.data import Data, Sizes
from tests.bench.imports import Imported
from tests.bench.stages import Measured, Stage

MEGABYTE = 1_000_000
LIMIT_BYTES = 512 * MEGABYTE
CHAIN = "bare chain"


def make_result(
    sizes: Sizes, data: Data, measured: Measured, chain: Chain, imports: Iterable[Imported]
) -> dict[str, Any]:
    """Return all figures, as JSON."""
    return {
        "sizes": asdict(sizes),
        "package_bytes": data.package.stat().st_size,
        "machine": {
            "processors": os.cpu_count(),
            "python": platform.python_version(),
            "duckdb": duckdb.__version__,
        },
        "outcome": measured.outcome,
        "rows": measured.rows,
        "stages": list(_stages(measured, chain)),
        "waiting_seconds": round(_waiting_seconds(measured), 3),
        "imports": [asdict(imported) for imported in imports],
        "peak_memory_bytes": measured.peak_memory_bytes,
        "limit_bytes": LIMIT_BYTES,
        "within_limit": measured.peak_memory_bytes < LIMIT_BYTES,
    }


def _waiting_seconds(measured: Measured) -> float:
    *parts, whole = measured.stages
    return whole.seconds - sum(part.seconds for part in parts)


def _stages(measured: Measured, chain: Chain) -> Iterator[dict[str, Any]]:
    for stage in measured.stages:
        yield _figures(stage, measured.rows, chain)
    limit = Stage(CHAIN, chain.seconds, chain.cpu_seconds, chain.peak_memory_bytes)
    yield _figures(limit, chain.rows, chain)


def _figures(stage: Stage, rows: int, chain: Chain) -> dict[str, Any]:
    return {
        "name": stage.name,
        "seconds": round(stage.seconds, 3),
        "rows_per_second": round(rows / stage.seconds),
        "cpu_seconds": round(stage.cpu_seconds, 2),
        "cpu_microseconds_per_row": round(1_000_000 * stage.cpu_seconds / rows, 2),
        "ratio_to_chain": round(stage.seconds / chain.seconds, 2),
        "cpu_ratio_to_chain": round(stage.cpu_seconds / chain.cpu_seconds, 2),
        "peak_memory_bytes": stage.peak_memory_bytes,
    }


def show(console: Console, result: dict[str, Any]) -> None:
    """Print the tables and the verdict."""
    console.print(Text(f"{result['rows']:,} rows in a package of {result['package_bytes'] / MEGABYTE:,.1f} MB"))
    console.print(_stage_table(result["stages"]))
    console.print(
        Text(
            f"Of the sync, {result['waiting_seconds']:,.1f} s were no stage: the host starts, messages wait their turn."
        )
    )
    console.print(_import_table(result["imports"]))
    verdict = "under" if result["within_limit"] else "NOT UNDER"
    console.print(
        Text(
            f"Peak memory of the worker and its largest child: {result['peak_memory_bytes'] / MEGABYTE:,.0f} MB, "
            f"{verdict} {LIMIT_BYTES // MEGABYTE} MB",
            style="green" if result["within_limit"] else "bold red",
        )
    )


def _stage_table(stages: Sequence[dict[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("stage", no_wrap=True)
    for column in ("seconds", "rows/s", "CPU s", "CPU µs/row", "x chain", "CPU x chain", "MB"):
        table.add_column(column, justify="right", no_wrap=True)
    for stage in stages:
        table.add_row(
            stage["name"],
            f"{stage['seconds']:,.1f}",
            f"{stage['rows_per_second']:,}",
            f"{stage['cpu_seconds']:,.1f}",
            f"{stage['cpu_microseconds_per_row']:,.1f}",
            f"{stage['ratio_to_chain']:,.1f}",
            f"{stage['cpu_ratio_to_chain']:,.1f}",
            f"{stage['peak_memory_bytes'] / MEGABYTE:,.0f}",
            style="dim" if stage["name"] == CHAIN else None,
        )
    return table


def _import_table(imports: Sequence[dict[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("imports of", no_wrap=True)
    for column in ("ms", "at most", "fastest", "CPU ms", "modules"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("most of it", no_wrap=True)
    for each in imports:
        most = ", ".join(f"{package} {1000 * seconds:,.0f}" for package, seconds in each["slowest"].items())
        bound = each["bound_seconds"]
        over = bound is not None and each["seconds"] > bound
        table.add_row(
            each["function"],
            *(_ms(each[figure]) for figure in ("seconds", "bound_seconds", "fastest_seconds", "cpu_seconds")),
            f"{each['modules']:,}",
            most,
            style="bold red" if over else None,
        )
    return table


def _ms(seconds: float | None) -> str:
    return "" if seconds is None else f"{1000 * seconds:,.0f}"
