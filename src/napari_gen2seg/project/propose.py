"""Objects proposed for the images of a project that nobody has begun."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_gen2seg.common.progress import Cancel, check_cancel
from napari_gen2seg.core.candidates import paint, select
from napari_gen2seg.core.image.axes import Axes
from napari_gen2seg.core.image.rgb import RgbRecipe, to_rgb
from napari_gen2seg.core.learned_probe.choice import SIMILARITY
from napari_gen2seg.core.objects.review import Review
from napari_gen2seg.core.proposal_settings import ProposalSettings
from napari_gen2seg.errors import Gen2SegError, InUseError
from napari_gen2seg.models.probes import find_candidates
from napari_gen2seg.project.item import Item
from napari_gen2seg.project.journal import Act, Journal, Patch
from napari_gen2seg.project.kept_map import Asked, keep_map
from napari_gen2seg.project.origin import METHOD, Origin
from napari_gen2seg.project.project import Project

if TYPE_CHECKING:
    from napari_gen2seg.core.coloring import Coloring
    from napari_gen2seg.io.formats.images import ImageFile
    from napari_gen2seg.models.colorer import Colorer
    from napari_gen2seg.project.journal.state import WorkState


DOUBT, PROPOSALS = "doubt", "proposals"
"""Names of the settings that say how doubtful the proposals of an image are, 0..1, and
how many wait to be looked at that are not in its labels."""

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
    anew: bool = False,
    model: str = "",
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
    anew
        Where nobody has begun, take earlier proposals away first: another model knows
        better, perhaps.
    model
        Id by which the model was chosen, if that is not its own. Maps of images of one
        plane are kept under it (`kept_map`), so that nobody waits for them again.

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
                    item,
                    journal,
                    colorer,
                    wanted,
                    resolution,
                    passes,
                    cancel,
                    anew,
                    model,
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


def proposal_settings(settings: ProposalSettings, method: str) -> dict[str, Any]:
    """Return what an origin says of a proposal: what is not as usual, and who drew."""
    drawn = {} if method == SIMILARITY else {METHOD: method}
    return {**changed_settings(settings), **drawn}


def _propose(
    item: Item,
    journal: Journal,
    colorer: Colorer,
    settings: ProposalSettings,
    resolution: int | Resolve | None,
    passes: int,
    cancel: Cancel | None,
    anew: bool,
    model: str,
) -> int:
    image, labels = item.image(), journal.labels()
    doubtful: list[float] = []
    earlier: list[int] = []
    if anew and journal.state.state == "proposed":
        known = journal.state.origins.items()
        earlier = [number for number, one in known if one.who == "proposed"]
    layout = Axes.of(image.pixels, image.axes)
    side = resolution(layout.shape) if callable(resolution) else resolution
    total = 0
    for index in np.ndindex(*layout.planes):
        check_cancel(cancel, "Proposing")
        place = tuple(int(n) for n in index)
        coloring = _colored(image, place, colorer, side, passes, cancel)
        if math.prod(layout.planes) == 1:
            asked = Asked(model or coloring.model_id, side, passes)
            keep_map(item.folder, coloring, asked)
        candidates = find_candidates(coloring, settings, cancel=cancel)
        chosen = select(candidates)
        review = Review.begin(candidates, values=coloring.values)
        doubtful += review.doubt[chosen].tolist()
        found = paint(candidates, chosen)
        # The axes of labels are those of the image without channels.
        letters = layout.letters.replace("C", "")
        places = iter(place)
        where = tuple(
            slice(None) if letter in "YX" else next(places) for letter in letters
        )
        before = labels[where]
        highest = max(int(labels.max(initial=0)), 0)
        kept = np.where(np.isin(before, earlier), 0, before)
        after = np.where((kept == 0) & (found > 0), found + highest, kept)
        numbers = np.unique(after[after > highest])
        origin = Origin(
            "proposed",
            coloring.model_id,
            coloring.revision,
            coloring.key,
            side or 0,
            passes,
            plane=place,
            settings=proposal_settings(settings, candidates.method),
        )
        corner = tuple(0 if isinstance(at, slice) else at for at in where)
        grow = tuple(
            slice(None) if isinstance(at, slice) else np.newaxis for at in where
        )
        patch = Patch.from_windows(
            np.asarray(before[grow]), np.asarray(after[grow]), corner, labels.shape
        )
        gone = np.intersect1d(before, earlier)
        origins: dict[int, Origin | None] = dict.fromkeys(int(n) for n in gone)
        origins |= dict.fromkeys((int(n) for n in numbers), origin)
        journal.record(Act("propose", patch, origins))
        patch.apply(labels)
        total += len(numbers)
    doubt = doubt_of_image(doubtful)
    journal.record(Act("settings", values={DOUBT: doubt, PROPOSALS: 0}))
    return total


def note_proposals(item: Item, count: int, doubt: float) -> None:
    """Write that proposals of an image wait to be looked at, if nobody has begun.

    They are not in its labels: they are found in its map (`kept_map`).

    Parameters
    ----------
    item
        The image.
    count
        How many there are.
    doubt
        How doubtful they are, 0..1.

    Raises
    ------
    InUseError, StorageError
        If it is open elsewhere, or cannot be written.
    """
    if _news(item.work().state, count, doubt):
        with item.journal() as journal:
            note_in(journal, count, doubt)


def note_in(journal: Journal, count: int, doubt: float) -> bool:
    """Write what `note_proposals` does where the journal is open; say if it was news.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    values = _news(journal.state, count, doubt)
    if not values:
        return False
    journal.record(Act("propose"))
    journal.record(Act("settings", values=values))
    return True


def _news(now: WorkState, count: int, doubt: float) -> dict[str, float]:
    """Return the settings to write; none where work has begun, or they are there."""
    values: dict[str, float] = {DOUBT: doubt, PROPOSALS: count}
    told = {name: now.settings.get(name) for name in values}
    if now.state not in ("untouched", "proposed") or (
        told == values and now.state == "proposed"
    ):
        return {}
    if now.origins:
        values[PROPOSALS] = 0  # they are in its labels
    return values


def doubt_of_image(doubts: Sequence[float]) -> float:
    """Return how doubtful the proposals of an image are, 0..1: their mean."""
    return round(float(np.mean(doubts)), 3) if len(doubts) else 0.0


def _colored(
    image: ImageFile,
    place: tuple[int, ...],
    colorer: Colorer,
    resolution: int | None,
    passes: int,
    cancel: Cancel | None = None,
    recipe: RgbRecipe | None = None,
) -> Coloring:
    rgb = to_rgb(image.plane(place, recipe=recipe))
    return colorer.color(rgb, resolution, passes=passes, cancel=cancel)
