"""Tools that change kept objects: their names, words and keys, also on Labels.

None of the keys is one of napari's for points or labels. They are bound on layers of
ours and on the Labels layer that takes the objects, never on the viewer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from napari_gen2seg.gui.layers.overlays import find_layer

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel
    from napari.layers import Labels

HELP_KEY = "F1"
CLASS_KEYS = {digit: f"Control-{digit}" for digit in range(10)}
"""Digit of a class -> its key on a layer; 0 takes the class away.

The digits alone are napari's tools there: delete, add, select, erase, paint, fill.
"""


class Tool(NamedTuple):
    """A tool for objects that are kept.

    Parameters
    ----------
    name
        What it is called in code.
    title
        On its button.
    key
        As napari binds it; on a layer it acts on the object under the pointer.
    brief, does
        In a few words, and in a sentence.
    """

    name: str
    title: str
    key: str
    brief: str
    does: str

    @property
    def shown_key(self) -> str:
        """The key as people write it."""
        return self.key.replace("-", "+")


TOOLS = (
    Tool(
        "correct",
        "Correct",
        "C",
        "the same",
        "Go back to an object: its clicks are there again, and Enter replaces it.",
    ),
    Tool(
        "delete",
        "Delete",
        "D",
        "delete it",
        "Delete an object; its place is background again.",
    ),
    Tool(
        "join",
        "Join",
        "J",
        "join: draw through them, or J on another",
        "Make objects one: draw from one into the others, or click two.",
    ),
    Tool(
        "cut",
        "Cut",
        "K",
        "cut: draw across, or K again at its neck",
        "Part an object: draw a line across, or click it to part it at its neck.",
    ),
    Tool(
        "grow",
        "Grow",
        "G",
        "grow by a pixel",
        "Grow an object by a pixel, over background only.",
    ),
    Tool(
        "shrink",
        "Shrink",
        "Shift-G",
        "shrink by a pixel",
        "Shrink an object by a pixel; what is thin stays.",
    ),
    Tool("fill", "Fill", "H", "fill its holes", "Fill the holes of an object."),
    Tool(
        "smooth",
        "Smooth",
        "R",
        "round its outline off",
        "Round the outline of an object off; what is thin stays.",
    ),
)

PROMPTS = (
    Tool(
        "box",
        "Box",
        "B",
        "draw a box from corner to corner",
        "Draw a box around an object, from corner to corner: it becomes the clicks "
        "that fill it best.",
    ),
    Tool(
        "scribble",
        "Scribble",
        "Shift-B",
        "scribble over the object",
        "Scribble over an object: it becomes clicks along the stroke.",
    ),
)
"""Tools that give clicks; their keys are bound on the click layer alone."""

BY_NAME = {tool.name: tool for tool in (*TOOLS, *PROMPTS)}


class LabelsKeys:
    """Binds the tools' keys on the Labels layer that takes the objects.

    Parameters
    ----------
    viewer
        Where the layer is.
    pressed
        Called with the name of a tool.
    helped
        Called for the key that shows all keys.
    classed
        Called with the digit of a class.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        pressed: Callable[[str], None],
        helped: Callable[[], None],
        classed: Callable[[int], None],
    ) -> None:
        self._viewer, self._pressed, self._helped = viewer, pressed, helped
        self._classed = classed
        self._id: str | None = None
        self._escape: Callable[[], None] | None = None

    def follow(self, layer: Labels | None) -> None:
        """Take another layer, and leave the one before."""
        if layer is not None and str(layer.unique_id) == self._id:
            return
        self.release()
        if layer is None:
            return
        self._id = str(layer.unique_id)
        for tool in TOOLS:
            layer.bind_key(tool.key, self._call(tool.name), overwrite=True)
        for digit, key in CLASS_KEYS.items():
            layer.bind_key(key, self._class_call(digit), overwrite=True)
        layer.bind_key(HELP_KEY, lambda _: self._helped(), overwrite=True)
        self.on_escape(self._escape)

    def on_escape(self, call: Callable[[], None] | None) -> None:
        """Let Escape call something; None leaves it to napari."""
        self._escape = call
        layer = find_layer(self._viewer, self._id)
        if layer is not None:
            bound = None if call is None else (lambda _: call())
            layer.bind_key("Escape", bound, overwrite=True)

    def release(self) -> None:
        """Bind nothing any more."""
        layer = find_layer(self._viewer, self._id)
        self._id = None
        if layer is not None:
            keys = (tool.key for tool in TOOLS), CLASS_KEYS.values()
            for key in (*keys[0], *keys[1], HELP_KEY, "Escape"):
                layer.bind_key(key, None)

    def _call(self, name: str) -> Callable[[object], None]:
        return lambda _: self._pressed(name)

    def _class_call(self, digit: int) -> Callable[[object], None]:
        return lambda _: self._classed(digit)
