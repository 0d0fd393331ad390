"""A module is read in one go, or it is two."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("functions", "shared", "infra", "tests")
LONGEST = 300


def test_no_module_is_longer_than_300_lines() -> None:
    """Not even one of the tests."""
    modules = [ROOT / "function_app.py", *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))]
    lines = {str(path.relative_to(ROOT)): len(path.read_bytes().splitlines()) for path in modules}

    assert len(lines) > len(FOLDERS)
    assert {path: count for path, count in lines.items() if count > LONGEST} == {}
