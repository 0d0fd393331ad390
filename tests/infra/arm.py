"""Writes the templates as Azure's own JSON, for tools that cannot read Bicep: `python -m tests.infra.arm FOLDER`.

Only resources are written, each once, and what is computed at deployment stays as its text in brackets; nothing could
be deployed with it. `az bicep build` makes the real form, where there is one.
"""

import json
import sys
from pathlib import Path
from typing import Any

from tests.infra.bicep import Expression, Resource, resources

SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
INFRA = Path(__file__).parents[2] / "infra"


def write_all(folder: Path, infra: Path = INFRA) -> list[Path]:
    """Write every template that makes something; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for file in sorted(infra.rglob("*.bicep")):
        found = resources(file)
        if found:
            path = folder / f"{file.stem}.json"
            path.write_text(json.dumps(as_template(found), indent=2), "utf-8")
            written.append(path)
    return written


def as_template(found: list[Resource]) -> dict[str, Any]:
    """Return the resources of a template as JSON."""
    return {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": [_resource(each) for each in found]}


def _resource(found: Resource) -> dict[str, Any]:
    body = {name: _value(each) for name, each in found.body.items() if name not in ("parent", "scope")}
    return {"type": found.type, "apiVersion": found.version, **body, "name": f"{found.file}-{found.symbol}"}


def _value(value: object) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return {name: _value(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_value(each) for each in value]
    return f"[{' '.join(value.split())}]" if isinstance(value, Expression) else value


if __name__ == "__main__":
    write_all(Path(sys.argv[1]))
