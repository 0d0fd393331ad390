"""The fixtures of all versions, and which version this one is."""

import re
import tomllib
from pathlib import Path

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
VERSION: str = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]


def versions() -> list[str]:
    """Return every version of which there are fixtures."""
    return sorted(path.name for path in FOLDER.iterdir() if re.fullmatch(r"\d+\.\d+\.\d+", path.name))


def is_released() -> bool:
    """Tell whether the changelog gives the present version a day."""
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    return re.search(rf"^## \[?{re.escape(VERSION)}\]?", changelog, re.MULTILINE) is not None
