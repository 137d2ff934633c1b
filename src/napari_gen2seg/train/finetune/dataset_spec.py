"""A data set named in the settings (no torch here)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from napari_gen2seg.errors import SettingsError


@dataclass(frozen=True)
class DatasetSpec:
    """A data set to learn from, whose frames are read when their turn comes.

    Attributes
    ----------
    root, kind, split
        As for `io.datasets.open_dataset`: a folder, what it is, and which part.
    weight
        How often a batch comes from it, relative to the others.
    size, crop
        (height, width) in pixels that frames are resized to, and windows cut from
        them; None leaves it out.
    complete
        True: what is not labelled is background.
    held
        Frames held back for scores, of scenes that are not trained on.
    """

    root: str
    kind: str = "auto"
    split: str | None = None
    weight: float = 1.0
    size: tuple[int, int] | None = None
    crop: tuple[int, int] | None = None
    complete: bool = True
    held: int = 8

    def __post_init__(self) -> None:
        if self.weight <= 0 or self.held < 0:
            raise SettingsError(
                f"The data set {self.root} has weight {self.weight} and held "
                f"{self.held}; they must be above 0, and 0 or more."
            )
        for name in ("size", "crop"):
            shape = getattr(self, name)
            if shape is not None and (len(shape) != 2 or min(shape) < 16):
                raise SettingsError(
                    f"{name} of the data set {self.root} is {list(shape)}; it must be "
                    "[height, width] in pixels, 16 or more."
                )


def dataset_spec(values: dict[str, Any]) -> DatasetSpec:
    """Build one from plain values, lists as sizes."""
    shapes = {
        name: tuple(values[name]) for name in ("size", "crop") if values.get(name)
    }
    return DatasetSpec(**{**values, **shapes})
