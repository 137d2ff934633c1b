"""All images of a batch, one after the other or on the workers of a cluster."""

from __future__ import annotations

import shutil
import time
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from napari_gen2seg.common.arguments import checked_arguments
from napari_gen2seg.common.progress import Cancel, check_cancel
from napari_gen2seg.core.image.rgb import RgbRecipe
from napari_gen2seg.core.linking import LinkSettings
from napari_gen2seg.core.proposal_settings import ProposalSettings
from napari_gen2seg.errors import (
    Cancelled,
    ClusterError,
    DiskFullError,
    InUseError,
    ModelError,
    StorageError,
)
from napari_gen2seg.io.identity import ImageIdentity, content_key
from napari_gen2seg.workflows.batch.events import (
    BatchDone,
    BatchEvent,
    BatchStarted,
    ImageDone,
    ImageFailed,
    ImageProgress,
    ImageSkipped,
)
from napari_gen2seg.workflows.batch.image import ImageResult, ImageTask, segment_image
from napari_gen2seg.workflows.batch.inputs import BatchImage, images_of
from napari_gen2seg.workflows.batch.record import Earlier, key_of
from napari_gen2seg.workflows.batch.settings import BatchSettings
from napari_gen2seg.workflows.running.model import (
    LoadedModel,
    ModelChoice,
    ModelSource,
)
from napari_gen2seg.workflows.running.runner import InProcess, Runner
from napari_gen2seg.workflows.tiled import FileSource, LookSettings

if TYPE_CHECKING:
    from napari_gen2seg.models.colorer import Colorer

SCRATCH = ".gen2seg-batch"
"""Folder in the output for what is not complete yet."""

_TROUBLE = (
    ValueError,
    OSError,
    RuntimeError,
    MemoryError,
    ArithmeticError,
    LookupError,
)


