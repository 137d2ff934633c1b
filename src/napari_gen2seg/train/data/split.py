"""Which labelled pictures are held back for scores (no torch).

Groups stay together. With a single picture, a quarter of it is held back: objects
that the border cuts are unknown on both sides, so that none is learnt and judged.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_gen2seg.common.types import Int32Array
from napari_gen2seg.errors import DataError
from napari_gen2seg.train.data.labeled_images import Pair

Window = tuple[slice, slice]


@dataclass(frozen=True, eq=False)
class Split:
    """Pictures to train on and pictures to judge by.

    Attributes
    ----------
    train, held
        In a divided picture the other side's pixels are unknown (-1).
    warnings
        Sentences for people.
    """

    train: tuple[Pair, ...]
    held: tuple[Pair, ...]
    warnings: tuple[str, ...] = ()

    @property
    def objects(self) -> int:
        """How many objects there are to learn from."""
        return sum(len(pair.objects) for pair in self.train)


def divide(
    pairs: list[Pair], hold_back: float, seed: int, before: Collection[str] = ()
) -> Split:
    """Choose what is held back.

    Pairs of the role ``"held"`` are, those of ``"train"`` are not. Where none has the
    role ``"held"``, some groups of the others are: ``hold_back`` of all groups, at
    least one, chosen by ``seed``. Groups that earlier runs learnt from (``before`` has
    the keys of such pictures) are held back only where there are no others.

    Raises
    ------
    DataError
        If nothing is left to train on, or one picture is on both sides.
    """
    held = [pair for pair in pairs if pair.role == "held"]
    if held:
        train = [pair for pair in pairs if pair.role != "held"]
        if not train:
            raise DataError(
                "Every picture is held back, so there is none to learn from. Let at "
                "least one be trained on."
            )
        told = (*_leaks(train, held), *_learnt(held, before))
        return Split(tuple(train), tuple(held), told)
    if hold_back == 0:
        return Split(tuple(pairs), (), (_NO_SCORE,))
    fixed = {pair.group for pair in pairs if pair.role == "train"}
    free = list(dict.fromkeys(p.group for p in pairs if p.group not in fixed))
    if len(free) == 1 and not fixed:
        return _divide_pictures(pairs, before)
    number = held_number(len(free), len(fixed), hold_back)
    if number < 1:
        return Split(tuple(pairs), (), (_NO_SCORE,))
    known = {pair.group for pair in pairs if pair.key in before}
    order = np.random.default_rng(seed).permutation(len(free))
    mixed = [free[place] for place in order]
    # What an earlier run learnt from would make the score too good.
    fresh = [group for group in mixed if group not in known]
    back = set((fresh or mixed)[:number])
    held = [pair for pair in pairs if pair.group in back]
    train = [pair for pair in pairs if pair.group not in back]
    return Split(tuple(train), tuple(held), _learnt(held, before))


def held_number(free: int, fixed: int, hold_back: float) -> int:
    """Return how many of several groups are held back; 0 where none can be.

    Parameters
    ----------
    free, fixed
        Groups that may be held back, and groups that may not.
    hold_back
        Share of all, 0..1.
    """
    most = free if fixed else free - 1
    return min(max(1, round(hold_back * (free + fixed))), most)


_NO_SCORE = (
    "Nothing is held back: there will be no score, no early stop and no verdict on "
    "whether the new model is better."
)


def _leaks(train: list[Pair], held: list[Pair]) -> tuple[str, ...]:
    """Refuse one picture on both sides; warn of one group on both."""
    seen = {pair.key: pair.name for pair in train}
    groups = {pair.group: pair.name for pair in train}
    told = []
    for pair in held:
        same = seen.get(pair.key)
        if same is not None:
            raise DataError(
                f"The picture {pair.name!r} is held back and trained on as {same!r}; "
                "its score would say nothing. Choose one of the two."
            )
        if pair.group in groups:
            told.append(
                f"{pair.name} is held back while {groups[pair.group]} of the same "
                "group is trained on; the score will be too good."
            )
    return tuple(told)


def _learnt(held: Sequence[Pair], before: Collection[str]) -> tuple[str, ...]:
    """Warn of what is held back though an earlier run learnt from it."""
    names = [pair.name for pair in held if pair.key in before]
    if not names:
        return ()
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    told = (
        f"An earlier run learnt from what is held back now: {', '.join(names[:5])}"
        f"{more}. The score may be too good; add labelled pictures that no run has "
        "learnt from."
    )
    return (told,)


def _divide_pictures(pairs: list[Pair], before: Collection[str]) -> Split:
    """Hold back the same part of every picture of the only group."""
    window = _best_window(pairs)
    if window is None:
        return Split(
            tuple(pairs),
            (),
            ("The only picture has too few objects to hold some back. " + _NO_SCORE,),
        )
    train, held = [], []
    for pair in pairs:
        learnt, judged = _cut(pair.labels, window)
        if (learnt > 0).any():
            train.append(pair.relabeled(learnt))
        if (judged > 0).any():
            held.append(pair.relabeled(judged))
    told = (
        "There is one picture only: a part of it is held back. The score then says "
        "how the model does on more of the same picture, not on others."
    )
    return Split(tuple(train), tuple(held), (told, *_learnt(held, before)))


def _best_window(pairs: list[Pair]) -> Window | None:
    """Find the part with about a quarter of the objects and few cut ones."""
    best: tuple[float, Window] | None = None
    for window in _windows(pairs[0].labels.shape):
        learnt = judged = total = 0
        for pair in pairs:
            one, two = _cut(pair.labels, window)
            learnt += len(np.unique(one[one > 0]))
            judged += len(np.unique(two[two > 0]))
            total += len(pair.objects)
        if not learnt or not judged:
            continue
        cut = total - learnt - judged
        cost = abs(judged / (learnt + judged) - 0.25) + cut / total
        if best is None or cost < best[0]:
            best = cost, window
    return best[1] if best else None


def _windows(shape: tuple[int, ...]) -> Iterator[Window]:
    """Corners of a quarter, strips of a quarter, and, for few objects, halves."""
    height, width = shape[0], shape[1]
    rows = {
        n: (slice(0, height // n), slice(height - height // n, height)) for n in (2, 4)
    }
    cols = {n: (slice(0, width // n), slice(width - width // n, width)) for n in (2, 4)}
    for row in rows[2]:
        for col in cols[2]:
            yield row, col
    for n in (4, 2):
        for row in rows[n]:
            yield row, slice(0, width)
        for col in cols[n]:
            yield slice(0, height), col


def _cut(labels: Int32Array, window: Window) -> tuple[Int32Array, Int32Array]:
    """Return the labels outside and inside a window, -1 on the other side."""
    inside = np.zeros(labels.shape, bool)
    inside[window] = True
    cut = np.intersect1d(_ids(labels[inside]), _ids(labels[~inside]))
    known = np.where(np.isin(labels, cut), np.int32(-1), labels)
    unknown = np.int32(-1)
    return (
        np.where(inside, unknown, known).astype(np.int32),
        np.where(inside, known, unknown).astype(np.int32),
    )


def _ids(values: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.unique(values[values > 0])
