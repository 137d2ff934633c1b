"""An image, a model and clicks in; labels out.

The generator tells every step as an event, so that the command line prints them,
a window shows them, and `segment` keeps the result.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_gen2seg.common.arguments import checked_arguments
from napari_gen2seg.common.progress import Cancel, Progress, check_cancel
from napari_gen2seg.common.types import Int32Array
from napari_gen2seg.core.image.axes import Axes, Index
from napari_gen2seg.core.image.rgb import RgbRecipe, to_rgb
from napari_gen2seg.core.proposal_settings import ProposalSettings
from napari_gen2seg.models.probes import chosen_probe, propose
from napari_gen2seg.workflows.loaded_model import loaded_model
from napari_gen2seg.workflows.running.model import LoadedModel
from napari_gen2seg.workflows.running.runner import InProcess
from napari_gen2seg.workflows.segment.clicks import Click, by_plane
from napari_gen2seg.workflows.segment.events import (
    Event,
    Finished,
    ModelReady,
    ObjectFound,
    PlaneColored,
    PlaneTiled,
)
from napari_gen2seg.workflows.segment.label_sink import (
    LabelSink,
    check_fits,
    check_sink,
)
from napari_gen2seg.workflows.tiled import (
    ArraySource,
    FoundPlane,
    LookSettings,
    find_plane,
    forget,
    plan_tiles,
)

if TYPE_CHECKING:
    from napari_gen2seg.core.coloring import Coloring
    from napari_gen2seg.core.learned_probe.probe import Probe
    from napari_gen2seg.core.probe.prober import ProbeSettings
    from napari_gen2seg.models.colorer import Colorer


@dataclass(frozen=True, eq=False)
class Segmentation:
    """What `segment` returns.

    Parameters
    ----------
    labels
        int32, the array's axes without channels; 0 is background. What was given as
        ``labels_out``, if it was.
    colorings
        The colouring map of every plane that was coloured; none if they were not to be
        kept.
    objects
        One entry for each clicked object, in the order of their numbers.
    """

    labels: Any
    colorings: tuple[PlaneColored, ...] = ()
    objects: tuple[ObjectFound, ...] = ()


@checked_arguments(Colorer="napari_gen2seg.models.colorer")
def segment(
    array: Any,
    model: Colorer | str | Path = "mini",
    axes: str | None = None,
    clicks: Sequence[Click | tuple[float, float]] | None = None,
    *,
    keep_colorings: bool = True,
    **options: Any,
) -> Segmentation:
    """Segment an image or a stack, plane by plane.

    Takes what `iter_segment` takes and keeps what it tells.

    Parameters
    ----------
    array, model, axes, clicks, **options
        As for `iter_segment`.
    keep_colorings
        Whether to return the colouring maps. For a long stack say no, and give
        ``labels_out``: memory then does not grow with it.

    Returns
    -------
    Segmentation
        Labels, colouring maps and masks.
    """
    colorings: list[PlaneColored] = []
    objects: list[ObjectFound] = []
    labels: Any = None
    for event in iter_segment(array, model, axes, clicks, **options):
        if isinstance(event, PlaneColored):
            if keep_colorings:
                colorings.append(event)
        elif isinstance(event, ObjectFound):
            objects.append(event)
        elif isinstance(event, Finished):
            labels = event.labels
    return Segmentation(labels, tuple(colorings), tuple(objects))


@checked_arguments(
    ProbeSettings="napari_gen2seg.core.probe.settings",
    ProposalSettings="napari_gen2seg.core.candidates",
    Colorer="napari_gen2seg.models.colorer",
)
def iter_segment(
    array: Any,
    model: Colorer | str | Path = "mini",
    axes: str | None = None,
    clicks: Sequence[Click | tuple[float, float]] | None = None,
    *,
    settings: ProbeSettings | None = None,
    method: str | None = None,
    proposals: ProposalSettings | None = None,
    recipe: RgbRecipe | None = None,
    resolution: int | None = None,
    passes: int = 1,
    device: str = "auto",
    dtype: str = "auto",
    tile: int | None = None,
    overlap: int | None = None,
    labels_out: LabelSink | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Iterator[Event]:
    """Segment an image or a stack, telling every step.

    Parameters
    ----------
    array
        numpy, dask or zarr; read one plane at a time. uint8, uint16 or float.
    model
        A loaded model, or what `load_model` takes (loaded and unloaded here).
    axes
        A letter for each dimension: ``Y``, ``X``, ``C`` for channels, any other for
        planes, such as ``"ZYX"``. By default the last two are Y and X, or the last
        three Y, X, C where the last has length 3 or 4.
    clicks
        `Click` values, or (row, column) pairs, which all keep object 1. Planes
        without a click are left alone. None proposes all objects of every plane.
    settings, proposals
        How clicks become masks; how objects are proposed.
    method
        Which probe answers clicks, and draws the outlines of proposals:
        ``"similarity"``, ``"learned"``, or None for the default: learned where it was
        measured on the maps of the model. ``Mask.method`` says which did.
    recipe
        How channels become the RGB that the model sees.
    resolution
        Longer side in pixels at which the model works.
    passes
        1, 2 or 4; see `Colorer.color`.
    device, dtype
        As for `load_model`, where the model is loaded here.
    tile, overlap
        Where no clicks are given: side in pixels of what is looked at at once, and by
        how much tiles overlap. By default planes with a side of more than 2048 pixels
        are looked at in tiles that fit the size of their objects; 0 looks at every
        plane as a whole. A plane in tiles has no colouring map of its own.
    labels_out
        Where the labels go, plane by plane: a zarr or memory-mapped array of zeros, of
        the array's shape without channels and a type of whole numbers. Planes without a
        click are not written. By default an int32 array in memory.
    progress, cancel
        Called while a model loads or a plane is coloured; asked between steps.

    Yields
    ------
    ModelReady, PlaneColored, PlaneTiled, ObjectFound, Finished
        In this order; the middle ones for every plane: its map and what was clicked,
        or its tiles.

    Raises
    ------
    ImageError
        If the array or its axes cannot be used, or ``labels_out`` cannot hold the
        labels.
    PromptError
        If a click is outside its plane or the array, or an object has only
        negative clicks.
    Cancelled
        If ``cancel`` said so.
    """
    layout = Axes.of(array, axes)
    labels = (
        np.zeros(layout.labels_shape, np.int32) if labels_out is None else labels_out
    )
    most, highest = check_sink(labels, layout), 0
    wanted = None if clicks is None else by_plane(clicks, layout)
    with loaded_model(model, device, dtype, progress, cancel) as colorer:
        yield ModelReady(colorer.spec.id, colorer.device, colorer.dtype, colorer.reason)
        planes = list(np.ndindex(layout.planes)) if wanted is None else list(wanted)
        look = LookSettings(
            proposals or ProposalSettings(),
            recipe,
            resolution,
            passes,
            tile,
            overlap,
            method,
        )
        if wanted is None and look.in_tiles(layout.shape):
            source = ArraySource(array, layout)
            yield from _in_tiles(source, planes, colorer, look, labels, most, cancel)
            yield Finished(labels)
            return
        for number, plane in enumerate(planes, 1):
            check_cancel(cancel, "Segmenting")
            rgb = to_rgb(layout.read(array, plane), recipe)
            coloring = colorer.color(
                rgb, resolution, passes=passes, progress=progress, cancel=cancel
            )
            yield PlaneColored(plane, coloring, number, len(planes))
            if wanted is None:
                found = propose(coloring, proposals, method, cancel)
                found[found > 0] += highest
                highest = max(highest, int(found.max()))
            else:
                found = np.zeros(layout.shape, np.int32)
                probe = chosen_probe(coloring, method)
                for label, group in sorted(wanted[plane].items()):
                    yield _one_object(
                        coloring, plane, label, group, probe, settings, found
                    )
                    highest = max(highest, label)
            check_fits(highest, most)
            layout.write(labels, plane, found)
        yield Finished(labels)


def _in_tiles(
    source: ArraySource,
    planes: list[Index],
    colorer: Colorer,
    look: LookSettings,
    labels: LabelSink,
    most: int,
    cancel: Cancel | None,
) -> Iterator[PlaneTiled]:
    """Propose all objects of planes that are too large for one look."""
    runner, model = InProcess(cancel), LoadedModel(colorer)
    plan = plan_tiles(source, colorer, look)
    before, count = 0, len(plan.grid)
    for plane in planes:
        yield PlaneTiled(plane, plan.text, 0, count)
        with TemporaryDirectory(prefix="napari-gen2seg-") as folder:
            steps = find_plane(source, plane, plan, model, look, Path(folder), runner)
            found = FoundPlane(Path(folder), plan.grid)
            while True:
                try:
                    yield PlaneTiled(plane, plan.text, next(steps), count)
                except StopIteration as end:
                    objects = int(end.value)
                    break
            check_fits(before + objects, most)
            for tile in plan.grid.tiles:
                core = found.core(tile.number)
                core = np.where(core > 0, core + np.int32(before), 0)
                source.layout.write(labels, plane, core, tile.core_slices)
        forget()
        before += objects


def _one_object(
    coloring: Coloring,
    plane: Index,
    label: int,
    clicks: list[Click],
    probe: Probe | None,
    settings: ProbeSettings | None,
    labels: Int32Array,
) -> ObjectFound:
    """Probe one object and write it where nothing is yet in the plane's labels."""
    points = [(click.row, click.column) for click in clicks]
    signs = [click.sign for click in clicks]
    insisted = [click.insisted for click in clicks]
    if probe is not None:
        mask = probe.mask(coloring, points, signs, settings, insisted=insisted)
    else:
        mask = coloring.probe(points, signs, settings, insisted=insisted)
    crop, (row, column) = mask.window()
    target = labels[row : row + crop.shape[0], column : column + crop.shape[1]]
    free = crop & (target == 0)
    target[free] = label
    wanted = [(click.row, click.column) for click in clicks if click.sign > 0]
    missed = coloring.on_background(wanted)
    beside = tuple(point for point, off in zip(wanted, missed, strict=True) if off)
    return ObjectFound(plane, label, mask, int(np.count_nonzero(free)), beside)
