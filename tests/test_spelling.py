"""What a person reads in the window and on the command line is American English."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import napari_gen2seg

SOURCE = Path(napari_gen2seg.__file__).parent
BRITISH = re.compile(
    r"colour|labelled|labelling|\bgrey|\bcentre|neighbour|favour|behaviour|licence\b"
    r"|learnt|\w(recogn|organ|normal|optim|initial|visual)is(e|ing)",
    re.IGNORECASE,
)
# Names that are written so in files and in Python, where they stay as they are.
NAMES = re.compile(r"accept_licence|licences\.json|'neighbour'")


def prose(tree: ast.Module) -> Iterator[ast.Constant]:
    """Yield texts of several words that are no docstrings."""
    told = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        for one in body if isinstance(body, list) else []:
            if isinstance(one, ast.Expr):
                told.add(id(one.value))
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) else None
        if not isinstance(text, str) or id(node) in told:
            continue
        if " " in text.strip() or text[:1].isupper():
            yield node


def test_texts_are_american() -> None:
    wrong = []
    for path in SOURCE.rglob("*.py"):
        for node in prose(ast.parse(path.read_text("utf-8"))):
            if BRITISH.search(NAMES.sub("", node.value)):
                where = f"{path.relative_to(SOURCE)}:{node.lineno}"
                wrong.append((where, node.value[:80]))
    assert not wrong
