"""How the learned probe looks at an object: through which windows, one after the other.

The first window is chosen by the size of what the model took for an object there, else
of the similarity probe's mask. Where the object runs into its rim, a larger one
follows. Where the answer is doubtful, a window of twice the size finds out how large
the object is, and one about it answers. After further clicks it is about the object.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.types import Float32Array
from napari_gen2seg.core.image.geometry import rescale
from napari_gen2seg.core.learned_probe.answer import Answer
from napari_gen2seg.core.learned_probe.inputs import Clicks, View, input_channels
from napari_gen2seg.core.learned_probe.looks import (
    extent,
    outgrown,
    stepped_back,
    window_about,
)
from napari_gen2seg.core.learned_probe.window import Box, Window
from napari_gen2seg.core.map.instances import INSTANCE_SCORE
from napari_gen2seg.core.map.object_size import typical_diameter, typical_size

if TYPE_CHECKING:
    from napari_gen2seg.core.coloring import Coloring

Rgb8 = npt.NDArray[np.uint8]

Predict = Callable[[Float32Array], tuple[Float32Array, Float32Array]]
"""The network on n windows: float32 (n, CHANNELS, SIDE, SIDE) -> logits (n, SIDE, SIDE)
and expected IoU (n,)."""

_LOOKS = 3  # windows that follow each other where an object outgrows them
_DOUBTFUL = 0.75  # IoU to expect below which is looked again, from farther away


class Looker:
    """Looks at objects of colorings; of each map it keeps the size of its objects.

    Parameters
    ----------
    predict
        The network, wherever it runs.
    """

    def __init__(self, predict: Predict) -> None:
        self._predict = predict
        self._lock = threading.Lock()
        self._typical: WeakKeyDictionary[Coloring, float | None] = WeakKeyDictionary()

    def first(
        self, coloring: Coloring, image: Rgb8, several: list[Clicks]
    ) -> list[Answer]:
        """Look at objects for the first time, and again where that was doubtful.

        Parameters
        ----------
        coloring, image
            The map, and the image as the model saw it.
        several
            The clicks on each object.
        """
        windows = [self._window(coloring, clicks) for clicks in several]
        answers = self._looked(coloring, image, several, windows)
        doubtful = [n for n, one in enumerate(answers) if one.quality < _DOUBTFUL]
        wide = self._looked(
            coloring,
            image,
            [several[n] for n in doubtful],
            [stepped_back(windows[n], several[n].pixels) for n in doubtful],
        )
        about = {
            n: window_about(extent(one.region(0.0), one.box), several[n].pixels)
            for n, one in zip(doubtful, wide, strict=True)
        }
        # A window that shows hardly anything else would say the same.
        others = [n for n in doubtful if not about[n].resembles(windows[n])]
        again = self._looked(
            coloring,
            image,
            [several[n] for n in others],
            [about[n] for n in others],
        )
        for n, answer in zip(others, again, strict=True):
            answers[n] = answer
        return answers

    def again(
        self, coloring: Coloring, image: Rgb8, clicks: Clicks, before: Answer
    ) -> Answer:
        """Look at an object again, after one more click.

        Parameters
        ----------
        coloring, image
            As for `first`.
        clicks
            All of them.
        before
            The answer to all but the newest.
        """
        box = extent(before.region(0.0), before.box)
        window = window_about(box, clicks.pixels)
        view = View.of(window, image, coloring.values)
        channels = input_channels(
            view, clicks, image, coloring.values, before.seen_in(window)
        )
        logits, quality = self._predict(channels[None])
        spread, place = window.spread(logits[0], coloring.shape)
        return before.corrected(spread, place, clicks, float(quality[0]), window.step)

    def _looked(
        self,
        coloring: Coloring,
        image: Rgb8,
        several: list[Clicks],
        windows: list[Window],
    ) -> list[Answer]:
        """Look through windows, and larger ones where an object runs into the rim."""
        windows = list(windows)
        answers: dict[int, Answer] = {}
        for look in range(_LOOKS):
            left = [n for n in range(len(several)) if n not in answers]
            if not left:
                break
            channels = [
                input_channels(
                    View.of(windows[n], image, coloring.values),
                    several[n],
                    image,
                    coloring.values,
                )
                for n in left
            ]
            for n, logits, quality in zip(
                left, *self._predict(np.stack(channels)), strict=True
            ):
                larger = outgrown(logits, windows[n], coloring.shape)
                if larger is not None and look + 1 < _LOOKS:
                    windows[n] = larger
                    continue
                spread, place = windows[n].spread(logits, coloring.shape)
                answers[n] = Answer.first(spread, place, several[n], float(quality))
        return [answers[n] for n in range(len(several))]

    def _window(self, coloring: Coloring, clicks: Clicks) -> Window:
        """Choose where to look first."""
        box, typical = instance_extent(coloring, clicks), None
        if box is None:
            places = rescale(clicks.pixels, coloring.shape, coloring.source_shape)
            plain = coloring.prober.preview(places, clicks.signs)
            box, typical = extent(plain.crop, plain.bbox), self._typical_of(coloring)
        return window_about(box, clicks.pixels, typical)

    def _typical_of(self, coloring: Coloring) -> float | None:
        """Return the diameter of a map's typical objects, measured once."""
        with self._lock:
            if coloring in self._typical:
                return self._typical[coloring]
        found = None
        if coloring.instances is not None and len(coloring.instances):
            found = typical_size(coloring.instances.labels)
        elif coloring.black_background:
            found = typical_diameter(coloring.values)
        with self._lock:
            self._typical[coloring] = found
        return found


def instance_extent(coloring: Coloring, clicks: Clicks) -> Box | None:
    """Return the box of the instance that the model itself found where was clicked.

    None where there is none, or none that is sure.
    """
    instances = coloring.instances
    if instances is None:
        return None
    row, col = clicks.pixels[clicks.signs > 0][0]
    number = int(instances.labels[row, col])
    if number == 0 or instances.scores[number - 1] < INSTANCE_SCORE:
        return None
    return extent(instances.labels == number, (0, 0, *coloring.shape))
