"""What the families share: `color`, batches, the lane's lock, short memory."""

from __future__ import annotations

import copy
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_gen2seg.common.progress import Cancel, Progress, check_cancel, report
from napari_gen2seg.common.types import Float32Array
from napari_gen2seg.core.image.rgb import rgb_key
from napari_gen2seg.core.map.brightness import (
    as_bytes,
    brightness_channel,
    channel_weights,
)
from napari_gen2seg.core.map.instances import Instances
from napari_gen2seg.core.probe.guided_outline import COARSE
from napari_gen2seg.errors import SettingsError
from napari_gen2seg.models.colorer import model_input
from napari_gen2seg.models.networks.tensors import resize, resized, to_tensor, to_values
from napari_gen2seg.models.probes import measured_probe
from napari_gen2seg.models.runtime.placement import DevicePlacement, is_out_of_memory
from napari_gen2seg.models.runtime.resolution import (
    check_resolution,
    choose_resolution,
    refine_resolution,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

    from napari_gen2seg.core.coloring import Coloring
    from napari_gen2seg.core.image.rgb import RgbRecipe
    from napari_gen2seg.models.model_config import ModelConfig
    from napari_gen2seg.models.runtime.device import DeviceChoice
    from napari_gen2seg.models.spec import ModelSpec

Rgb = NDArray[np.float32]
Forward = Callable[[Tensor, int], Tensor]


class Seen(NamedTuple):
    """What a model makes of one image.

    Attributes
    ----------
    values
        The map, float32 (h, w, 3) in 0..255.
    resolution
        Longer side in pixels at which it was made.
    instances
        What the family found itself, at the size of the map; None in most.
    """

    values: Rgb
    resolution: int
    instances: Instances | None = None


class BaseColorer(ABC):
    """Common part of the colorers of all families.

    Parameters
    ----------
    net
        The network, on the CPU, in the number type of ``choice``.
    spec, config
        What is known about the model.
    choice
        Device, number type and reason.
    """

    #: Makes the network's autoencoder work in tiles, in families that have one.
    tile: Callable[[nn.Module, int], None] | None = None

    def __init__(
        self, net: nn.Module, spec: ModelSpec, config: ModelConfig, choice: DeviceChoice
    ) -> None:
        self._placed = DevicePlacement(net, choice, spec.id, type(self).tile)
        self._spec = spec
        self._config = config
        self._lock = threading.RLock()
        self._compiled: tuple[nn.Module, ...] = ()

    @property
    def device(self) -> str:
        """Where it computes."""
        return self._placed.choice.device

    @property
    def dtype(self) -> str:
        """Number type."""
        return self._placed.choice.dtype

    @property
    def reason(self) -> str:
        """Why this device and number type, and what was changed since."""
        return " ".join([self._placed.choice.reason, *self._placed.notes])

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done about short memory, in order."""
        return self._placed.notes

    @property
    def spec(self) -> ModelSpec:
        """What is known of the model; ``revision`` is the commit really used."""
        return self._spec

    @property
    def config(self) -> ModelConfig:
        """What the model folder says about the model."""
        return self._config

    def with_config(self, config: ModelConfig) -> Self:
        """Return a colorer of the same network, placed where it is, by other rules."""
        other = copy.copy(self)
        other._config = config  # noqa: SLF001 - of its own class
        return other

    @property
    def net(self) -> nn.Module:
        """The network, where it is placed."""
        return self._placed.net

    def color(
        self,
        image: Any,
        resolution: int | None = None,
        *,
        recipe: RgbRecipe | None = None,
        passes: int = 1,
        progress: Progress | None = None,
        cancel: Cancel | None = None,
    ) -> Coloring:
        """Color one image; see `napari_gen2seg.models.colorer.Colorer.color`."""
        from napari_gen2seg.core.coloring import Coloring

        # 1. resolve and check
        rgb = model_input(image, recipe)  # float32 (H, W, 3), 0..1
        chosen = resolution is not None
        if resolution is None:
            resolution = choose_resolution(rgb, self._config)
        resolution = check_resolution(resolution)
        mirrorings = check_passes(passes)
        check_cancel(cancel, "Coloring")
        # 2. predict
        report(progress, 0.1, f"Coloring at {resolution} pixels")
        with self._lock:
            check_cancel(cancel, "Coloring")
            may_refine = not chosen and self._config.object_diameter is not None
            seen = self._see(rgb, resolution, may_refine, progress, cancel)
            values, resolution = seen.values, seen.resolution
            more: list[Rgb] = []
            for axes in mirrorings:
                report(progress, None, f"Coloring mirror image {len(more) + 1}")
                mirrored = np.ascontiguousarray(np.flip(rgb, axes))
                found = self._predict([mirrored], resolution, cancel)[0]
                more.append(np.flip(found, axes))
        brightness, picture = extra_maps(values, rgb, self._config)
        if brightness is not None:
            more.append(brightness)
        check_cancel(cancel, "Coloring")
        # 3. wrap
        report(progress, 1.0, "Colored")
        return Coloring(
            values=values,
            source_shape=(rgb.shape[0], rgb.shape[1]),
            model_id=self._spec.id,
            revision=self._spec.revision,
            resolution=resolution,
            source_key=rgb_key(rgb),
            black_background=self._config.on_black,
            diameter=None if chosen else self._config.source_diameter,
            extra_maps=np.concatenate(more, axis=-1) if more else None,
            brightness_image=picture,
            instances=seen.instances,
            image=_as_seen(rgb, values.shape[:2]),
            learned_probe=measured_probe(self._spec),
        )

    def predict_rgb(self, rgb: Rgb, resolution: int) -> Rgb:
        """Return the map (h, w, 3) in 0..255 of one RGB (H, W, 3) in 0..1."""
        return self.predict_many([rgb], resolution)[0]

    def predict_many(self, pictures: Sequence[Rgb], resolution: int) -> list[Rgb]:
        """Return the maps of several RGB images; equal sizes go as one batch."""
        resolution = check_resolution(resolution)
        groups: dict[tuple[int, ...], list[int]] = {}
        for index, rgb in enumerate(pictures):
            groups.setdefault(rgb.shape, []).append(index)
        maps: dict[int, Rgb] = {}
        with self._lock:
            for members in groups.values():
                done = self._predict([pictures[i] for i in members], resolution, None)
                maps.update(zip(members, done, strict=True))
        return [maps[i] for i in range(len(pictures))]

    def unload(self) -> None:
        """Free the memory. The colorer cannot be used afterwards."""
        with self._lock:
            self._placed.unload()

    def compile(self, **options: Any) -> None:
        """Compile the network at its first use; see `models.runtime.compilation`.

        Where that fails it runs as it is, and the notes say so.
        """
        from napari_gen2seg.models.families import get_family
        from napari_gen2seg.models.runtime.compilation import compile_modules

        self._compiled = get_family(self._config.family).compiled_parts(self.net)
        compile_modules(self._compiled, **options)

    @abstractmethod
    def _forward(self, pictures: Tensor, resolution: int) -> Tensor:
        """Map (B, 3, H, W) in 0..1, float32, to (B, 3, h, w) in 0..255, float32."""

    def _see(
        self,
        rgb: Rgb,
        resolution: int,
        may_refine: bool,
        progress: Progress | None,
        cancel: Cancel | None,
    ) -> Seen:
        """Look at an image, and again where the first map says that it deserves it.

        Parameters
        ----------
        rgb
            float32 (H, W, 3) in 0..1.
        resolution
            Of the first look.
        may_refine
            Whether another size may follow: nobody asked for this one.
        progress, cancel
            As for `color`.
        """
        from napari_gen2seg.core.map.object_size import typical_diameter

        values = self._predict([rgb], resolution, cancel)[0]  # (h, w, 3), 0..255
        if may_refine:
            better = refine_resolution(
                resolution, typical_diameter(values), max(rgb.shape[:2]), self._config
            )
            if better is not None:
                report(progress, 0.5, f"Looking again, at {better} pixels")
                values = self._predict([rgb], better, cancel)[0]
                return Seen(values, better)
        return Seen(values, resolution)

    def _predict(
        self,
        pictures: Sequence[Rgb],
        resolution: int,
        cancel: Cancel | None,
        forward: Forward | None = None,
    ) -> list[Rgb]:
        """Run the forward pass, stepping down while memory is short.

        ``forward`` is another than `_forward`, of any number of channels.
        """
        forward = forward or self._forward
        batch = len(pictures)
        while True:
            check_cancel(cancel, "Coloring")
            try:
                maps: list[Rgb] = []
                for start in range(0, len(pictures), batch):
                    some = pictures[start : start + batch]
                    maps += self._run(some, resolution, forward)
                return maps
            except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
            # Outside of the except clause, so that the failed pass's frames, and the
            # tensors they hold, are gone before the next try.
            if batch > 1:
                batch = 1
                self._placed.note("Memory was short: pictures go one at a time.")
                self._placed.free()
            else:
                self._placed.step_down(f"Coloring at {resolution} pixels")

    def _run(
        self, pictures: Sequence[Rgb], resolution: int, forward: Forward
    ) -> list[Rgb]:
        """Run one batch of equally sized images."""
        with torch.inference_mode():
            tensors = [to_tensor(rgb, self.device) for rgb in pictures]
            # One picture, which may be very large, is not copied.
            stacked = tensors[0] if len(tensors) == 1 else torch.cat(tensors)
            colors = self._pass(stacked, resolution, forward)
            if not torch.isfinite(colors).all():
                self._placed.to_float32()
                colors = forward(stacked, resolution)
            return to_values(colors)

    def _pass(self, stacked: Tensor, resolution: int, forward: Forward) -> Tensor:
        """Run the forward pass, and without the compiler if that is what fails."""
        if not self._compiled:
            return forward(stacked, resolution)
        try:
            return forward(stacked, resolution)
        except Exception as error:  # compilers fail in ways of their own
            if is_out_of_memory(error):
                raise
            from napari_gen2seg.models.runtime.compilation import give_up

            give_up(self._compiled)
            self._compiled = ()
            told = str(error).strip().splitlines() or [""]
            self._placed.note(
                f"It could not be compiled and runs as it is ({type(error).__name__}: "
                f"{told[0][:120]})."
            )
        return forward(stacked, resolution)


def _as_seen(rgb: Rgb, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return an image (H, W, 3) in 0..1 in 8 bits, at the size (h, w) of its map."""
    small = resize(to_tensor(rgb), (shape[0], shape[1]))
    return np.asarray(to_values(small * 255)[0].round(), np.uint8)


Axes = tuple[int, ...]

#: Test-time augmentation, by how many passes there are in all: the axes along which the
#: picture of each further pass is mirrored.
MIRRORINGS: dict[int, tuple[Axes, ...]] = {
    1: (),
    2: ((0, 1),),
    4: ((0, 1), (0,), (1,)),
}


def check_passes(passes: int) -> tuple[Axes, ...]:
    """Return the axes of the further passes of test-time augmentation.

    Raises
    ------
    SettingsError
        If there are not 1, 2 or 4 passes.
    """
    if passes not in MIRRORINGS:
        raise SettingsError(
            f"{passes} passes were asked for; there can be 1 (the picture), 2 (and the "
            "picture turned by half) or 4 (and both its mirror images)."
        )
    return MIRRORINGS[passes]


def extra_maps(
    values: Float32Array, rgb: Float32Array, config: ModelConfig
) -> tuple[Float32Array | None, NDArray[np.uint8] | None]:
    """Return brightness maps of an image: one for clicks, a larger one for outlines.

    Parameters
    ----------
    values
        float32 (h, w, 3) in 0..255, a map.
    rgb
        float32 (H, W, 3) in 0..1, its picture.
    config
        Of the model; only one that paints the background black can be agreed with, and
        it may be one that is better off without.

    Returns
    -------
    tuple
        float32 (h, w, 1), or None where brightness does not agree with the map; and
        uint8 (H, W), or None there and where the picture is hardly larger than the map.
    """
    if not config.on_black or not config.uses_brightness:
        return None, None
    shape = values.shape[0], values.shape[1]
    small = np.stack([resized(rgb[..., one], shape) for one in range(3)], axis=-1)
    weights = channel_weights(values, small)
    brightness = brightness_channel(values, small @ weights)
    if brightness is None:
        return None, None
    coarse = rgb.shape[0] >= COARSE * values.shape[0]
    return brightness[..., None], as_bytes(rgb @ weights) if coarse else None
