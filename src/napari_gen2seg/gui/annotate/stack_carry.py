"""Objects carried from plane to plane on another thread, and written at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_gen2seg.core.objects.carry import Carried, carry
from napari_gen2seg.errors import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_gen2seg.core.coloring import Coloring
    from napari_gen2seg.core.objects.carrying import Carrying
    from napari_gen2seg.gui.annotate.labels_layer import Objects
    from napari_gen2seg.gui.layers.view import View
    from napari_gen2seg.session import Runner, Ticket
    from napari_gen2seg.session.probing import Probing

    Then = Callable[[Any, BaseException | None], None]


class StackCarrying:
    """Carries objects to planes, which are looked at one after the other.

    Parameters
    ----------
    objects
        The Labels layer that takes them.
    probing
        Answers clicks where nothing that the map shows will do.
    background
        Worker thread on which they are carried.
    axis
        Of the image, along which.
    way
        The objects, about to set out.
    """

    def __init__(
        self,
        objects: Objects,
        probing: Probing,
        background: Runner,
        axis: int,
        way: Carrying[View],
    ) -> None:
        self._objects, self._probing, self._background = objects, probing, background
        self._axis, self._way = axis, way

    @property
    def live(self) -> bool:
        """Whether any object goes on."""
        return bool(self._way.live)

    @property
    def reached(self) -> bool:
        """Whether there is anything to be written, or was."""
        return bool(self._way.patches)

    def look(self, view: View, coloring: Coloring, then: Then) -> Ticket:
        """Carry the objects to the next plane.

        Parameters
        ----------
        view, coloring
            The plane, and its map.
        then
            Told what went wrong, or None; not after the ticket was cancelled.
        """
        plane = self._objects.plane(view)
        taken = np.zeros(view.shape, np.int32) if plane is None else plane.copy()
        before, live = self._way.before, set(self._way.live)

        def work(ticket: Ticket) -> Carried:
            ask = self._probing.asked(coloring, ticket.check)
            return carry(before, live, coloring, taken, ask=ask)

        def done(ticket: Ticket, value: Any, error: BaseException | None) -> None:
            if ticket.cancelled or isinstance(error, Cancelled):
                return
            if error is None:
                self._way.arrived(view, view.index[self._axis], taken, value)
            then(value, error)

        return self._background.submit("carry", work, done)

    def write(self) -> str:
        """Write it as one step, if there is anything; say how far objects got.

        Raises
        ------
        Gen2SegError
            If the layer cannot take it; nothing was written then.
        """
        self._way.finish()
        if self._way.patches:
            self._objects.write_planes(self._way.patches, self._way.name)
        return self._way.told
