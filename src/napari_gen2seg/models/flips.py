"""Mirror images that a model may look at too.

A network errs differently on a picture and on its mirror image, and paints it in other
colours. Stacked as further channels, the maps agree within an object and disagree
where one of them erred (`benchmarks/click_quality.py --methods model flips`).
"""

from __future__ import annotations

from napari_gen2seg.errors import SettingsError

Axes = tuple[int, ...]

#: Further passes by how many there are in all: axes along which a picture is mirrored.
MIRRORINGS: dict[int, tuple[Axes, ...]] = {
    1: (),
    2: ((0, 1),),
    4: ((0, 1), (0,), (1,)),
}


def check_passes(passes: int) -> tuple[Axes, ...]:
    """Return the further passes' axes.

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
