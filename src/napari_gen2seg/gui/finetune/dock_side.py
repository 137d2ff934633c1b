"""The dock's side of fine-tuning: opens the dialog, uses what it made, goes back."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from napari_gen2seg.models.registry import title_of

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from qtpy.QtWidgets import QLabel, QWidget

    from napari_gen2seg.gui.finetune.dialog import FinetuneDialog
    from napari_gen2seg.gui.layers.source import Source
    from napari_gen2seg.gui.settings import Memory
    from napari_gen2seg.session import Session


class ModelUser(Protocol):
    """Whoever colors with a model, and lets fine-tuning change which one."""

    session: Session
    memory: Memory
    status: QLabel  # what is said last

    @property
    def source(self) -> Source:
        """The image in view, which knows how layers are read."""
        ...

    @property
    def current_model(self) -> str:
        """Id of the model in use."""
        ...

    def use_model(self, model: str) -> None:
        """Use another model, on the image in view first."""
        ...

    def refresh_models(self) -> None:
        """Offer the models that are there now."""
        ...

    def show_previous(self, title: str) -> None:
        """Offer the way back to a model; none where the title is empty."""
        ...

    def show_training(self, text: str) -> None:
        """Say in a word or two how far a training is."""
        ...


class FinetuneLauncher:
    """Makes the dialog when it is first asked for.

    Parameters
    ----------
    viewer
        napari's.
    user
        Whose model is chosen, and whose picture coloured anew.
    parent
        The widget over which the dialog opens.
    """

    def __init__(self, viewer: ViewerModel, user: ModelUser, parent: QWidget) -> None:
        self._viewer, self._user, self._parent = viewer, user, parent
        self.dialog: FinetuneDialog | None = None
        self.options: dict[str, Any] = {}  # of the dialog, for tests
        self.previous = ""  # id of the model in use before the last adoption

    def open(self) -> FinetuneDialog:
        """Show the dialog, in front of the window it belongs to."""
        dialog = self._there()
        dialog.show()
        dialog.raise_()
        dialog.activateWindow()
        return dialog

    def adopt(self, model: str) -> None:
        """Use a new model from now on, on the image in view first."""
        self.previous = self._user.current_model
        self._user.use_model(model)
        self._show_previous()

    def back(self) -> None:
        """Use the model again that was in use before."""
        model, self.previous = self.previous, ""
        if model:
            self._user.use_model(model)
        self._show_previous()

    def forget(self, model: str) -> None:
        """Stop using a model that was removed."""
        if self._user.current_model == model:
            self.previous = self.previous or "mini"
            self.back()
        elif self.previous == model:
            self.previous = ""
            self._show_previous()
        self._user.refresh_models()
        if self.dialog is not None:
            self.dialog.show_models()

    def ask_remove(self) -> None:
        """Ask whether the chosen model, one of the user's, is to be deleted."""
        model = Path(self._user.current_model)
        self._there().decisions.ask_remove(model, self._parent)

    def show_use(self) -> None:
        """Show which model is in use."""
        if self.previous == self._user.current_model:
            self.previous = ""  # gone back to by hand
            self._show_previous()
        if self.dialog is not None:
            self.dialog.show_use()

    def close(self) -> None:
        """Let go; a training saves its state and can be resumed."""
        if self.dialog is not None:
            self.dialog.shut()
            with suppress(RuntimeError):  # Qt may have deleted it with the dock
                self.dialog.close()

    def _there(self) -> FinetuneDialog:
        if self.dialog is None:
            self.dialog = self._make()
        return self.dialog

    def _make(self) -> FinetuneDialog:
        from napari_gen2seg.gui.finetune.dialog import FinetuneDialog

        user = self._user
        dialog = FinetuneDialog(
            self._viewer,
            user.source,
            user.session,
            user.memory,
            self._parent,
            **self.options,
        )
        dialog.adopted.connect(self.adopt)
        dialog.removed.connect(self.forget)
        dialog.back_requested.connect(self.back)
        dialog.said.connect(user.status.say)
        dialog.progress_changed.connect(user.show_training)
        return dialog

    def _show_previous(self) -> None:
        title = title_of(self.previous) if self.previous else ""
        self._user.show_previous(title)
        if self.dialog is not None:
            self.dialog.decisions.show_previous(title)


PLUGIN, WIDGET = "napari-gen2seg", "Segment by clicking"


def open_dialog() -> FinetuneDialog | None:
    """Open the dock, if it is not open yet, and the dialog over it."""
    import napari

    viewer = napari.current_viewer()
    if viewer is None:
        return None
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, WIDGET)
    dialog: FinetuneDialog = dock.finetune.open()
    return dialog