@checked_arguments(
    Colorer="napari_gen2seg.models.colorer",
    left=("inputs",),
)
def batch(
    inputs: str | Path | Iterable[str | Path],
    out: str | Path,
    model: Colorer | ModelSource | str | Path = "mini",
    axes: str | None = None,
    *,
    proposals: ProposalSettings | None = None,
    recipe: RgbRecipe | None = None,
    resolution: int | None = None,
    passes: int = 1,
    tile: int | None = None,
    overlap: int | None = None,
    method: str | None = None,
    series: int | None = None,
    link: LinkSettings | None = None,
    overwrite: bool = False,
    workers: int = 1,
    scheduler: str | None = None,
    cancel: Cancel | None = None,
) -> Iterator[BatchEvent]:
    """Find all objects of many images, telling every step.

    Labels are TIFF, and OME-Zarr for OME-Zarr; beside each lies a JSON that says what
    it was made of. An image whose labels are there already, made of the same image,
    model and settings, is passed over: what was interrupted goes on where it was.

    Parameters
    ----------
    inputs
        Image files, folders of images, OME-Zarr, patterns; one or several.
    out
        Folder for the labels.
    model
        A loaded model, or what `load_model` takes, or a
        `workflows.running.model.ModelChoice`, which says on which device too.
    axes, series
        Where files name them wrongly, or hold several images; as for `iter_segment`
        and ``--series``.
    proposals, recipe, resolution, passes
        As for `iter_segment`.
    tile, overlap
        Side of what is looked at at once, and how far tiles overlap, in pixels. By
        default images with a side of more than 2048 pixels are looked at in tiles that
        fit the size of the objects; 0 looks at every plane as a whole.
    method
        As for `iter_segment`: who draws the outlines.
    link
        How objects get one number through z and time; None leaves each plane its own.
    overwrite
        Replace labels that are there and are not as a batch left them.
    workers
        How many processes of this computer do the work; with more than one, through
        dask.distributed. The model is then named, not loaded.
    scheduler
        Address of a scheduler of dask.distributed whose workers do the work, or its
        scheduler file. They must see the same files.
    cancel
        Asked between tiles; what is done stays.

    Yields
    ------
    BatchStarted, ImageSkipped, ImageProgress, ImageDone, ImageFailed, BatchDone
        In this order; the middle four for each image.

    Raises
    ------
    StorageError, DataError
        If an input is not there, or there is no image.
    InUseError
        If another batch writes to the same folder.
    DiskFullError
        If the disk is full: nothing more is tried.
    ModelError, ClusterError
        If the model cannot be loaded, or workers cannot be reached.
    Cancelled
        If ``cancel`` said so.
    """
    began = time.monotonic()
    folder = Path(out).expanduser()
    look = LookSettings(
        proposals or ProposalSettings(),
        recipe,
        resolution,
        passes,
        tile,
        overlap,
        method,
    )
    settings = BatchSettings(look, axes, series, link)
    images = images_of(inputs, folder)
    source = _model_source(model)
    _make(folder / SCRATCH)
    lock = FileLock(folder / SCRATCH / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise InUseError(
            f"Another batch is writing to {folder}; wait for it, or name another "
            "folder."
        ) from error
    try:
        failed = yield from _run(
            images,
            folder,
            source,
            settings,
            overwrite,
            (workers, scheduler),
            cancel,
            began,
        )
    except BaseException:
        lock.release()
        raise
    lock.release()
    if not failed:  # what was found of an image that failed waits for the next try
        shutil.rmtree(folder / SCRATCH, ignore_errors=True)


def _run(
    images: tuple[BatchImage, ...],
    folder: Path,
    model: ModelSource,
    settings: BatchSettings,
    overwrite: bool,
    who: tuple[int, str | None],
    cancel: Cancel | None,
    began: float,
) -> Generator[BatchEvent, None, int]:
    """Do all images; return how many failed."""
    count = len(images)
    yield BatchStarted(count)
    facts = {"model": _model_facts(model), "settings": settings.facts()}
    number = skipped = failed = 0
    small: list[ImageTask] = []
    large: list[ImageTask] = []
    for image in images:
        check_cancel(cancel, "The batch")
        try:
            task, there = _task(image, folder, model, settings, facts, overwrite)
            if not there and who != (1, None) and task.is_small:
                small.append(task)
            elif not there:
                large.append(task)
        except _TROUBLE as error:
            number, failed = number + 1, failed + 1
            yield ImageFailed(image.name, error, number, count)
            continue
        if there:
            number, skipped = number + 1, skipped + 1
            yield ImageSkipped(image.name, image.target, number, count)
    done = 0
    for event in _by(who, small, large, cancel):
        if isinstance(event, ImageProgress):
            yield event
            continue
        number += 1
        task, answer = event
        if isinstance(answer, ImageResult):
            done += 1
            yield ImageDone(
                task.image.name,
                task.image.target,
                answer.objects,
                answer.planes,
                number,
                count,
                answer.notes,
            )
            continue
        failed += 1
        yield ImageFailed(task.image.name, answer, number, count)
        if isinstance(answer, (DiskFullError, ModelError, ClusterError, Cancelled)):
            raise answer  # nothing that follows would do better
    yield BatchDone(done, skipped, failed, time.monotonic() - began)
    return failed


def _by(
    who: tuple[int, str | None],
    small: list[ImageTask],
    large: list[ImageTask],
    cancel: Cancel | None,
) -> Iterator[ImageProgress | tuple[ImageTask, ImageResult | Exception]]:
    """Do all images by this process or by workers, which start when there is work."""
    if not small and not large:
        return
    if who == (1, None):
        yield from _work(small, large, InProcess(cancel))
        return
    from napari_gen2seg.workflows.running.cluster import runner_for

    with runner_for(*who, cancel) as runner:
        yield from _work(small, large, runner)


def _work(
    small: list[ImageTask], large: list[ImageTask], runner: Runner
) -> Iterator[ImageProgress | tuple[ImageTask, ImageResult | Exception]]:
    """Do all images: small ones one a worker, large ones one after the other by all."""
    for place, answer in runner.each(_whole_image, [(task,) for task in small]):
        yield small[place], answer
    for task in large:
        steps = segment_image(task, runner)
        while True:
            try:
                fraction, text = next(steps)
            except StopIteration as end:
                yield task, end.value
                break
            except _TROUBLE as error:
                yield task, error
                break
            except Cancelled:
                raise
            yield ImageProgress(task.image.name, fraction, text)


def _whole_image(task: ImageTask) -> ImageResult | Exception:
    """Do an image in one process; an error is an answer, not a reason to try again."""
    steps = segment_image(task, InProcess())
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: ImageResult = end.value
            return result
        except _TROUBLE as error:
            return error


def _task(
    image: BatchImage,
    folder: Path,
    model: ModelSource,
    settings: BatchSettings,
    facts: dict[str, Any],
    overwrite: bool,
) -> tuple[ImageTask, bool]:
    """Return what is to be done, and whether it was done before."""
    identity = ImageIdentity.of_file(image.source)
    made_of = {"source": identity.key, **facts}
    key = key_of(made_of)
    source = FileSource(image.source, settings.series, settings.axes, identity.key)
    # A copy of the same image has the same key, and a scratch folder of its own.
    place = key_of({"target": str(image.target.absolute())})
    scratch = folder.absolute() / SCRATCH / f"{key[:16]}-{place[:8]}"
    task = ImageTask(
        image, source, settings, model, {"key": key, "made_of": made_of}, scratch
    )
    earlier = Earlier.of(image)
    if earlier.answers(key) and not (overwrite and not earlier.ours):
        return task, True
    earlier.check(image, overwrite)
    return task, False


def _model_source(model: Any) -> ModelSource:
    if isinstance(model, (str, Path)):
        return ModelChoice(str(model))
    return model if isinstance(model, ModelSource) else LoadedModel(model)


def _model_facts(source: ModelSource) -> dict[str, Any]:
    """Say which model it is: by its id and by what is in its files."""
    if isinstance(source, ModelChoice):
        spec, dtype = source.spec(), source.dtype
    else:
        colorer = source.colorer()
        spec, dtype = colorer.spec, colorer.dtype
    facts: dict[str, Any] = {"id": spec.id, "revision": spec.revision, "dtype": dtype}
    if spec.path is not None and spec.source != "hub":
        try:
            facts["files"] = content_key(spec.path)
        except OSError as error:
            raise StorageError(
                f"The model {spec.path} could not be read ({error.strerror})."
            ) from error
    return facts


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"The folder {folder} could not be made ({error.strerror}); choose another."
        ) from error
