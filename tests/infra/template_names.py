"""What the templates make, by a reader as small as the tables it reads: JSON, and Bicep with one row a line."""

import json
import re
from pathlib import Path
from typing import Any

from tests.infra.names import Names

INFRA = Path(__file__).parents[2] / "infra"
SETTING = re.compile(r"^  \{ name: '(?P<name>[^']+)', value: (?P<value>.+) \}$", re.MULTILINE)
ROLE = re.compile(r"^  \{ on: '(?P<on>\w+)', role: '(?P<role>[^']+)', id: '(?P<id>[0-9a-f-]{36})' \}$", re.MULTILINE)


def template_names(infra: Path = INFRA) -> Names:
    """Return all names that the templates in a folder make."""
    lists = name_lists(infra)
    return Names(
        settings=frozenset(settings(infra)),
        containers=frozenset(each["name"] for each in lists["containers"]),
        queues=frozenset(lists["queues"]),
        tables=frozenset(lists["tables"]),
        roles=frozenset(row["role"] for row in role_table("appRoles", infra)),
        triggers=frozenset(f"{each['function']} {each['container']}" for each in lists["triggers"]),
    )


def name_lists(infra: Path = INFRA) -> dict[str, Any]:
    """Return `names.json`."""
    lists: dict[str, Any] = json.loads((infra / "names.json").read_text("utf-8"))
    return lists


def settings(infra: Path = INFRA) -> dict[str, str]:
    """Return the settings that every plan has, with their values as Bicep expressions."""
    text = (infra / "modules" / "settings.bicep").read_text("utf-8")
    _, _, table = text.partition("func settingsOf")
    return {row["name"]: row["value"] for row in SETTING.finditer(table)}


def role_table(name: str, infra: Path = INFRA) -> list[dict[str, str]]:
    """Return the rows of a table of `roles.bicep`."""
    text = (infra / "modules" / "roles.bicep").read_text("utf-8")
    _, _, rest = text.partition(f"var {name} = [\n")
    table, _, _ = rest.partition("\n]")
    return [row.groupdict() for row in ROLE.finditer(table)]


def templates() -> dict[str, str]:
    """Return the text of every template by its path below `infra/`."""
    return {str(file.relative_to(INFRA)): file.read_text("utf-8") for file in sorted(INFRA.rglob("*.bicep"))}
