"""Objects proposed for the images of a project that nobody has begun."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_gen2seg.common.progress import Cancel, check_cancel
from napari_gen2seg.common.types import Int32Array
from napari_gen2seg.core.image.axes import Axes
from napari_gen2seg.core.image.rgb import RgbRecipe, to_rgb
from napari_gen2seg.core.proposal_settings import ProposalSettings
from napari_gen2seg.errors import Gen2SegError, InUseError
from napari_gen2seg.project.journal import Act, Journal, Patch
from napari_gen2seg.project.origin import Origin
from napari_gen2seg.project.project import Item, Project

if TYPE_CHECKING:
    from napari_gen2seg.core.coloring import Coloring
    from napari_gen2seg.io.formats.images import ImageFile
    from napari_gen2seg.models.colorer import Colorer


Resolve = Callable[[tuple[int, int]], int | None]
"""(H, W) of an image -> the longer side at which a model looks at it."""


@dataclass(frozen=True)
class ItemProposed:
    """An image has its proposals; `number` of `count` are done."""

    name: str
    objects: int
    number: int
    count: int


@dataclass(frozen=True)
class ItemFailed:
    """An image could not be used, or is open in another window; the others go on."""

    name: str
    error: Gen2SegError
    number: int
    count: int


def propose(
    project: Project,
    colorer: Colorer,
    *,
    states: Sequence[str] = ("untouched",),
    settings: ProposalSettings | None = None,
    resolution: int | Resolve | None = None,
    passes: int = 1,
    cancel: Cancel | None = None,
) -> Iterator[ItemProposed | ItemFailed]:
    """Propose all objects of the images in some states, one image after the other.

    Objects that are there already are kept: proposals go where nothing is.

    Parameters
    ----------
    project
        The project.
    colorer
        A loaded model.
    states
        Images in these states.
    settings, passes
        As for `Coloring.propose` and `Colorer.color`.
    resolution
        As for `Colorer.color`, or what finds it for (H, W) of an image.
    cancel
        Asked between planes; what is proposed stays.

    Yields
    ------
    ItemProposed, ItemFailed
        One for each image.

    Raises
    ------
    Cancelled
        If `cancel` said so.
    """
    chosen = [item for item in project.items if item.work().state.state in states]
    wanted = settings or ProposalSettings()
    for number, item in enumerate(chosen, 1):
        try:
            with item.journal() as journal:
                count = _propose(
                    item, journal, colorer, wanted, resolution, passes, cancel
                )
        except InUseError as error:
            yield ItemFailed(item.name, error, number, len(chosen))
        except (ValueError, OSError) as error:
            if not isinstance(error, Gen2SegError):
                raise
            yield ItemFailed(item.name, error, number, len(chosen))
        else:
            yield ItemProposed(item.name, count, number, len(chosen))


def changed_settings(settings: Any) -> dict[str, Any]:
    """Return those of a settings dataclass that differ from its defaults."""
    usual = asdict(type(settings)())
    return {k: v for k, v in asdict(settings).items() if v != usual[k]}


def _propose(
    item: Item,
    journal: Journal,
    colorer: Colorer,
    settings: ProposalSettings,
    resolution: int | Resolve | None,
    passes: int,
    cancel: Cancel | None,
) -> int:
    image, labels = item.image(), journal.labels()
    layout = Axes.of(image.pixels, image.axes)
    side = resolution(layout.shape) if callable(resolution) else resolution
    total = 0
    for index in np.ndindex(*layout.planes):
        check_cancel(cancel, "Proposing")
        place = tuple(int(n) for n in index)
        found, coloring = proposals_of(
            image, place, colorer, settings, side, passes, cancel
        )
        # The axes of labels are those of the image without channels.
        kept = layout.letters.replace("C", "")
        places = iter(place)
        where = tuple(
            slice(None) if letter in "YX" else next(places) for letter in kept
        )
        before = labels[where]
        highest = max(int(labels.max(initial=0)), 0)
        after = np.where((before == 0) & (found > 0), found + highest, before)
        numbers = np.unique(after[after > highest])
        origin = Origin(
            "proposed",
            coloring.model_id,
            coloring.revision,
            coloring.key,
            side or 0,
            passes,
            plane=place,
            settings=changed_settings(settings),
        )
        corner = tuple(0 if isinstance(at, slice) else at for at in where)
        grow = tuple(
            slice(None) if isinstance(at, slice) else np.newaxis for at in where
        )
        patch = Patch.from_windows(
            np.asarray(before[grow]), np.asarray(after[grow]), corner, labels.shape
        )
        origins = dict.fromkeys((int(n) for n in numbers), origin)
        journal.record(Act("propose", patch, origins))
        patch.apply(labels)
        total += len(numbers)
    return total


def proposals_of(
    image: ImageFile,
    place: tuple[int, ...],
    colorer: Colorer,
    settings: ProposalSettings,
    resolution: int | None,
    passes: int,
    cancel: Cancel | None = None,
    recipe: RgbRecipe | None = None,
) -> tuple[Int32Array, Coloring]:
    """Propose the objects of one plane.

    Parameters
    ----------
    image, place
        The image, and the plane.
    colorer, settings, resolution, passes, cancel
        As for `propose`.
    recipe
        How channels become RGB.

    Returns
    -------
    labels, coloring
        int32 (H, W), and the map they were found in.
    """
    rgb = to_rgb(image.plane(place, recipe=recipe))
    coloring = colorer.color(rgb, resolution, passes=passes, cancel=cancel)
    return coloring.propose(settings), coloring
