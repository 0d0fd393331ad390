"""YAML as it is written, and the schemas that others publish for it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]


def read_yaml(path: str) -> list[dict[str, Any]]:
    """Return the documents of a file. A key that stands there twice is an error."""
    return list(YAML(typ="safe", pure=True).load_all(ROOT / path))


def schema_complains(schema: str, *paths: str) -> str:
    """Return what a schema that `check-jsonschema` brings has against files; nothing when all is well."""
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *paths],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr
