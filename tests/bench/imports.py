"""What a cold start pays: the time in which each function's process imports all that the function needs."""

import ast
import json
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_WIRING = ROOT / "shared" / "wiring.py"
_LINE = re.compile(r"import time: +(\d+) \| +\d+ \| +(\S+)")
_SLOWEST = 3
_BEFORE = "import sys, time; began = time.perf_counter(); known = len(sys.modules)"
_AFTER = (
    "import json; json.dump({'seconds': time.perf_counter() - began, 'modules': len(sys.modules) - known}, sys.stdout)"
)


@dataclass(frozen=True, slots=True)
class Imported:
    """What one function imports."""

    function: str
    seconds: float
    modules: int
    slowest: dict[str, float]
    """The packages that took most, with their own seconds."""


def functions() -> list[Path]:
    """Return the files of all functions."""
    return [file for file in sorted((ROOT / "functions").glob("*.py")) if file.stem != "__init__"]


def measure(function: Path) -> Imported:
    """Import in a new process what its file and the wiring name, at their top or when they are called."""
    statements = [*_imports(function), *_imports(_WIRING)]
    script = "\n".join((_BEFORE, f"import functions.{function.stem}", *statements, _AFTER))
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    told = json.loads(done.stdout)
    return Imported(function.stem, told["seconds"], told["modules"], _slowest(done.stderr))


def _imports(file: Path) -> list[str]:
    nodes = ast.walk(ast.parse(file.read_text("utf-8")))
    return [ast.unparse(node) for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]


def _slowest(report: str) -> dict[str, float]:
    """Add up the report of `-X importtime` by package; `azure.x` and `azure.y` are two."""
    spent: Counter[str] = Counter()
    for microseconds, module in _LINE.findall(report):
        parts = module.split(".")
        spent[".".join(parts[: 2 if parts[0] == "azure" else 1])] += int(microseconds)
    return {package: microseconds / 1_000_000 for package, microseconds in spent.most_common(_SLOWEST)}
