"""What a cold start pays: loading the app, and then what each function's first call imports beyond that.

A script for each, in a process of its own, that says how long it took; the median of several, after one that is not
counted. What is installed for development and not deployed cannot be imported there: httpx, for one, loads `rich` and
`click` for a command line of its own wherever it finds them. What checks a document is built when the first of its
kind is read, and so that counts as well. Which packages took most is asked in another run: the interpreter's own report
makes everything slower. Beside what has a bound, the packages are imported without anything of ours: on a slow machine
these alone may take longer than the bound.
"""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]
APP = "the app"
RUNS = 7
RUNS_WITHOUT_BOUND = 3
BOUNDS_SECONDS = {APP: 0.6, "collect_packages": 0.45, "push_records": 0.45, "run_commands": 0.45, "sweep": 0.45}
"""Most that the app and each light function may take; the others need the columnar engine, and have none."""
ENVIRONMENT = {
    "AzureWebJobsStorage__accountName": "acme",
    "LMS_VAULT_URL": "https://acme.vault.azure.net",
    "LMS_IDENTITY_CLIENT_ID": "00000000-0000-0000-0000-000000000000",
}
"""Settings as in Azure, where a managed identity opens everything; nothing is asked of anybody."""

NOT_DEPLOYED = ("click", "pygments", "rich", "typer")
"""Packages for development and the command line that what is deployed would use if it found them."""

_LOAD = "import function_app"
_PARTS = "from shared.wiring import parts; p = parts()"
_STATE = "from shared.domain.state import State; State.model_validate({})"
_RUN = "from shared.domain.runs import Run; Run.model_rebuild()"
_CONNECTION = "from shared.domain.connection import Connection; Connection.model_rebuild()"
_ROWS, _QUEUES = "import azure.data.tables, shared.adapters.tables", "import azure.storage.queue"
_PROFILE = "from shared.wiring import get_profile; get_profile('successfactors')"
_MESSAGES = "import shared.domain.messages as messages"
_PUSH_RECORDS, _PUSH_COMPLETIONS, _MAP_LEARNERS, _COMMAND = (
    f"{_MESSAGES}; messages.{what}"
    for what in (
        "PushRecords.model_rebuild()",
        "PushCompletions.model_rebuild()",
        "MapLearners.model_rebuild()",
        "COMMAND",
    )
)
_SECRETS, _FOLDERS = "p.secrets._made()", "p.folders._made()"
_GRAPH = "p.graph._made()"
_DOCUMENTS = [_STATE, _CONNECTION, _RUN]
_COLLECT = [
    _PARTS,
    _PROFILE,
    "import shared.pipeline.collect_packages",
    _STATE,
    _CONNECTION,
    _ROWS,
    _QUEUES,
    _SECRETS,
    _FOLDERS,
]
_KEEP_POISON = [_PARTS, "import shared.pipeline.keep_poison", _ROWS]
_SEAL = [_PARTS, _CONNECTION, _ROWS, _QUEUES, _SECRETS, "p.sealing._made()"]
_ACCEPT = [*_SEAL, "import shared.pipeline.write_back.requests"]
FIRST_CALLS = {
    "collect_packages": _COLLECT,
    "keep_poison_commands": _KEEP_POISON,
    "keep_poison_map_learners": _KEEP_POISON,
    "keep_poison_packages": _KEEP_POISON,
    "keep_poison_push_records": _KEEP_POISON,
    "accept_completions": _ACCEPT,
    "accept_content": _ACCEPT,
    "accept_records": [*_SEAL, "import shared.pipeline.write_back.take_records"],
    "keep_poison_push_completions": _KEEP_POISON,
    "map_learners": [
        _PARTS,
        _MAP_LEARNERS,
        "import shared.pipeline.map_learners",
        *_DOCUMENTS,
        _ROWS,
        _QUEUES,
        _SECRETS,
        _GRAPH,
    ],
    "process_package": [
        _PARTS,
        "import shared.pipeline.process_package, shared.pipeline.read_package",
        *_DOCUMENTS,
        _ROWS,
        _QUEUES,
        _SECRETS,
        "p.opener._made()",
    ],
    "push_completions": [*_SEAL, _PUSH_COMPLETIONS, "import shared.pipeline.write_back.push"],
    "push_records": [_PARTS, _PUSH_RECORDS, "import shared.pipeline.push_records", _RUN, _CONNECTION, _QUEUES, _GRAPH],
    "read_inbox": [*_SEAL, "import shared.pipeline.write_back.read_inbox"],
    "retry_poison_records": [*_SEAL, "import shared.pipeline.write_back.take_records"],
    "run_commands": [_PARTS, _COMMAND, "import shared.pipeline.run_commands", *_COLLECT],
    "show_batch": [_PARTS, "import shared.pipeline.write_back.requests", _ROWS],
    "sweep": [_PARTS, "import shared.pipeline.sweep", *_DOCUMENTS, _ROWS, _QUEUES],
}
"""What each function's first call needs beyond the app, as statements; a command is one to collect."""

