"""Labeled images for fine-tuning: read, checked, and told what is wrong (no torch).

Files become `AnnotatedSource`s here. Whoever reads one gets RGB as the model sees it,
and labels in which 0 is background, -1 is unknown and objects count from 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, get_args

from numpy.typing import NDArray

from napari_gen2seg.common.types import Int32Array
from napari_gen2seg.core.image.checks import is_constant
from napari_gen2seg.core.image.rgb import RgbRecipe, recipe_of, to_rgb
from napari_gen2seg.core.image_parts import PARTS
from napari_gen2seg.errors import DataError, ImageError, SettingsError
from napari_gen2seg.io.annotated import (
    Annotated,
    AnnotatedSource,
    Role,
    as_labels,
    unlabeled_is_unknown,
)
from napari_gen2seg.io.formats.labels import whole_numbers
from napari_gen2seg.io.label_facts import LabelFacts
from napari_gen2seg.train.data.label_checks import FEW, remarks


@dataclass(frozen=True)
class PairSpec:
    """One image and its labels, as files that a run can come back to.

    It stands in the settings of a run, on disk, and is made of what JSON can hold:
    names of files where an `AnnotatedSource` has something that reads. So it stays
    apart; what it names is an `AnnotatedSource` once `read_pairs` or `known_pairs`
    have seen it.

    Attributes
    ----------
    image, labels
        Files of one plane each: whatever `io.formats.images` reads, and whole numbers
        (H, W), 0 where nothing is labelled, -1 where nothing is known. ``labels`` is
        empty of an image without any: it is left out, and that is told.
    name
        For people; the image's file name if empty.
    complete
        True: what is not labelled is background. False: nobody has said what it is.
    group
        Pairs of one group are held back together (the planes of one stack).
    role
        ``"train"``, ``"validation"`` (held back for scores), or ``"auto"``.
    diameter
        Typical size of the objects in pixels; measured from the labels if None.
    proposed
        How many of its objects are proposals of a model that nobody changed.
    proposed_inside
        How many of those lie whole inside each of `image_parts.windows`; empty where
        that is not known.
    channels, contrast, invert, joint
        How channels become RGB, where the file does not say it well: which give red,
        green and blue (None for black), the percentiles that become black and white,
        bright and dark swapped, and channels stretched alike or each by itself.
    """

    image: str
    labels: str
    name: str = ""
    complete: bool = False
    group: str | None = None
    role: Role = "auto"
    diameter: float | None = None
    channels: tuple[int | None, ...] | None = None
    contrast: tuple[float, ...] | None = None
    invert: bool = False
    joint: bool | None = None
    proposed: int = 0
    proposed_inside: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.role not in get_args(Role):
            raise SettingsError(
                f"The role of {self.title!r} is {self.role!r}; it must be 'auto', "
                "'train' or 'validation'."
            )
        if self.diameter is not None and not 1 <= self.diameter <= 10_000:
            raise SettingsError(
                f"The diameter of {self.title!r} is {self.diameter}; it must be the "
                "size of a typical object in pixels, from 1 to 10000, or null."
            )
        if len(self.proposed_inside) not in (0, PARTS):
            raise SettingsError(
                f"proposed_inside of {self.title!r} has {len(self.proposed_inside)} "
                f"numbers; it must have {PARTS}, one a part that could be held back, "
                "or be empty."
            )
        self.recipe  # noqa: B018  (refuses what cannot be one)

    @property
    def recipe(self) -> RgbRecipe | None:
        """How channels become RGB; None where the file is to say it."""
        return recipe_of(self.channels, self.contrast, self.invert, self.joint)

    @property
    def title(self) -> str:
        """What people see."""
        return self.name or Path(self.image).stem


def known_pairs(
    specs: Sequence[PairSpec], facts: Sequence[LabelFacts]
) -> tuple[list[AnnotatedSource], list[str]]:
    """Describe pairs that were looked through before; their files are not read.

    Returns
    -------
    sources, warnings
        As `read_pairs` would name them, and what it would say. Their files, which
        need not be there yet, are read and checked when the sources are.

    Raises
    ------
    DataError
        If there are none.
    """
    _check_any(specs)
    names: set[str] = set()
    sources, warnings = [], []
    labeled = [spec for spec in specs if spec.labels]
    warnings += _without_labels(specs)
    for spec, known in zip(labeled, facts, strict=True):
        name = _unique(spec.title, names)
        sources.append(_source(spec, name, known, partial(_read, spec, name)))
        warnings += _told(name, known, spec.complete)
    return sources, warnings + _few(sum(known.objects for known in facts))


def read_pairs(
    specs: Sequence[PairSpec],
) -> tuple[list[AnnotatedSource], list[str]]:
    """Read and check every pair.

    Returns
    -------
    sources, warnings
        The sources hold what was read, and know the facts. Warnings are sentences
        for people.

    Raises
    ------
    DataError
        If there are none, or one cannot be used; the message names it.
    """
    _check_any(specs)
    sources: list[AnnotatedSource] = []
    warnings: list[str] = []
    names: set[str] = set()
    total = 0
    warnings += _without_labels(specs)
    empty: DataError | None = None
    for spec in specs:
        if not spec.labels:
            continue
        name = _unique(spec.title, names)
        try:
            image = _read(spec, name)
        except EmptyLabelsError as error:
            empty = error
            warnings.append(f"{name}: {error} It is left out.")
            continue
        warnings += image.notes
        sources.append(_source(spec, name, image.facts, partial(_held, image)))
        warnings += _told(name, image.facts, spec.complete)
        total += len(image.objects)  # listed here once, and not for every crop
    if not sources:
        raise empty or _nothing_labeled(specs)
    return sources, warnings + _few(total)


def _source(
    spec: PairSpec, name: str, facts: LabelFacts, reader: Callable[[], Annotated]
) -> AnnotatedSource:
    """Make a source of two files; without a group each image is one of its own."""
    group = (facts.key or name) if spec.group is None else spec.group
    return AnnotatedSource(
        name,
        reader,
        spec.role,
        group,
        spec.complete,
        facts=facts,
        proposed=spec.proposed,
        proposed_inside=spec.proposed_inside,
    )


def _read(spec: PairSpec, name: str) -> Annotated:
    """Read and check the files of one pair."""
    from napari_gen2seg.io.formats.images import read_picture
    from napari_gen2seg.io.formats.labels import read_labels

    picture = read_picture(spec.image)
    image = check_pair(
        picture.plane(recipe=spec.recipe), read_labels(spec.labels), spec, name
    )[0]
    notes = picture.notes
    if is_constant(image.image):
        said = "it holds a single value, so that nothing can be learned from it."
        notes = (*notes, f"{name}: {said}")
    return replace(image, notes=notes)


def _held(image: Annotated) -> Annotated:
    return image


def _check_any(specs: Sequence[PairSpec]) -> None:
    if not specs:
        raise DataError(
            "There is nothing to learn from: no pair of picture and labels is given. "
            "Add at least one."
        )


def _without_labels(specs: Sequence[PairSpec]) -> list[str]:
    """Tell of the images that are left out."""
    return [
        f"{Path(spec.image).name}: it has no labels and is left out."
        for spec in specs
        if not spec.labels
    ]


def _nothing_labeled(specs: Sequence[PairSpec]) -> DataError:
    return DataError(
        f"None of the {len(specs)} pictures has labels; give at least one, with labels "
        "in a file of the same name."
    )


def _told(name: str, facts: LabelFacts, complete: bool) -> list[str]:
    return [f"{name}: {one}" for one in remarks(facts, complete)]


def _few(total: int) -> list[str]:
    """Warn of few objects in all."""
    if total >= FEW:
        return []
    are = "object is" if total == 1 else "objects are"
    told = (
        f"Only {total} {are} labeled in all. A dozen or more, of all sizes "
        "and looks, make a model that can be trusted."
    )
    return [told]


def check_pair(
    image: NDArray[Any],
    labels: NDArray[Any],
    spec: PairSpec | None = None,
    name: str = "",
) -> tuple[Annotated, list[str]]:
    """Check one pair that is in memory.

    Parameters
    ----------
    image
        (H, W) or (H, W, C).
    labels
        Whole numbers (H, W).
    spec
        How to understand them; by default unlabelled is unknown.
    name
        For messages.

    Raises
    ------
    DataError
        If they cannot be used.
    """
    spec = spec or PairSpec("", "")
    name = name or spec.title or "the picture"
    values = _check_labels(labels, name)
    if image.ndim not in (2, 3):
        raise DataError(
            f"The picture {name!r} has the shape {image.shape}; it must be one plane, "
            "(height, width) or (height, width, channels). Choose a plane of the stack."
        )
    if image.shape[:2] != values.shape:
        raise DataError(
            f"The picture {name!r} is {image.shape[:2]} pixels but its labels are "
            f"{values.shape}; they must be equal. Check that they belong together."
        )
    try:
        rgb = to_rgb(image)
    except ImageError as error:
        raise DataError(f"The picture {name!r} cannot be used: {error}") from error
    checked = Annotated(
        rgb,
        values if spec.complete else unlabeled_is_unknown(values),
        name=name,
        given_diameter=spec.diameter,
    )
    return checked, _told(name, checked.facts, spec.complete)


class EmptyLabelsError(DataError):
    """There is no object in these labels."""


def _check_labels(labels: NDArray[Any], name: str) -> Int32Array:
    values = as_labels(whole_numbers(labels, f"The labels of {name!r}"))
    if not (values > 0).any():
        raise EmptyLabelsError(
            f"The labels of {name!r} are empty: nothing in it is labeled. Label at "
            "least one object, or leave the pair out."
        )
    return values


def _unique(name: str, taken: set[str]) -> str:
    """Make a name usable for files, and the only one where upper case is lower case."""
    safe = "".join(c if c.isalnum() or c in "-_. ()[]+" else "_" for c in name).strip()
    safe = safe or "picture"
    chosen, number = safe, 2
    while chosen.casefold() in taken:
        chosen, number = f"{safe}-{number}", number + 1
    taken.add(chosen.casefold())
    return chosen
