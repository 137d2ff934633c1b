"""One person's work: verbs for the views, signals back, no second copy of layers.

Clicks live in the Points layer and objects in the Labels layer; the session
holds what neither can: the chosen model, the colorings, and which request is the
newest, so that a late reply to an old one changes nothing.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_gen2seg.common.text import duration_text
from napari_gen2seg.errors import Cancelled, Gen2SegError, LicenceError
from napari_gen2seg.session.coloring_cache import ColoringCache, Made
from napari_gen2seg.session.model_host import Colored, Facts, Load, ModelHost
from napari_gen2seg.session.probing import Probing
from napari_gen2seg.session.runner import Inline, Runner, Ticket
from napari_gen2seg.session.state import (
    Choice,
    ColorRequest,
    JobState,
    ModelState,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from napari_gen2seg.core.coloring import Coloring
    from napari_gen2seg.core.probe.mask import Mask
    from napari_gen2seg.session.prompts import Prompts
    from napari_gen2seg.session.state import Preview

COLOR, AHEAD, WARM, UNLOAD = "color", "ahead", "warm", "unload"

_LATEST = 9  # maps whose time tells how long the next takes


class Session:
    """What the window shows, and what a person can ask of it.

    What clicks give is asked of its `probing`; the usual questions are here too.

    All verbs are called on one thread, on which replies arrive too (see
    `runner.Lane`'s ``deliver``). No verb waits for a model.

    Parameters
    ----------
    runner
        Where models run; by default at once, in the caller's thread.
    load
        Loads a model into this process, called like `napari_gen2seg.load_model`; by
        default models get a process of their own.
    cache
        Where colorings are kept.
    host
        Holds the model, in place of a host of its own that ``load`` is for; others may
        work with it too.
    """

    coloring_changed = Signal(object)  # the view that has another coloring now
    job_changed = Signal(JobState)
    model_changed = Signal(ModelState)
    failed = Signal(str)  # one sentence for people
    licence_requested = Signal(
        str
    )  # the terms of the chosen model, before its download

    def __init__(
        self,
        runner: Runner | None = None,
        load: Load | None = None,
        cache: ColoringCache | None = None,
        host: ModelHost | None = None,
    ) -> None:
        self._colorings = cache if cache is not None else ColoringCache()
        self._runner: Runner = runner if runner is not None else Inline()
        self._host = (ModelHost(load) if host is None else host).join()
        self.probing = Probing(self._colorings, self._host)
        self._closed = False
        self._model = ModelState()
        self._job = JobState()
        self._ticket: Ticket | None = None
        self._asked: ColorRequest | None = None
        self._took: deque[tuple[Choice, tuple[int, int] | None, float]] = deque(
            maxlen=_LATEST
        )

    def seconds_a_map(self, size: tuple[int, int] | None) -> float | None:
        """What a map of a size took lately, chosen as now; None if none was made so."""
        now = self._model.choice
        took = [time for choice, at, time in self._took if (choice, at) == (now, size)]
        return median(took) if took else None

    @property
    def model(self) -> ModelState:
        """The chosen model and what is known of it."""
        return self._model

    @property
    def job(self) -> JobState:
        """What a person is waiting for."""
        return self._job

    # ---- the model

    def choose(self, choice: Choice) -> None:
        """Choose a model; it is loaded when next needed."""
        now = self._model
        if choice == now.choice:
            return
        same = choice.loaded_as == now.choice.loaded_as
        self._set_model_state(
            replace(now, choice=choice) if same else ModelState(choice)
        )

    def warm_up(self) -> None:
        """Bring in the model library, and an embedded model, behind the window."""
        choice = self._model.choice

        def done(_: Ticket, value: Any, error: BaseException | None) -> None:
            # A failure shows, with its sentence, when the model is really used.
            if error is None and value is not None:
                self._loaded(choice, value)
            else:
                self.model_changed.emit(self._model)

        self._runner.submit(WARM, lambda t: self._host.warm(choice, t), done)

    def unload(self) -> None:
        """Give the model's memory back; colorings stay."""

        def done(_: Ticket, _value: Any, _error: BaseException | None) -> None:
            self._set_model_state(replace(self._model, loaded=False))

        self._runner.submit(UNLOAD, lambda _: self._host.unload(), done)

    # ---- coloring

    def color(self, request: ColorRequest) -> None:
        """Color a plane; an unfinished earlier request is dropped.

        A coloring made before by the same model and settings comes back at once.
        Asking again for the one that is shown computes it anew.
        """
        choice = self._model.choice
        made = self._made(request)
        if (
            self._colorings.made(request.view) != made
            and self._colorings.show(request.view, made) is not None
        ):
            self.cancel()
            self.probing.forget()
            self._set_job_state(JobState(text="Shown from memory", view=request.view))
            self.coloring_changed.emit(request.view)
            return
        self._asked = request
        # What is downloaded or loaded first takes longer than that.
        expected = self.seconds_a_map(request.size) if self._model.loaded else None
        self._set_job_state(
            JobState(
                True, None, "Waiting for the model library", request.view, expected
            )
        )

        def done(ticket: Ticket, value: Any, error: BaseException | None) -> None:
            if self._asked is request and not ticket.cancelled:
                self._finish(request, choice, made, value, error)

        def report(ticket: Ticket, fraction: float | None, text: str) -> None:
            if self._asked is request and not ticket.cancelled:
                self._set_job_state(
                    JobState(True, fraction, text, request.view, expected)
                )

        self._ticket = self._runner.submit(
            COLOR, lambda t: self._host.color(choice, request, t), done, report
        )

    def color_ahead(
        self, request: ColorRequest, then: Callable[[BaseException | None], None]
    ) -> Ticket | None:
        """Color a plane that is not in view, behind what a person asks for.

        Parameters
        ----------
        request
            The plane; a coloring that is kept for it is taken.
        then
            Called with what went wrong, or None; not after its ticket was cancelled.

        Returns
        -------
        Ticket or None
            Cancels it; None where it was kept, and ``then`` has been called.
        """
        choice, made = self._model.choice, self._made(request)
        shown = self._colorings.made(request.view) == made
        if shown or self._colorings.show(request.view, made) is not None:
            then(None)
            return None

        def done(ticket: Ticket, value: Any, error: BaseException | None) -> None:
            if ticket.cancelled:
                return
            if error is None and value is not None:
                self._colorings.put(request.view, request.source, made, value.coloring)
                self._took.append((choice, request.size, value.seconds))
                self._loaded(choice, value.facts)
                self.coloring_changed.emit(request.view)
            then(error)

        return self._runner.submit(
            AHEAD, lambda t: self._host.color(choice, request, t), done
        )

    def show(self, request: ColorRequest) -> bool:
        """Show the coloring that is kept for a plane, if there is one; say so."""
        made = self._made(request)
        if (
            self._colorings.made(request.view) != made
            and self._colorings.show(request.view, made) is None
        ):
            return False
        self.probing.forget()
        self.coloring_changed.emit(request.view)
        return True

    def cancel(self) -> None:
        """Stop coloring: the window is free at once, whatever the lane still does."""
        if self._ticket is not None:
            self._ticket.cancel()
        self._ticket = self._asked = None
        if self._job.running:
            self._set_job_state(JobState(text="Cancelled", view=self._job.view))

    def keep(self, request: ColorRequest, coloring: Coloring) -> None:
        """Take a coloring made elsewhere (a file, another program) for a plane."""
        self._colorings.put(request.view, request.source, ("given",), coloring)
        self.probing.forget()
        self.coloring_changed.emit(request.view)

    def recall(self, request: ColorRequest, coloring: Coloring) -> None:
        """Take a coloring for a plane that the chosen model made earlier."""
        made = self._made(request)
        self._colorings.put(request.view, request.source, made, coloring)
        self.probing.forget()
        self.coloring_changed.emit(request.view)

    def forget(self, source: str) -> None:
        """Drop what belongs to a layer that is gone, a running job too."""
        if self._asked is not None and self._asked.source == source:
            self.cancel()
        self._colorings.forget(source)
        self.probing.forget()

    def close(self) -> None:
        """Stop everything, in silence: whoever listened may be gone."""
        if self._ticket is not None:
            self._ticket.cancel()
        self._ticket = self._asked = None
        self._runner.close()
        if not self._closed:
            self._closed = True
            self._host.leave()

    # ---- what there is

    def coloring(self, view: Hashable) -> Coloring | None:
        """Return the coloring shown for a view, or None."""
        return self._colorings.shown(view)

    def mask(self, view: Hashable, prompts: Prompts) -> Mask | None:
        """Return the mask of the clicks; see `Probing.mask`."""
        return self.probing.mask(view, prompts)

    def preview(
        self,
        view: Hashable,
        prompts: Prompts,
        pointer: tuple[float, float] | None = None,
        sign: int = 1,
        count: bool = False,
    ) -> Preview | None:
        """Return what to show under the pointer; see `Probing.preview`."""
        return self.probing.preview(view, prompts, pointer, sign, count)

    # ---- replies

    def _made(self, request: ColorRequest) -> Made:
        """Return what decides the coloring of a plane, besides its pixels."""
        choice = self._model.choice
        return (
            *choice.loaded_as,
            choice.resolution,
            choice.passes,
            request.recipe,
            request.inputs,
        )

    def _finish(
        self,
        request: ColorRequest,
        choice: Choice,
        made: Made,
        value: Colored | None,
        error: BaseException | None,
    ) -> None:
        self._ticket = self._asked = None
        view = request.view
        if isinstance(error, Cancelled):
            self._set_job_state(JobState(text="Cancelled", view=view))
        elif isinstance(error, LicenceError) and not choice.licence_accepted:
            self._set_job_state(JobState(text="Waiting for your answer", view=view))
            self.licence_requested.emit(str(error))
        elif error is not None or value is None:
            self._set_job_state(JobState(text="Failed", view=view))
            self.failed.emit(sentence(error))
        else:
            self._colorings.put(request.view, request.source, made, value.coloring)
            self.probing.forget()
            self._took.append((choice, request.size, value.seconds))
            self._loaded(choice, value.facts)
            self._set_job_state(
                JobState(
                    text=f"Colored in {duration_text(value.seconds, tenths=True)}",
                    view=view,
                )
            )
            self.coloring_changed.emit(request.view)

    def _loaded(self, choice: Choice, facts: Facts) -> None:
        """Show what a model runs on, unless another was chosen meanwhile."""
        if choice.loaded_as == self._model.choice.loaded_as:
            self._set_model_state(
                ModelState(
                    self._model.choice, True, facts.device, facts.dtype, facts.reason
                )
            )

    def _set_model_state(self, model: ModelState) -> None:
        if model != self._model:
            self._model = model
            self.model_changed.emit(model)

    def _set_job_state(self, job: JobState) -> None:
        self._job = job
        self.job_changed.emit(job)


def sentence(error: BaseException | None) -> str:
    """Turn an error into one sentence for a notification."""
    if isinstance(error, Gen2SegError):
        return str(error)
    if isinstance(error, MemoryError):
        return (
            "There is not enough memory for this. Choose a smaller resolution, or "
            "close other programs."
        )
    kind = type(error).__name__
    return (
        f"Something unexpected went wrong ({kind}: {error}). The log has the details."
    )
