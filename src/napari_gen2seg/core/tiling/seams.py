"""Which objects of neighboring tiles are one, and which tile owns it.

An object that a window shows whole is owned by the tile whose core holds its middle.
Neighbors see it too, whole or cut; these copies are dropped. Where the owner missed it,
a neighbor that saw it whole stands in. Only what no window shows whole is joined: each
tile gives what lies in its core.

Joining is a tree: parts of the plane are merged pairwise, an object whose every copy
lies inside of a part is settled there, and only what reaches out of a part goes up.
Whoever merges in whichever order, the same copies are compared: the result is the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from napari_gen2seg.core.tiling.found import TileObjects
from napari_gen2seg.core.tiling.grid import TileGrid, meet

SAME = 0.5
"""Share of either of two objects beyond which they are copies of one."""

DROPPED, WHOLE, CLIPPED = 0, 1, 2
"""Verdicts: a copy; an object as its tile saw it; the part of it in the core."""

_COPY = np.dtype(
    [
        ("tile", np.int64),
        ("label", np.int32),
        ("row", np.int64),
        ("column", np.int64),
        ("area", np.int64),
        ("score", np.float32),
        ("cut", np.bool_),
        ("own", np.bool_),
        ("low", np.int64),
        ("high", np.int64),
    ]
)
_PAIR = np.dtype(
    [
        ("tile", np.int64, 2),
        ("label", np.int32, 2),
        ("shared", np.int64),
        ("seen", np.int64, 2),
    ]
)
_VERDICT = np.dtype(
    [
        ("tile", np.int64),
        ("label", np.int32),
        ("verdict", np.int8),
        ("root_tile", np.int64),
        ("root_label", np.int32),
    ]
)
"""Of an object that others see too: what becomes of it, and whose number it bears."""


@dataclass(frozen=True, eq=False)
class Part:
    """What is known of a part of the plane, when its tiles were compared.

    Attributes
    ----------
    tiles
        int64 (n,), which tiles it is made of, rising.
    inner
        int64 (n,), how many objects of each no other tile sees.
    copies, pairs
        Objects that others see too and are not settled, and which of them overlap.
    settled
        Verdicts.
    """

    tiles: npt.NDArray[np.int64]
    inner: npt.NDArray[np.int64]
    copies: npt.NDArray[Any]
    pairs: npt.NDArray[Any]
    settled: npt.NDArray[Any]


def leaf(grid: TileGrid, number: int, load: Callable[[int], TileObjects]) -> Part:
    """Compare a tile with the neighbors that come after it.

    Parameters
    ----------
    grid
        All tiles.
    number
        Which one.
    load
        Gives the objects of a tile.
    """
    tiles = grid.tiles
    tile, objects = tiles[number], load(number)
    facts = objects.facts
    neighbors = [
        (other, shared)
        for other in grid.neighbors(number)
        if (shared := meet(tile.window, tiles[other].window)) is not None
    ]
    # The first and the last tile that sees an object: all between count as seeing it.
    low = np.full(len(facts), number, np.int64)
    high = low.copy()
    pairs: list[Any] = []
    for other, box in neighbors:
        boxes = facts["box"]
        sees = (
            (boxes[:, 0] < box[2])
            & (boxes[:, 2] > box[0])
            & (boxes[:, 1] < box[3])
            & (boxes[:, 3] > box[1])
        )
        low[sees] = np.minimum(low[sees], other)
        high[sees] = np.maximum(high[sees], other)
        if other > number and sees.any():
            pairs += _overlaps(number, other, objects.part(box), load(other).part(box))
    seen = (low < number) | (high > number) | facts["cut"]
    copies = np.zeros(int(seen.sum()), _COPY)
    for name in ("label", "area", "score", "cut", "own"):
        copies[name] = facts[name][seen]
    copies["tile"] = number
    copies["low"], copies["high"] = low[seen], high[seen]
    copies["row"] = facts["box"][seen][:, 0] + facts["box"][seen][:, 2]
    copies["column"] = facts["box"][seen][:, 1] + facts["box"][seen][:, 3]
    return Part(
        np.array([number]),
        np.array([len(facts) - len(copies)]),
        copies,
        np.array(pairs, _PAIR),
        np.zeros(0, _VERDICT),
    )


def _overlaps(
    one: int, other: int, mine: npt.NDArray[np.int32], theirs: npt.NDArray[np.int32]
) -> list[Any]:
    """List pairs of objects that are alike in what both tiles see."""
    both = (mine > 0) & (theirs > 0)
    if not both.any():
        return []
    most = int(theirs.max()) + 1
    codes, shared = np.unique(
        mine[both].astype(np.int64) * most + theirs[both], return_counts=True
    )
    a, b = np.divmod(codes, most)
    seen_a = np.bincount(mine.ravel())[a]
    seen_b = np.bincount(theirs.ravel())[b]
    alike = shared > SAME * np.minimum(seen_a, seen_b)
    return [
        ((one, other), (a[i], b[i]), shared[i], (seen_a[i], seen_b[i]))
        for i in np.flatnonzero(alike)
    ]


def merge(parts: Sequence[Part], grid: TileGrid) -> Part:
    """Make one part of several; settle the objects that do not reach out of it."""
    tiles = np.sort(np.concatenate([part.tiles for part in parts]))
    inner = np.zeros(len(grid), np.int64)
    for part in parts:
        inner[part.tiles] = part.inner
    copies = np.concatenate([part.copies for part in parts])
    pairs = np.concatenate([part.pairs for part in parts])
    settled = [part.settled for part in parts]
    copies = copies[np.lexsort((copies["label"], copies["tile"]))]
    inside = np.zeros(len(grid), bool)
    inside[tiles] = True
    ends = [
        _places(copies, pairs["tile"][:, end], pairs["label"][:, end]) for end in (0, 1)
    ]
    known = (ends[0] >= 0) & (ends[1] >= 0)
    closed = _closed(copies, grid, inside)
    for end in (0, 1):  # a copy whose partner is elsewhere yet
        closed[ends[end][~known & (ends[end] >= 0)]] = False
    count, group = _groups(len(copies), ends[0][known], ends[1][known])
    open_groups = np.zeros(count, bool)
    open_groups[group[~closed]] = True
    done = ~open_groups[group]
    if done.any():
        within = known.copy()
        within[known] = done[ends[0][known]]
        settled.append(
            _settle(copies, done, pairs[within], ends[0][within], ends[1][within])
        )
        number = np.where(known, ends[0], np.maximum(ends[0], ends[1]))
        pairs = pairs[~done[number]] if len(pairs) else pairs
    return Part(tiles, inner[tiles], copies[~done], pairs, np.concatenate(settled))


def _places(
    copies: npt.NDArray[Any], tiles: npt.NDArray[Any], labels: npt.NDArray[Any]
) -> npt.NDArray[np.int64]:
    """Look up sorted copies by tile and label; -1 where there is none."""
    base = np.int64(1) << 32
    keys = copies["tile"] * base + copies["label"]
    asked = tiles * base + labels
    if not len(keys):
        return np.full(len(asked), -1, np.int64)
    at = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
    return np.where(keys[at] == asked, at, -1).astype(np.int64)


def _closed(
    copies: npt.NDArray[Any], grid: TileGrid, inside: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Tell which copies are seen by no tile outside of a part."""
    closed = np.ones(len(copies), bool)
    low, high = copies["low"], copies["high"]
    for number in np.unique(copies["tile"]):
        mine = copies["tile"] == number
        for other in grid.neighbors(int(number)):
            if not inside[other]:
                closed[mine & (low <= other) & (other <= high)] = False
    return closed


