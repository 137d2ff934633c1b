"""Annotated images in open layers: found, and not looked through yet."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_gen2seg.common.types import LabelArray
from napari_gen2seg.core.image.axes import PlaneAxes, read_plane
from napari_gen2seg.errors import DataError
from napari_gen2seg.gui.layers.marks import work_of
from napari_gen2seg.gui.layers.overlays import OBJECTS, find_layer, role_of, source_of
from napari_gen2seg.gui.layers.view import View, array_of, level_factors, level_shape
from napari_gen2seg.io.annotated import Annotated, AnnotatedSource, as_labels
from napari_gen2seg.io.label_facts import LabelFacts, different

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Labels, Layer

    from napari_gen2seg.gui.layers.view import ReadOptions


@dataclass(frozen=True, eq=False)
class TrainingCandidate:
    """An annotated image that could be trained on: a row of the page's table.

    What it is, and how it is read, its `source` knows. Beside that stands what only
    the page needs: which layers a click on the row finds, the labels among which a
    person chooses, and why a row cannot be used. So the two stay apart: the source
    goes to threads and to the run, the row stays in the window.

    Parameters
    ----------
    key
        The same when it is found again.
    source
        Reads image and labels, on any thread; its facts are None if the labels cannot
        be used, for the reason in ``problem``.
    drawn
        Name of the labels, for people.
    suggested
        Whether it is ticked unless a person says otherwise.
    layer_id, plane
        Where it comes from, if from a layer.
    labels_id
        The Labels layer, likewise.
    committed
        Whether it is one that the dock writes into.
    others
        Name and ``unique_id`` of further layers that the labels would fit.
    problem
        Why it cannot be used.
    """

    key: str
    source: AnnotatedSource
    drawn: str
    suggested: bool = True
    layer_id: str | None = None
    plane: View | None = None
    labels_id: str = ""
    committed: bool = False
    others: tuple[tuple[str, str], ...] = ()
    problem: str = ""

    @property
    def name(self) -> str:
        """Of the image, for people."""
        return self.source.title

    @property
    def facts(self) -> LabelFacts | None:
        """What is in the labels."""
        return self.source.facts


@dataclass(frozen=True, eq=False)
class LayerPair:
    """An image layer and a Labels layer of one size, not looked through yet.

    It makes the sources of its planes.
    """

    row: TrainingCandidate
    axes: tuple[int, int]  # of the labels
    view: View  # of the picture's first plane
    parts: tuple[tuple[Any, bool], ...]  # arrays of the colours, and whether RGB
    array: Any  # of the labels
    work: Path | None = None  # in a project, of objects whose origins are known

    def labels_at(self, index: tuple[int, ...]) -> LabelArray:
        """Read the labels of a plane, (H, W), at an index of the Labels layer."""
        return read_plane(self.array, PlaneAxes(*self.axes), index)

    def read(self, index: tuple[int, ...], labels: LabelArray) -> Annotated:
        """Read the image of a plane, beside labels of it that were read already."""
        plane = self._plane(index)
        parts = [plane.read(array, rgb) for array, rgb in self.parts]
        image = parts[0] if len(parts) == 1 else np.stack(parts, axis=-1)
        return Annotated(image, as_labels(labels))

    def at(self, index: tuple[int, ...], place: tuple[int, ...]) -> TrainingCandidate:
        """Return the row of a plane.

        Parameters
        ----------
        index
            Of the plane in the Labels layer.
        place
            Its part that tells planes apart; empty where there is only one.
        """

        def labels() -> LabelArray:
            return self.labels_at(index)

        def read() -> Annotated:
            return self.read(index, labels())

        where, name = ", ".join(map(str, place)), self.row.name
        source = replace(
            self.row.source,
            title=f"{name}, plane {where}" if place else name,
            reader=read,
            label_reader=labels,
            group=name if place else None,
        )
        return replace(
            self.row,
            key=f"{self.row.key}/{where}",
            source=source,
            plane=self._plane(index),
        )

    def _plane(self, index: tuple[int, ...]) -> View:
        return self.view.at((*([0] * self.view.first), *index))


def candidates(
    viewer: ViewerModel,
    options_of: Callable[[Image], ReadOptions],
    wanted: dict[str, str] | None = None,
) -> list[LayerPair]:
    """List Labels layers, each with the image layer it fits best; nothing is read.

    Parameters
    ----------
    viewer
        Where the layers are.
    options_of
        Tells how a layer is read.
    wanted
        ``unique_id`` of a Labels layer -> that of the picture a person gave it.
    """
    from napari.layers import Image

    layers = list(viewer.layers)
    images = [one for one in layers if isinstance(one, Image) and role_of(one) is None]
    options = {str(one.unique_id): options_of(one) for one in images}
    helpers = {partner for one in options.values() for partner in one.partners}
    wanted = wanted or {}
    found = []
    for at, labels in enumerate(layers):
        if not _can_be_learnt_from(labels):
            continue
        fitting = []
        for image in images:
            name = str(image.unique_id)
            if name in helpers:
                continue
            pair = _layer_pair(viewer, image, labels, options[name])
            own = source_of(labels) == name
            if pair.row.problem and not own and len(images) > 1:
                continue
            below = at - layers.index(image)
            rank = (
                wanted.get(str(labels.unique_id)) == name,
                not pair.row.problem,
                own,
                _same_place(image, labels, options[name]),
                len(_words(labels.name) & _words(image.name)),
                -below if below > 0 else -1000 + below,
            )
            fitting.append((rank, pair))
        if fitting:
            found.append(_best(fitting))
    return found


def _can_be_learnt_from(layer: Layer) -> bool:
    """Whether a layer holds labels of a person, at one size."""
    from napari.layers import Labels

    known = isinstance(layer, Labels) and role_of(layer) in (None, OBJECTS)
    return known and not layer.multiscale


def _best(fitting: list[tuple[tuple[Any, ...], LayerPair]]) -> LayerPair:
    """Return the pair of the highest rank, which names the others."""
    ranked = sorted(fitting, key=lambda one: one[0], reverse=True)
    best, *rest = [one for _, one in ranked]
    others = tuple((one.row.name, str(one.row.layer_id)) for one in rest)
    return replace(best, row=replace(best.row, others=others))


def _words(name: str) -> set[str]:
    """Return the words of a layer's name that may tell it from others."""
    return set(re.findall(r"[a-z]+|[0-9]+", name.lower()))


