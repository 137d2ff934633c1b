"""What is chosen in the dock takes effect, and is remembered for the next time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_gen2seg.models.library.user_models import is_own
from napari_gen2seg.models.registry import list_models
from napari_gen2seg.session import Choice

if TYPE_CHECKING:
    from napari_gen2seg.core.linking import LinkSettings
    from napari_gen2seg.core.proposal_settings import Range
    from napari_gen2seg.gui.annotate.bridge import Bridge
    from napari_gen2seg.gui.settings import Memory
    from napari_gen2seg.session import ModelState


class DockSettings:
    """Sets what panels ask for.

    Parameters
    ----------
    memory
        Where it is remembered.
    bridge
        Whose session and controller are set.
    """

    def __init__(self, memory: Memory, bridge: Bridge) -> None:
        self._memory = memory
        self._session, self._controller = bridge.session, bridge.controller

    def restore(self) -> str:
        """Set what was remembered of model, probe and proposals.

        Returns
        -------
        str
            What is to be said of it; mostly nothing.
        """
        get, model, told = self._memory.get, self._memory.get("model"), ""
        if Path(model).is_absolute() and not Path(model).is_dir():
            told = f"{Path(model).name!r} is gone; mini is in use."
            model = "mini"
        self._session.choose(Choice(model, get("device"), passes=get("passes")))
        self._session.probing.set(
            contiguous=get("connected"), brightness=get("brightness")
        )
        self._session.probing.choose(get("probe") or None)
        review, certainty = self._controller.review, get("certainty")
        review.on = get("proposals")
        review.planes.certainty = None if certainty < 0 else certainty
        return told

    # ---- the model

    def choose(self, **changes: Any) -> None:
        """Choose a model, device or size."""
        self._session.choose(
            replace(self._session.model.choice, licence_accepted=False, **changes)
        )
        for name in ("device", "passes"):
            self._memory.set(name, getattr(self._session.model.choice, name))

    def choose_again(self, chosen: dict[str, Any]) -> None:
        """Choose the model of earlier work, if it is still there."""
        if chosen.get("model") not in {spec.id for spec in list_models()}:
            chosen.pop("model", None)
        self.choose(**chosen)

    def note_model(self, state: ModelState) -> None:
        """Remember the model in use, to begin with it the next time."""
        model = state.choice.model
        # One of the hub that could not be loaded is not what to begin with.
        if state.loaded or model == "mini" or is_own(model):
            self._memory.set("model", model)

    # ---- clicks

    def set_probe(self, changes: dict[str, object]) -> None:
        """Change how clicks become masks; names as in `ProbeSettings`."""
        probing = self._session.probing
        probing.set(**changes)
        self._memory.set("connected", probing.settings.contiguous)
        self._memory.set("brightness", probing.settings.brightness)

    def set_method(self, method: str) -> None:
        """Let somebody else answer clicks, on all maps from now on."""
        self._session.probing.choose(method)
        self._memory.set("probe", method)

    def set_sign(self, sign: int) -> None:
        """Let a plain click keep (+1) or leave out (-1)."""
        self._controller.clicks.sign = sign

    def set_hover(self, on: bool) -> None:
        """Show what a click would do under the pointer, or do not."""
        hover_preview = self._controller.hover_preview
        hover_preview.on = on
        hover_preview.again()
        self._memory.set("preview", on)

    # ---- objects

    def set_overwrite(self, on: bool) -> None:
        """Let a new object take pixels from others, or spare them."""
        self._controller.objects.overwrite = on
        self._memory.set("overwrite", on)

    def set_at_once(self, on: bool) -> None:
        """Keep each click as an object of its own, or wait for Enter."""
        self._controller.current.at_once = on
        self._memory.set("one_click", on)

    # ---- proposals and stacks

    def set_proposals(self, on: bool) -> None:
        """Show proposals, or none."""
        self._controller.review.turn(on)
        self._memory.set("proposals", on)

    def set_thresholds(self, certainty: float | None, sizes: Range | None) -> None:
        """Show what is at least so certain, and of such sizes."""
        review = self._controller.review
        review.planes.certainty = certainty
        review.choose(certainty, sizes)
        self._memory.set("certainty", -1.0 if certainty is None else certainty)

    def set_ahead(self, on: bool) -> None:
        """Color the next planes of a stack behind what is asked for, or do not."""
        stack = self._controller.stack
        stack.ahead = on
        stack.follow()
        self._memory.set("ahead", on)

    def set_linking(self, settings: LinkSettings) -> None:
        """Link objects through planes by other rules."""
        self._controller.stack.linking = settings
