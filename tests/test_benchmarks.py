"""What benchmarks and scripts import from the package is there: few run them."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted([*ROOT.glob("benchmarks/*.py"), *ROOT.glob("scripts/*.py")])


def imported(path: Path) -> list[tuple[str, str]]:
    """Modules and names that a file takes from the package, wherever in it."""
    return [
        (node.module, name.name)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith(("napari_gen2seg", "tests."))
        for name in node.names
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_it_imports_is_there(path):
    for module, name in imported(path):
        found = importlib.import_module(module)
        if not hasattr(found, name):
            importlib.import_module(f"{module}.{name}")


def test_benchmarks_are_looked_at():
    assert sum(len(imported(path)) for path in FILES) > 100
