"""Writes what the documents take from the code: `python -m tests.documents`, which is `make docs`.

A generated part stands between `<!-- generated: name -->` and `<!-- end of name -->`; the words around it are
written by hand. `test_documents.py` fails while any of them is out of date.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from shared.domain.connection import Connection
from shared.domain.errors import Code
from shared.domain.help import EXPLANATIONS
from shared.domain.record_files import Condition, FileMapping, MappedColumn, RowFilter, Statements
from shared.domain.runs import Outcome
from shared.domain.write_back import Pace, StackOne, SuccessFactors, WriteBack
from shared.settings import Settings
from tests import cost_page
from tests.bench import publish
from tests.infra import checkov

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "docs" / "connection.schema.json"
PREFIX = "LMS_"
_PART = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end of \2 -->)", re.DOTALL)
_CHOICE = re.compile(r"\^\((\w+(?:\|\w+)+)\)\$")
_KINDS = {
    "boolean": "`true` or `false`",
    "array": "list of texts",
    "null": "`null`",
    "integer": "whole number",
    "number": "number",
}
SHOWN_WHOLE = (Pace.__name__,)
"""Settings that are objects, and small enough to stand in a table as one."""
_BOUNDS = {"exclusiveMinimum": "more than", "minimum": "at least", "maximum": "at most"}


def rendered(document: str) -> str:
    """Return the text of a document with all of its generated parts as they should be.

    Raises:
        KeyError: a part has a name that nobody generates.
    """
    return _PART.sub(lambda part: f"{part[1]}\n{PARTS[part[2]]()}\n\n{part[3]}", document)


def connection_schema() -> str:
    """Return the JSON Schema of a connection, as a file."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Connection.model_json_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def documents() -> Iterator[Path]:
    """Yield every Markdown file of the project."""
    yield from sorted(ROOT.glob("*.md"))
    yield from sorted((ROOT / "docs").rglob("*.md"))


def settings_table(model: type[BaseModel], rename: Callable[[str], str]) -> str:
    """Return the table of a model's own settings; those of its parts have tables of their own."""
    schema = model.model_json_schema()
    lines = ["| Setting | Value | Default | Meaning |", "| --- | --- | --- | --- |"]
    for name, declared in schema["properties"].items():
        field = _resolved(declared, schema)
        if field is None:
            continue
        needed = name in schema.get("required", ())
        default = "**required**" if needed else _as_json(field.get("default"))
        lines.append(f"| `{rename(name)}` | {_value(field)} | {default} | {field['description']} |")
    return "\n".join(lines)


def _resolved(field: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return a field with what it refers to; `None` for a part that has a table of its own."""
    if "oneOf" in field or "$ref" in field.get("items", ()) or any("$ref" in each for each in field.get("anyOf", ())):
        return None
    if "$ref" not in field:
        return field
    whole = schema["$defs"][field["$ref"].rpartition("/")[2]]
    has_table = whole["type"] == "object" and whole["title"] not in SHOWN_WHOLE
    return None if has_table else {**whole, **field}


def codes_table(outcome: Outcome) -> str:
    """Return the table of the codes that stand for an outcome."""
    lines = ["| Code | What happened | What to do |", "| --- | --- | --- |"]
    for code in Code:
        explained = EXPLANATIONS[code]
        if explained.ends_as is outcome:
            lines.append(f"| `{code}` | {explained.what} | {explained.mend} |")
    return "\n".join(lines)


def _value(field: Mapping[str, Any]) -> str:
    """Say in words what a setting takes."""
    if "anyOf" in field:
        return " or ".join(_value(each) for each in field["anyOf"])
    if "enum" in field:
        return " or ".join(_as_json(each) for each in field["enum"])
    kind = field["type"]
    if kind == "object":
        return "object with " + " and ".join(f"`{each}`" for each in field["properties"])
    if "const" in field:
        return _as_json(field["const"])
    if kind == "string":
        return _text(field)
    bounds = [f"{word} {field[mark]:,.15g}" for mark, word in _BOUNDS.items() if mark in field]
    return f"{_KINDS[kind]} ({', '.join(bounds)})" if bounds else _KINDS[kind]


def _text(field: Mapping[str, Any]) -> str:
    pattern = field.get("pattern", "")
    if choice := _CHOICE.fullmatch(pattern):
        return " or ".join(f'`"{each}"`' for each in choice[1].split("|"))
    if pattern.startswith("^https"):
        return "URL"
    return "time, ISO 8601 with offset" if field.get("format") == "date-time" else "text"


def _as_json(value: object) -> str:
    """Return a default as an admin would write it."""
    return f"`{json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)}`"


def _plain(value: str) -> str:
    """Return what stands in an environment variable: no quotes, and `null` is to leave it out."""
    return value.replace("| `null` |", "| left out |").replace('`"', "`").replace('"`', "`").replace(" or `null`", "")


PARTS: Mapping[str, Callable[[], str]] = {
    "app-settings": lambda: _plain(settings_table(Settings, lambda name: f"{PREFIX}{name.upper()}")),
    "connection-settings": lambda: settings_table(Connection, str),
    "connection-sftp": lambda: settings_table(Connection.model_fields["sftp"].annotation, "sftp.{}".format),  # type: ignore[arg-type]  # a model
    "connection-viva": lambda: settings_table(Connection.model_fields["viva"].annotation, "viva.{}".format),  # type: ignore[arg-type]  # a model
    "connection-write-back": lambda: settings_table(WriteBack, "write_back.{}".format),
    "connection-successfactors": lambda: settings_table(SuccessFactors, "write_back.target.{}".format),
    "connection-stackone": lambda: settings_table(StackOne, "write_back.target.{}".format),
    "connection-statements": lambda: settings_table(Statements, "write_back.statements.{}".format),
    "connection-mappings": lambda: settings_table(FileMapping, "write_back.mappings.{}".format),
    "connection-mapped-columns": lambda: settings_table(MappedColumn, "write_back.mappings.columns.{}".format),
    "connection-filters": lambda: settings_table(RowFilter, "write_back.mappings.filters.{}".format),
    "connection-conditions": lambda: settings_table(Condition, "write_back.mappings.filters.conditions.{}".format),
    "checkov": checkov.skipped_table,
    "performance": publish.section,
    "cost-months": cost_page.months_table,
    "cost-first": cost_page.first_table,
    "cost-measured": cost_page.measured_table,
    "cost-arithmetic": cost_page.arithmetic_table,
    "cost-assumptions": cost_page.assumptions_table,
    "cost-prices": cost_page.prices_table,
    **{f"codes-{outcome}": lambda outcome=outcome: codes_table(outcome) for outcome in Outcome},  # type: ignore[misc]
}
"""What is generated, by the name in its mark."""


def main() -> None:
    """Write every document anew."""
    SCHEMA.write_text(connection_schema(), encoding="utf-8")
    for path in documents():
        text = path.read_text(encoding="utf-8")
        path.write_text(rendered(text), encoding="utf-8")


if __name__ == "__main__":
    main()
