"""Bring the edges of a blurred map onto the edges of the image.

The guided filter (He, Sun & Tang, "Guided image filtering", ECCV 2010): around every
pixel the map is explained as a linear function of the picture's brightness, so that it
changes where the picture does and is smooth where the picture is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.nn import functional

from napari_gen2seg.errors import SettingsError


@dataclass(frozen=True)
class Refine:
    """Settings of the filter, the ``refine`` entry of ``gen2seg.json``.

    Parameters
    ----------
    radius
        Half side of the window in map pixels, >= 1.
    eps
        Variance of brightness (0..1, squared) below which the picture counts as
        smooth, > 0.
    chroma
        Share of the hue that is kept against lightness, 0..1. A model whose hue
        still wanders inside objects gives better masks with less of it.
    """

    radius: int
    eps: float
    chroma: float = 1.0

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Refine:
        """Read the entry.

        Raises
        ------
        SettingsError
            If a value is missing or out of range.
        """
        try:
            found = cls(
                int(raw["radius"]), float(raw["eps"]), float(raw.get("chroma", 1.0))
            )
        except (KeyError, TypeError, ValueError) as error:
            raise SettingsError(
                f"The model's refine entry is {raw!r}; it must hold 'radius' (whole "
                "pixels) and 'eps' (a number above 0)."
            ) from error
        if found.radius < 1 or not found.eps > 0 or not 0 <= found.chroma <= 1:
            raise SettingsError(
                f"The model's refine entry has radius {found.radius}, eps {found.eps} "
                f"and chroma {found.chroma}; the radius must be at least 1, eps above "
                "0 and chroma 0 to 1."
            )
        return found


def guided_filter(values: Tensor, picture: Tensor, settings: Refine) -> Tensor:
    """Filter maps, guided by their images.

    Parameters
    ----------
    values
        (B, 3, h, w), any range.
    picture
        (B, 3, h, w), range 0..1.
    settings
        Window and smoothness.

    Returns
    -------
    Tensor (B, 3, h, w)
        Same range as ``values``, up to a small overshoot.
    """
    weights = picture.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    guide = (picture * weights).sum(1, keepdim=True)
    side = 2 * settings.radius + 1

    def mean(x: Tensor) -> Tensor:
        # Row and column apart: the cost grows with the radius, not its square.
        across = functional.avg_pool2d(
            x, (1, side), 1, (0, settings.radius), count_include_pad=False
        )
        return functional.avg_pool2d(
            across, (side, 1), 1, (settings.radius, 0), count_include_pad=False
        )

    mean_guide, mean_values = mean(guide), mean(values)
    covariance = mean(guide * values) - mean_guide * mean_values
    variance = (mean(guide * guide) - mean_guide * mean_guide).clamp(min=0)
    slope = covariance / (variance + settings.eps)
    offset = mean_values - slope * mean_guide
    result: Tensor = mean(slope) * guide + mean(offset)
    gray = result.mean(1, keepdim=True)
    return gray + settings.chroma * (result - gray)
