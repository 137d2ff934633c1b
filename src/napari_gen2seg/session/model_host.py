"""The one model at work: loaded when needed, touched only by the lane."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from napari_gen2seg.core.image.rgb import check_image
from napari_gen2seg.jobs.model.client import ModelClient, RemoteColorer
from napari_gen2seg.jobs.model.request import paint

if TYPE_CHECKING:
    from napari_gen2seg.core.coloring import Coloring
    from napari_gen2seg.models.colorer import Colorer
    from napari_gen2seg.session.runner import Ticket
    from napari_gen2seg.session.state import Choice, ColorRequest


#: Loads a model: called with its id and ``device dtype progress cancel
#: accept_licence``, as `napari_gen2seg.load_model` is.
Load = Callable[..., "Colorer | RemoteColorer"]


@dataclass(frozen=True)
class Facts:
    """What a loaded model really runs on, and why."""

    device: str
    dtype: str
    reason: str


@dataclass(frozen=True)
class Colored:
    """A finished request.

    Parameters
    ----------
    coloring
        The result.
    facts
        Of the model that made it.
    seconds
        Time for colouring, loading not counted.
    """

    coloring: Coloring
    facts: Facts
    seconds: float


class ModelHost:
    """Holds at most one loaded model.

    Parameters
    ----------
    load
        Loads a model into this process; by default models live in a child process
        (see `worker`), so that they can neither freeze nor take along the window.
    """

    def __init__(self, load: Load | None = None) -> None:
        self._helper: ModelClient | None = None
        if load is None:
            self._helper = ModelClient()
            load = self._helper.load
        self._load: Load = load
        self._colorer: Colorer | RemoteColorer | None = None
        self._as: tuple[str, str, str] | None = None

    def warm(self, choice: Choice, ticket: Ticket) -> Facts | None:
        """Get ready for a choice without a download.

        Returns
        -------
        Facts or None
            Facts of the model if it is one that lies in the package and was loaded.
        """
        if self._helper is not None:
            from napari_gen2seg.models.registry import find

            self._helper.warm(choice.device, choice.dtype)
            if find(choice.model).source == "hub":
                return None
        ticket.check()
        return _facts(self._ready(choice, ticket))

    def color(self, choice: Choice, request: ColorRequest, ticket: Ticket) -> Colored:
        """Colour one plane.

        Raises
        ------
        Gen2SegError
            Whatever is wrong with the picture or the model, or Cancelled.
        """
        ticket.progress(None, "Reading the picture")
        pixels = check_image(request.read())
        ticket.check()
        colorer = self._ready(choice, ticket)
        ticket.check()
        start = time.perf_counter()
        work = (
            colorer.paint
            if isinstance(colorer, RemoteColorer)
            else partial(paint, colorer)
        )
        coloring: Coloring = work(
            pixels,
            request.recipe,
            choice.resolution,
            passes=choice.passes,
            progress=ticket.progress,
            cancel=lambda: ticket.cancelled,
        )
        seconds = time.perf_counter() - start
        ticket.check()
        coloring.prober.prepare()  # here, so that the first hover is not slow
        return Colored(coloring, _facts(colorer), seconds)

    def unload(self) -> None:
        """Give the model's memory back, the library's too where it has its process."""
        if self._helper is not None:
            self._helper.end()
        elif self._colorer is not None:
            self._colorer.unload()
        self._colorer = self._as = None

    def close(self) -> None:
        """End the models' process; may be called from any thread."""
        if self._helper is not None:
            self._helper.close()

    def _ready(self, choice: Choice, ticket: Ticket) -> Colorer | RemoteColorer:
        colorer = self._colorer
        if colorer is not None and getattr(colorer, "alive", True):
            if self._as == choice.loaded_as:
                return colorer
            colorer.unload()  # two models at once may not fit
        self._colorer = self._as = None
        ticket.progress(None, "Loading the model")
        colorer = self._load(
            choice.model,
            device=choice.device,
            dtype=choice.dtype,
            progress=ticket.progress,
            cancel=lambda: ticket.cancelled,
            accept_licence=choice.licence_accepted,
        )
        self._colorer, self._as = colorer, choice.loaded_as
        return colorer


def _facts(colorer: Colorer | RemoteColorer) -> Facts:
    return Facts(str(colorer.device), str(colorer.dtype), str(colorer.reason))
