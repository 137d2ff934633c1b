"""What is known of an object: map, clicks or proposal, settings."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from napari_gen2seg.core.learned_probe.choice import SIMILARITY
from napari_gen2seg.project.origin import INSISTED, METHOD, Origin
from napari_gen2seg.project.propose import changed_settings, proposal_settings

if TYPE_CHECKING:
    from napari_gen2seg.core.coloring import Coloring
    from napari_gen2seg.core.proposal_settings import ProposalSettings
    from napari_gen2seg.gui.layers.view import View
    from napari_gen2seg.session import Prompts, Session


def origin_of_clicks(session: Session, view: View, prompts: Prompts) -> Origin:
    """Say where the mask of some clicks comes from.

    An object made by hand, and clicked further, counts as corrected: its clicks
    alone do not make it again.
    """
    coloring = session.coloring(view)
    settings: dict[str, Any] = changed_settings(session.probing.settings)
    if session.probing.method(view) != SIMILARITY:
        settings[METHOD] = session.probing.method(view)
    if prompts.insisted:
        settings[INSISTED] = list(prompts.insisted)
    return Origin(
        "human" if prompts.base is None else "corrected",
        plane=plane_of(view),
        window=view.window or (),
        points=prompts.points,
        signs=prompts.signs,
        settings=settings,
        recipe=changed_settings(view.recipe),
        passes=session.model.choice.passes,
        at=time.time(),
        **_of_map(coloring),
    )


def origin_of_proposals(
    session: Session, view: View, settings: ProposalSettings, method: str
) -> Origin:
    """Say where the mask of a kept proposal comes from.

    ``method`` is who drew it, as of `CandidateSet`.
    """
    return Origin(
        "proposed",
        plane=plane_of(view),
        window=view.window or (),
        settings=proposal_settings(settings, method),
        recipe=changed_settings(view.recipe),
        passes=session.model.choice.passes,
        at=time.time(),
        **_of_map(session.coloring(view)),
    )


def plane_of(view: View) -> tuple[int, ...]:
    """Return the place on each axis of the labels that is not on screen."""
    return tuple(
        at for axis, at in enumerate(view.own_index) if axis not in view.own_axes
    )


def _of_map(coloring: Coloring | None) -> dict[str, Any]:
    if coloring is None:
        return {}
    return {
        "model": coloring.model_id,
        "revision": coloring.revision,
        "coloring": coloring.key,
        "resolution": coloring.resolution or 0,
    }
