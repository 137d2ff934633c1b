"""Labels made again from what is known of them, and what differs.

Nothing is changed. Of each image the maps are made again by the models that made them;
clicks and proposals are asked of them once more. What people changed by hand cannot be
made again and is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_gen2seg.common.progress import Cancel, check_cancel
from napari_gen2seg.common.types import BoolArray, LabelArray
from napari_gen2seg.core.image.axes import Axes
from napari_gen2seg.core.image.rgb import RgbRecipe, to_rgb
from napari_gen2seg.core.learned_probe.choice import SIMILARITY
from napari_gen2seg.core.probe.settings import ProbeSettings
from napari_gen2seg.core.proposal_settings import ProposalSettings
from napari_gen2seg.errors import Gen2SegError
from napari_gen2seg.models.probes import chosen_probe, propose
from napari_gen2seg.project.item import Item
from napari_gen2seg.project.origin import INSISTED, METHOD, Origin
from napari_gen2seg.project.project import Project

if TYPE_CHECKING:
    from napari_gen2seg.core.coloring import Coloring
    from napari_gen2seg.io.formats.images import ImageFile
    from napari_gen2seg.models.colorer import Colorer

Load = Callable[[str, str | None], "Colorer"]
"""Loads a model: its id, and its revision on the hub."""


@dataclass(frozen=True)
class Difference:
    """An object that did not come out as it was.

    Attributes
    ----------
    number
        The object.
    missing, extra
        Pixels of it that were not found again, and pixels found that it has not and
        no other object either.
    iou
        Of the object and what was found, 0..1.
    """

    number: int
    missing: int
    extra: int
    iou: float


@dataclass(frozen=True)
class ItemReplay:
    """What came of one image.

    Attributes
    ----------
    name
        The image.
    same
        Objects that came out pixel by pixel.
    different
        Those that did not.
    by_hand
        Objects that people drew or corrected, or that were imported: not made again.
    other_maps
        Maps that came out otherwise than they were: another device, or another
        version of the libraries.
    problems
        Why something could not be made again, as sentences.
    """

    name: str
    same: int = 0
    different: tuple[Difference, ...] = ()
    by_hand: int = 0
    other_maps: int = 0
    problems: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


@dataclass
class _Tally:
    same: int = 0
    different: list[Difference] = field(default_factory=list)
    other_maps: int = 0
    problems: list[str] = field(default_factory=list)


def replay(
    project: Project,
    load: Load,
    *,
    names: Sequence[str] = (),
    cancel: Cancel | None = None,
) -> Iterator[ItemReplay]:
    """Make the labels of a project again.

    Parameters
    ----------
    project
        The project; it stays as it is.
    load
        Loads a model; called once for each.
    names
        Of images; all if none.
    cancel
        Asked between maps.

    Yields
    ------
    ItemReplay
        One for each image that has labels.

    Raises
    ------
    Cancelled
        If `cancel` said so.
    """
    models: dict[tuple[str, str | None], Colorer] = {}

    def loaded(model: str, revision: str | None) -> Colorer:
        if (model, revision) not in models:
            models[model, revision] = load(model, revision)
        return models[model, revision]

    items = [project.item(name) for name in names] if names else project.items
    try:
        for item in items:
            yield _replay(item, loaded, cancel)
    finally:
        for colorer in models.values():
            colorer.unload()


def _replay(item: Item, load: Load, cancel: Cancel | None) -> ItemReplay:
    work = item.work()
    labels = work.labels()
    numbers = {int(n) for n in np.unique(labels) if n > 0}
    maps: dict[Any, dict[int, Origin]] = {}
    for number in sorted(numbers):
        origin = work.state.origins.get(number)
        if origin is not None and origin.replayable:
            facts = (
                origin.plane,
                origin.model,
                origin.revision,
                origin.coloring,
                origin.resolution,
                origin.passes,
                origin.window,
                repr(sorted(origin.recipe.items())),
            )
            maps.setdefault(facts, {})[number] = origin
    tally = _Tally()
    replayed = sum(len(group) for group in maps.values())
    if maps:
        image = item.image()
        for facts, group in sorted(maps.items(), key=lambda one: repr(one[0])):
            check_cancel(cancel, "Replaying")
            plane, model, revision = facts[:3]
            try:
                colorer = load(model, revision)
                _one_map(image, _plane(labels, image, plane), colorer, group, tally)
            except (Gen2SegError, TypeError) as error:
                tally.problems.append(f"{item.name}, objects of {model}: {error}")
    return ItemReplay(
        item.name,
        tally.same,
        tuple(tally.different),
        len(numbers) - replayed,
        tally.other_maps,
        tuple(tally.problems),
    )


def _one_map(
    image: ImageFile,
    labels: LabelArray,
    colorer: Colorer,
    group: dict[int, Origin],
    tally: _Tally,
) -> None:
    """Ask one map again for the objects that came from it."""
    first = next(iter(group.values()))
    row0, col0, row1, col1 = first.window or (0, 0, *labels.shape)
    part = np.s_[row0:row1, col0:col1]
    labels = labels[part]
    resolution = first.resolution or None
    recipe = _recipe(first)
    coloring: Coloring | None = None
    proposals: dict[str, LabelArray] = {}
    for number, origin in group.items():
        if coloring is None:
            rgb = to_rgb(image.plane(first.plane, recipe=recipe)[part])
            coloring = colorer.color(rgb, resolution, passes=first.passes)
        method = origin.settings.get(METHOD, SIMILARITY)
        if origin.who == "proposed":
            settings = ProposalSettings(**_known(ProposalSettings, origin))
            key = repr(sorted(origin.settings.items()))
            if key not in proposals:
                proposals[key] = propose(coloring, settings, method)
            found = _nearest(proposals[key], labels == number)
        else:
            probe = chosen_probe(coloring, method)
            ask = coloring.probe if probe is None else partial(probe.mask, coloring)
            insisted = origin.settings.get(INSISTED, ())
            found = ask(
                origin.points,
                origin.signs,
                ProbeSettings(**_known(ProbeSettings, origin)),
                insisted=[n in insisted for n in range(len(origin.points))],
            ).full()
        _compare(labels, number, found, tally)
    if coloring is not None and coloring.key != first.coloring:
        tally.other_maps += 1


def _compare(labels: LabelArray, number: int, found: BoolArray, tally: _Tally) -> None:
    """Compare an object with what was found; pixels of others were left to them."""
    mine = labels == number
    free = found & (mine | (labels == 0))
    missing = int(np.count_nonzero(mine & ~found))
    extra = int(np.count_nonzero(free & ~mine))
    if not missing and not extra:
        tally.same += 1
        return
    both = int(np.count_nonzero(mine & found))
    union = int(np.count_nonzero(mine | free))
    tally.different.append(Difference(number, missing, extra, both / max(union, 1)))


def _nearest(proposals: LabelArray, mine: BoolArray) -> BoolArray:
    """Return the proposal that covers most of an object."""
    inside = proposals[mine]
    counts = np.bincount(inside[inside > 0]) if (inside > 0).any() else np.zeros(1)
    best = int(np.argmax(counts))
    return np.asarray(proposals == best) if best else np.zeros_like(mine)


def _known(kind: type, origin: Origin) -> dict[str, Any]:
    """Return the settings, refused where this version has no such setting."""
    known = {one.name for one in fields(kind)}
    unknown = sorted(set(origin.settings) - known - {METHOD, INSISTED})
    if unknown:
        raise TypeError(
            f"the setting {unknown[0]!r} is not known to this version; update it"
        )
    return {name: one for name, one in origin.settings.items() if name in known}


def _recipe(origin: Origin) -> RgbRecipe | None:
    if not origin.recipe:
        return None
    values = {name: _tuples(value) for name, value in origin.recipe.items()}
    return RgbRecipe(**values)


def _tuples(value: Any) -> Any:
    """Turn lists into tuples, which JSON does not know."""
    return tuple(_tuples(one) for one in value) if isinstance(value, list) else value


def _plane(labels: LabelArray, image: ImageFile, plane: tuple[int, ...]) -> LabelArray:
    letters = Axes.of(image.pixels, image.axes).letters.replace("C", "")
    found: LabelArray = Axes(letters, labels.shape).read(labels, plane)
    return found
