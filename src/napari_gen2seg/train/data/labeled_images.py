"""Labelled pictures for fine-tuning: read, checked, and told what is wrong (no torch).

In the labels of a `Pair` 0 is background, -1 is unknown, objects count from 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_gen2seg.common.types import Int32Array
from napari_gen2seg.core.image.rgb import rgb_key, to_rgb
from napari_gen2seg.core.map.object_size import typical_size
from napari_gen2seg.errors import DataError, ImageError, SettingsError, StorageError
from napari_gen2seg.io.annotated import as_labels
from napari_gen2seg.train.data.label_checks import (
    FEW,
    PairFacts,
    look_through,
    remarks,
)

Role = Literal["auto", "train", "validation"]


@dataclass(frozen=True)
class PairSpec:
    """One picture and its labels, as files that a run can come back to.

    It stands in the settings of a run, on disk: what is read from it is a `Pair`.

    Attributes
    ----------
    image, labels
        Files (TIFF, PNG or NPY) of one plane each: (H, W) or (H, W, 3), and whole
        numbers (H, W), 0 where nothing is labelled, -1 where nothing is known.
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
    """

    image: str
    labels: str
    name: str = ""
    complete: bool = False
    group: str | None = None
    role: Role = "auto"
    diameter: float | None = None

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

    @property
    def title(self) -> str:
        """What people see."""
        return self.name or Path(self.image).stem


@dataclass(frozen=True, eq=False)
class Pair:
    """A picture as the model sees it, and what is known about it.

    Attributes
    ----------
    name
        For people and file names.
    rgb
        float32 (H, W, 3), 0..1: the whole picture, stretched as at inference.
    labels
        int32 (H, W); 0 background, -1 unknown.
    diameter
        Typical diameter of the objects in pixels.
    group
        Pairs of one group share content.
    role
        ``"auto"``, ``"train"`` or ``"validation"``.
    """

    name: str
    rgb: NDArray[np.float32]
    labels: Int32Array
    diameter: float
    group: str
    role: str = "auto"

    @cached_property  # asked for every crop, and slow for a large picture
    def objects(self) -> NDArray[np.int64]:
        """The labels of the objects, rising."""
        found = np.unique(self.labels)
        return found[found > 0].astype(np.int64)

    @cached_property
    def key(self) -> str:
        """Names the picture by its content, in other runs too."""
        return rgb_key(self.rgb)

    @cached_property
    def facts(self) -> PairFacts:
        """What is in its labels."""
        return replace(look_through(self.labels), key=self.key)

    def relabeled(self, labels: Int32Array) -> Pair:
        """Return the same picture with other labels."""
        return replace(self, labels=labels)


@dataclass(frozen=True)
class KnownPair:
    """A labelled picture of which facts are known and no pixels: enough for a plan.

    Attributes
    ----------
    name, group, role
        As of a `Pair`.
    facts
        What is in its labels.
    """

    name: str
    group: str
    role: str
    facts: PairFacts


def known_pairs(
    specs: Sequence[PairSpec], facts: Sequence[PairFacts]
) -> tuple[list[KnownPair], list[str]]:
    """Describe pairs that were looked through before; their files are not read.

    Returns
    -------
    pairs, warnings
        As `read_pairs` would name them, and what it would say.

    Raises
    ------
    DataError
        If there are none.
    """
    _check_any(specs)
    names: set[str] = set()
    pairs, warnings = [], []
    for spec, known in zip(specs, facts, strict=True):
        name = _unique(spec.title, names)
        group = known.key if spec.group is None else spec.group
        pairs.append(KnownPair(name, group, spec.role, known))
        warnings += _told(name, known, spec.complete)
    return pairs, warnings + _few(sum(pair.facts.objects for pair in pairs))


def read_pairs(specs: tuple[PairSpec, ...]) -> tuple[list[Pair], list[str]]:
    """Read and check every pair.

    Returns
    -------
    pairs, warnings
        Warnings are sentences for people.

    Raises
    ------
    DataError
        If there are none, or one cannot be used; the message names it.
    """
    _check_any(specs)
    pairs: list[Pair] = []
    warnings: list[str] = []
    names: set[str] = set()
    for spec in specs:
        name = _unique(spec.title, names)
        pair, told = check_pair(
            read_plane(spec.image), read_plane(spec.labels, True), spec, name
        )
        pairs.append(pair)
        warnings += told
    # Their objects are listed here once, and not for every crop.
    return pairs, warnings + _few(sum(len(pair.objects) for pair in pairs))


def _check_any(specs: Sequence[PairSpec]) -> None:
    if not specs:
        raise DataError(
            "There is nothing to learn from: no pair of picture and labels is given. "
            "Add at least one."
        )


def _told(name: str, facts: PairFacts, complete: bool) -> list[str]:
    return [f"{name}: {one}" for one in remarks(facts, complete)]


def _few(total: int) -> list[str]:
    """Warn of few objects in all."""
    if total >= FEW:
        return []
    are = "object is" if total == 1 else "objects are"
    told = (
        f"Only {total} {are} labelled in all. A dozen or more, of all sizes "
        "and looks, make a model that can be trusted."
    )
    return [told]


def read_plane(path: str | Path, numbers: bool = False) -> NDArray[Any]:
    """Read a file of one plane: NPY, TIFF, PNG and the like.

    Parameters
    ----------
    path
        The file.
    numbers
        Whether its values are numbers: then an indexed PNG gives its index.

    Raises
    ------
    StorageError, ImageError
        If it cannot be read, or holds several planes.
    """
    file = Path(path).expanduser()
    if file.suffix.lower() != ".npy":
        from napari_gen2seg.io.formats.images import (
            plane_of,
            read_numbers,
            read_picture,
        )

        array = read_numbers(file) if numbers else plane_of(read_picture(file))
    else:
        try:
            array = np.load(file, allow_pickle=False)
        except (OSError, ValueError) as error:
            raise StorageError(f"{file} cannot be read: {error}.") from error
    while array.ndim > 2 and array.shape[0] == 1:
        array = array[0]
    return array


def check_pair(
    image: NDArray[Any],
    labels: NDArray[Any],
    spec: PairSpec | None = None,
    name: str = "",
) -> tuple[Pair, list[str]]:
    """Check one pair that is in memory.

    Parameters
    ----------
    image
        (H, W) or (H, W, 3 or 4).
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
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[-1] > 4):
        raise DataError(
            f"The picture {name!r} has the shape {image.shape}; it must be one plane, "
            "(height, width) or (height, width, 3). Choose a plane of the stack."
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
    pair = Pair(
        name,
        rgb,
        values if spec.complete else np.where(values == 0, -1, values).astype(np.int32),
        spec.diameter or typical_size(values),
        spec.group if spec.group is not None else rgb_key(rgb),
        spec.role,
    )
    return pair, _told(name, pair.facts, spec.complete)


def _check_labels(labels: NDArray[Any], name: str) -> Int32Array:
    if labels.ndim != 2 or labels.dtype.kind not in "bui":
        raise DataError(
            f"The labels of {name!r} have the shape {labels.shape} and the type "
            f"{labels.dtype}; they must be one plane of whole numbers, a number for "
            "each object and 0 elsewhere."
        )
    values = as_labels(labels)
    if not (values > 0).any():
        raise DataError(
            f"The labels of {name!r} are empty: nothing in it is labelled. Label at "
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
