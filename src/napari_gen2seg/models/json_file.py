"""JSON files of a model folder, read with errors that say what to do (no torch)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from napari_gen2seg.errors import WeightsError

if TYPE_CHECKING:
    from pathlib import Path


def read_json(path: Path) -> dict[str, Any]:
    """Read one JSON object.

    Raises
    ------
    WeightsError
        If the file is missing or is not a JSON object.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise WeightsError(
            f"The model file {path} is missing. Download or copy the model again."
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise WeightsError(
            f"The model file {path} cannot be read as JSON ({error}). "
            "Download or copy the model again."
        ) from error
    if not isinstance(value, dict):
        raise WeightsError(
            f"The model file {path} holds a {type(value).__name__}; it must hold a "
            "JSON object. Download or copy the model again."
        )
    return value
