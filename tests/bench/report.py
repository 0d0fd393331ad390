"""A run's figures for people: the bounds first, then what they were drawn from."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tests.bench import stages
from tests.bench.result import MEGABYTE, Claim, Figures, Result

CHAIN = "bare chain"
PARTS = (stages.COLLECT, stages.PROCESS, stages.DIRECTORY, stages.MAP)
_PLAIN = ("seconds", "rows/s", "MB/s", "CPU s", "CPU µs/row", "MB")


def show(console: Console, result: Result) -> None:
    """Print the tables and the verdict."""
    console.print(claims_table(result.claims))
    console.print(Text(about(result)), soft_wrap=True)
    console.print(_figures_table(result))
    console.print(
        Text(f"Of the sync, {result.sync.waiting_seconds:,.1f} s were no stage: the host starts, messages wait.")
    )
    if result.imports:
        console.print(_imports_table(result))
    if result.took:
        longest = sorted(result.took.items(), key=lambda part: -part[1])
        console.print(
            Text(f"The bench took: {', '.join(f'{what} {seconds:,.0f} s' for what, seconds in longest)}."),
            soft_wrap=True,
        )
    missed = result.missed
    for claim in missed:
        console.print(Text(f"MISSED: {claim.topic} {figure(claim)}, {bound(claim)}"), style="bold red", soft_wrap=True)
    if not missed:
        unknown = sum(claim.figure is None for claim in result.claims)
        rest = f"; {unknown} were not measured" if unknown else ""
        console.print(
            Text(f"Every bound that this size can judge holds{rest}."), style="yellow" if unknown else "green"
        )


def about(result: Result) -> str:
    """Say what was measured, and where."""
    machine, sizes = result.machine, result.sizes
    rows = result.sync.stages[stages.WHOLE].rows
    return (
        f"{rows:,} rows ({sizes['rows']:,} assignments, {sizes['learners']:,} learners, {sizes['items']:,} items), "
        f"{result.sync.package_bytes / MEGABYTE:,.0f} MB packed, "
        f"{result.sync.stages[stages.WHOLE].text_bytes / MEGABYTE:,.0f} MB unpacked, on {result.day}. "
        f"{machine.processor}, {machine.processors} processors, {machine.memory_bytes / 1e9:,.0f} GB, "
        f"{machine.kernel}, Python {machine.python}, DuckDB {machine.duckdb}, GnuPG {machine.gpg}."
    )


def figure(claim: Claim) -> str:
    """Write a figure with its unit."""
    if claim.figure is None:
        return "not measured"
    digits = ".1f" if claim.unit == "x" and claim.figure >= 10 else ".12g"
    return f"{claim.figure:,{digits}} {claim.unit}"


def bound(claim: Claim) -> str:
    """Write a bound in words."""
    if claim.at_most is not None:
        return f"at most {claim.at_most:,g} {claim.unit}"
    return "none" if claim.at_least is None else f"at least {claim.at_least:,g} {claim.unit}"


def verdict(claim: Claim) -> str:
    """Say whether it holds, or that this run cannot tell."""
    if not claim.is_bounded:
        return ""
    if claim.figure is None:
        return "-"
    if not claim.judged:
        return "not judged at this size"
    return "holds" if claim.holds else "MISSED"


def rows_of(result: Result) -> list[tuple[str, Figures | str]]:
    """Return everything that was measured by its name; what could not be measured comes with the reason."""
    found: list[tuple[str, Figures | str]] = list(result.sync.stages.items())
    if result.chain is not None:
        found.append((CHAIN, result.chain))
    if result.tenth is not None:
        found.append((f"a tenth: {stages.FETCHED}", result.tenth.stages[stages.FETCHED]))
    found += [(f"{peer.name} {peer.version}".strip(), peer.figures or peer.reason) for peer in result.peers]
    for beside in result.besides:
        found.append((f"{beside.megabytes} MB: {stages.CORE}", beside.connector.stages[stages.CORE]))
        found.append((f"{beside.megabytes} MB: {beside.naive.name}", beside.naive.figures or beside.naive.reason))
    return found


def claims_table(claims: Sequence[Claim]) -> Table:
    """Return the ratios, and whether they hold."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("claim")
    for column in ("figure", "bound"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for claim in claims:
        style = "bold red" if claim.missed else "green" if claim.judged and claim.is_bounded and claim.holds else "dim"
        table.add_row(claim.topic, figure(claim), bound(claim), verdict(claim), style=style)
    return table


def plain(figures: Figures) -> tuple[str, ...]:
    """Write the figures of a row."""
    return (
        f"{figures.seconds:,.1f}",
        f"{figures.rows_per_second:,}",
        f"{figures.megabytes_per_second:,.1f}",
        f"{figures.cpu_seconds:,.1f}",
        f"{figures.cpu_microseconds_per_row:,.1f}",
        f"{figures.peak_memory_bytes / MEGABYTE:,.0f}",
    )


def _figures_table(result: Result) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    for column in (*_PLAIN, "x chain", "CPU x chain"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, figures in rows_of(result):
        if isinstance(figures, str):
            table.add_row(f"{name}: {figures}", style="yellow")
            continue
        ratios = ("", "")
        if result.chain is not None:
            ratios = f"{figures.time_ratio(result.chain):,.1f}", f"{figures.cpu_ratio(result.chain):,.1f}"
        style = "bold" if name in (stages.CORE, stages.FETCHED, stages.TABLES) else None if name in PARTS else "dim"
        table.add_row(name, *plain(figures), *ratios, style=style)
    return table


def _imports_table(result: Result) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("imports of", no_wrap=True)
    for column in ("ms", "at most", "packages", "CPU ms", "modules"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("most of it", no_wrap=True)
    for each in result.imports:
        most = ", ".join(f"{package} {1000 * seconds:,.0f}" for package, seconds in each["slowest"].items())
        bound = each["bound_seconds"]
        over = bound is not None and each["seconds"] > bound
        table.add_row(
            each["function"],
            _ms(each["seconds"]),
            *(_ms(each[f"{figure}_seconds"]) for figure in ("bound", "packages", "cpu")),
            f"{each['modules']:,}",
            most,
            style="bold red" if over else None,
        )
    return table


def _ms(seconds: float | None) -> str:
    return "" if seconds is None else f"{1000 * seconds:,.0f}"
