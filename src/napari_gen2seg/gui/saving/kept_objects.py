"""What is kept of the objects that are worked on: read, classed, taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_gen2seg.gui.annotate.labels_layer import Objects
    from napari_gen2seg.gui.saving.kept_layer import KeptLayer
    from napari_gen2seg.project.origin import Origin


class KeptObjects:
    """The objects of the Labels layer that takes them; `ClassStore`, `EarlierActs`.

    Parameters
    ----------
    layers
        ``unique_id`` of a layer -> what is kept of it; may change.
    objects
        Knows which layer takes objects.
    """

    def __init__(self, layers: Mapping[str, KeptLayer], objects: Objects) -> None:
        self._layers, self._objects = layers, objects

    @property
    def layer(self) -> KeptLayer | None:
        """What is kept of the layer."""
        return self._layers.get(self._objects.layer_id or "")

    @property
    def origins(self) -> Mapping[int, Origin]:
        """Object -> where it comes from."""
        kept = self.layer
        if kept is None or kept.journal is None:
            return {}
        return kept.journal.state.origins

    @property
    def classes(self) -> Mapping[int, str]:
        """Object -> name of its class."""
        kept = self.layer
        if kept is None or kept.journal is None:
            return {}
        return kept.journal.state.classes

    def give_classes(self, classes: Mapping[int, str | None]) -> None:
        """Give classes to objects; None for none."""
        if (kept := self.layer) is not None:
            kept.give_classes(classes)

    def take_classes_back(
        self, given: Mapping[int, str | None], before: Mapping[int, str | None]
    ) -> None:
        """Give objects the classes again that they had."""
        if (kept := self.layer) is not None:
            kept.take_classes_back(given, before)

    def give_classes_again(self, given: Mapping[int, str | None]) -> None:
        """Give once more what was taken back."""
        if (kept := self.layer) is not None:
            kept.give_classes_again(given)

    def undo_earlier(self) -> str:
        """Take back what was done before this dock was opened; say what."""
        return "" if (kept := self.layer) is None else kept.undo_earlier()

    def redo_earlier(self, layer_id: str) -> str:
        """Do again in a layer what `undo_earlier` took back; say what."""
        kept = self._layers.get(layer_id)
        return "" if kept is None else kept.redo_earlier()

    def behind(self, layer_id: str) -> bool:
        """Whether an act of before is taken back in a layer; see `KeptLayer.behind`."""
        kept = self._layers.get(layer_id)
        return kept is not None and kept.behind
