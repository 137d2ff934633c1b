"""Data and a model in, a report out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from napari_gen2seg.common.arguments import checked_arguments, told
from napari_gen2seg.common.progress import Cancel, Progress, check_cancel
from napari_gen2seg.core.image.rgb import to_rgb
from napari_gen2seg.errors import DataError, ImageError, StorageError
from napari_gen2seg.io.annotated import Annotated, AnnotatedSource, Dataset, as_labels
from napari_gen2seg.io.formats.labels import whole_numbers
from napari_gen2seg.workflows.evaluate.one_image import Facts, study_image
from napari_gen2seg.workflows.evaluate.report import Report, make_report
from napari_gen2seg.workflows.evaluate.settings import EvaluationSettings, Protocol
from napari_gen2seg.workflows.evaluate.worst_cases import WorstCases
from napari_gen2seg.workflows.loaded_model import loaded_model

if TYPE_CHECKING:
    from napari_gen2seg.core.image.rgb import RgbRecipe
    from napari_gen2seg.models.colorer import Colorer

Data = Dataset | str | Path | Iterable[tuple[Any, Any]]
"""A data set, what `open_dataset` takes, or pairs of picture and labels."""


@dataclass(frozen=True)
class Started:
    """The model is loaded and the data are listed."""

    model_id: str
    device: str
    dtype: str
    reason: str
    data: str
    pictures: int


@dataclass(frozen=True, eq=False)
class PictureDone:
    """One image is measured; ``number`` of ``count`` are done.

    ``facts`` are its entry in the report; ``notes`` what somebody should be told of its
    files.
    """

    name: str
    number: int
    count: int
    facts: Facts
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class PictureSkipped:
    """One image, ``number`` of ``count``, is not measured; ``why`` is a sentence."""

    name: str
    number: int
    count: int
    why: str


@dataclass(frozen=True, eq=False)
class Finished:
    """Everything is done."""

    report: Report


Event = Started | PictureDone | PictureSkipped | Finished


@checked_arguments(
    Colorer="napari_gen2seg.models.colorer",
    RgbRecipe="napari_gen2seg.core.image.rgb",
)
def evaluate(
    data: Data,
    model: Colorer | str | Path = "mini",
    protocol: Protocol | None = None,
    settings: EvaluationSettings | None = None,
    **options: Any,
) -> Report:
    """Measure a model on annotated images.

    Takes what `iter_evaluate` takes and returns the report of its last event.

    Returns
    -------
    Report
        Numbers with confidence intervals; ``save_json`` and ``save_html`` write it.
    """
    events = iter_evaluate(data, model, protocol, settings, **options)
    return cast("Finished", deque(events, maxlen=1).pop()).report


@checked_arguments(
    Colorer="napari_gen2seg.models.colorer",
    RgbRecipe="napari_gen2seg.core.image.rgb",
)
def iter_evaluate(
    data: Data,
    model: Colorer | str | Path = "mini",
    protocol: Protocol | None = None,
    settings: EvaluationSettings | None = None,
    *,
    pictures: int | None = None,
    recipe: RgbRecipe | None = None,
    device: str = "auto",
    dtype: str = "auto",
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Iterator[Event]:
    """Measure a model on annotated images, telling every step.

    Parameters
    ----------
    data
        A `Dataset`, a path that `io.datasets.open_dataset` opens, or pairs of a picture
        (H, W) or (H, W, C) and its labels (H, W), 0 background, -1 unknown.
    model
        A loaded model, or what `load_model` takes (loaded and unloaded here).
    protocol
        ``"clicks"``, ``"proposals"``, ``"edges"`` or ``"all"``; that of ``settings``
        if not given.
    settings
        Everything else; see `EvaluationSettings`.
    pictures
        At most so many pictures, spread evenly over the data.
    recipe
        How channels become the RGB that the model sees.
    device, dtype
        As for `load_model`, where the model is loaded here.
    progress, cancel
        Called while the model works; asked between pictures and between objects.

    Yields
    ------
    Started, PictureDone or PictureSkipped (one a picture), Finished

    Raises
    ------
    DataError, ImageError, StorageError
        If the data cannot be read, or not one of the pictures.
    SettingsError
        If a setting cannot be used.
    Cancelled
        If ``cancel`` said so.
    """
    settings = settings or EvaluationSettings()
    if protocol is not None:
        settings = replace(settings, protocol=protocol)
    dataset = _dataset(data)
    items = _spread(dataset.items, pictures)

    def check() -> None:
        check_cancel(cancel, "The evaluation")

    with loaded_model(model, device, dtype, progress, cancel) as colorer:
        spec = colorer.spec
        yield Started(
            spec.id,
            colorer.device,
            colorer.dtype,
            colorer.reason,
            dataset.name,
            len(items),
        )
        images: list[Facts] = []
        skipped: list[str] = []
        worst = WorstCases(settings)
        for number, item in enumerate(items, 1):
            check()
            try:
                truth = item.read()
                rgb = to_rgb(truth.image, recipe)
                coloring = colorer.color(
                    rgb,
                    settings.resolution,
                    passes=settings.passes,
                    progress=progress,
                    cancel=cancel,
                )
            except (ImageError, DataError, StorageError) as error:
                skipped.append(item.title)
                if len(skipped) == len(items):
                    raise type(error)(f"{item.title}: {error}") from error
                yield PictureSkipped(item.title, number, len(items), str(error))
                continue
            facts = study_image(item.title, truth, coloring, settings, check)
            worst.add(facts, rgb, truth, coloring)
            images.append(facts)
            yield PictureDone(item.title, number, len(items), facts, truth.notes)
        facts_of_model = {
            "id": _public(spec.id),
            "family": spec.family,
            "revision": spec.revision,
            "device": colorer.device,
            "dtype": colorer.dtype,
        }
        facts_of_data: Facts = {"name": dataset.name, "pictures": len(images)}
        if skipped:
            facts_of_data["not_measured"] = skipped
        if dataset.notes:
            facts_of_data["notes"] = list(dataset.notes)
        yield Finished(
            make_report(
                images,
                settings,
                facts_of_model,
                facts_of_data,
                worst.cases(),
            )
        )


def _dataset(data: Data) -> Dataset:
    if isinstance(data, Dataset):
        return data
    if isinstance(data, (str, Path)):
        from napari_gen2seg.io.datasets.catalog import open_dataset

        return open_dataset(data)
    pairs = list(data)
    if not pairs:
        raise DataError("No pictures were given; there must be at least one.")
    for pair in pairs:
        if not isinstance(pair, Sequence) or isinstance(pair, str) or len(pair) != 2:
            raise DataError(
                f"The data hold {told(pair)}; they must be pairs of a picture and its "
                "labels, a data set, or a path."
            )
    return Dataset(
        "pictures",
        tuple(
            AnnotatedSource(str(number), _Pair(picture, labels))
            for number, (picture, labels) in enumerate(pairs)
        ),
    )


@dataclass(frozen=True, eq=False)
class _Pair:
    """An image and labels that are in memory already."""

    picture: Any
    labels: Any

    def __call__(self) -> Annotated:
        import numpy as np

        labels = whole_numbers(np.asarray(self.labels), "The label array")
        return Annotated(np.asarray(self.picture), as_labels(labels))


def _spread(
    items: tuple[AnnotatedSource, ...], most: int | None
) -> tuple[AnnotatedSource, ...]:
    """Choose evenly, so that a short look sees all of the data."""
    if most is None or most >= len(items):
        return items
    if most < 1:
        raise DataError(f"pictures is {most}; it must be at least 1.")
    return tuple(items[place * len(items) // most] for place in range(most))


def _public(model_id: str) -> str:
    """Name a folder by its last part: a report tells nobody where it was made."""
    return Path(model_id).name if Path(model_id).is_absolute() else model_id
