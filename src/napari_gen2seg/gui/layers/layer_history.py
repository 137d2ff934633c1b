"""Where napari's own undo of a layer stands, of which napari tells nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Labels


def redo_brings(layer: Labels, back: Callable[[], bool]) -> bool:
    """Whether the layer's own redo would bring something back.

    Labels that a deletion left are the same as before the object was there. Which of
    the two steps napari made is known by trying what redo would do, unheard and undone
    at once. It is slow where the step is large: ask only if the labels leave it open.

    Parameters
    ----------
    layer
        A hidden one is not tried, as it does not tell that there was nothing to redo;
        the answer is yes.
    back
        Called after it; whether that has come back.
    """
    if not layer.visible:
        return True
    events = layer.events
    # Async slicing tells by ``reload`` what it tells by ``set_data`` otherwise.
    with events.set_data.blocker() as drawn, events.reload.blocker() as asked:
        layer.redo()
        found = back()
        if drawn.count or asked.count:
            layer.undo()
    return found
