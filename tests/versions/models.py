"""Which of the connector's values are stored, where their fixtures are, and what fields every kind of file has."""

import gzip
import importlib
import json
import pkgutil
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import duckdb
from pydantic import BaseModel

import shared.domain
import shared.pipeline
from shared.adapters.sealing import AesGcm
from shared.domain.batches import Batch, Kind
from shared.domain.connection import Connection
from shared.domain.messages import COMMAND, Command, MapLearners, PushCompletions, PushRecords
from shared.domain.plan import Operation, Receipt
from shared.domain.runs import Run
from shared.domain.state import State
from shared.domain.strict import Strict
from shared.domain.turns import Fetched, FileSeen
from shared.domain.write_back import Completion, Course
from shared.pipeline import keep_poison
from shared.pipeline.directory import Index
from shared.pipeline.keep_poison import Poison
from shared.pipeline.read_package import Manifest
from shared.pipeline.replay_scope import Scope
from shared.pipeline.write_back import batches
from shared.pipeline.write_back.inbox_marks import is_mark
from shared.pipeline.write_back.pace import Standing
from shared.pipeline.write_back.progress import _Kept
from shared.ports import Secret
from tests.desk import START
from tests.versions.store import Files

KEY = Secret("1", "c3" * 32, START)
"""With which the desk seals what waits to be sent."""
COMMANDS = get_args(get_args(Command)[0])
MESSAGES: tuple[type[Strict], ...] = (*COMMANDS, MapLearners, PushRecords, PushCompletions)


def _whole(pattern: str) -> Callable[[Files], Iterator[Any]]:
    """Read files that hold one value."""
    return lambda files: (json.loads(each) for each in _matching(files, pattern))


def _lines(pattern: str) -> Callable[[Files], Iterator[Any]]:
    """Read files that hold a value a line."""
    return lambda files: (json.loads(line) for each in _matching(files, pattern) for line in _text(each).splitlines())


def _entries(partition: str) -> Callable[[Files], Iterator[Any]]:
    """Read rows of the ledger, each of which holds one value."""

    def read(files: Files) -> Iterator[Any]:
        for name, rows in json.loads(files["ledger/rows.json"]).items():
            if name.endswith(partition):
                yield from (json.loads(row["entry"]) for row in rows.values())

    return read


def _poison(files: Files) -> Iterator[Any]:
    for rows in json.loads(files["poison/rows.json"]).values():
        yield from (keep_poison._from_row(key, row).model_dump(mode="json") for key, row in rows.items())


def _batches(files: Files) -> Iterator[Any]:
    for connection, rows in json.loads(files.get("batches/rows.json", b"{}")).items():
        for key, row in rows.items():
            if not is_mark(key):
                yield batches._batch(connection, key, row).model_dump(mode="json")


def _sealed(kind: Kind) -> Callable[[Files], Iterator[Any]]:
    """Open what waits in the outbox, or is parked there."""

    def read(files: Files) -> Iterator[Any]:
        for path, content in _below_outbox(files).items():
            if f"-{kind}-" in path and ("/parked/" in path or path.endswith("/records")):
                packed = AesGcm().open(content, path, [KEY])
                yield from (json.loads(line)[1] for line in zlib.decompress(packed).split(b"\n"))

    return read


def _below_outbox(files: Files) -> Files:
    return {path.removeprefix("outbox/"): each for path, each in files.items() if path.startswith("outbox/")}


STORED: Mapping[type[Strict], Callable[[Files], Iterator[Any]]] = {
    Connection: _whole("connections/*.json"),
    State: _whole("states/*.json"),
    Run: _whole("runs/*.json"),
    Index: _whole("directory_index/index.json"),
    Manifest: _whole("records/*/manifest.json"),
    Scope: _whole("records/*/scope.json"),
    Operation: _lines("pushes/*/shard-*.ndjson.gz"),
    Receipt: _lines("pushes/*/shard-*.receipts-*.ndjson"),
    FileSeen: _entries("|files"),
    Fetched: _entries("|packages"),
    Poison: _poison,
    Batch: _batches,
    Standing: _whole("pushing/*/pace.json"),
    _Kept: _whole("outbox/*/progress"),
    Completion: _sealed(Kind.COMPLETIONS),
    Course: _sealed(Kind.COURSES),
}
"""How every stored value is found in what a scene holds. Messages have files of their own."""

