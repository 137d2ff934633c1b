"""The learned probe: clicks on a coloring -> a mask, by a network that reads a window.

What a click means, step by step:

1. *Look*: the window is chosen by the size of what the model took for an object there,
   else of the similarity probe's mask, later by the object's own; where the object runs
   into its rim, a larger one follows (`looks`). Where the answer is doubtful, a window
   of twice the size finds out how large the object is, and one about it answers.
2. *Read*: image, map and clicks become channels (`inputs`); the network says a logit
   for every sample, and how good the mask will be.
3. *Keep to it*: of the answer to a later click only what concerns that click is taken,
   and every click is obeyed (`answer`).

Clicks are answered in the order in which they were made, each from the answer to those
before it, so that the same clicks on the same map give the same mask. The logits are
kept: another tolerance costs no look.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt

from napari_gen2seg.common.arguments import checked_arguments
from napari_gen2seg.common.progress import Cancel, Progress, check_cancel
from napari_gen2seg.common.types import Float32Array
from napari_gen2seg.core.image.geometry import rescale
from napari_gen2seg.core.learned_probe.answer import Answer
from napari_gen2seg.core.learned_probe.choice import LEARNED
from napari_gen2seg.core.learned_probe.inputs import Clicks, View, input_channels
from napari_gen2seg.core.learned_probe.looks import (
    extent,
    outgrown,
    stepped_back,
    window_about,
)
from napari_gen2seg.core.learned_probe.threshold import threshold_of, tolerance_of
from napari_gen2seg.core.learned_probe.window import Box, Window
from napari_gen2seg.core.map.instances import INSTANCE_SCORE
from napari_gen2seg.core.map.object_size import typical_diameter, typical_size
from napari_gen2seg.core.probe.corrections import MOST_GROWTH
from napari_gen2seg.core.probe.mask import Mask
from napari_gen2seg.core.probe.prompts import Prompts
from napari_gen2seg.core.probe.sequence import insisted_flags
from napari_gen2seg.core.probe.settings import ProbeSettings
from napari_gen2seg.errors import PromptError

if TYPE_CHECKING:
    from napari_gen2seg.core.candidates import CandidateSet
    from napari_gen2seg.core.coloring import Coloring

Rgb8 = npt.NDArray[np.uint8]

Key = tuple[Mask | None, bytes]

Predict = Callable[[Float32Array], tuple[Float32Array, Float32Array]]
"""The network on n windows: float32 (n, CHANNELS, SIDE, SIDE) -> logits (n, SIDE, SIDE)
and expected IoU (n,)."""

_KEPT = 24  # answers of a map: those of one object's clicks, and of some hovering
_WORTH = 0.15  # score below which nobody takes a candidate for an object
_SAME = 0.3  # IoU from which two masks are of the same object
_LOOKS = 3  # windows that follow each other where an object outgrows them
_DOUBTFUL = 0.75  # IoU to expect below which is looked again, from farther away
_AT_ONCE = 16  # windows: 9 ms each on one core, where one alone takes 14


class Probe:
    """Answers clicks on colorings of any model; see the module's text.

    Parameters
    ----------
    predict
        The network, wherever it runs.
    name
        Of its weights.
    """

    def __init__(self, predict: Predict, name: str = "") -> None:
        self.name = name
        self._predict = predict
        self._lock = threading.Lock()
        self._answers: WeakKeyDictionary[Coloring, OrderedDict[Key, Answer]] = (
            WeakKeyDictionary()
        )
        self._typical: WeakKeyDictionary[Coloring, float | None] = WeakKeyDictionary()

    @checked_arguments(
        PromptError, ("points", "signs"), Coloring="napari_gen2seg.core.coloring"
    )
    def mask(
        self,
        coloring: Coloring,
        points: npt.ArrayLike,
        signs: npt.ArrayLike | None = None,
        settings: ProbeSettings | None = None,
        *,
        insisted: npt.ArrayLike | None = None,
        base: Mask | None = None,
    ) -> Mask:
        """Return the object under the clicks.

        Parameters
        ----------
        coloring
            A map with its image. On one without, and where settings ask for the
            published rule or for pieces that no click is connected to, the similarity
            probe answers; ``Mask.method`` says which it was.
        points
            (n, 2) rows and columns in source pixels, in the order of the clicks.
        signs
            n values of +1 (keep) or -1 (leave out); all +1 if not given.
        settings
            ``tolerance`` moves the outline: `threshold.MIDDLE` is the network's own.
        insisted
            n flags, or one for all: the mask may grow by this click as it likes, as in
            `Coloring.probe`. For one that is refused stands what it gives by
            similarity, near itself.
        base
            What the clicks correct, instead of what the first one finds: see
            `Mask.from_source`.

        Returns
        -------
        Mask
            ``score`` is the IoU that the network expects.

        Raises
        ------
        PromptError
            For a click outside the picture, or no positive click and no base.
        """
        settings = settings or ProbeSettings()
        if coloring.image is None or not answers(settings):
            return coloring.probe(points, signs, settings, insisted=insisted, base=base)
        mask = self._mask(coloring, coloring.image, points, signs, settings, base)
        places = np.asarray(points, float).reshape(-1, 2)
        ways = np.broadcast_to(1 if signs is None else signs, len(places))
        free, earlier = insisted_flags(insisted, len(places)), slice(len(places) - 1)
        if not len(places) or free[-1]:
            return mask
        if len(places) > 1 and (base is not None or (ways[earlier] > 0).any()):
            before = self.mask(
                coloring,
                places[earlier],
                ways[earlier],
                settings,
                insisted=free[earlier],
                base=base,
            )
        elif base is not None:
            before = base
        else:
            return mask
        times = mask.area / max(before.area, 1)
        if times <= MOST_GROWTH:
            return mask
        held = coloring.probe(places[-1:], ways[-1:], settings, base=before)
        prompts = coloring.prober.prompts(points, signs, base)
        return replace(
            held, refused=times, keep=prompts.forced(1), drop=prompts.forced(-1)
        )

    def _mask(
        self,
        coloring: Coloring,
        image: Rgb8,
        points: npt.ArrayLike,
        signs: npt.ArrayLike | None,
        settings: ProbeSettings,
        base: Mask | None,
    ) -> Mask:
        """Return the network's answer, whatever it grows to."""
        prompts = coloring.prober.prompts(points, signs, base)
        answer = self._answer(coloring, image, _clicks(prompts, base), base)
        region = answer.region(threshold_of(settings.tolerance))
        mask = Mask.from_window(
            region,
            (answer.box[0], answer.box[1]),
            prompts.shape,
            coloring.source_shape,
            score=answer.quality,
            tolerance=tolerance_of(settings.tolerance),
            keep=prompts.forced(1),
            drop=prompts.forced(-1),
        )
        outline = coloring.brightness_image if settings.brightness else None
        return replace(mask, method=LEARNED, brightness_image=outline, before=base)

    def known(
        self,
        coloring: Coloring,
        points: npt.ArrayLike,
        signs: npt.ArrayLike | None = None,
        base: Mask | None = None,
    ) -> bool:
        """Whether `mask` would answer at once, without a look by the network.

        Raises
        ------
        PromptError
            As `mask`.
        """
        clicks = _clicks(coloring.prober.prompts(points, signs, base), base)
        return self._known(coloring, (base, _key(clicks))) is not None

    @checked_arguments(
        Coloring="napari_gen2seg.core.coloring",
        CandidateSet="napari_gen2seg.core.candidates",
    )
    def refine(
        self,
        coloring: Coloring,
        candidates: CandidateSet,
        progress: Progress | None = None,
        cancel: Cancel | None = None,
    ) -> CandidateSet:
        """Return candidates with the outlines that a click in their middle gives.

        The same candidates, in their order and with their scores. A mask looks as a
        click at its point makes it; only what is another object by the network's answer
        (IoU below 0.3), or hardly one (score below 0.15), stays as it was.

        Parameters
        ----------
        coloring
            The map that they were found in; one without its image refines nothing.
        candidates
            From `Coloring.candidates`.
        progress, cancel
            Told and asked after some: about 10 ms each on one core.

        Raises
        ------
        Cancelled
            If ``cancel`` said so.
        """
        if coloring.image is None or not len(candidates):
            return candidates
        masks: list[Mask] = []
        while len(masks) < len(candidates):
            check_cancel(cancel, "Refining the outlines")
            masks += self.refined(coloring, candidates, len(masks), _AT_ONCE)
            if progress is not None:
                progress(len(masks) / len(candidates), "Refining the outlines")
        return replace(candidates, masks=tuple(masks), method=LEARNED)

    def refined(
        self, coloring: Coloring, candidates: CandidateSet, start: int, count: int
    ) -> list[Mask]:
        """Return the masks that `refine` gives some candidates, looked at together.

        Parameters
        ----------
        coloring, candidates
            As for `refine`.
        start, count
            Which: so many from there on, or all that are left.
        """
        masks = list(candidates.masks[start : start + count])
        image, settings = coloring.image, ProbeSettings()
        if image is None:
            return masks
        worth = [n for n in range(len(masks)) if candidates.scores[start + n] >= _WORTH]
        points = {n: candidates.points[start + n][None] for n in worth}
        self._look_at(coloring, image, list(points.values()))
        for n, point in points.items():
            mask = self._mask(coloring, image, point, None, settings, None)
            if mask.iou(masks[n]) >= _SAME:
                masks[n] = replace(mask, score=masks[n].score)
        return masks

    def _look_at(
        self, coloring: Coloring, image: Rgb8, points: list[npt.NDArray[np.generic]]
    ) -> None:
        """Look together at objects clicked once each; not where answers are known."""
        several = [_clicks(coloring.prober.prompts(one, None), None) for one in points]
        new = [c for c in several if self._known(coloring, (None, _key(c))) is None]
        for clicks, answer in zip(new, self._first(coloring, image, new), strict=True):
            self._keep(coloring, (None, _key(clicks)), answer)

    def _answer(
        self, coloring: Coloring, image: Rgb8, clicks: Clicks, base: Mask | None
    ) -> Answer:
        """Return the answer to some clicks, from the newest known one on."""
        first = int(np.argmax(clicks.signs > 0)) + 1
        every = [_part(clicks, n) for n in range(first, len(clicks.signs) + 1)]
        answer, todo = None, every
        for place in reversed(range(len(every))):
            answer = self._known(coloring, (base, _key(every[place])))
            if answer is not None:
                todo = every[place + 1 :]
                break
        for some in todo:
            if answer is not None:
                answer = self._next(coloring, image, some, answer)
            elif base is not None:
                answer = Answer.drawn(base, some)
            else:
                (answer,) = self._first(coloring, image, [some])
            self._keep(coloring, (base, _key(some)), answer)
        if answer is None:
            raise PromptError("There is no click; give at least one positive click.")
        return answer

    def _first(
        self, coloring: Coloring, image: Rgb8, several: list[Clicks]
    ) -> list[Answer]:
        """Look at objects for the first time, and again where that was doubtful."""
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

    def _next(
        self, coloring: Coloring, image: Rgb8, clicks: Clicks, before: Answer
    ) -> Answer:
        """Look at an object again, after one more click."""
        box = extent(before.region(0.0), before.box)
        window = window_about(box, clicks.pixels)
        view = View.of(window, image, coloring.values)
        channels = input_channels(
            view, clicks, image, coloring.values, before.seen_in(window)
        )
        logits, quality = self._predict(channels[None])
        spread, place = window.spread(logits[0], coloring.shape)
        return before.corrected(spread, place, clicks, float(quality[0]), window.step)

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

    def _known(self, coloring: Coloring, key: Key) -> Answer | None:
        with self._lock:
            kept = self._answers.get(coloring)
            answer = None if kept is None else kept.get(key)
            if kept is not None and answer is not None:
                kept.move_to_end(key)
            return answer

    def _keep(self, coloring: Coloring, key: Key, answer: Answer) -> None:
        with self._lock:
            kept = self._answers.setdefault(coloring, OrderedDict())
            kept[key] = answer
            while len(kept) > _KEPT:
                kept.popitem(last=False)


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


