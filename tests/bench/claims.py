"""What is claimed of the connector's speed and smallness: each figure, its bound, and whether it means anything yet."""

from collections.abc import Iterable, Iterator

from tests.bench import stages
from tests.bench.again import MOST_ROWS
from tests.bench.data import FULL
from tests.bench.result import MEGABYTE, Again, Beside, Claim, Figures, Line, Peer, Result, Statements, Sync

CHAIN_TIMES = 2.5
CPU_MICROSECONDS_PER_ROW = 8.0
MEMORY_BYTES = 512 * MEGABYTE
MEMORY_MARGIN = 1.2
"""What the largest package may take beyond that."""
LINEAR_MARGIN = 1.15
BENCH_MINUTES = 15
NAIVE_TIMES = {25: 6.0, 100: 10.0}
"""By the megabytes of the package."""
STATEMENTS_PER_MINUTE = 50_000
JSON_TIMES = 6.0
PEER_TIMES = {"dlt": 1.0, "airbyte": 10.0, "singer": 25.0}
"""By a word of the peer's name."""


def make(result: Result) -> tuple[Claim, ...]:
    """Judge a run; a bound of speed means nothing on a package that is mostly start-up."""
    large = result.sizes["rows"] >= FULL.rows
    return (
        *_chain(result, judged=large and result.tenth is None),
        *(claim for beside in result.besides for claim in _naive(beside)),
        *(claim for peer in result.peers for claim in _peer(result.sync, peer, judged=large)),
        *_again(result.again),
        *_lines(result.sftp),
        *_statements(result.statements, judged=large),
        *_imports(result, judged=large),
        _memory(result),
        *_linear(result),
        *_duration(result, judged=large),
    )


def _chain(result: Result, *, judged: bool) -> Iterator[Claim]:
    core = result.sync.stages[stages.CORE]
    yield Claim(
        topic="processor time a row, decrypt to change set",
        figure=round(core.cpu_microseconds_per_row, 2),
        unit="µs",
        at_most=CPU_MICROSECONDS_PER_ROW,
        judged=judged,
    )
    if result.chain is not None:
        for what, ratio in (("processor time", core.cpu_ratio), ("time", core.time_ratio)):
            yield Claim(
                topic=f"{what} to the bare chain's",
                figure=round(ratio(result.chain), 2),
                unit="x",
                at_most=CHAIN_TIMES,
                judged=judged,
            )


def _naive(beside: Beside) -> Iterator[Claim]:
    yield from _less(
        beside.connector.stages[stages.CORE],
        beside.naive,
        f"than the naive pipeline on {beside.megabytes} MB",
        NAIVE_TIMES[beside.megabytes],
        judged=True,
    )


def _peer(sync: Sync, peer: Peer, *, judged: bool) -> Iterator[Claim]:
    """Judge by all that is done with a package; what a peer does, too, ends with the tables, and has no bound."""
    times = next(times for word, times in PEER_TIMES.items() if word in peer.name.lower())
    yield from _less(sync.stages[stages.FETCHED], peer, f"than {peer.name}", times, judged=judged)
    if peer.figures is not None:
        yield Claim(
            topic=f"less processor time a row than {peer.name}, without mapping and change set (it has neither)",
            figure=round(peer.figures.cpu_ratio(sync.stages[stages.TABLES]), 2),
            unit="x",
        )


def _less(connector: Figures, peer: Peer, than: str, times: float, *, judged: bool) -> Iterator[Claim]:
    """A peer that could not be measured proves nothing, and fails nothing."""
    figures = peer.figures
    for what in ("processor time", "time"):
        ratio = None
        if figures is not None:
            ratio = figures.cpu_ratio(connector) if what == "processor time" else figures.time_ratio(connector)
        yield Claim(
            topic=f"less {what} a row {than}",
            figure=None if ratio is None else round(ratio, 2),
            unit="x",
            at_least=times,
            judged=judged and figures is not None,
        )


def _again(again: Again | None) -> Iterator[Claim]:
    if again is not None:
        yield Claim(
            topic="objects sent by a second full package of the same tables",
            figure=again.second_writes,
            unit="objects",
            at_most=0,
        )
        yield Claim(
            topic="time of that second sync to the first",
            figure=round(again.second_seconds / again.first_seconds, 2),
            unit="x",
            at_most=1,
            judged=again.rows >= MOST_ROWS,
        )


def _lines(lines: Iterable[Line]) -> Iterator[Claim]:
    for line in lines:
        yield Claim(
            topic=f"times as fast as OpenSSH's sftp, {line.name}",
            figure=round(line.times_as_fast, 2),
            unit="x",
            at_least=line.at_least,
        )


def _statements(statements: Statements | None, *, judged: bool) -> Iterator[Claim]:
    if statements is not None:
        yield Claim(
            topic="xAPI statements checked in a minute, by one process",
            figure=statements.per_minute,
            unit="statements",
            at_least=STATEMENTS_PER_MINUTE,
            judged=judged,
        )
        yield Claim(
            topic="processor time of an xAPI statement to the parsing of its JSON",
            figure=round(statements.cpu_seconds / max(statements.json_cpu_seconds, 0.001), 1),
            unit="x",
            at_most=JSON_TIMES,
            judged=judged,
        )


def _imports(result: Result, *, judged: bool) -> Iterator[Claim]:
    """A small run, as in the tests, has a machine that does much else."""
    for each in result.imports:
        if bound_seconds := each.get("bound_seconds"):
            yield Claim(
                topic=f"import of {each['function']}",
                figure=round(1000 * each["seconds"]),
                unit="ms",
                at_most=round(1000 * bound_seconds),
                judged=judged,
            )


def _memory(result: Result) -> Claim:
    limit_bytes = MEMORY_BYTES if result.tenth is None else MEMORY_BYTES * MEMORY_MARGIN
    return Claim(
        topic="peak memory of the worker and all of its descendants",
        figure=round(result.sync.stages[stages.WHOLE].peak_memory_bytes / MEGABYTE, 1),
        unit="MB",
        at_most=round(limit_bytes / MEGABYTE, 1),
    )


def _linear(result: Result) -> Iterator[Claim]:
    """Ten times as much takes ten times as long; by rows, for the two packages are not exactly 10 to 1."""
    if result.tenth is not None:
        ratio = result.sync.stages[stages.FETCHED].time_ratio(result.tenth.stages[stages.FETCHED])
        yield Claim(
            topic="time of the largest package to ten times that of a tenth of it",
            figure=round(ratio, 3),
            unit="x",
            at_most=LINEAR_MARGIN,
            judged=result.sizes["rows"] >= FULL.rows,
        )


def _duration(result: Result, *, judged: bool) -> Iterator[Claim]:
    """A bench that takes long is not run; one without peers, or of the largest package, is another."""
    if result.took and result.peers:
        yield Claim(
            topic="the bench itself, once its data and the peers are there",
            figure=round(sum(result.took.values()) / 60, 1),
            unit="min",
            at_most=BENCH_MINUTES,
            judged=judged,
        )
