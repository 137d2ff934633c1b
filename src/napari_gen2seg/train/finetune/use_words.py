"""What fine-tuning found out about using a model, in words for people (no torch)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def use_words(use: Mapping[str, Any]) -> str:
    """Say which facts of a model the labels set right; "" where none.

    Parameters
    ----------
    use
        From `finetune.use.fitting_use`.
    """
    said = []
    diameter = use.get("source_diameter")
    if diameter is not None:
        said.append(
            f"It looks at every picture as if its objects measured {diameter:.0f} "
            "pixels, as the labelled ones do; the size can be chosen by hand."
        )
    if use.get("hears_brightness") is False:
        said.append(
            "Its clicks leave the picture's brightness out, which misled them on the "
            "labelled objects."
        )
    return " ".join(said)