_HIDE = f"import sys; sys.modules.update(dict.fromkeys({NOT_DEPLOYED}))"
_BEGIN = "import sys, time; began, used, known = time.perf_counter(), time.process_time(), len(sys.modules)"
_END = (
    "told = time.perf_counter() - began, time.process_time() - used, len(sys.modules) - known\n"
    "import json; json.dump(told, sys.stdout)"
)
_LINE = re.compile(r"import time: +(\d+) \| +\d+ \| +(\S+)")
_PACKAGES = (
    "import json; json.dump([name for name, module in sys.modules.items() if name not in before and module and "
    "module.__name__ == name and 'site-packages' in (getattr(module, '__file__', None) or '')], sys.stdout)"
)
_MARK = "this"
"""Module whose import marks where measuring begins in the interpreter's report."""
_SLOWEST = 2


@dataclass(frozen=True, slots=True)
class Imported:
    """What the app or one function's first call imports."""

    function: str
    seconds: float
    """Median."""
    cpu_seconds: float
    """Median; on a busy machine it says more than the time on the wall."""
    modules: int
    slowest: dict[str, float]
    """The packages that took most, with their own seconds in a run that is slower."""
    bound_seconds: float | None
    packages_seconds: float | None
    """Median of importing the same packages without anything of ours; of what has a bound."""


def names() -> list[str]:
    """Return what can be measured: the app, and every function."""
    return [APP, *sorted(FIRST_CALLS)]


def runs(name: str) -> int:
    """Return how often something is imported: what has no bound less often."""
    return RUNS if name in BOUNDS_SECONDS else RUNS_WITHOUT_BOUND


def measure(name: str, runs: int) -> Imported:
    """Measure the app, or what a function's first call imports once the app is loaded.

    Functions that import the same are measured once.
    """
    before = () if name == APP else (_LOAD,)
    statements = (_LOAD,) if name == APP else tuple(FIRST_CALLS[name])
    told = _run(before, statements, runs)
    bound_seconds = BOUNDS_SECONDS.get(name)
    packages_seconds = None
    if bound_seconds is not None:
        packages = f"import {', '.join(_packages(before, statements))}"
        packages_seconds = median(seconds for seconds, *_ in _run(before, (packages,), runs))
    seconds, cpu_seconds, modules = zip(*told, strict=True)
    return Imported(
        function=name,
        seconds=median(seconds),
        cpu_seconds=median(cpu_seconds),
        modules=modules[0],
        slowest=_slowest(before, statements),
        bound_seconds=bound_seconds,
        packages_seconds=packages_seconds,
    )


@cache
def _run(before: tuple[str, ...], statements: tuple[str, ...], runs: int) -> list[tuple[float, float, int]]:
    """Run statements several times in new processes; return what each told at its end."""
    script = "\n".join((_HIDE, *before, _BEGIN, *statements, _END))
    _python("-c", script)
    return [json.loads(_python("-c", script).stdout) for _ in range(runs)]


def _packages(before: tuple[str, ...], statements: tuple[str, ...]) -> list[str]:
    """Return the modules of packages that statements import, in their order."""
    script = "\n".join((_HIDE, *before, "before = set(sys.modules)", *statements, _PACKAGES))
    found: list[str] = json.loads(_python("-c", script).stdout)
    return found


def loaded(name: str) -> set[str]:
    """Return the modules that are loaded after the first call of a function, in a new process."""
    statements = [_HIDE, _LOAD, *([] if name == APP else FIRST_CALLS[name])]
    tell = "import json; print(json.dumps([name for name, module in sys.modules.items() if module]))"
    return set(json.loads(_python("-c", "\n".join((*statements, tell))).stdout))


def _python(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], **ENVIRONMENT}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)


@cache
def _slowest(before: tuple[str, ...], statements: tuple[str, ...]) -> dict[str, float]:
    """Add up what `-X importtime` reports of statements, by package; `azure.x` and `azure.y` are two."""
    mark = f"with contextlib.redirect_stdout(io.StringIO()): import {_MARK}"
    script = "\n".join((_HIDE, *before, "import contextlib, io", mark, *statements))
    report = _python("-X", "importtime", "-c", script).stderr
    spent: Counter[str] = Counter()
    for microseconds, module in _LINE.findall(report):
        if module == _MARK:
            spent.clear()
            continue
        parts = module.split(".")
        spent[".".join(parts[: 2 if parts[0] == "azure" else 1])] += int(microseconds)
    return {package: microseconds / 1_000_000 for package, microseconds in spent.most_common(_SLOWEST)}