def _groups(
    count: int, one: npt.NDArray[np.int64], other: npt.NDArray[np.int64]
) -> tuple[int, npt.NDArray[np.int32]]:
    """Return the connected groups of copies."""
    graph = coo_array((np.ones(len(one), bool), (one, other)), shape=(count, count))
    found = connected_components(graph, directed=False)
    return int(found[0]), np.asarray(found[1])


def _settle(
    copies: npt.NDArray[Any],
    done: npt.NDArray[np.bool_],
    pairs: npt.NDArray[Any],
    one: npt.NDArray[np.int64],
    other: npt.NDArray[np.int64],
) -> npt.NDArray[Any]:
    """Say what becomes of the copies whose every rival is known."""
    rivals: dict[int, list[tuple[int, int, bool]]] = {}
    for pair, a, b in zip(pairs, one, other, strict=True):
        shared = int(pair["shared"])
        equal = shared > SAME * int(pair["seen"].max())
        rivals.setdefault(int(a), []).append((int(b), shared, equal))
        rivals.setdefault(int(b), []).append((int(a), shared, equal))
    places = np.flatnonzero(done)
    verdict = np.full(len(copies), DROPPED, np.int8)
    root = np.arange(len(copies))
    # Whole ones first: the owner's, then the better; else by where it is.
    whole = places[~copies["cut"][places]]
    for place in whole[_by_rank(copies[whole])]:
        if all(verdict[rival] != WHOLE for rival, _, _ in rivals.get(int(place), ())):
            verdict[place] = WHOLE
    cut = places[copies["cut"][places]]
    left = []
    for place in cut:
        mine = rivals.get(int(place), ())
        covered = sum(shared for rival, shared, _ in mine if verdict[rival] == WHOLE)
        if covered <= SAME * copies["area"][place]:
            left.append(int(place))
    _join(copies, left, rivals, verdict, root)
    out = np.zeros(len(places), _VERDICT)
    out["tile"], out["label"] = copies["tile"][places], copies["label"][places]
    out["verdict"] = verdict[places]
    out["root_tile"] = copies["tile"][root[places]]
    out["root_label"] = copies["label"][root[places]]
    return out


def _by_rank(copies: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    return np.lexsort(
        (
            copies["label"],
            copies["tile"],
            copies["column"],
            copies["row"],
            -copies["score"],
            ~copies["own"],
        )
    )


def _join(
    copies: npt.NDArray[Any],
    left: list[int],
    rivals: dict[int, list[tuple[int, int, bool]]],
    verdict: npt.NDArray[np.int8],
    root: npt.NDArray[np.intp],
) -> None:
    """Join what no window shows whole, where two tiles agree on what both see."""
    parent = {place: place for place in left}

    def top(place: int) -> int:
        while parent[place] != place:
            place = parent[place]
        return place

    for place in left:
        for rival, _, equal in rivals.get(place, ()):
            if equal and rival in parent:
                a, b = sorted((top(place), top(rival)))
                parent[b] = a
    tops = [top(place) for place in left]
    sizes = Counter(tops)
    for place, head in zip(left, tops, strict=True):
        root[place] = head
        if sizes[head] > 1:
            verdict[place] = CLIPPED
        elif copies["own"][place]:
            # Its neighbors see nothing there: what this tile saw is all there is.
            verdict[place] = WHOLE
