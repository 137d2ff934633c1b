"""The learned probe: clicks on a coloring -> a mask, by a network that reads a window.

What a click means, step by step:

1. *Look*: windows are chosen by the object's size, as far as it is known (`looking`).
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
from dataclasses import replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt

from napari_gen2seg.common.arguments import checked_arguments
from napari_gen2seg.common.progress import Cancel, Progress, check_cancel
from napari_gen2seg.core.learned_probe.answer import Answer
from napari_gen2seg.core.learned_probe.choice import LEARNED
from napari_gen2seg.core.learned_probe.inputs import Clicks
from napari_gen2seg.core.learned_probe.looking import Looker, Predict
from napari_gen2seg.core.learned_probe.threshold import threshold_of, tolerance_of
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

_KEPT = 24  # answers of a map: those of one object's clicks, and of some hovering
_WORTH = 0.15  # score below which nobody takes a candidate for an object
_SAME = 0.3  # IoU from which two masks are of the same object
_AT_ONCE = 16  # windows: 15 ms each on one core, where one alone takes 21


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
        self._look = Looker(predict)
        self._lock = threading.Lock()
        self._answers: WeakKeyDictionary[Coloring, OrderedDict[Key, Answer]] = (
            WeakKeyDictionary()
        )

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
            Told and asked after some: about 20 ms each on one core.

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
        for clicks, answer in zip(
            new, self._look.first(coloring, image, new), strict=True
        ):
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
                answer = self._look.again(coloring, image, some, answer)
            elif base is not None:
                answer = Answer.drawn(base, some)
            else:
                (answer,) = self._look.first(coloring, image, [some])
            self._keep(coloring, (base, _key(some)), answer)
        if answer is None:
            raise PromptError("There is no click; give at least one positive click.")
        return answer

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
