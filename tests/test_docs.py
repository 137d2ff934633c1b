"""What the pages say of names is true: the public API, and every example in Python."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

import napari_gen2seg

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def examples(page: Path) -> list[ast.Module]:
    """Return the Python blocks of a page; one that is no Python fails."""
    return [ast.parse(block) for block in PYTHON.findall(page.read_text("utf-8"))]


def test_the_api_page_has_every_public_name_and_no_other() -> None:
    page = (ROOT / "docs" / "api.md").read_text("utf-8")
    named = set(re.findall(r"^::: napari_gen2seg\.(\w+)$", page, re.MULTILINE))
    assert named == set(napari_gen2seg.__all__) - {"__version__"}
    assert "`napari_gen2seg.__version__`" in page


def imported(tree: ast.Module) -> list[tuple[str, str]]:
    """Return what an example takes from the package, as (module, name)."""
    taken = [
        (node.module, name.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module is not None
        for name in node.names
    ]
    taken += [
        ("napari_gen2seg", node.attr)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in {"g", "napari_gen2seg"}
    ]
    return [(room, name) for room, name in taken if room.startswith("napari_gen2seg")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_names_that_examples_use_exist(page: Path) -> None:
    for tree in examples(page):
        for room, name in imported(tree):
            assert hasattr(import_module(room), name), f"{room}.{name}"


def test_there_are_examples_to_look_at() -> None:
    found = [one for page in PAGES for tree in examples(page) for one in imported(tree)]
    assert ("napari_gen2seg", "load_model") in found
    assert len(set(found)) >= 5
