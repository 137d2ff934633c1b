"""Before and after, as layers over the held-back image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_gen2seg.gui.layers.layer_order import keep_selection
from napari_gen2seg.gui.layers.overlays import find_layer, mark

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_gen2seg.gui.finetune.data.candidates import TrainingCandidate
    from napari_gen2seg.gui.finetune.result.comparison import Whole

ROLE = "comparison"


def show_layers(
    viewer: ViewerModel, row: TrainingCandidate | None, title: str, whole: Whole
) -> list[str]:
    """Add the maps and masks of both models as layers.

    They lie over the layer that the picture came from, if it is open; else the
    picture is added too. The masks of the new model are shown, the rest is hidden.

    Returns
    -------
    list of str
        Names of the layers.
    """
    from napari.layers import Image, Labels

    plane = row.plane if row is not None else None
    source = find_layer(viewer, plane.layer_id) if plane is not None else None
    shape = (int(whole.image.shape[0]), int(whole.image.shape[1]))
    made: list[Any] = []
    if source is None:
        made.append(Image(whole.image, name=title, rgb=whole.image.ndim == 3))
    for what, pair in (("map", whole.maps), ("objects", whole.masks)):
        for when, array in zip(("before", "after"), pair, strict=True):
            if array is None:
                continue
            where: dict[str, Any] = {}
            drawn: Any = array
            size = (int(array.shape[0]), int(array.shape[1]))
            if source is not None and plane is not None:
                where = plane.moved_as(source).placement(size)
                drawn = plane.spread(array)
            elif size != shape:
                factors = [of / n for of, n in zip(shape, size, strict=True)]
                shift = [(factor - 1) / 2 for factor in factors]
                where = {"scale": factors, "translate": shift}
            facts = mark(ROLE, plane.layer_id if plane is not None else "")
            options: dict[str, Any] = {
                "name": f"{title}: {what} {when}",
                "opacity": 0.6,
                "visible": (what, when) == ("objects", "after"),
                "metadata": facts,
                **where,
            }
            made.append(
                Image(drawn, rgb=True, **options)
                if what == "map"
                else Labels(drawn.astype("int32"), **options)
            )
    with keep_selection(viewer):
        for layer in made:
            viewer.layers.append(layer)
    return [layer.name for layer in made]
