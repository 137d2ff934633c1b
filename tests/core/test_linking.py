"""Linking on drawn objects whose identities are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_gen2seg import LinkSettings, link
from napari_gen2seg.core.linking import Linker
from napari_gen2seg.errors import ImageError, SettingsError

SHAPE = (80, 120)


def disc(plane: np.ndarray, number: int, row: float, column: float, r: float) -> None:
    rows, columns = np.mgrid[: plane.shape[0], : plane.shape[1]]
    plane[(rows - row) ** 2 + (columns - column) ** 2 <= r * r] = number


def movie(speed: float, planes: int = 6) -> np.ndarray:
    """Draw twelve discs that drift apart, in numbers of their own in each plane."""
    truth = np.zeros((planes, *SHAPE), np.int32)
    for t in range(planes):
        for number in range(12):
            row, column = divmod(number, 4)
            disc(truth[t], number + 1, 12 + 25 * row, 8 + 25 * column + speed * t, 5)
    return truth


def shuffled(truth: np.ndarray) -> np.ndarray:
    rng = np.random.default_rng(0)
    found = np.zeros_like(truth)
    for t, plane in enumerate(truth):
        table = np.append(0, rng.permutation(int(truth.max())) + 1)
        found[t] = table[plane]
    return found


def holds(truth: np.ndarray, found: np.ndarray) -> bool:
    """Whether each true object bears one number, and each number is one object."""
    pairs = np.unique(np.stack([truth.ravel(), found.ravel()]), axis=1)
    return all(np.unique(side).size == pairs.shape[1] for side in pairs)


@pytest.mark.parametrize("speed", [0, 3, 7])
def test_identities_hold(speed: float) -> None:
    truth = movie(speed, 5 if speed < 7 else 3)
    settings = LinkSettings(radius=11)
    linked = link(shuffled(truth), settings=settings)
    assert holds(truth, linked.labels)
    assert linked.labels.dtype == np.int32


def test_without_overlap_only_a_radius_links() -> None:
    truth = movie(11, 2)  # as far as a disc is wide: no pixel in common
    apart = link(shuffled(truth), settings=LinkSettings(radius=0)).labels
    assert not set(np.unique(apart[0])) & set(np.unique(apart[1])) - {0}
    assert holds(truth, link(shuffled(truth), settings=LinkSettings(radius=12)).labels)


def test_all_at_once_not_one_by_one() -> None:
    """A row moves by most of a pitch: the nearest is a neighbor, but for one."""
    truth = np.zeros((2, *SHAPE), np.int32)
    for number in range(1, 6):
        disc(truth[0], number, 40, 15 + 16 * number, 6)
        disc(truth[1], number, 40, 15 + 16 * number + 9, 6)
    # Greedy: 2 -> new 1 (7 away), ... and 5 -> nothing. Together: 1 -> 1, 5 -> 5.
    linked = link(truth, settings=LinkSettings(radius=10)).labels
    used = np.unique(linked[1][linked[1] > 0])
    assert used.size == 5 and np.isin(used, linked[0]).all()


def test_an_object_that_is_missing_comes_back() -> None:
    truth = movie(1, 4)
    gone = shuffled(truth)
    gone[2][truth[2] == 5] = 0
    without = link(gone).labels
    assert not holds(truth * (gone > 0), without)
    with_gap = link(gone, settings=LinkSettings(gaps=1)).labels
    assert holds(truth * (gone > 0), with_gap)
    assert (with_gap[2][truth[2] == 5] == 0).all()


def test_a_mother_and_her_daughters() -> None:
    labels = np.zeros((3, *SHAPE), np.int32)
    disc(labels[0], 1, 40, 60, 12)
    for t in (1, 2):
        disc(labels[t], 1, 40, 52 - t, 7)
        disc(labels[t], 2, 40, 68 + t, 7)
    linked = link(labels, settings=LinkSettings(divisions=True))
    mother = linked.labels[0].max()
    daughters = set(np.unique(linked.labels[1])) - {0}
    assert mother not in daughters and len(daughters) == 2
    assert linked.parents == dict.fromkeys(sorted(daughters), mother)
    assert set(np.unique(linked.labels[2])) - {0} == daughters
    assert not link(labels).parents


def test_one_right_behind_the_other() -> None:
    """Two balls on top of each other: no number tells them apart, but their shape."""
    truth = np.zeros((14, *SHAPE), np.int32)
    for number, middle in ((1, 3), (2, 10)):
        for z in range(14):
            size = 64 - (2 * (z - middle)) ** 2
            if size > 0:
                disc(truth[z], number, 40, 60 + 2 * number, size**0.5)
    assert truth.any(axis=(1, 2)).all()
    assert not holds(truth, link(truth).labels)
    linked = link(truth, settings=LinkSettings(convex=True))
    assert holds(truth, linked.labels)
    for number, z, row, column in linked.tracks:
        assert linked.labels[int(z), round(row), round(column)] == number


def test_tracks_are_what_napari_wants() -> None:
    tracks = pytest.importorskip("napari.layers").Tracks
    linked = link(shuffled(movie(2)))
    assert linked.tracks.shape == (72, 4)
    layer = tracks(linked.tracks, graph={k: [v] for k, v in linked.parents.items()})
    assert len(np.unique(layer.data[:, 0])) == 12
    for number, t, row, column in linked.tracks[::7]:
        assert linked.labels[int(t), round(row), round(column)] == number


def test_volumes_and_other_axes() -> None:
    truth = movie(2)
    volumes = np.stack([truth, truth], axis=2)  # t, y, z, x
    found = link(np.stack([shuffled(truth)] * 2, axis=2), settings=LinkSettings())
    assert holds(volumes, found.labels) and found.tracks.shape[1] == 5
    last = np.moveaxis(shuffled(truth), 0, -1)
    linked = link(last, axis=-1)
    assert holds(np.moveaxis(truth, 0, -1), linked.labels)
    np.testing.assert_array_equal(linked.tracks[:6, 3], range(6))


def test_planes_one_by_one_and_in_place() -> None:
    labels = shuffled(movie(2))
    whole = link(labels).labels
    linker = Linker()
    for plane, expected in zip(labels, whole, strict=True):
        np.testing.assert_array_equal(linker.next(plane), expected)
    zarr = pytest.importorskip("zarr")
    stored: Any = zarr.array(labels.astype("uint16"), chunks=(1, *SHAPE))
    assert link(stored, labels_out=stored).labels is stored
    np.testing.assert_array_equal(stored[:], whole)


def test_empty_planes_and_wrong_words() -> None:
    labels = movie(1)
    labels[2] = 0
    linked = link(labels)
    assert not linked.labels[2].any()
    assert link(np.zeros((3, 8, 8), int)).tracks.shape == (0, 4)
    large = np.where(movie(1) > 0, movie(1).astype(np.int64) * 10**12, -1)
    assert holds(np.maximum(large, 0), link(large).labels)
    with pytest.raises(ImageError, match="three axes"):
        link(labels[0])
    with pytest.raises(ImageError, match="whole numbers"):
        link(labels.astype(float))
    with pytest.raises(SettingsError, match="radius"):
        LinkSettings(radius=-1)
    with pytest.raises(SettingsError, match="gaps"):
        LinkSettings(gaps=-1)
