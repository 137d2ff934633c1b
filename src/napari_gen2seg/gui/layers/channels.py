"""RGB channel choice: which channels and layers can give a color, and which do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

    from napari_gen2seg.gui.layers.view import ReadOptions

Picked = tuple[int | None, int | None, int | None]


@dataclass(frozen=True)
class Input:
    """Something that can give a color.

    Parameters
    ----------
    name
        For the drop-down.
    channel
        Channel of the layer itself; None for another layer.
    layer_id
        ``unique_id`` of another layer; None for the layer itself.
    """

    name: str
    channel: int | None = None
    layer_id: str | None = None


def inputs_of(viewer: ViewerModel, layer: Image, options: ReadOptions) -> list[Input]:
    """List what can give the colors of a layer's image."""
    from napari.layers import Image

    from napari_gen2seg.gui.layers.overlays import role_of

    if layer.rgb:
        names = ("red", "green", "blue", "alpha")
        count = layer.data[0].shape[-1] if layer.multiscale else layer.data.shape[-1]
        return [Input(names[i], channel=i) for i in range(min(count, 3))]
    if options.channel_axis is not None:
        count = int(layer.level_shapes[0][options.channel_axis])
        return [Input(f"channel {i}", channel=i) for i in range(count)]
    alike = [
        other
        for other in viewer.layers
        if isinstance(other, Image)
        and other.unique_id != layer.unique_id
        and role_of(other) is None
        and not other.rgb
        and other.ndim == layer.ndim
        and tuple(other.level_shapes[0]) == tuple(layer.level_shapes[0])
    ]
    others = [Input(other.name, layer_id=str(other.unique_id)) for other in alike]
    return [Input(layer.name, channel=0), *others]


def picked(inputs: list[Input], options: ReadOptions) -> Picked:
    """Return which input gives red, green and blue now; None for black."""
    channels = options.recipe.channels
    if channels is None:
        own = sum(one.channel is not None for one in inputs)
        return (0, 0, 0) if own == 1 else (0, 1, None) if own == 2 else (0, 1, 2)
    chosen: list[int | None] = []
    for channel in channels:
        if channel is None:
            chosen.append(None)
        elif options.partners and channel > 0:
            wanted = options.partners[channel - 1]
            places = [i for i, one in enumerate(inputs) if one.layer_id == wanted]
            chosen.append(places[0] if places else None)
        else:
            chosen.append(channel)
    return chosen[0], chosen[1], chosen[2]


def choice_of(
    inputs: list[Input], wanted: Picked
) -> tuple[Picked | None, tuple[str, ...]]:
    """Turn a choice of inputs into the recipe's channels and the partner layers.

    Returns
    -------
    tuple
        ``channels`` for `RgbRecipe` (None for its default) and ``partners`` for
        `ReadOptions`.
    """
    own = sum(one.channel is not None for one in inputs)
    plain: Picked = (0, 0, 0) if own == 1 else (0, 1, None) if own == 2 else (0, 1, 2)
    if wanted == plain:
        return None, ()
    partners: list[str] = []
    channels: list[int | None] = []
    for place in wanted:
        if place is None:
            channels.append(None)
            continue
        layer_id = inputs[place].layer_id
        if layer_id is None:
            channels.append(inputs[place].channel)
        else:
            if layer_id not in partners:
                partners.append(layer_id)
            channels.append(1 + partners.index(layer_id))
    return (channels[0], channels[1], channels[2]), tuple(partners)