def answers(settings: ProbeSettings) -> bool:
    """Whether the learned probe can do what settings ask for."""
    return settings.rule == "distance" and settings.contiguous


def _clicks(prompts: Prompts, base: Mask | None) -> Clicks:
    """Return prompts as clicks; on one pixel of the map keeping outweighs leaving out.

    (At the size of the source each is obeyed, see `Mask`.) What was made by hand is as
    if its middle had been clicked first: the network compares with clicked places.
    """
    kept = {tuple(pixel) for pixel in prompts.positive.tolist()}
    chosen = [
        place
        for place, (pixel, sign) in enumerate(
            zip(prompts.pixels.tolist(), prompts.signs, strict=True)
        )
        if sign > 0 or tuple(pixel) not in kept
    ]
    pixels, signs = prompts.pixels[chosen], prompts.signs[chosen]
    if base is not None and base.crop.any():
        depth = distance_transform_edt(np.pad(base.crop, 1))[1:-1, 1:-1]
        middle = np.unravel_index(int(depth.argmax()), depth.shape)
        first = np.asarray(middle) + np.asarray(base.bbox[:2])
        pixels = np.vstack([first[None], pixels]).astype(np.intp)
        signs = np.append(np.int8(1), signs).astype(np.int8)
    return Clicks(pixels, signs)


def _part(clicks: Clicks, count: int) -> Clicks:
    return Clicks(clicks.pixels[:count], clicks.signs[:count])


def _key(clicks: Clicks) -> bytes:
    return clicks.pixels.tobytes() + clicks.signs.tobytes()
