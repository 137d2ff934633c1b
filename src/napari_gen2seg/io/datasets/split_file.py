"""``split.json``: which images are for what."""

from __future__ import annotations

import json
from pathlib import Path

from napari_gen2seg.errors import DataError


def read_split(source: Path) -> dict[str, list[str]]:
    """Read a split file, ``{"train": [names], "val": [names]}``.

    Raises
    ------
    DataError
        If it is no JSON object of lists of names; the message names the part.
    """
    try:
        content = json.loads(source.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(
            f"{source} is no json ({error}). Correct or remove it."
        ) from error
    if not isinstance(content, dict):
        raise DataError(
            f"{source} holds {_kind(content)}; it must hold parts with lists of names, "
            '{"train": [names], "val": [names]}. Correct or remove it.'
        )
    for part, names in content.items():
        odd = names if not isinstance(names, list) else _first_odd(names)
        if odd is not None or not isinstance(names, list):
            raise DataError(
                f"The part {part!r} of {source} holds {_kind(odd)}; it must be a list "
                "of names of pictures. Correct it."
            )
    return content


def _first_odd(names: list[object]) -> object:
    return next((name if name is not None else "null" for name in names
                 if not isinstance(name, str)), None)  # fmt: skip


def _kind(value: object) -> str:
    return "null" if value is None else repr(value)[:60]