NOT_STORED = {
    "Plan": "an answer of `lms push plan`",
    "Refusal": "told in an answer, and kept as a line of a report",
    "Wait": "how long a worker has to wait",
    "Profile": "comes with the code",
    "Condition": "told, and kept as a row of its own making",
    "Finding": "an answer of `lms explain`",
    "Check": "an answer of `lms doctor`",
    "KeyVersion": "an answer of `lms keys check`",
    "Status": "an answer of `lms status`",
    "VersionUse": "an answer of `lms keys list`",
}
"""Values that never outlive a call, by name, and why."""


def all_values() -> set[type[Strict]]:
    """Return every value of the connector that could be stored, each with all that it is made of."""
    packages = (shared.domain, shared.pipeline)
    for package in packages:
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    # Others may have been imported by tests of the same process.
    ours = tuple(f"{package.__name__}." for package in packages)
    return {each for each in _below(Strict) if each.__module__.startswith(ours)}


def parts_of(model: type[BaseModel]) -> set[type[BaseModel]]:
    """Return a value's type, and those of all values inside it."""
    found: set[type[BaseModel]] = set()
    todo: list[Any] = [model]
    while todo:
        each = todo.pop()
        if isinstance(each, type) and issubclass(each, BaseModel):
            if each not in found:
                found.add(each)
                todo += [field.annotation for field in each.model_fields.values()]
        else:
            todo += get_args(each)
    return found


def read_message(queue: str, text: str) -> Strict:
    """Read a message as the function of its queue does."""
    if queue == "commands":
        return COMMAND.validate_json(text)
    readers: dict[str, type[Strict]] = {
        "map-learners": MapLearners,
        "push-records": PushRecords,
        "push-completions": PushCompletions,
    }
    return readers[queue].model_validate_json(text)


def shapes(files: Files) -> dict[str, set[str]]:
    """Return the names of all fields by the kind of file: its path without what differs from run to run."""
    found: dict[str, set[str]] = {}
    for path, content in files.items():
        kind = re.sub(r"\d{8}T\d{6}-[0-9a-f]+|[0-9a-f]{16,}", "*", path)
        kind = re.sub(r"\d+", "0", kind)
        found.setdefault(kind, set()).update(_fields(path, content))
    return found


def _fields(path: str, content: bytes) -> set[str]:
    if path.endswith("/rows.json"):
        return {name for rows in json.loads(content).values() for row in rows.values() for name in row}
    if path.endswith(".json"):
        return set(_names(json.loads(content)))
    if ".ndjson" in path:
        return {name for line in _text(content).splitlines() for name in _names(json.loads(line))}
    if path.endswith(".parquet"):
        with TemporaryDirectory() as folder:
            file = Path(folder, "it.parquet")
            file.write_bytes(content)
            rows = duckdb.execute(f"describe select * from '{file}'").fetchall()
            return {f"{row[0]} {row[1]}" for row in rows}
    if path.endswith((".csv", ".csv.gz")) and not path.startswith("directory.csv"):
        return set(_text(content).splitlines()[0].split(","))
    return set()


def _names(value: object, prefix: str = "") -> Iterator[str]:
    """Yield the names of an object's fields, those of objects inside it behind a dot."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield f"{prefix}{name}"
            yield from _names(each, f"{prefix}{name}.")
    elif isinstance(value, list):
        for each in value:
            yield from _names(each, prefix)


def _matching(files: Files, pattern: str) -> list[bytes]:
    return [content for path, content in files.items() if fnmatchcase(path, pattern)]


def _text(content: bytes) -> str:
    return (gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content).decode("utf-8-sig")


def _below(model: type[Strict]) -> Iterator[type[Strict]]:
    for each in model.__subclasses__():
        yield each
        yield from _below(each)
