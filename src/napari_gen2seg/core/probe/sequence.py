"""Clicks one after another: the first finds an object, each further one corrects it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_gen2seg.core.probe import corrections
from napari_gen2seg.core.probe.mask import Mask
from napari_gen2seg.core.probe.prompts import Prompts
from napari_gen2seg.core.probe.settings import ProbeSettings

if TYPE_CHECKING:
    from napari_gen2seg.core.probe.one_click import OneClick

_MOST = 12  # masks kept: those under the clicks of an object, and where the pointer was


@dataclass(frozen=True, eq=False)
class Clicks:
    """Checked clicks in the order in which they were made.

    Attributes
    ----------
    prompts
        All of them, earlier ones on the same pixel too.
    insisted
        Of each, whether the mask may grow by it as it likes.
    base
        The mask that the first one corrects; None where it finds an object.
    """

    prompts: Prompts
    insisted: tuple[bool, ...]
    base: Mask | None = None

    def first(self, count: int) -> Clicks:
        """Return the first so many."""
        return Clicks(self.prompts.first(count), self.insisted[:count], self.base)


class ClickSequence:
    """Masks after clicks: that of n clicks from that of n - 1.

    Parameters
    ----------
    one
        Finds the object under one click.
    """

    def __init__(self, one: OneClick) -> None:
        self._one = one
        self._known: OrderedDict[object, Mask] = OrderedDict()
        self._lock = Lock()

    def after(
        self, clicks: Clicks, settings: ProbeSettings, coarse: bool = False
    ) -> Mask:
        """Return the mask after some clicks.

        Parameters
        ----------
        clicks
            At least one that keeps, or a base.
        settings
            Of the probe.
        coarse
            Whether blocks will do where the object is very large.
        """
        key = _key(clicks, settings)
        with self._lock:
            known = self._known.get(key)
            if known is not None:
                self._known.move_to_end(key)
        if known is not None:
            return known
        mask = self._found(clicks, settings, coarse)
        if mask.exact:
            with self._lock:
                self._known[key] = mask
                while len(self._known) > _MOST:
                    self._known.popitem(last=False)
        return mask

    def _found(self, clicks: Clicks, settings: ProbeSettings, coarse: bool) -> Mask:
        prompts, last = clicks.prompts, len(clicks.insisted) - 1
        before = clicks.base
        if last and (before is not None or (prompts.signs[:last] > 0).any()):
            before = self.after(clicks.first(last), settings, coarse)
        if before is not None:
            mask = self._corrected(before, clicks, last, settings, coarse)
            mask = replace(mask, before=before, drawn=None)
        else:
            # Clicks that leave out may come first: they take from what is kept later.
            mask = self._one.find(prompts.one(last), settings, coarse)
            for place in range(last):
                mask = self._corrected(mask, clicks, place, settings, coarse)
        return replace(mask, keep=prompts.forced(1), drop=prompts.forced(-1))

    def _corrected(
        self,
        before: Mask,
        clicks: Clicks,
        place: int,
        settings: ProbeSettings,
        coarse: bool,
    ) -> Mask:
        """Return a mask with one of the clicks."""
        click, insisted = clicks.prompts.one(place), clicks.insisted[place]
        pixel = (int(click.pixels[0, 0]), int(click.pixels[0, 1]))
        before = replace(before, refused=float("nan"))
        if click.signs[0] < 0:
            kept = clicks.prompts.positive
            unlike = self._one.rule(settings.brightness).unlike(before, pixel, kept)
            return corrections.leave_out(before, pixel, unlike, kept)
        if before.holds(pixel):
            return before
        own = None
        if insisted or not self._one.on_background(pixel):
            own = self._one.find(click, settings, True)
            fits = own.area <= 2 * corrections.MOST_GROWTH * before.area
            if not (own.exact or coarse) and (insisted or fits):
                own = self._one.find(click, settings, False)
        out = clicks.prompts.negative
        return corrections.add(before, pixel, own, out, insisted)


def _key(clicks: Clicks, settings: ProbeSettings) -> object:
    prompts = clicks.prompts
    return (
        prompts.pixels.tobytes(),
        prompts.source_pixels.tobytes(),
        prompts.signs.tobytes(),
        clicks.insisted,
        clicks.base,
        settings,
    )


def insisted_flags(insisted: npt.ArrayLike | None, count: int) -> tuple[bool, ...]:
    """Return one flag a click: of None, False for all; of one, the same for all."""
    flags = np.asarray(False if insisted is None else insisted, bool)
    return tuple(bool(one) for one in np.broadcast_to(flags.ravel(), count))
