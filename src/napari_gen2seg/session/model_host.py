"""The one loaded model of a window, shared by all that ask it to color."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_gen2seg.common.progress import check_cancel, report
from napari_gen2seg.core.learned_probe.probe import Probe
from napari_gen2seg.errors import Cancelled
from napari_gen2seg.jobs.model.client import ModelClient
from napari_gen2seg.models.forwarding_colorer import ForwardingColorer

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from napari_gen2seg.common.progress import Cancel, Progress
    from napari_gen2seg.core.coloring import Coloring
    from napari_gen2seg.core.learned_probe.looking import Predict
    from napari_gen2seg.models.colorer import Colorer
    from napari_gen2seg.models.forwarding_colorer import ColorOptions
    from napari_gen2seg.session.runner import Ticket
    from napari_gen2seg.session.state import Choice, ColorRequest

LOOK = 0.05  # seconds between two looks at whether one who waits was cancelled
PATIENT = 2.0  # seconds for which a probe waits behind the window for its turn

#: Loads a model: called with its id and ``device dtype progress cancel
#: accept_licence``, as `napari_gen2seg.load_model` is.
Load = Callable[..., "Colorer"]


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
    """Holds at most one loaded model, for one user at a time.

    Two docks of a window work with the same host, each from a thread of its own: who
    comes second waits for one image, not for the other's whole work. A model that the
    other has replaced meanwhile is loaded again.

    Parameters
    ----------
    load
        Loads a model into this process; by default models live in a child process
        (see `napari_gen2seg.jobs.model.server`), so that they can neither freeze nor
        take along the window.
    """

    def __init__(self, load: Load | None = None) -> None:
        self._client: ModelClient | None = None
        if load is None:
            self._client = ModelClient()
            load = self._client.load
        self._load: Load = load
        self._colorer: Colorer | None = None
        self._as: tuple[str, str, str] | None = None
        self._resident: tuple[str, str, str] | None = None  # stays when `release`d
        self._probes: dict[str, Probe] = {}
        self._predicts: dict[str, Predict] = {}  # where models run in this process
        self._hurry = threading.local()
        self._turn = threading.Lock()
        self._users = 0

    @property
    def pid(self) -> int | None:
        """Number of the model process; None while there is none."""
        return None if self._client is None else self._client.pid

    @property
    def users(self) -> int:
        """How many work with it; none once the last has left."""
        return self._users

    def join(self) -> ModelHost:
        """Count one user more, who will `leave`; return this host."""
        self._users += 1
        return self

    def leave(self) -> None:
        """Count one user less; after the last the model's process is ended.

        May be called from any thread.
        """
        self._users -= 1
        self._resident = None
        if self._users <= 0 and self._client is not None:
            self._client.close()

    def warm(self, choice: Choice, ticket: Ticket) -> Facts | None:
        """Get ready for a choice without a download.

        Returns
        -------
        Facts or None
            Facts of the model if it is one that lies in the package and was loaded.
        """
        with self._mine(ticket_cancel(ticket), ticket.progress):
            if self._client is not None:
                from napari_gen2seg.models.registry import find

                self._client.warm(choice.device, choice.dtype)
                if find(choice.model).source == "hub":
                    return None
            if self._there() and self._as != choice.loaded_as:
                return None  # another is at work: no reason to take it away
            ticket.check()
            colorer = self._ready(choice, ticket.progress, ticket_cancel(ticket))
            self._resident = choice.loaded_as
            return _facts(colorer)

    def color(self, choice: Choice, request: ColorRequest, ticket: Ticket) -> Colored:
        """Color one plane.

        Raises
        ------
        Gen2SegError
            Whatever is wrong with the picture or the model, or Cancelled.
        """
        ticket.progress(None, "Reading the picture")
        pixels = np.asarray(request.read())
        ticket.check()
        cancel = ticket_cancel(ticket)
        with self._mine(cancel, ticket.progress):
            colorer = self._ready(choice, ticket.progress, cancel)
            self._resident = choice.loaded_as
            ticket.check()
            ticket.progress(None, "Coloring")
            start = time.perf_counter()
            coloring = colorer.color(
                pixels,
                choice.resolution,
                recipe=request.recipe,
                passes=choice.passes,
                progress=ticket.progress,
                cancel=cancel,
            )
            seconds = time.perf_counter() - start
            facts = _facts(colorer)
        ticket.check()
        coloring.prober.prepare()  # here, so that the first hover is not slow
        return Colored(coloring, facts, seconds)

    def colorer(
        self,
        choice: Choice,
        progress: Progress | None = None,
        cancel: Cancel | None = None,
    ) -> HostedColorer:
        """Load a model, if it is not there, and return it for many images.

        Raises
        ------
        Gen2SegError
            As `napari_gen2seg.load_model`.
        """
        return HostedColorer(self, choice, progress, cancel)

    def probe(self, name: str) -> Probe:
        """Return a learned probe whose network runs where the model does.

        Its masks may be asked for on any thread. Where the model is busy for longer
        than a moment, ``Cancelled`` is raised: another mask will have to do.
        """
        if name not in self._probes:
            self._probes[name] = Probe(partial(self._ask_probe, name), name)
        return self._probes[name]

    @contextmanager
    def hurried(self, seconds: float) -> Iterator[None]:
        """Give the probe no more than some seconds, on this thread, within a block."""
        self._hurry.until = time.monotonic() + seconds
        try:
            yield
        finally:
            self._hurry.until = None

    @contextmanager
    def in_turn(self, seconds: float) -> Iterator[None]:
        """Wait no longer for the probe's turn, on this thread, within a block.

        An answer that is begun is waited for: who asks for much, again and again, would
        else never get it on a slow machine.
        """
        self._hurry.turn = seconds
        try:
            yield
        finally:
            self._hurry.turn = PATIENT

    def _ask_probe(
        self, name: str, channels: npt.NDArray[np.float32]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        until = getattr(self._hurry, "until", None)
        limit = getattr(self._hurry, "turn", PATIENT)
        if until is not None:
            limit = max(until - time.monotonic(), 0.0)
        begun = time.monotonic()
        if not self._turn.acquire(timeout=limit):
            raise Cancelled("The model is busy with something else.")
        try:
            if self._client is not None:
                left = limit - (time.monotonic() - begun)
                wait = None if until is None else max(left, 0.0)
                return self._client.probe(name, channels, wait)
            if name not in self._predicts:
                from napari_gen2seg.models.probes import load_predict

                self._predicts[name] = load_predict(name)
            return self._predicts[name](channels)
        finally:
            self._turn.release()

    def unload(self) -> None:
        """Give the model's memory back, the library's too where it has its process."""
        with self._turn:
            if self._client is not None:
                self._client.end()
            elif self._colorer is not None:
                self._colorer.unload()
            self._colorer = self._as = self._resident = None

    @contextmanager
    def use(
        self,
        choice: Choice,
        progress: Progress | None = None,
        cancel: Cancel | None = None,
    ) -> Iterator[Colorer]:
        """Have a model to oneself, loaded first if need be.

        Raises
        ------
        Gen2SegError
            As `napari_gen2seg.load_model`, or Cancelled while one waits.
        """
        with self._mine(cancel, progress):
            yield self._ready(choice, progress, cancel)

    def release(self, choice: Choice) -> None:
        """Free a model's memory, unless the window colors with it or has another."""
        with self._turn:
            colorer, of = self._colorer, choice.loaded_as
            if colorer is not None and self._as == of != self._resident:
                colorer.unload()
                self._colorer = self._as = None

    @contextmanager
    def _mine(self, cancel: Cancel | None, progress: Progress | None) -> Iterator[None]:
        """Wait for one's turn; a cancel is heard while waiting."""
        while not self._turn.acquire(timeout=LOOK):
            check_cancel(cancel, "Waiting for the model")
            report(progress, None, "Waiting for the model")
        try:
            yield
        finally:
            self._turn.release()

    def _there(self) -> bool:
        return self._colorer is not None and getattr(self._colorer, "alive", True)

    def _ready(
        self, choice: Choice, progress: Progress | None, cancel: Cancel | None
    ) -> Colorer:
        colorer = self._colorer
        if colorer is not None and self._there():
            if self._as == choice.loaded_as:
                return colorer
            colorer.unload()  # two models at once may not fit
        self._colorer = self._as = None
        report(progress, None, "Loading the model")
        colorer = self._load(
            choice.model,
            device=choice.device,
            dtype=choice.dtype,
            progress=progress,
            cancel=cancel,
            accept_licence=choice.licence_accepted,
        )
        self._colorer, self._as = colorer, choice.loaded_as
        return colorer


