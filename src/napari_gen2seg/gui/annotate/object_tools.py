"""Tools for objects that are kept: by a key where the pointer is, or by a stroke.

A key acts at once on the object under the pointer. Joining and cutting want two places,
so their keys take up the tool for the next click or stroke; a button takes up any tool
until it is let go of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QObject, Signal
from scipy import ndimage

from napari_gen2seg.core.objects.edit import delete_objects, merge_objects
from napari_gen2seg.core.objects.find import stroke_pixels, touched_by
from napari_gen2seg.core.objects.reshape import fill_holes, grow, shrink, smooth
from napari_gen2seg.core.objects.split import split_along, split_at_neck
from napari_gen2seg.errors import Gen2SegError, PromptError
from napari_gen2seg.gui.annotate.commit import CommitError
from napari_gen2seg.gui.annotate.tool_keys import BY_NAME, PROMPTS
from napari_gen2seg.gui.annotate.written import Edit
from napari_gen2seg.session.preview import ADDED, TAKEN
from napari_gen2seg.session.state import Preview

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_gen2seg.common.types import LabelArray
    from napari_gen2seg.core.objects.patch import LabelPatch
    from napari_gen2seg.gui.annotate.labels_layer import Objects
    from napari_gen2seg.gui.annotate.object_numbers import ObjectNumbers
    from napari_gen2seg.gui.annotate.points_layer import Clicks
    from napari_gen2seg.gui.annotate.redo import RedoStack, Rows
    from napari_gen2seg.gui.layers.overlays import Overlays
    from napari_gen2seg.gui.layers.source import Source
    from napari_gen2seg.gui.layers.view import View

Point = tuple[float, float]

# Each gets a plane and objects, and returns the change. What it does, in words:
# "growing object 3" is what can be taken back, "Object 3 grown" what was done.
_RESHAPE: dict[str, tuple[Callable[[LabelArray, Sequence[int]], LabelPatch], str, str]]
_RESHAPE = {
    "delete": (delete_objects, "deleting", "deleted"),
    "grow": (grow, "growing", "grown"),
    "shrink": (shrink, "shrinking", "shrunk"),
    "fill": (fill_holes, "filling", "filled"),
    "smooth": (smooth, "smoothing", "smoothed"),
}
_PROMPTS = tuple(tool.name for tool in PROMPTS)
_OF_TWO_PLACES = ("join", "cut", *_PROMPTS)
_SINGLY = 4  # objects that are named one by one
_NOBODY = "No object is there; point at one that is kept."


def warm_up() -> None:
    """Bring in what the tools need, which would make the first one late."""
    import skimage.draw
    import skimage.morphology
    import skimage.segmentation  # noqa: F401


class ObjectTools(QObject):
    """What a person does with objects that are kept.

    Parameters
    ----------
    source
        Over which view the pointer is.
    objects, numbers, clicks
        What is changed, which numbers are free, and whose clicks go along.
    redo_stack
        Emptied by anything new.
    overlays
        Where a stroke is drawn.
    parent
        Deleted with it.
    """

    status_changed = Signal(str)  # what just happened
    warning = Signal(str)
    copy_offered = Signal(str)
    picked = Signal(int)  # an object to go back to
    edited = Signal(object)  # Edit
    prompt_drawn = Signal(str, list)  # "box" or "scribble", and places of the plane
    taken_up = Signal(str)  # the tool that clicks and strokes belong to; "" for none

    def __init__(
        self,
        source: Source,
        objects: Objects,
        numbers: ObjectNumbers,
        clicks: Clicks,
        redo_stack: RedoStack,
        overlays: Overlays,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._source = source
        self._objects, self._numbers, self._clicks = objects, numbers, clicks
        self._redo_stack, self._overlays = redo_stack, overlays
        self._tool = ""
        self._once = False  # taken up by a key, for one act
        self._first = 0  # the object that others are to be joined to

    @property
    def tool(self) -> str:
        """Name of the tool that clicks and strokes belong to; empty for none."""
        return self._tool

    # ---- verbs

    def press(self, name: str) -> None:
        """Use a tool on the object under the pointer, as its key does."""
        if name not in _OF_TWO_PLACES:
            self.let_go()
            self._use(name, self._source.pointed)
        elif name != self._tool:
            self.take_up(name, once=True)
        elif name in _PROMPTS:
            self.let_go()
        else:
            self._clicked(self._source.pointed)

    def take_up(self, name: str, once: bool = False) -> None:
        """Let clicks and strokes belong to a tool, from now on or once."""
        self._tool, self._once, self._first = name, once, 0
        if once and name == "join":
            self._first = self._number(self._source.pointed)
        self.taken_up.emit(name)
        self.status_changed.emit(self._hint())

    def let_go(self) -> None:
        """Let clicks and strokes be what they are without a tool."""
        if self._tool:
            self._tool, self._first = "", 0
            self.taken_up.emit("")

    def drawn(self, places: Sequence[Point]) -> None:
        """Take a stroke over the plane, or a click if it has one place."""
        if self._tool in _PROMPTS:
            name = self._tool
            if self._once:
                self.let_go()
            if len(places) > 1:
                self.prompt_drawn.emit(name, list(places))
        elif len(places) == 1:
            self._clicked(places[0])
        elif places:
            self._stroked(places)

    def correct(self, place: Point | None) -> bool:
        """Go back to the object at a place; say if there is one."""
        number = self._number(place)
        if number:
            self.picked.emit(number)
        return bool(number)

    def show_stroke(self, places: Sequence[Point], shape: tuple[int, int]) -> None:
        """Show a stroke while it is drawn, on a preview of a shape."""
        view = self._source.view
        if view is None or len(places) < 2:
            return
        scale = np.divide(shape, view.shape)
        corners = np.asarray(places)
        if self._tool == "box":
            (top, left), (bottom, right) = corners[0], corners[-1]
            corners = np.array(
                [(top, left), (top, right), (bottom, right), (bottom, left)]
            )
            corners = np.concatenate([corners, corners[:1]])
        line = (corners + 0.5) * scale - 0.5
        rows, cols = stroke_pixels(line, shape)
        if not rows.size:
            return
        corner = max(int(rows.min()) - 1, 0), max(int(cols.min()) - 1, 0)
        end = np.minimum((rows.max() + 2, cols.max() + 2), shape)
        drawn = np.zeros(end - corner, bool)
        drawn[rows - corner[0], cols - corner[1]] = True
        thick = ndimage.binary_dilation(drawn).astype(np.uint8)
        thick *= TAKEN if self._tool in ("cut", "delete") else ADDED
        self._overlays.draw(view, shape, Preview(thick, corner, 0.0, 0.0, 0.0))

    # ---- inside

    def _number(self, place: Point | None) -> int:
        """Return the object at a place of the plane; 0 for none."""
        view = self._source.view
        return 0 if view is None or place is None else self._objects.at(view, place)

    def _clicked(self, place: Point | None) -> None:
        name, number = self._tool, self._number(place)
        if name != "join":
            self._use(name, place)
        elif not number:
            self._say_nobody()
        elif self._first in (0, number):
            self._first = number
            self.status_changed.emit(self._hint())
            return
        else:
            first, self._first = self._first, 0
            self._edit(lambda plane: self._joined(plane, [first, number]))
        if self._once:
            self.let_go()

    def _stroked(self, places: Sequence[Point]) -> None:
        name = self._tool
        if name == "correct":
            self._use(name, places[0])
        elif name == "cut":
            self._edit(lambda plane: self._cut(plane, split_along, places))
        else:
            self._edit(lambda plane: self._touched(plane, name, places))
        if self._once:
            self.let_go()

    def _use(self, name: str, place: Point | None) -> None:
        """Use a tool on the object at a place."""
        number = self._number(place)
        view, layer = self._source.view, self._objects.layer
        # A layer with other pixels has objects there, but takes no tool: it says why.
        other = view is not None and layer and self._objects.plane(view) is None
        if not number and not other:
            self._say_nobody()
        elif name == "correct" and number:
            self.picked.emit(number)
        elif name == "cut":
            self._edit(lambda plane: self._cut(plane, split_at_neck, number))
        else:
            self._edit(lambda plane: self._reshaped(plane, name, [number]))

    def _touched(self, plane: LabelArray, name: str, places: Sequence[Point]) -> Edit:
        numbers = touched_by(plane, places)
        if not numbers:
            raise PromptError(_NOBODY)
        if name == "join":
            return self._joined(plane, numbers)
        return self._reshaped(plane, name, numbers)

    def _reshaped(self, plane: LabelArray, name: str, numbers: Sequence[int]) -> Edit:
        change, doing, done = _RESHAPE[name]
        named = _named(numbers)
        gone = tuple(numbers) if name == "delete" else ()
        return Edit(
            change(plane, numbers),
            f"{doing} {named}",
            f"{named[0].upper()}{named[1:]} {done}",
            gone,
        )

    def _joined(self, plane: LabelArray, numbers: Sequence[int]) -> Edit:
        patch = merge_objects(plane, numbers)
        named = _named(numbers)
        return Edit(
            patch,
            f"joining {named}",
            f"{named[0].upper()}{named[1:]} joined as {numbers[0]}",
            tuple(numbers[1:]),
        )

    def _cut(
        self,
        plane: LabelArray,
        cut: Callable[..., LabelPatch],
        where: Sequence[Point] | int,
    ) -> Edit:
        first = self._numbers.free()
        patch = cut(plane, where, first=first)
        numbers = patch.numbers.tolist()
        (old,) = (n for n in numbers if n < first)
        new = [n for n in numbers if n >= first]
        return Edit(
            patch,
            f"cutting object {old}",
            f"Object {old} cut: {_named(new)} is new",
            (),
            dict.fromkeys(new, old),
        )

    def _edit(self, make: Callable[[LabelArray], Edit]) -> None:
        """Change objects as one step, or say why not."""
        view = self._source.view
        if view is None:
            self.warning.emit(self._source.problem)
            return
        try:
            edit = self._objects.edit(view, make, lambda e: self._clicks_of(view, e))
        except CommitError as error:
            (self.copy_offered if error.copy else self.warning).emit(str(error))
            return
        except PromptError as error:
            self.status_changed.emit(str(error))
            return
        except Gen2SegError as error:
            self.warning.emit(str(error))
            return
        self._redo_stack.clear()
        self.edited.emit(edit)
        plane = self._objects.plane(view)
        sizes = [] if plane is None else _sizes(plane, edit)
        self.status_changed.emit(f"{edit.said} ({_listed(sizes)} pixels).")

    def _clicks_of(self, view: View, edit: Edit) -> Rows | None:
        """Take away the clicks of what is gone: nobody would see whose they are."""
        return self._clicks.take_objects(view, edit.gone) if edit.gone else None

    def _say_nobody(self) -> None:
        self.status_changed.emit(_NOBODY)

    def _hint(self) -> str:
        """Say what the tool that was taken up waits for."""
        tool = BY_NAME[self._tool]
        if self._first:
            return (
                f"Join object {self._first}: click the other, or draw through them. "
                "Esc ends it."
            )
        return f"{tool.does} Esc ends it."


def _sizes(plane: LabelArray, edit: Edit) -> list[int]:
    """Return how many pixels objects have after an edit; had, where all are gone."""
    left = [n for n in edit.patch.numbers.tolist() if n not in edit.gone]
    if not left:
        return [int(np.count_nonzero(edit.patch.changed))]
    if len(left) > _SINGLY:
        return [int(np.count_nonzero(np.isin(plane, left)))]
    return [int(np.count_nonzero(plane == number)) for number in left]


def _listed(values: Sequence[object]) -> str:
    """Return values as a list in words."""
    *first, last = [f"{value:,}" for value in values] or ["no"]
    return f"{', '.join(first)} and {last}" if first else last


def _named(numbers: Sequence[int]) -> str:
    """Name some objects, the first few of many."""
    if len(numbers) == 1:
        return f"object {numbers[0]}"
    if len(numbers) <= _SINGLY:
        return f"objects {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"
    return f"{len(numbers)} objects"
