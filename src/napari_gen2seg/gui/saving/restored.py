"""Layers, clicks and settings of earlier work, as they were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_gen2seg.core.probe.settings import ProbeSettings
from napari_gen2seg.gui.annotate.points_table import objects_of, position, signs_of
from napari_gen2seg.gui.annotate.redo import Rows
from napari_gen2seg.gui.layers.layer_order import insert_objects
from napari_gen2seg.gui.layers.overlays import OBJECTS, layer_name, mark

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels, Points

    from napari_gen2seg.common.types import LabelArray
    from napari_gen2seg.gui.annotate.controller import AnnotationController
    from napari_gen2seg.gui.layers.view import View
    from napari_gen2seg.project.journal import WorkState
    from napari_gen2seg.session import Session


def add_labels(viewer: ViewerModel, view: View, labels: LabelArray) -> Labels:
    """Show labels over the image that they are of."""
    from napari.layers import Labels

    where = view.placement()
    if labels.shape != view.own_sizes:  # of another level, or the image has changed
        where = view.full_size_placement() if labels.ndim == view.ndim else {}
    layer = Labels(
        labels,
        name=layer_name(viewer, view.layer_id, OBJECTS),
        metadata=mark(OBJECTS, view.layer_id),
        **where,
    )
    insert_objects(viewer, layer)
    return layer


def add_clicks(controller: AnnotationController, view: View, state: WorkState) -> None:
    """Put the clicks of the objects into the layer for clicks.

    Objects that were changed by hand get none: they are what they are now.
    """
    points: list[Any] = []
    signs: list[int] = []
    objects: list[int] = []
    unfinished = [row for row in state.clicks if len(row) == view.ndim + 2]
    begun = {int(row[-1]) for row in unfinished}
    others = [at for at in range(view.ndim) if at not in view.own_axes]
    for number, origin in sorted(state.origins.items()):
        if origin.who != "human" or number in begun:
            continue
        if len(origin.plane) != len(others):
            continue
        index = list(view.index)
        for axis, at in zip(others, origin.plane, strict=True):
            index[axis + view.first] = at
        there = view.at(tuple(index))
        insisted = origin.settings.get("insisted", ())
        for row, (point, sign) in enumerate(
            zip(origin.points, origin.signs, strict=True)
        ):
            points.append(position(there, point))
            signs.append(2 if row in insisted else sign)
            objects.append(number)
    for row in unfinished:
        points.append([float(n) for n in row[: view.ndim]])
        signs.append(int(row[-2]))
        objects.append(int(row[-1]))
    if points:
        layer = controller.clicks.ensure(view)
        rows = Rows(
            str(layer.unique_id),
            np.array(points, np.float64),
            np.array(signs, np.int64),
            np.array(objects, np.int64),
        )
        controller.clicks.put_back(rows)


def clicks_now(layer: Points | None, number: int) -> dict[str, Any]:
    """Return the clicks of an object as plain values: place, sign, object."""
    if layer is None or not len(layer.data):
        return {"clicks": []}
    objects, signs = objects_of(layer, number), signs_of(layer)
    mine = np.flatnonzero(objects == number)
    places = np.round(np.asarray(layer.data, np.float64)[mine], 3).tolist()
    return {
        "clicks": [
            [*place, int(sign), number]
            for place, sign in zip(places, signs[mine], strict=True)
        ]
    }


def settings_now(session: Session) -> dict[str, Any]:
    """Return what is set for clicks and colors, as plain values."""
    choice = session.model.choice
    return {
        "probe": asdict(session.probing.settings),
        "method": session.probing.chosen,
        "model": choice.model,
        "resolution": choice.resolution,
        "passes": choice.passes,
    }


def set_again(session: Session, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Set clicks as they were set; return what is to be chosen of the model.

    What another version called otherwise is left as it is.

    Raises
    ------
    SettingsError
        If a value cannot be.
    """
    known = asdict(ProbeSettings())
    probe = settings.get("probe")
    if isinstance(probe, Mapping):
        session.probing.set(**{k: v for k, v in probe.items() if k in known})
    if "method" in settings:
        session.probing.choose(settings["method"])
    return {
        name: settings[name]
        for name in ("model", "resolution", "passes")
        if name in settings
    }
