"""Score validation images while a model trains, and draw the map of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_gen2seg.common.types import Int32Array
from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.io.annotated import Annotated
from napari_gen2seg.metrics.click_protocol import (
    answerer,
    click_seed,
    interior_point,
    object_labels,
    off_center,
)
from napari_gen2seg.metrics.matching import iou
from napari_gen2seg.models.model_config import ModelConfig
from napari_gen2seg.models.probes import chosen_probe

if TYPE_CHECKING:
    from napari_gen2seg.models.base_colorer import BaseColorer

IMAGES = 3
OBJECTS = 30
SEEDS = (0, 1)
"""Of the off-centre clicks on a watched object."""


def clickable(labels: Int32Array) -> list[int]:
    """Return the objects that are not too small to click; all, where every one is."""
    return object_labels(labels) or object_labels(labels, smallest=1)


def watched_points(
    name: str, number: int, mask: NDArray[np.bool_]
) -> list[tuple[int, int]]:
    """Return where an object is clicked while training: in its middle, twice beside.

    The clicks of `metrics.click_protocol`, at the seeds `SEEDS`.
    """
    aside = [off_center(mask, click_seed(name, number, seed)) for seed in SEEDS]
    return [interior_point(mask), *aside]


def watched_objects(
    pairs: Sequence[Annotated], seed: int
) -> list[tuple[Annotated, list[int]]]:
    """Choose the few objects that are clicked while training.

    At most `IMAGES` pictures and `OBJECTS` objects in all, the same for a seed; at
    most half of those of a picture with many, so that others are left for the verdict.
    """
    chosen = []
    rng = np.random.default_rng([seed, 77])
    pairs = list(pairs)[:IMAGES]
    for pair in pairs:
        ids = clickable(pair.labels)
        most = OBJECTS // len(pairs)
        if len(ids) > 16:
            most = min(most, len(ids) // 2)
        chosen.append((pair, sorted(rng.permutation(ids)[:most].tolist())))
    return chosen


@dataclass(eq=False)
class Validator:
    """Clicks on objects of validation images, with the weights as they are.

    Attributes
    ----------
    pairs
        Held-back pictures.
    model_config
        Of the model.
    seed
        Chooses the objects.
    """

    pairs: Sequence[Annotated]
    model_config: ModelConfig
    seed: int = 0

    def __post_init__(self) -> None:
        self._objects: list[
            tuple[Annotated, list[tuple[int, list[tuple[int, int]]]]]
        ] = [
            (
                pair,
                [
                    (label, watched_points(pair.name, label, pair.labels == label))
                    for label in ids
                ],
            )
            for pair, ids in watched_objects(self.pairs, self.seed)
        ]

    @property
    def count(self) -> int:
        """How many objects are clicked."""
        return sum(len(objects) for _, objects in self._objects)

    def score(
        self, colorer: BaseColorer, check: Callable[[], None] = lambda: None
    ) -> float:
        """Return the mean IoU of single clicks; NaN without objects.

        Each object is clicked in its middle and at two random pixels of its inner
        half: one click on each of a few objects is mostly chance. Each click alone is
        what an evaluation gives for that object, ``centre`` and, with the seeds 0 and
        1, ``off_centre``.
        """
        found = []
        for pair, objects in self._objects:
            if not objects:
                continue
            check()
            coloring = self.color(colorer, pair)
            answer = answerer(coloring, None, chosen_probe(coloring))
            for label, points in objects:
                ground_truth = pair.labels == label
                for point in points:
                    check()
                    found.append(iou(answer([point], [1]), ground_truth))
        return float(np.mean(found)) if found else float("nan")

    def color(self, colorer: BaseColorer, pair: Annotated) -> Coloring:
        """Color an image as people will: at the size that the model reads or knows.

        Reading it is learnt too, so the labels' own size would hide a part of the gain.
        """
        return colorer.with_config(self.model_config).color(pair.image)

    def preview(self, colorer: BaseColorer, pair: Annotated, folder: Path) -> Path:
        """Write an image's map as ``NAME.tif``.

        Raises
        ------
        StorageError
            If it cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{pair.name}.tif"
        self.color(colorer, pair).save(path)
        return path
