"""The dock's side of the model: which one, at which size, and what it is doing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from napari_gen2seg.errors import Gen2SegError
from napari_gen2seg.gui.panels.model_panel import job_of_view
from napari_gen2seg.gui.panels.resolution_choice import ResolutionChoice
from napari_gen2seg.gui.panels.widgets import ask
from napari_gen2seg.models.registry import list_models

if TYPE_CHECKING:
    from napari_gen2seg.gui.annotate.bridge import Bridge
    from napari_gen2seg.gui.dock_settings import DockSettings
    from napari_gen2seg.gui.layers.source import Source
    from napari_gen2seg.gui.panels.model_panel import ModelPanel
    from napari_gen2seg.gui.panels.status_line import StatusLine
    from napari_gen2seg.gui.settings import Memory
    from napari_gen2seg.session import ModelState


class DockModel(QObject):
    """Chooses what the panel asks for, and shows what comes of it; a `ModelUser`.

    Parameters
    ----------
    panel
        The panel.
    bridge
        Who colors the view in sight.
    settings
        Remembers what is chosen.
    memory
        Where fine-tuning remembers what was chosen there.
    status
        What just happened is said there.
    parent
        Deleted with it.
    """

    warning = Signal(str)  # a sentence that must not be missed

    def __init__(
        self,
        panel: ModelPanel,
        bridge: Bridge,
        settings: DockSettings,
        memory: Memory,
        status: StatusLine,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._panel, self._bridge, self._settings = panel, bridge, settings
        self.session, self.memory, self.status = bridge.session, memory, status
        session = bridge.session
        self.resolution = ResolutionChoice(
            bridge, lambda size: settings.choose(resolution=size)
        )
        panel.model_requested.connect(lambda name: settings.choose(model=name))
        panel.device_requested.connect(lambda name: settings.choose(device=name))
        panel.resolution_requested.connect(lambda n: settings.choose(resolution=n))
        panel.passes_requested.connect(lambda n: settings.choose(passes=n))
        panel.by_object_requested.connect(self._size_by_object)
        panel.step_requested.connect(self._look_again)
        panel.color_requested.connect(bridge.color)
        panel.cancel_requested.connect(session.cancel)
        session.job_changed.connect(lambda _: self.show_job())
        session.model_changed.connect(self._model_changed)
        session.licence_requested.connect(self._ask_licence)
        session.coloring_changed.connect(lambda _: self.show_job())
        bridge.view_changed.connect(self._view_changed)
        bridge.source.edited.connect(lambda _: self.show_job())

    def show_job(self) -> None:
        """Show what is done, as far as it is about the view in sight."""
        view = self._bridge.source.view
        coloring = None if view is None else self.session.coloring(view)
        job = job_of_view(self.session.job, view, coloring is not None)
        self._panel.show_job(job)

    # ---- what fine-tuning asks of it

    @property
    def source(self) -> Source:
        """The image in view."""
        return self._bridge.source

    @property
    def current_model(self) -> str:
        """Id of the model in use."""
        return self.session.model.choice.model

    def use_model(self, model: str) -> None:
        """Use another model, on the image in view first."""
        self.refresh_models()
        self._settings.choose(model=model)
        if self._bridge.source.view is not None:
            self._bridge.color()

    def refresh_models(self) -> None:
        """Offer the models that are there now."""
        self._panel.show_models(list_models())

    def show_previous(self, title: str) -> None:
        """Offer the way back to a model."""
        self._panel.show_previous(title)

    def show_training(self, text: str) -> None:
        """Say how far a training is."""
        self._panel.show_training(text)

    # ---- inside

    def _view_changed(self) -> None:
        source = self._bridge.source
        self._panel.show_problem(source.problem if source.layer is not None else "")
        self.show_job()

    def _model_changed(self, state: ModelState) -> None:
        self._panel.show_model(state)
        self._settings.note_model(state)

    def _look_again(self, factor: float) -> None:
        try:
            self.resolution.again(factor)
        except Gen2SegError as error:
            self.warning.emit(str(error))

    def _size_by_object(self) -> None:
        try:
            size = self.resolution.by_object()
        except Gen2SegError as error:
            self.warning.emit(str(error))
            return
        self.status.say(f"The model will look at {size} pixels. Press Color.")

    def _ask_licence(self, text: str) -> None:
        ask(self._panel, "License of the model", text, self._licence_accepted)

    def _licence_accepted(self) -> None:
        self.session.choose(replace(self.session.model.choice, licence_accepted=True))
        self._bridge.color()
