"""Position guides: sine waves over the image that tell a network where it is.

A convolutional network paints two look-alike neighbours the same, because it sees
the same neighbourhood twice. Waves of several lengths and directions, given to the
UNet as extra channels, let it answer differently at different places. The published
models have none; our own small model declares them in its ``gen2seg.json``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_gen2seg.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Guides:
    """Which waves a model was trained with.

    Parameters
    ----------
    wavelengths
        Wavelengths in pixels of the picture as the model sees it, each > 0.
    directions
        Number of directions; direction ``k`` has the angle ``pi * k / directions``.
    """

    wavelengths: tuple[float, ...]
    directions: int

    @property
    def channels(self) -> int:
        """Number of extra UNet input channels: a sine and a cosine per wave."""
        return 2 * len(self.wavelengths) * self.directions

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Guides:
        """Read the ``guides`` entry of ``gen2seg.json``.

        Raises
        ------
        SettingsError
            If a wavelength is not a positive number or there is no direction.
        """
        try:
            waves = tuple(float(w) for w in raw["wavelengths"])
            directions = int(raw["directions"])
        except (KeyError, TypeError, ValueError) as error:
            raise SettingsError(
                f"The model's guides are {dict(raw)!r}; they must hold 'wavelengths' "
                "(a list of pixels) and 'directions' (a whole number)."
            ) from error
        if not waves or directions < 1 or not all(0 < w < 1e6 for w in waves):
            raise SettingsError(
                f"The model's guides have wavelengths {waves} and {directions} "
                "directions; wavelengths must be positive pixels and there must be "
                "at least one direction."
            )
        return cls(waves, directions)

    def to_dict(self) -> dict[str, Any]:
        """Return the entry as ``gen2seg.json`` holds it."""
        return {"wavelengths": list(self.wavelengths), "directions": self.directions}


def guide_channels(
    guides: Guides | Mapping[str, Any], height: int, width: int, factor: int
) -> NDArray[np.float32]:
    """Compute the guide channels for one image.

    Parameters
    ----------
    guides
        A `Guides`, or the ``guides`` entry of ``gen2seg.json``.
    height, width
        Size in pixels of the picture the network sees, padding included.
    factor
        Pixels per latent pixel of the autoencoder (8 for Stable Diffusion).

    Returns
    -------
    ndarray, float32, shape (C, height // factor, width // factor), range -1..1
        For each wavelength, for each direction: sine, then cosine of
        ``2 pi (x cos a + y sin a) / wavelength`` at the centres of the latent
        pixels. The origin is the outer corner of the picture's top-left pixel, so
        latent pixel ``(i, j)`` lies at ``y = (i + 0.5) factor``,
        ``x = (j + 0.5) factor``.
    """
    import numpy as np

    if not isinstance(guides, Guides):
        guides = Guides.from_dict(guides)
    y = (np.arange(height // factor) + 0.5)[:, None] * factor
    x = (np.arange(width // factor) + 0.5)[None, :] * factor
    out = np.empty((guides.channels, y.shape[0], x.shape[1]), np.float32)
    channel = 0
    for wavelength in guides.wavelengths:
        for k in range(guides.directions):
            angle = np.pi * k / guides.directions
            phase = 2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / wavelength
            out[channel] = np.sin(phase)
            out[channel + 1] = np.cos(phase)
            channel += 2
    return out
