"""Where objects go and how large they are."""

from __future__ import annotations

import numpy as np

from napari_gen2seg.common.types import Array


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A number whose logarithm is uniform between those of `low` and `high`."""
    return float(np.exp(rng.uniform(np.log(low), np.log(max(high, low * 1.001)))))


def sizes(rng: np.random.Generator, mean: float, count: int, spread: float) -> Array:
    """Radii in pixels around `mean`, log-normal with relative spread, >= 2.5."""
    radii = mean * np.exp(spread * rng.standard_normal(count))
    return np.maximum(radii, 2.5)


def how_many(
    shape: tuple[int, int], radius: float, cover: float, most: int = 160
) -> int:
    """Number of discs of `radius` that cover a share `cover` of the image."""
    return int(np.clip(cover * shape[0] * shape[1] / (np.pi * radius**2), 1, most))


def any_order(rng: np.random.Generator, count: int) -> Array | None:
    """Which of `count` objects lies on which, by chance; None (by size) half the time.

    Where small objects always lie on top, no object is seen half hidden by a larger.
    """
    return rng.permutation(count) if rng.random() < 0.5 else None


def scatter(
    rng: np.random.Generator,
    shape: tuple[int, int],
    radii: Array,
    *,
    apart: float = 0.0,
    clumps: int = 0,
    rounds: int = 6,
) -> Array:
    """Centers for discs of the given radii, (N, 2) rows and columns.

    Parameters
    ----------
    apart : distance demanded between neighbours as a share of the sum of their radii:
        0 leaves overlaps as they fall, 1 lets discs just touch, less lets them overlap
    clumps : number of clusters to gather in; 0 spreads over the picture
    rounds : rounds of pushing neighbours apart

    Objects may lie partly outside the picture.
    """
    count = len(radii)
    frame = np.array(shape, float)
    margin = 0.6 * float(np.median(radii))
    if clumps:
        middle = rng.uniform(0.1, 0.9, (clumps, 2)) * frame
        which = rng.integers(clumps, size=count)
        spread = np.sqrt(np.bincount(which, radii**2, clumps))[which] * 0.8
        center = middle[which] + rng.standard_normal((count, 2)) * spread[:, None]
    else:
        center = rng.uniform(-margin, frame + margin, (count, 2))
    if apart <= 0 or count < 2:
        return center
    wanted = (apart * (radii[:, None] + radii[None, :])).astype(np.float32)
    np.fill_diagonal(wanted, 0)
    y, x = center.T.astype(np.float32)
    for _ in range(rounds):
        dy, dx = y[:, None] - y, x[:, None] - x
        distance = np.sqrt(dy * dy + dx * dx)
        distance += np.float32(1e-3)
        push = wanted / distance
        push -= 1
        np.maximum(push, 0, out=push)
        push *= np.float32(0.4)
        y = y + (dy * push).sum(1)
        x = x + (dx * push).sum(1)
        if not clumps:
            y = np.clip(y, -margin, frame[0] + margin)
            x = np.clip(x, -margin, frame[1] + margin)
    return np.stack([y, x], 1).astype(float)
