"""Every public code has a fixture that leads to it: one that nothing can end in would be a promise without meaning."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from shared.domain.errors import Code

TESTS = Path(__file__).parent
ELSEWHERE = {"test_codes.py", "test_documents.py", "test_reference.py", "test_reference_learners.py"}
"""Tests that speak of codes without anything of the product ending in them."""


def asserted(module: ast.Module) -> Iterator[Code]:
    """Yield the codes that a module's assertions and cases name, as members or as text."""
    for node in ast.walk(module):
        match node:
            case ast.Attribute(value=ast.Name(id="Code"), attr=name) if name in Code.__members__:
                yield Code[name]
            case ast.Constant(value=str(text)) if text in Code:
                yield Code(text)
            case ast.Constant(value=str(text)) if f"CONN_ERROR_{text}" in Code:
                yield Code(f"CONN_ERROR_{text}")


def test_every_code_is_reached_by_a_fixture() -> None:
    found: dict[Code, set[str]] = defaultdict(set)
    for path in TESTS.rglob("test_*.py"):
        if path.name not in ELSEWHERE:
            for code in asserted(ast.parse(path.read_text(encoding="utf-8"))):
                found[code].add(path.name)

    assert [code for code in Code if not found[code]] == []
