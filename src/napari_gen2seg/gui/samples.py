"""Sample images: bundled with scikit-image, so that no download is needed."""

from __future__ import annotations

from typing import Any


def coins() -> list[tuple[Any, dict[str, Any], str]]:
    """Return Greek coins on an uneven background, gray 8 bits."""
    from skimage import data

    return [(data.coins(), {"name": "coins"}, "image")]


def cell() -> list[tuple[Any, dict[str, Any], str]]:
    """Return one cell by quantitative phase imaging, gray 8 bits."""
    from skimage import data

    return [(data.cell(), {"name": "cell"}, "image")]


def ihc() -> list[tuple[Any, dict[str, Any], str]]:
    """Return stained tissue (immunohistochemistry), RGB."""
    from skimage import data

    return [
        (data.immunohistochemistry(), {"name": "stained tissue", "rgb": True}, "image")
    ]
