"""The last official run, as the README shows it. `python -m tests.bench.publish RESULT.json` makes a run that."""

import sys
from pathlib import Path

from tests.bench import report, stages
from tests.bench.result import MEGABYTE, Figures, Result

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docs" / "performance.json"
LIMIT_FILE = ROOT / "docs" / "performance-limit.json"
PICTURES = (FILE.with_suffix(".png"), FILE.with_suffix(".svg"))


def publish(result: Result) -> None:
    """Keep a run as the official one, and draw it."""
    from tests.bench import plot  # whoever only renders the README draws nothing

    if result.tenth is not None:
        LIMIT_FILE.write_text(result.model_dump_json(indent=2) + "\n", "utf-8")
        return
    FILE.write_text(result.model_dump_json(indent=2) + "\n", "utf-8")
    plot.draw(result, *PICTURES)


def section() -> str:
    """Return the README's part about performance: the ratios first, then the figures."""
    result = Result.model_validate_json(FILE.read_text("utf-8"))
    picture = "![Processor time a row, of the connector and of others](docs/performance.svg)"
    parts = [_claims(result), picture, report.about(result), _figures(result)]
    if LIMIT_FILE.is_file():
        limit = Result.model_validate_json(LIMIT_FILE.read_text("utf-8"))
        parts += ["The largest package that is taken, and a tenth of it:", _claims(limit), report.about(limit)]
    return "\n\n".join(parts)


def _claims(result: Result) -> str:
    lines = ["| Claim | Measured | Bound |", "| --- | ---: | ---: |"]
    for claim in result.claims:
        remark = "" if claim.judged and claim.holds else f" ({report.verdict(claim)})"
        lines.append(f"| {claim.topic} | {report.figure(claim)}{remark} | {report.bound(claim)} |")
    return "\n".join(lines)


def _figures(result: Result) -> str:
    lines = [
        "| | rows/s | MB/s | CPU µs/row | peak MB | CPU to the bare chain |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, figures in report.rows_of(result):
        if name != stages.WHOLE:
            lines.append(f"| {name} | {_cells(figures, result.chain)} |")
    return "\n".join(lines)


def _cells(figures: Figures | str, chain: Figures | None) -> str:
    if isinstance(figures, str):
        return f"{figures.replace('|', '/')} | | | |"
    ratio = "" if chain is None else f"{figures.cpu_ratio(chain):,.1f} x"
    return (
        f"{figures.rows_per_second:,} | {figures.megabytes_per_second:,.1f} | "
        f"{figures.cpu_microseconds_per_row:,.1f} | {figures.peak_memory_bytes / MEGABYTE:,.0f} | {ratio}"
    )


def main(file: str) -> None:
    """Publish a run that was kept, and write the documents anew."""
    from tests import documents  # it asks this module for its part

    publish(Result.model_validate_json(Path(file).read_text("utf-8")))
    documents.main()


if __name__ == "__main__":
    main(sys.argv[1])
