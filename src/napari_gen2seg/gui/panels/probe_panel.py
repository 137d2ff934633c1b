"""Panel of the probe: sign, tolerance and reach of clicks."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QLabel,
    QPushButton,
    QSlider,
)
from superqt.utils import signals_blocked

from napari_gen2seg.core.learned_probe.choice import LEARNED, METHODS
from napari_gen2seg.gui.annotate.tool_keys import PROMPTS
from napari_gen2seg.gui.panels.tolerance_plot import HIGH, LOW, TolerancePlot
from napari_gen2seg.gui.panels.tool_buttons import ToolButtons
from napari_gen2seg.gui.panels.widgets import Panel, quiet_label

if TYPE_CHECKING:
    from napari_gen2seg.core.probe.prober import Curve, ProbeSettings
    from napari_gen2seg.session import Preview

STEPS = 200

HINT = (
    "Objects light up under the pointer. Click marks one, Shift-click leaves a part "
    "out, Enter commits."
)
_BRIGHTNESS = (
    "On: where bright and dark tell objects from background as the map does, the "
    "picture's brightness has a say in the outline. Off: the map alone."
)
_NO_BRIGHTNESS = (
    "Here the map alone decides: bright and dark say nothing about its objects."
)


_METHODS = (
    "What finds the object under the clicks. similarity: the pixels whose color in the "
    "map is like the clicked one. learned: a small network that reads image, map and "
    "clicks, and has learned which differences matter."
)
#: Of "auto" and of the slider, without and with the learned probe.
_TOLERANCE = {
    False: (
        "Choose the tolerance where the area holds still.",
        "How far colors may differ ([ and ] change it).",
    ),
    True: (
        "The network's own outline.",
        "Lower for a tighter outline, higher for a wider one ([ and ] change it).",
    ),
}


class ProbePanel(Panel):
    """Asks for probe settings; shows those in use and what they give."""

    settings_requested = Signal(dict)
    sign_requested = Signal(int)
    hover_requested = Signal(bool)
    clicking_requested = Signal()
    method_requested = Signal(str)

    def __init__(self) -> None:
        super().__init__("3  Click objects")
        self.hint = quiet_label(HINT)
        self.start = QPushButton("Start")
        self.start.setToolTip("Select the click layer, so that clicks mark objects.")
        self.start.clicked.connect(self.clicking_requested)
        self.keep = QPushButton("+ Keep")
        self.leave = QPushButton("− Leave out")
        self.signs = QButtonGroup(self)
        for button, sign in ((self.keep, 1), (self.leave, -1)):
            button.setCheckable(True)
            button.setToolTip(
                "What a click means (T switches; Shift or Alt with a click means "
                "leave out)."
            )
            button.clicked.connect(
                lambda _=False, sign=sign: self.sign_requested.emit(sign)
            )
            self.signs.addButton(button)
        self.keep.setChecked(True)
        self.drawn = ToolButtons(PROMPTS, 2, "While this is down, a stroke is one.")
        self.method = QComboBox()
        self.method.addItems(METHODS)
        self.method.setToolTip(_METHODS)
        self.note = quiet_label("")
        self.auto = QCheckBox("auto")
        self.auto.setChecked(True)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, STEPS)
        self.value = QLabel("–")
        self.value.setMinimumWidth(28)
        self.value.setAlignment(
            Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        )
        self.curve = TolerancePlot()
        self.contiguous = QCheckBox("Connected")
        self.contiguous.setChecked(True)
        self.contiguous.setToolTip(
            "On: only what is connected to a click. Off: the same color everywhere, "
            "for objects in several parts."
        )
        self.brightness = QCheckBox("Brightness")
        self.brightness.setChecked(True)
        self.brightness.setToolTip(_BRIGHTNESS)
        self.hover = QCheckBox("Preview")
        self.hover.setChecked(True)
        self.hover.setToolTip("Light up the object under the pointer before any click.")
        self.result = quiet_label("")

        self.column.addWidget(self.hint)
        self.add_row(self.start, self.keep, self.leave)
        self.column.addWidget(self.drawn)
        self.add_row(self.method, label="Probe")
        self.column.addWidget(self.note)
        row = self.add_row(self.auto, self.slider, label="Tolerance")
        row.addWidget(self.value)
        self.column.addWidget(self.curve)
        self.add_row(self.contiguous, self.brightness, self.hover)
        self.column.addWidget(self.result)

        self.method.textActivated.connect(self.method_requested)
        self.auto.toggled.connect(self._auto_toggled)
        self.slider.valueChanged.connect(self._slid)
        self.curve.tolerance_requested.connect(self._ask_tolerance)
        self.contiguous.toggled.connect(
            lambda on: self.settings_requested.emit({"contiguous": on})
        )
        self.brightness.toggled.connect(
            lambda on: self.settings_requested.emit({"brightness": on})
        )
        self.hover.toggled.connect(self.hover_requested)

    def show_settings(self, settings: ProbeSettings) -> None:
        """Show the settings in use."""
        with ExitStack() as quiet:
            for widget in (self.auto, self.contiguous, self.brightness):
                quiet.enter_context(signals_blocked(widget))
            self.auto.setChecked(settings.tolerance is None)
            self.contiguous.setChecked(settings.contiguous)
            self.brightness.setChecked(settings.brightness)
        if settings.tolerance is not None:
            self._show_tolerance(settings.tolerance)

    def show_method(self, method: str, note: str = "", there: bool = True) -> None:
        """Show who answers clicks, what is to be known of it, and whether it is there.

        Parameters
        ----------
        method
            ``"similarity"`` or ``"learned"``.
        note
            A sentence, or nothing.
        there
            Whether this installation has a learned probe at all.
        """
        learned = method == LEARNED
        self.method.setCurrentText(method)
        self.method.setEnabled(there)
        self.note.setText(note)
        self.note.setVisible(bool(note))
        self.curve.setVisible(not learned)
        auto, slider = _TOLERANCE[learned]
        self.auto.setToolTip(auto)
        self.slider.setToolTip(slider)

    def show_brightness_use(self, used: bool) -> None:
        """Show whether the image's brightness can have a say at all."""
        self.brightness.setEnabled(used)
        self.brightness.setToolTip(_BRIGHTNESS if used else _NO_BRIGHTNESS)

    def show_sign(self, sign: int) -> None:
        """Show what a click means."""
        (self.keep if sign > 0 else self.leave).setChecked(True)

    def show_preview(self, preview: Preview | None) -> None:
        """Show what the mask on screen is like."""
        if preview is None:
            self.result.setText("")
            self.value.setText("–")  # that of another plane says nothing here
            return
        self._show_tolerance(preview.tolerance)
        self.result.setText(_said_of(preview))

    def show_curve(self, curve: Curve | None, tolerance: float | None) -> None:
        """Show the graph."""
        self.curve.show_curve(curve, tolerance)

    def step(self, direction: int) -> None:
        """Make the tolerance a little larger (+1) or smaller (-1)."""
        self.slider.setValue(self.slider.value() + 4 * direction)

    def _auto_toggled(self, on: bool) -> None:
        tolerance = None if on else tolerance_at(self.slider.value())
        self.settings_requested.emit({"tolerance": tolerance})

    def _slid(self, value: int) -> None:
        self._ask_tolerance(tolerance_at(value))

    def _ask_tolerance(self, tolerance: float) -> None:
        self.settings_requested.emit({"tolerance": tolerance})

    def _show_tolerance(self, tolerance: float) -> None:
        if not np.isfinite(tolerance):
            self.value.setText("–")
            return
        with signals_blocked(self.slider):
            self.slider.setValue(slider_at(tolerance))
        self.value.setText(f"{tolerance:.0f}")


def tolerance_at(value: int) -> float:
    """Return the tolerance at a place of the slider, equal steps being equal ratios."""
    return float(LOW * (HIGH / LOW) ** (value / STEPS))


def slider_at(tolerance: float) -> int:
    """Return the place of the slider for a tolerance."""
    share = np.log(max(tolerance, LOW) / LOW) / np.log(HIGH / LOW)
    return int(np.rint(np.clip(share, 0, 1) * STEPS))


def _said_of(preview: Preview) -> str:
    if preview.background and not preview.array.size:
        return "Background: the map shows no object here"
    if preview.pixels is None:
        size = f"about {preview.area:,.0f} pixels"
    else:
        size = f"{preview.pixels:,} pixels"
    if preview.background:
        return f"{size} of what the map takes for background"
    return f"{size}, {_certainty(preview.score)} outline"


def _certainty(score: float) -> str:
    return "clear" if score >= 0.7 else "fair" if score >= 0.4 else "uncertain"
