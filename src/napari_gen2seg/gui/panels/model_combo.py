"""A drop-down of models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox
from superqt.utils import signals_blocked

from napari_gen2seg.gui.panels.widgets import shrink

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_gen2seg.models.spec import ModelSpec


class ModelCombo(QComboBox):
    """Offers models by title; their ids are its data."""

    def __init__(self) -> None:
        super().__init__()
        shrink(self)

    def show_models(self, models: Iterable[ModelSpec], chosen: str = "") -> None:
        """Offer other models, in silence.

        Parameters
        ----------
        models
            From top to bottom.
        chosen
            Id to choose; by default what is chosen stays so while it is there.
        """
        keep = self.currentData()
        with signals_blocked(self):
            self.clear()
            for spec in models:
                self.addItem(spec.title, spec.id)
                place = self.count() - 1
                tip = Qt.ItemDataRole.ToolTipRole
                self.setItemData(place, spec.description, tip)
            if chosen:
                self.choose(chosen)
            else:
                self.setCurrentIndex(max(self.findData(keep), 0))

    def choose(self, model: str) -> None:
        """Choose a model by id, or a folder elsewhere, which is offered from now on."""
        if self.findData(model) < 0:
            self.addItem(Path(model).name, model)
        self.setCurrentIndex(self.findData(model))
