"""The act of a journal that a change of the labels is: of clicks, proposals, tools."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from napari_gen2seg.gui.saving.origins import origin_of_clicks, origin_of_proposals
from napari_gen2seg.project.journal import Act, Patch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_gen2seg.gui.annotate.bridge import Bridge
    from napari_gen2seg.gui.annotate.written import Writing
    from napari_gen2seg.gui.layers.view import View
    from napari_gen2seg.project.origin import Origin


def act_of(
    patch: Patch,
    bridge: Bridge,
    origins: Mapping[int, Origin],
    classes: Mapping[int, str],
) -> Act:
    """Return the act of a patch that is being written.

    Parameters
    ----------
    patch
        The change of the labels.
    bridge
        Who writes it, and what was clicked.
    origins, classes
        What is known of the objects that are there.
    """
    controller, view = bridge.controller, bridge.source.view
    writing = controller.objects.writing
    if writing is None or view is None:
        return Act("edit", patch)
    if writing.kind == "edit":
        return _edit_of(patch, writing, view, origins, classes)
    session, review = bridge.session, controller.review.review
    if writing.kind == "planes":
        settings = controller.review.settings
        return Act(
            "commit",
            patch,  # objects that are known go on; these are new
            {
                number: replace(
                    origin_of_proposals(session, plane, settings, writing.method),
                    score=round(writing.scores[number], 4),
                )
                for number, plane in writing.views.items()
            },
        )
    if writing.kind == "proposals" and review is not None:
        drawn_by = review.candidates.method
        origin = origin_of_proposals(session, view, review.settings, drawn_by)
    else:
        origin = origin_of_clicks(session, view, controller.current.prompts)
    scores = {n: round(score, 4) for n, score in writing.scores.items()}
    # A number that another object had before it was erased.
    again = classes if not controller.numbers.back else {}
    return Act(
        "commit",
        patch,
        {n: replace(origin, score=score) for n, score in scores.items()},
        classes={n: None for n in scores if n in again},
    )


def _edit_of(
    patch: Patch,
    writing: Writing,
    view: View,
    known: Mapping[int, Origin],
    given: Mapping[int, str],
) -> Act:
    """Return the act of a tool; what it takes no part of is corrected."""
    origins: dict[int, Origin | None] = {
        new: known[old].corrected()
        for new, old in writing.parents.items()
        if old in known
    }
    if len(view.own_index) == len(view.own_axes):  # there is no other plane
        origins |= dict.fromkeys(writing.gone)
    whole = set(origins) >= set(patch.objects)
    classes: dict[int, str | None] = {
        new: given[old] for new, old in writing.parents.items() if old in given
    }
    kind: Literal["delete", "edit"]
    kind = "delete" if whole and writing.gone else "edit"
    return Act(kind, patch, origins, classes=classes)
