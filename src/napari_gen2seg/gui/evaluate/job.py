"""Evaluation of open layers: the command line's, on planes in place of files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_gen2seg.core.image.rgb import to_rgb
from napari_gen2seg.errors import DataError, Gen2SegError
from napari_gen2seg.gui.layers.source import guess_options
from napari_gen2seg.gui.layers.view import array_of, level_shape, view_on_screen
from napari_gen2seg.io.annotated import Annotated, AnnotatedSource, Dataset, as_labels

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Labels

    from napari_gen2seg.gui.layers.view import View
    from napari_gen2seg.session import Choice, ModelHost, Ticket
    from napari_gen2seg.workflows.evaluate import Report


@dataclass(frozen=True, eq=False)
class Task:
    """What is to be measured.

    Attributes
    ----------
    gather
        Finds the planes; called where work may take its time.
    choice
        Model and device.
    protocol
        ``"clicks"``, ``"proposals"``, ``"edges"`` or ``"all"``.
    """

    gather: Callable[[], Dataset]
    choice: Choice
    protocol: Any


def planes_of(
    viewer: ViewerModel, image: Image, truth: Labels, every: bool = False
) -> Callable[[], Dataset]:
    """Pair the plane in view, or every labeled plane, with its truth.

    What is in view is read here, pixels when the function returned is called.

    Parameters
    ----------
    viewer
        Tells which plane is in view.
    image, truth
        The layers; their pixels must lie over each other one to one.
    every
        All planes of a stack that have an object.

    Raises
    ------
    DataError, ImageError
        If they do not fit (or, from the function, nothing is labelled).
    """
    known = view_on_screen(viewer, truth)
    options = guess_options(image)
    level = _level_of(image, options.channel_axis, truth, known)
    seen = view_on_screen(viewer, image, replace(options, level=level))
    if seen.shape != known.shape:
        raise DataError(
            f"{image.name!r} is {seen.shape} pixels but {truth.name!r} "
            f"{known.shape}; they must be equal. Choose the labels of this picture."
        )
    places = _places(truth, known, seen) if every else [known.index]
    pixels, labels, rgb = array_of(image, level), array_of(truth, 0), image.rgb
    name, of = image.name, truth.name

    def gather() -> Dataset:
        items = []
        for place in places:
            numbers = known.at(place).read(labels)
            if not (numbers > 0).any():
                continue
            at = seen.at((0,) * seen.first + place) if every else seen
            title = ",".join(
                str(n) for axis, n in enumerate(place) if axis not in known.axes
            )
            reader = _Reader(pixels, at, rgb, numbers)
            items.append(AnnotatedSource(title or "plane", reader))
        if not items:
            raise DataError(
                f"{of!r} has no objects {'on any plane' if every else 'here'}; label "
                "some, or choose another layer or plane."
            )
        return Dataset(f"{name} with {of}", tuple(items))

    return gather


def has_planes(truth: Labels | None) -> bool:
    """Tell whether there are more planes than the one in view."""
    return truth is not None and int(np.prod(truth.data.shape[:-2])) > 1


def run(task: Task, host: ModelHost, ticket: Ticket) -> Report:
    """Load the model, measure, and say how far it is.

    Raises
    ------
    Gen2SegError
        Whatever is wrong with data or model, or Cancelled.
    """
    from napari_gen2seg.workflows.evaluate import (
        Finished,
        PictureDone,
        PictureSkipped,
        iter_evaluate,
    )

    def cancel() -> bool:
        return ticket.cancelled

    ticket.progress(None, "Reading the labels")
    data = task.gather()
    count, done = len(data), 0

    def progress(fraction: float | None, text: str) -> None:
        # Clicking and matching take the second half of a picture's time.
        ticket.progress((done + 0.5 * (fraction or 0.0)) / count, text)

    ticket.progress(None, "Loading the model")
    colorer = host.colorer(
        task.choice, lambda _, text: ticket.progress(None, text), cancel
    )
    try:
        for event in iter_evaluate(
            data, colorer, task.protocol, progress=progress, cancel=cancel
        ):
            if isinstance(event, PictureDone | PictureSkipped):
                done = event.number
                ticket.progress(done / count, f"{done} of {count} done")
            elif isinstance(event, Finished):
                return event.report
    finally:
        colorer.unload()
    raise Gen2SegError("The evaluation ended without a report. Run it again.")


@dataclass(frozen=True, eq=False)
class _Reader:
    """Reads one plane of an image; its labels are here already."""

    pixels: Any
    view: View
    rgb: bool
    labels: npt.NDArray[Any]

    def __call__(self) -> Annotated:
        image = to_rgb(self.view.read(self.pixels, self.rgb), self.view.recipe)
        return Annotated(image, as_labels(self.labels))


def _level_of(
    image: Image, channel_axis: int | None, truth: Labels, known: View
) -> int:
    """Return the pyramid level on which the truth was drawn; 0 if there is none."""
    first = 0 if channel_axis is None else 1
    for level in range(len(image.level_shapes)):
        shape = level_shape(image, level)[first:]
        if shape == level_shape(truth) or shape[-2:] == known.shape:
            return level
    return 0


def _places(truth: Labels, known: View, seen: View) -> list[tuple[int, ...]]:
    """Return where on the truth's axes planes are."""
    if seen.ndim != known.ndim:
        raise DataError(
            "Every plane can only be measured where picture and labels have the same "
            f"axes; here they have {seen.ndim} and {known.ndim}. Measure one plane."
        )
    sizes = [
        1 if axis in known.axes else size for axis, size in enumerate(truth.data.shape)
    ]
    return [tuple(int(i) for i in place) for place in np.ndindex(*sizes)]