class HostedColorer(ForwardingColorer):
    """A model of a host, as a `Colorer`: for many images, with others in between.

    Parameters
    ----------
    host, choice
        Who holds the model, and which.
    progress, cancel
        While it is loaded.
    """

    def __init__(
        self,
        host: ModelHost,
        choice: Choice,
        progress: Progress | None = None,
        cancel: Cancel | None = None,
    ) -> None:
        self._host, self._choice = host, choice
        with host.use(choice, progress, cancel) as colorer:
            super().__init__(colorer)

    def _color(
        self,
        image: Any,
        options: ColorOptions,
        progress: Progress | None,
        cancel: Cancel | None,
    ) -> Coloring:
        with self._host.use(self._choice, progress, cancel) as colorer:
            self._facts = colorer
            return colorer.color(image, **options, progress=progress, cancel=cancel)

    def predict_many(
        self, images: Sequence[npt.NDArray[np.float32]], resolution: int
    ) -> list[npt.NDArray[np.float32]]:
        """Return the maps of several RGB images; equal sizes go as one batch."""
        with self._host.use(self._choice) as colorer:
            self._facts = colorer
            return colorer.predict_many(images, resolution)

    def unload(self) -> None:
        """Free the memory, unless the window colors with this very model."""
        self._host.release(self._choice)


def ticket_cancel(ticket: Ticket) -> Cancel:
    """Return the ticket's state as the hook that a model asks."""
    return lambda: ticket.cancelled


def _facts(colorer: Colorer) -> Facts:
    return Facts(str(colorer.device), str(colorer.dtype), str(colorer.reason))
