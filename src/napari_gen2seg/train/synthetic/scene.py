"""Drawing scenes: the registry of kinds and the functions that people call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from napari_gen2seg.common.types import Array
from napari_gen2seg.errors import SettingsError
from napari_gen2seg.train.synthetic.canvas import Canvas
from napari_gen2seg.train.synthetic.degrade import Wear, wear
from napari_gen2seg.train.synthetic.tidy import tidy

SMALLEST = 32
"""Smallest side of a scene in pixels."""


@dataclass(frozen=True, eq=False)
class Scene:
    """A drawn image and its instances.

    Attributes
    ----------
    image : float32 (H, W, 3) in 0..1
    labels : int32 (H, W), 0 = background, 1..n without gaps
    kind : name of the kind in `KINDS`
    complete : whether everything that is not labelled is background; if False,
        unlabelled pixels are unknown
    whole : whether the separate pieces of an object keep one label
    """

    image: Array
    labels: Array
    kind: str
    complete: bool
    whole: bool = False


@dataclass(frozen=True)
class Kind:
    """A kind of scene.

    Attributes
    ----------
    name : key in `KINDS`
    description : one phrase
    weight : default share among random scenes, relative
    draw : function (rng, (H, W)) -> Canvas that draws it clean
    wear : the degradations it usually suffers
    whole : whether the separate pieces of an object keep one label
    fill : whether slivers go to a neighbour rather than to the background
    """

    name: str
    description: str
    weight: float
    draw: Callable[[np.random.Generator, tuple[int, int]], Canvas]
    wear: Wear
    whole: bool = False
    fill: bool = False


KINDS: dict[str, Kind] = {}
"""All kinds by name, filled by the modules of this package."""


def kind(
    name: str,
    description: str,
    weight: float = 1.0,
    *,
    wear: Wear | None = None,
    whole: bool = False,
    fill: bool = False,
) -> Callable[
    [Callable[[np.random.Generator, tuple[int, int]], Canvas]],
    Callable[[np.random.Generator, tuple[int, int]], Canvas],
]:
    """Decorator that enters a drawing function into `KINDS`."""

    def enter(
        draw: Callable[[np.random.Generator, tuple[int, int]], Canvas],
    ) -> Callable[[np.random.Generator, tuple[int, int]], Canvas]:
        KINDS[name] = Kind(name, description, weight, draw, wear or Wear(), whole, fill)
        return draw

    return enter


def _shape(size: int | tuple[int, int]) -> tuple[int, int]:
    height, width = (size, size) if isinstance(size, int | np.integer) else size
    if min(height, width) < SMALLEST:
        raise SettingsError(
            f"A scene was asked for at {height} x {width} pixels; both sides must be "
            f"at least {SMALLEST}. Ask for a larger size and crop or shrink it."
        )
    return int(height), int(width)


def draw_scene(
    rng: np.random.Generator,
    size: int | tuple[int, int] = 256,
    kind: str | None = None,
) -> Scene:
    """Draw one scene.

    Parameters
    ----------
    rng : numpy.random.Generator
        The scene depends on it alone: equal generators give equal scenes.
    size : side, or (height, width), in pixels; at least 32
    kind : a name of `KINDS`; None picks one by the kinds' weights

    Returns
    -------
    Scene with at least one instance

    Raises
    ------
    SettingsError
        Unknown kind, or size too small.
    """
    shape = _shape(size)
    if kind is None:
        weights = np.array([k.weight for k in KINDS.values()])
        pick = int(rng.choice(len(weights), p=weights / weights.sum()))
        recipe = list(KINDS.values())[pick]
    elif kind in KINDS:
        recipe = KINDS[kind]
    else:
        raise SettingsError(
            f"There is no kind of scene called {kind!r}; the kinds are "
            f"{', '.join(KINDS)}. Use one of them, or None for a random one."
        )
    while True:
        canvas = recipe.draw(rng, shape)
        whole = recipe.whole or canvas.whole
        labels = tidy(canvas.labels, whole=whole, fill=recipe.fill)
        if labels.any():
            image = wear(rng, canvas.image, recipe.wear)
            return Scene(image, labels, recipe.name, canvas.complete, whole)


def iter_scenes(
    seed: int,
    size: int | tuple[int, int] = 256,
    kinds: list[str] | None = None,
    count: int | None = None,
) -> Iterator[Scene]:
    """Scenes without end, or `count` of them.

    Scene number i depends on (seed, i) only, so that any part of the stream can be
    drawn again or shared among workers.

    Parameters
    ----------
    seed : >= 0
    size : side, or (height, width), in pixels
    kinds : names to draw in turn; None for random ones
    count : how many; None for ever
    """
    number = 0
    while count is None or number < count:
        name = None if kinds is None else kinds[number % len(kinds)]
        yield draw_scene(np.random.default_rng([seed, number]), size, name)
        number += 1
