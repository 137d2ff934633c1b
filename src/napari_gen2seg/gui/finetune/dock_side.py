"""The dock's side of fine-tuning: opens the dialog, uses what it made, goes back."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_gen2seg.models.registry import list_models, title_of

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_gen2seg.gui.finetune.dialog import FinetuneDialog
    from napari_gen2seg.gui.widget import SegmentWidget


class FinetuneLauncher:
    """Makes the dialog when it is first asked for.

    Parameters
    ----------
    viewer
        napari's.
    dock
        Whose model is chosen, and whose picture coloured anew.
    """

    def __init__(self, viewer: ViewerModel, dock: SegmentWidget) -> None:
        self._viewer, self._dock = viewer, dock
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
        """Use a new model from now on, on the picture in view first."""
        self.previous = self._dock.session.model.choice.model
        self._use(model)
        self._show_previous()

    def back(self) -> None:
        """Use the model again that was in use before."""
        model, self.previous = self.previous, ""
        if model:
            self._use(model)
        self._show_previous()

    def forget(self, model: str) -> None:
        """Stop using a model that was removed."""
        if self._dock.session.model.choice.model == model:
            self.previous = self.previous or "mini"
            self.back()
        elif self.previous == model:
            self.previous = ""
            self._show_previous()
        self._dock.model.show_models(list_models())
        if self.dialog is not None:
            self.dialog.show_models()

    def ask_remove(self) -> None:
        """Ask whether the chosen model, one of the user's, is to be deleted."""
        model = Path(self._dock.session.model.choice.model)
        self._there().decisions.ask_remove(model, self._dock)

    def show_use(self) -> None:
        """Show which model is in use."""
        if self.previous == self._dock.session.model.choice.model:
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

        dock = self._dock
        dialog = FinetuneDialog(
            self._viewer,
            dock.bridge.source,
            dock.session,
            dock.memory,
            dock,
            **self.options,
        )
        dialog.adopted.connect(self.adopt)
        dialog.removed.connect(self.forget)
        dialog.back_asked.connect(self.back)
        dialog.said.connect(dock.status.setText)
        dialog.progress_changed.connect(dock.model.show_training)
        return dialog

    def _use(self, model: str) -> None:
        dock = self._dock
        dock.model.show_models(list_models())
        dock.choose(model=model)
        if dock.bridge.source.view is not None:
            dock.bridge.color()

    def _show_previous(self) -> None:
        title = title_of(self.previous) if self.previous else ""
        self._dock.model.show_previous(title)
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
    dialog: FinetuneDialog = dock.tuning.open()
    return dialog
