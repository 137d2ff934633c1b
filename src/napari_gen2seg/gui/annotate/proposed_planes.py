"""Proposals of the planes that were looked at, and what their images show of them."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from napari_gen2seg.core.objects.doubt import CandidateLooks
from napari_gen2seg.core.objects.review import Review
from napari_gen2seg.core.proposal_settings import ProposalSettings, Range

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_gen2seg.core.coloring import Coloring
    from napari_gen2seg.gui.annotate.proposed_plane import ProposedPlane
    from napari_gen2seg.gui.annotate.redo import Dropped
    from napari_gen2seg.gui.layers.view import View
    from napari_gen2seg.session import Ticket
    from napari_gen2seg.session.probing import Probing

_MOST = 24  # planes whose proposals are remembered


class ProposedPlanes:
    """Remembers proposals by plane, and thresholds by image.

    Parameters
    ----------
    probing
        Whose learned probe draws outlines.

    Attributes
    ----------
    certainty
        The least one that is shown, on images where none was chosen yet; None leaves
        it to the candidates.
    """

    def __init__(self, probing: Probing) -> None:
        self._probing = probing
        self._planes: OrderedDict[View, ProposedPlane] = OrderedDict()
        self._chosen: dict[str, tuple[float | None, Range | None]] = {}  # by image
        self.certainty: float | None = None

    def __iter__(self) -> Iterator[ProposedPlane]:
        return iter(self._planes.values())

    # ---- thresholds

    def settings(self, layer_id: str) -> ProposalSettings:
        """Return which candidates are shown of an image."""
        certainty, sizes = self._thresholds(layer_id)
        return ProposalSettings(min_score=certainty, sizes=sizes)

    def choose(
        self, layer_id: str, certainty: float | None, sizes: Range | None
    ) -> None:
        """Show what passes other thresholds, on planes of an image to come."""
        self._chosen[layer_id] = certainty, sizes

    def _thresholds(self, layer_id: str) -> tuple[float | None, Range | None]:
        return self._chosen.get(layer_id, (self.certainty, None))

    # ---- planes

    def known(self, view: View, coloring: Coloring) -> ProposedPlane | None:
        """Return what is known of a plane, if its proposals are of a coloring."""
        plane = self._planes.get(view)
        return plane if plane is not None and plane.coloring is coloring else None

    def latest(self, view: View) -> ProposedPlane | None:
        """Return what is known of a plane, of whichever coloring."""
        return self._planes.get(view)

    def touch(self, view: View) -> None:
        """Take a plane to be the one that was looked at last."""
        self._planes.move_to_end(view)

    def of(self, drop: Dropped) -> ProposedPlane | None:
        """Return the plane of a drop, unless it has other candidates now."""
        plane = self._planes.get(drop.view)
        known = plane is not None and plane.found is drop.candidates
        return plane if known else None

    def bring(self, view: View, plane: ProposedPlane) -> None:
        """Take the proposals of a plane, found before or while it is looked at."""
        review = plane.review.choosing(*self._thresholds(view.layer_id))
        plane.review = review.in_part(view.inner_rims)
        self._planes[view] = plane
        while len(self._planes) > _MOST:
            self._planes.popitem(last=False)

    def forget(self, layer_id: str) -> None:
        """Drop what belongs to an image that is gone or has other pixels."""
        for view in [one for one in self._planes if one.layer_id == layer_id]:
            del self._planes[view]

    # ---- reviews of all planes of a stack

    def review_of(self, view: View, coloring: Coloring) -> Review | None:
        """Return the review of a plane that was looked at; None of another one.

        Of it counts what was dropped, and the thresholds of its image.
        """
        plane = self.known(view, coloring)
        if plane is None:
            return None
        known = plane.review.liking(None, plane.review.min_likeness)
        return known.choosing(*self._thresholds(view.layer_id))

    def drawn(
        self, layer_id: str, coloring: Coloring, known: Review | None, ticket: Ticket
    ) -> Review:
        """Return the review of a plane in its final outlines, on any thread.

        ``known`` is the one there is: what was dropped stays dropped.
        """
        found = coloring.candidates() if known is None else known.candidates
        shown = self._probing.refined(coloring, found, ticket.check)
        if known is not None and shown is found:
            return known
        looks = CandidateLooks.of(shown, coloring.values)
        if known is not None:
            return known.redrawn(shown, looks)
        return Review.begin(shown, looks=looks).choosing(*self._thresholds(layer_id))
