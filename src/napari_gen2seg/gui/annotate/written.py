"""What is written into the Labels layer, for undo and for whoever keeps a journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from napari_gen2seg.core.learned_probe.choice import SIMILARITY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_gen2seg.core.objects.patch import LabelPatch
    from napari_gen2seg.gui.annotate.commit import Written
    from napari_gen2seg.gui.annotate.redo import Rows
    from napari_gen2seg.gui.layers.view import View


class Writing(NamedTuple):
    """What is being written just now, for whoever keeps a journal of it.

    Parameters
    ----------
    kind
        ``"clicks"``, ``"proposals"``, ``"planes"`` into which objects go on, or
        ``"edit"`` of objects that are there.
    scores
        Object -> how certain its mask is, 0..1.
    gone
        Objects that are no more.
    parents
        New object -> the one that it is a part of.
    views
        Object -> the plane it was found on, where that is not the one in view.
    method
        Who drew those, as of `CandidateSet`.
    """

    kind: Literal["clicks", "proposals", "planes", "edit"]
    scores: Mapping[int, float] = {}
    gone: tuple[int, ...] = ()
    parents: Mapping[int, int] = {}
    views: Mapping[int, View] = {}
    method: str = SIMILARITY


class Edit(NamedTuple):
    """A change of objects that are there.

    Parameters
    ----------
    patch
        The change.
    name
        What can be taken back, in words: "deleting object 3".
    said
        What was done, in words: "Object 3 deleted".
    gone, parents
        As in `Writing`.
    """

    patch: LabelPatch
    name: str
    said: str
    gone: tuple[int, ...] = ()
    parents: Mapping[int, int] = {}


class Commit(NamedTuple):
    """A commit that may be taken back: into which layer, and where the sliders were."""

    layer_id: str
    written: Written
    sliders: dict[int, float]  # by axis, counted from the last
    highest: int = 0  # number in the layer before it
    name: str = ""  # what a person calls it, where it is more than one object's
    tick: int = 0  # rises with every act
    rows: Rows | None = None  # clicks that went with it
