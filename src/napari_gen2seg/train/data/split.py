"""Which labeled images are held back for scores (no torch).

Groups stay together. With a single picture, a quarter of it is held back: objects
that the border cuts are unknown on both sides, so that none is learnt and judged.

The choice is made from facts alone, so that a plan needs no pixels: `choose_validation`
decides, and `divide` does it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from napari_gen2seg.common.text import count_text, names_text
from napari_gen2seg.core.image_parts import cut, windows
from napari_gen2seg.errors import DataError
from napari_gen2seg.io.annotated import Annotated, AnnotatedSource


@dataclass(frozen=True)
class Division:
    """What is learnt from and what is judged by, as places in a list of images.

    Attributes
    ----------
    train, validation
        Rising places. Where a part of every picture is held back, a place is in both.
    part
        Which of `image_parts.windows` is held back of every picture; None for whole
        pictures.
    objects
        How many objects there are to learn from.
    warnings
        Sentences for people.
    own_work
        Of what is judged by: how many objects are unchanged proposals, of how many in
        all. Where a part is judged by, and nobody knows which of its objects are, it is
        taken to have its share.
    """

    train: tuple[int, ...]
    validation: tuple[int, ...]
    part: int | None
    objects: int
    warnings: tuple[str, ...] = ()
    own_work: tuple[int, int] = (0, 0)


@dataclass(frozen=True, eq=False)
class Split:
    """Images to train on and images to judge by.

    Attributes
    ----------
    train, validation
        In a divided picture the other side's pixels are unknown (-1).
    warnings
        Sentences for people.
    own_work
        As of `Division`.
    """

    train: tuple[Annotated, ...]
    validation: tuple[Annotated, ...]
    warnings: tuple[str, ...] = ()
    own_work: tuple[int, int] = (0, 0)

    @property
    def objects(self) -> int:
        """How many objects there are to learn from."""
        return sum(len(image.objects) for image in self.train)


def divide(
    images: Sequence[AnnotatedSource],
    hold_back: float,
    seed: int,
    before: Collection[str] = (),
) -> Split:
    """Read images, and hold some, or a part of the only one, back.

    Which, `choose_validation` says.

    Raises
    ------
    DataError
        As `choose_validation`, and as `AnnotatedSource.read`.
    """
    chosen = choose_validation(images, hold_back, seed, before)
    sides: tuple[list[Annotated], list[Annotated]] = [], []
    for side, places in enumerate((chosen.train, chosen.validation)):
        for place in places:
            image = images[place].read()
            if chosen.part is not None:
                window = windows(image.labels.shape)[chosen.part]
                image = image.relabeled(cut(image.labels, window)[side])
            sides[side].append(image)
    return Split(tuple(sides[0]), tuple(sides[1]), chosen.warnings, chosen.own_work)


def choose_validation(
    images: Sequence[AnnotatedSource],
    hold_back: float,
    seed: int,
    before: Collection[str] = (),
) -> Division:
    """Choose what is held back.

    Pictures of the role ``"validation"`` are, those of ``"train"`` are not. Where none
    has the role ``"validation"``, some groups of the others are: ``hold_back`` of all
    groups, at least one, chosen by ``seed``. Groups that earlier runs learnt from
    (``before`` has the keys of such pictures) are held back only where there are no
    others, and those with the fewest unchanged proposals first: against its own
    proposals a model cannot be judged.

    Raises
    ------
    DataError
        If nothing is left to train on, or one picture is on both sides.
    """
    asked = [place for place, image in enumerate(images) if image.role == "validation"]
    if asked:
        return _as_asked(images, asked, before)
    if hold_back == 0:
        return _whole(images, (), (_NO_SCORE,))
    fixed = {image.group for image in images if image.role == "train"}
    free = list(dict.fromkeys(i.group for i in images if i.group not in fixed))
    if len(free) == 1 and not fixed:
        return _part_of_all(images, before)
    number = validation_number(len(free), len(fixed), hold_back)
    if number < 1:
        return _whole(images, (), (_NO_SCORE,))
    known = {image.group for image in images if image.key in before}
    order = np.random.default_rng(seed).permutation(len(free))
    mixed = [free[place] for place in order]
    # What an earlier run learnt from would make the score too good.
    fresh = [group for group in mixed if group not in known]
    judged = sorted(fresh or mixed, key=lambda group: _own_share(images, group))
    back = set(judged[:number])
    held = [place for place, image in enumerate(images) if image.group in back]
    return _whole(images, held, _learnt([images[place] for place in held], before))


def own_work_told(proposed: int, objects: int) -> str:
    """Say that a model is judged by what it made itself, where that is most; else "".

    Parameters
    ----------
    proposed, objects
        How many objects to judge by are unchanged proposals, and how many there are.
    """
    if not objects or 2 * proposed < objects:
        return ""
    return (
        f"{proposed:,} of the {count_text(objects, 'object')} to judge by are "
        "unchanged proposals: there the old model is compared with its own work, and a "
        "better one hardly shows. Correct what is wrong in some pictures, or click "
        "objects in them, and hold those back."
    )


def _own_share(images: Sequence[AnnotatedSource], group: str | None) -> float:
    """Return the share of unchanged proposals among the objects of a group."""
    members = [image for image in images if image.group == group]
    proposed, objects = _own_work(members)
    return proposed / max(objects, 1)


def _own_work(images: Sequence[AnnotatedSource]) -> tuple[int, int]:
    """Count unchanged proposals, and objects."""
    proposed = sum(image.proposed for image in images)
    return proposed, sum(image.look().objects for image in images)


def _own_work_inside(image: AnnotatedSource, part: int) -> int:
    """Count the unchanged proposals in a part of an image."""
    if image.proposed_inside:
        return image.proposed_inside[part]
    facts = image.look()
    return round(image.proposed * facts.parts[part][1] / max(facts.objects, 1))


def validation_number(free: int, fixed: int, hold_back: float) -> int:
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


def _whole(
    images: Sequence[AnnotatedSource], held: Sequence[int], warnings: tuple[str, ...]
) -> Division:
    """Hold whole images back, and train on all others."""
    back = set(held)
    train = tuple(place for place in range(len(images)) if place not in back)
    objects = sum(images[place].look().objects for place in train)
    own = _own_work([images[place] for place in held])
    told = tuple(one for one in (own_work_told(*own),) if one)
    return Division(train, tuple(held), None, objects, (*warnings, *told), own)


def _as_asked(
    images: Sequence[AnnotatedSource], asked: list[int], before: Collection[str]
) -> Division:
    """Hold back what a person says, and nothing else."""
    train = [image for image in images if image.role != "validation"]
    if not train:
        raise DataError(
            "Every picture is held back, so there is none to learn from. Let at "
            "least one be trained on."
        )
    held = [images[place] for place in asked]
    return _whole(images, asked, (*_leaks(train, held), *_learnt(held, before)))


def _leaks(
    train: Sequence[AnnotatedSource], held: Sequence[AnnotatedSource]
) -> tuple[str, ...]:
    """Refuse one image on both sides; warn of one group on both."""
    seen = {image.key: image.title for image in train}
    groups = {image.group: image.title for image in train}
    told = []
    for image in held:
        same = seen.get(image.key)
        # Without a key nothing is known of its pixels.
        if image.key and same is not None:
            raise DataError(
                f"The picture {image.title!r} is held back and trained on as {same!r}; "
                "its score would say nothing. Choose one of the two."
            )
        if image.group in groups:
            told.append(
                f"{image.title} is held back while {groups[image.group]} of the same "
                "group is trained on; the score will be too good."
            )
    return tuple(told)


def _learnt(
    held: Sequence[AnnotatedSource], before: Collection[str]
) -> tuple[str, ...]:
    """Warn of what is held back though an earlier run learnt from it."""
    names = [image.title for image in held if image.key in before]
    if not names:
        return ()
    told = (
        "An earlier run learned from what is held back now: "
        f"{names_text(names, 5)}. The score may be too good; add labeled pictures "
        "that no run has learned from."
    )
    return (told,)


def _part_of_all(
    images: Sequence[AnnotatedSource], before: Collection[str]
) -> Division:
    """Hold back the same part of every image of the only group."""
    part = _best_part(images)
    if part is None:
        few = "The only picture has too few objects to hold some back. " + _NO_SCORE
        return _whole(images, (), (few,))
    counts = [image.look().parts[part] for image in images]
    held = [place for place, (_, judged) in enumerate(counts) if judged]
    told = (
        "There is one picture only: a part of it is held back. The score then says "
        "how the model does on more of the same picture, not on others."
    )
    judged = [images[place] for place in held]
    own = (
        sum(_own_work_inside(image, part) for image in judged),
        sum(counts[place][1] for place in held),
    )
    said = (told, *_learnt(judged, before), own_work_told(*own))
    return Division(
        tuple(place for place, (learnt, _) in enumerate(counts) if learnt),
        tuple(held),
        part,
        sum(learnt for learnt, _ in counts),
        tuple(one for one in said if one),
        own,
    )


def _best_part(images: Sequence[AnnotatedSource]) -> int | None:
    """Find the part with about a quarter of the objects and few cut ones."""
    best: tuple[float, int] | None = None
    total = sum(image.look().objects for image in images)
    for part, counts in enumerate(zip(*(i.look().parts for i in images), strict=True)):
        learnt, judged = (sum(side) for side in zip(*counts, strict=True))
        if not learnt or not judged:
            continue
        lost = total - learnt - judged
        cost = abs(judged / (learnt + judged) - 0.25) + lost / total
        if best is None or cost < best[0]:
            best = cost, part
    return best[1] if best else None