def _layer_pair(
    viewer: ViewerModel, image: Image, labels: Labels, options: ReadOptions
) -> LayerPair:
    first = 0 if options.channel_axis is None else 1
    shape = tuple(int(n) for n in labels.data.shape)
    levels = [options.level, *range(len(image.level_shapes))]
    fits = [n for n in levels if level_shape(image, n)[first:] == shape]
    problem = ""
    if not fits:
        size = level_shape(image, options.level)[first:]
        if len(size) == len(shape):
            problem = different(size, shape)
        else:
            problem = (
                f"The labels have {len(shape)} dimensions and the picture {len(size)}; "
                "they must be equal. Choose labels that were drawn on this picture."
            )
    level = fits[0] if fits else options.level
    others = [find_layer(viewer, partner) for partner in options.partners]
    if not problem and any(other is None for other in others):
        problem = "A layer chosen for a color of this picture is gone."
    parts = [image, *(other for other in others if other is not None)]
    name = str(image.unique_id)

    rows, cols = _axes(viewer, labels)

    def unread() -> Annotated:
        raise DataError(problem or "A plane must be chosen first.")

    row = TrainingCandidate(
        key=f"{name}/{labels.unique_id}",
        source=AnnotatedSource(
            image.name, unread, complete=False, recipe=options.color_recipe
        ),
        drawn=labels.name,
        suggested=not problem,
        layer_id=name,
        labels_id=str(labels.unique_id),
        committed=role_of(labels) == OBJECTS,
        problem=problem,
    )
    return LayerPair(
        row,
        (rows, cols),
        View.of(
            image,
            (rows + first, cols + first),
            (0,) * image.ndim,
            replace(options, level=level),
        ),
        tuple((array_of(one, level), one.rgb) for one in parts),
        array_of(labels, 0),
        work_of(image) if role_of(labels) == OBJECTS else None,
    )


def _axes(viewer: ViewerModel, labels: Labels) -> tuple[int, int]:
    """Return the axes of a Labels layer that are on screen, else its last two."""
    extra = viewer.dims.ndim - labels.ndim
    axes = sorted(axis - extra for axis in viewer.dims.displayed)
    if len(axes) != 2 or axes[0] < 0:
        axes = [labels.ndim - 2, labels.ndim - 1]
    return axes[0], axes[1]


def _same_place(image: Image, labels: Labels, options: ReadOptions) -> bool:
    """Whether two layers lie over each other in the world."""
    first = 0 if options.channel_axis is None else 1
    if image.ndim - first != labels.ndim:
        return False
    level = min(options.level, len(image.level_shapes) - 1)
    factors = level_factors(image, level)
    for corner in (np.zeros(labels.ndim), np.asarray(labels.data.shape) - 1.0):
        at = np.concatenate([np.zeros(first), corner])
        here = np.asarray(image.data_to_world((at + 0.5) * factors - 0.5))[first:]
        there = np.asarray(labels.data_to_world(corner))
        if np.abs(here - there).max() > 1e-3 * max(1.0, np.abs(here).max()):
            return False
    return True
