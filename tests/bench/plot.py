"""The plot: processor time a row, ours and everybody else's."""

from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from tests.bench import stages
from tests.bench.report import CHAIN
from tests.bench.result import Figures, Result

OURS, OTHERS, LIMIT = "#0b6e4f", "#9aa5b1", "#52606d"
_STYLE: Any = {"svg.hashsalt": "lms-connector", "svg.fonttype": "path", "font.size": 10, "font.family": "DejaVu Sans"}
_INCHES_PER_BAR = 0.42


def draw(result: Result, *files: Path) -> None:
    """Draw into each file, by its ending; the same figures give the same SVG."""
    bars = _bars(result)
    with rc_context(_STYLE):
        picture = Figure(figsize=(8.5, 1.2 + _INCHES_PER_BAR * len(bars)), layout="constrained")
        axes = picture.subplots()
        names = [name for name, _, _ in bars]
        values = [figures.cpu_microseconds_per_row for _, figures, _ in bars]
        drawn = axes.barh(names, values, color=[colour for _, _, colour in bars])
        axes.bar_label(drawn, labels=[f"{value:,.1f} µs" for value in values], padding=4)
        axes.invert_yaxis()
        axes.set_xlim(0, 1.15 * max(values))
        axes.set_xlabel("processor time a row, in microseconds: shorter is better")
        axes.spines[["top", "right"]].set_visible(False)
        for file in files:
            metadata = {"Date": None} if file.suffix == ".svg" else {"Software": None}
            picture.savefig(file, dpi=144, metadata=metadata)


def _bars(result: Result) -> list[tuple[str, Figures, str]]:
    bars = []
    if result.chain is not None:
        bars.append((f"{CHAIN}: gpg, unzip, DuckDB; no rules", result.chain, LIMIT))
    ours = (stages.CORE, stages.FETCHED, stages.TABLES)
    bars += [(f"this connector: {stage}", result.sync.stages[stage], OURS) for stage in ours]
    others = [(f"{peer.name}: CSV by SFTP", peer.figures) for peer in result.peers]
    others += [(f"{each.naive.name}, {each.megabytes} MB", each.naive.figures) for each in result.besides]
    return bars + [(name, figures, OTHERS) for name, figures in others if figures is not None]
