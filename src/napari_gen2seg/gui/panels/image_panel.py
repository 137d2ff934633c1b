"""Panel of the image: which one, and exactly what the model sees of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QLabel
from superqt.utils import signals_blocked

from napari_gen2seg.errors import SettingsError
from napari_gen2seg.gui.layers.channels import Input, choice_of, inputs_of, picked
from napari_gen2seg.gui.layers.overlays import role_of
from napari_gen2seg.gui.layers.view import axis_name, level_shape
from napari_gen2seg.gui.panels.layer_combo import LayerCombo
from napari_gen2seg.gui.panels.widgets import (
    Panel,
    fold,
    pixmap_of,
    quiet_label,
    shrink,
)

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Layer

    from napari_gen2seg.gui.layers.source import Source
    from napari_gen2seg.gui.layers.view import ReadOptions

COLORS = ("Red", "Green", "Blue")
THUMBNAIL = 116  # pixels, width of the thumbnail


class ImagePanel(Panel):
    """Asks for an image layer and for how to read it; shows the model input.

    Parameters
    ----------
    viewer
        Whose image layers are offered.
    """

    layer_chosen = Signal(object)
    view_requested = Signal(dict)

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__("1  Picture")
        self.layer = LayerCombo(viewer, is_image)
        self.thumbnail = QLabel()
        self.thumbnail.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.thumbnail.setFixedSize(THUMBNAIL, THUMBNAIL * 3 // 4)
        self.thumbnail.setToolTip("Exactly what the model sees.")
        self.facts = quiet_label("")
        self.facts.setToolTip("Sizes are rows x columns, as everywhere.")
        self._viewer = viewer
        self._source: Source | None = None
        self._inputs: list[Input] = []

        inside = Panel()
        self.level = shrink(QComboBox())
        self.stacked = QCheckBox("The first axis holds channels")
        self.channels = [shrink(QComboBox()) for _ in COLORS]
        self.low, self.high = QDoubleSpinBox(), QDoubleSpinBox()
        for box, at in ((self.low, 0.1), (self.high, 99.9)):
            box.setRange(0, 100)
            box.setDecimals(1)
            box.setSingleStep(0.1)
            box.setValue(at)
            box.setKeyboardTracking(False)
        self.invert = QCheckBox("Swap bright and dark")
        self.windows = QCheckBox("What is in view, not shrunk")
        self.windows.setToolTip(
            "Look at a window of a large picture at a time, at its own size. Else it "
            "is shrunk whole, which suits objects that fill much of it."
        )
        inside.add_row(self.level, label="Level")
        inside.column.addWidget(self.stacked)
        for name, combo in zip(COLORS, self.channels, strict=True):
            inside.add_row(combo, label=name)
        inside.add_row(self.low, label="Black %")
        inside.add_row(self.high, label="White %")
        inside.column.addWidget(self.invert)

        self.column.addWidget(self.layer)
        self.column.addWidget(self.windows)
        self.windows.hide()
        self.add_row(self.thumbnail, self.facts)
        self.column.addWidget(fold("Channels and contrast", inside))

        self.layer.chosen.connect(self.layer_chosen)
        self.level.activated.connect(
            lambda _: self.view_requested.emit({"level": self.level.currentData()})
        )
        self.stacked.clicked.connect(self._stack_asked)
        for combo in self.channels:
            combo.activated.connect(self._channels_asked)
        self.low.valueChanged.connect(self._contrast_asked)
        self.high.valueChanged.connect(self._contrast_asked)
        self.invert.clicked.connect(self._contrast_asked)
        self.windows.clicked.connect(
            lambda on: self.view_requested.emit({"windows": on})
        )

    def show_model_input(self, seen: npt.NDArray[np.uint8] | str | None) -> None:
        """Show the thumbnail, or the sentence that says why there is none."""
        if isinstance(seen, np.ndarray):
            self.thumbnail.setPixmap(
                pixmap_of(seen).scaled(
                    self.thumbnail.size(),
                    Qt.AspectRatioMode.KeepAspectRatio,
                    Qt.TransformationMode.SmoothTransformation,
                )
            )
        else:
            self.thumbnail.clear()
            if seen:
                self.facts.setText(seen)

    def show_source(self, source: Source) -> None:
        """Show which plane is in view and how it is read."""
        self._source = source
        layer, view, options = source.layer, source.view, source.options
        if layer is None or view is None:
            self.facts.setText(source.problem)
            self.thumbnail.clear()
            return
        place = ", ".join(
            f"{axis_name(layer, axis)} {at}"
            for axis, at in enumerate(view.index)
            if axis not in view.axes and axis != view.channel_axis
        )
        text = f"{view.plane_shape[0]} x {view.plane_shape[1]} pixels"
        if view.level:
            full = level_shape(layer)
            size = f"{full[view.axes[0]]} x {full[view.axes[1]]}"
            text += f", level {view.level} of a pyramid of {size}"
        if view.window is not None:
            text += f", in windows of {view.shape[0]} x {view.shape[1]}"
        if place:
            text += f"\n{place}"
        self.facts.setText(f"{text}\n\nThis is what the model sees.")
        self.windows.setVisible(view.large)
        self.windows.setChecked(options.windows)
        self.level.clear()
        for level, shape in enumerate(layer.level_shapes):
            size = f"{shape[view.axes[0]]} x {shape[view.axes[1]]}"
            self.level.addItem(f"{level}: {size}", level)
        self.level.setCurrentIndex(options.level)
        self.level.setEnabled(layer.multiscale)
        self.stacked.setChecked(options.channel_axis is not None)
        self.stacked.setEnabled(not layer.rgb and layer.ndim >= 3)
        self._fill_channels(layer, options)
        for box, value in (
            (self.low, options.recipe.low),
            (self.high, options.recipe.high),
        ):
            with signals_blocked(box):
                box.setValue(value)
        self.invert.setChecked(options.recipe.invert)

    def _fill_channels(self, layer: Image, options: ReadOptions) -> None:
        self._inputs = inputs_of(self._viewer, layer, options)
        now = picked(self._inputs, options)
        for combo, place in zip(self.channels, now, strict=True):
            combo.clear()
            for index, one in enumerate(self._inputs):
                combo.addItem(one.name, index)
            combo.addItem("none", None)
            combo.setCurrentIndex(combo.count() - 1 if place is None else place)

    def _stack_asked(self, on: bool) -> None:
        if self._source is not None:
            recipe = replace(self._source.options.recipe, channels=None)
            self.view_requested.emit(
                {"channel_axis": 0 if on else None, "recipe": recipe, "partners": ()}
            )

    def _channels_asked(self, _index: int = 0) -> None:
        if self._source is None:
            return
        red, green, blue = (combo.currentData() for combo in self.channels)
        channels, partners = choice_of(self._inputs, (red, green, blue))
        try:
            recipe = replace(self._source.options.recipe, channels=channels)
        except SettingsError as error:  # all three black
            self.show_source(self._source)
            self.facts.setText(str(error))
            return
        self.view_requested.emit({"recipe": recipe, "partners": partners})

    def _contrast_asked(self, _value: object = None) -> None:
        if self._source is None:
            return
        try:
            recipe = replace(
                self._source.options.recipe,
                low=self.low.value(),
                high=self.high.value(),
                invert=self.invert.isChecked(),
            )
        except SettingsError as error:
            self.facts.setText(str(error))
            return
        self.view_requested.emit({"recipe": recipe})


def is_image(layer: Layer) -> bool:
    """Whether a layer is a person's image, and none of ours."""
    from napari.layers import Image

    return isinstance(layer, Image) and role_of(layer) is None
