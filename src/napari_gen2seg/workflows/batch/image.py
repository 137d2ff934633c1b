"""One image of a batch, from its pixels to its labels and the record beside them."""

from __future__ import annotations

import shutil
import time
from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from napari_gen2seg.common.atomic import replacing_folder
from napari_gen2seg.core.image.axes import Index
from napari_gen2seg.io.formats.label_file import LabelFile
from napari_gen2seg.io.formats.omezarr_labels import (
    LabelStore,
    missing_chunks,
    scale_of,
)
from napari_gen2seg.workflows.batch.inputs import BatchImage
from napari_gen2seg.workflows.batch.linking import Labels, link_planes
from napari_gen2seg.workflows.batch.record import output_key, write_record
from napari_gen2seg.workflows.batch.settings import BatchSettings
from napari_gen2seg.workflows.running.model import ModelSource
from napari_gen2seg.workflows.running.runner import Runner
from napari_gen2seg.workflows.tiled import FileSource, find_planes, plan_tiles
from napari_gen2seg.workflows.tiled import plane as plane_files
from napari_gen2seg.workflows.tiled import source as source_files
from napari_gen2seg.workflows.tiled.looking import LookSettings
from napari_gen2seg.workflows.tiled.plane import FoundPlane
from napari_gen2seg.workflows.tiled.planning import TilePlan


@dataclass(frozen=True)
class ImageTask:
    """What is to be done with an image; a value that travels to other processes.

    Attributes
    ----------
    image
        Which.
    source
        Its pixels.
    settings
        What is wanted.
    model
        Gives the model.
    facts
        Of the record: the key and what it was made from.
    scratch
        A folder for what is found before it is complete.
    """

    image: BatchImage
    source: FileSource
    settings: BatchSettings
    model: ModelSource
    facts: dict[str, Any]
    scratch: Path

    @property
    def is_small(self) -> bool:
        """Whether one process does it best alone: a single plane in one look."""
        layout, look = self.source.layout, self.settings.look
        one = int(np.prod(layout.planes, dtype=int)) == 1
        return one and not look.in_tiles(layout.shape)


@dataclass(frozen=True)
class ImageResult:
    """What became of an image.

    Attributes
    ----------
    objects, planes
        How many.
    notes
        What somebody should be told.
    """

    objects: int
    planes: int
    notes: tuple[str, ...] = ()


def segment_image(
    task: ImageTask, runner: Runner
) -> Generator[tuple[float, str], None, ImageResult]:
    """Find all objects of an image and write their labels.

    Yields
    ------
    tuple
        How much is done, 0..1, and a sentence.

    Returns
    -------
    ImageResult
        What was found.

    Raises
    ------
    Gen2SegError
        If it cannot be read, looked at or written. What was found until then is kept in
        the scratch folder.
    """
    began = time.monotonic()
    image, source, look = task.image, task.source, task.settings.look
    notes = list(source.file.notes)
    if image.is_zarr:
        told = missing_chunks(source.file.pixels)
        notes += [f"{image.name}: {told}"] if told else []
    layout = source.layout
    plan = runner.call(_plan, source, task.model, look)
    yield 0.0, plan.text
    planes = [tuple(int(n) for n in place) for place in np.ndindex(layout.planes)]
    folders = [task.scratch / f"plane-{number}" for number in range(len(planes))]
    tiles = len(plan.grid)
    steps = find_planes(source, planes, plan, task.model, look, folders, runner)
    while True:
        try:
            done = next(steps)
        except StopIteration as end:
            counts: list[int] = end.value
            break
        yield 0.95 * done / (tiles * len(planes)), _where(done, tiles, len(planes))
    labels = _gather(task, plan, planes, counts, runner)
    objects = sum(counts)
    if task.settings.link is not None and len(planes) > 1:
        yield 0.95, "linking"
        objects = link_planes(labels, task.settings.link)
    write_record(image, {"state": "begun", **task.facts})
    _put(task, labels)
    facts = {
        "state": "done",
        **task.facts,
        "image": str(image.source),
        "labels": image.target.name,
        "objects": objects,
        "planes": len(planes),
        "looked_at": plan.text,
        "axes": layout.letters.replace("C", ""),
        "notes": notes,
        "seconds": round(time.monotonic() - began, 2),
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "program": f"napari-gen2seg {version('napari-gen2seg')}",
        "output": output_key(image.target),
    }
    write_record(image, facts)
    shutil.rmtree(task.scratch, ignore_errors=True)
    plane_files.forget()
    source_files.forget()
    return ImageResult(objects, len(planes), tuple(notes))


def _plan(source: FileSource, model: ModelSource, look: LookSettings) -> TilePlan:
    return plan_tiles(source, model.colorer(), look)


def _where(done: int, tiles: int, planes: int) -> str:
    if tiles == 1:
        return f"plane {done} of {planes}" if planes > 1 else "looked at"
    plane, tile = divmod(done - 1, tiles)
    said = f"plane {plane + 1} of {planes}, " if planes > 1 else ""
    return f"{said}tile {tile + 1} of {tiles}"


def _gather(
    task: ImageTask,
    plan: TilePlan,
    planes: list[Index],
    counts: list[int],
    runner: Runner,
) -> Labels:
    """Write the labels of all planes into the scratch folder, numbered through."""
    layout = task.source.layout
    labels: Labels
    if task.image.is_zarr:
        folder = task.scratch / "labels.zarr"
        shutil.rmtree(folder, ignore_errors=True)
        of_zarr = scale_of(task.image.source, "").version
        chunk = plan.chunk if plan.tiled else 1024
        labels = LabelStore.create(folder, layout, chunk, of_zarr)
    else:
        labels = LabelFile.create(task.scratch / "labels.npy", layout)
    before = np.concatenate([[0], np.cumsum(counts)])
    calls = [
        (
            FoundPlane(task.scratch / f"plane-{number}", plan.grid),
            tile,
            labels,
            plane,
            int(before[number]),
        )
        for number, plane in enumerate(planes)
        for tile in range(len(plan.grid))
    ]
    if isinstance(labels, LabelStore):
        for _ in runner.each(_paint, calls):
            pass
    else:  # a file of which no two processes may write a part
        for call in calls:
            _paint(*call)
    return labels


def _paint(
    found: FoundPlane, number: int, labels: Labels, plane: Index, before: int
) -> None:
    core = found.core(number)
    if not core.any():
        return
    core = np.where(core > 0, core + np.int32(before), 0)
    window = found.grid.tiles[number].core_slices
    labels.write(plane, core, window)


def _put(task: ImageTask, labels: Labels) -> None:
    """Give labels that are complete their name."""
    target = task.image.target
    target.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(labels, LabelFile):
        labels.save(target)
        return
    labels.finish(task.image.source)
    with replacing_folder(target) as draft:
        labels.folder.rename(draft)
