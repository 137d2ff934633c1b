"""Page 2: from which model, for how long, and the rest folded away."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QRadioButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible

from napari_gen2seg.gui.finetune.texts import length_text, wide_label
from napari_gen2seg.gui.panels.model_combo import ModelCombo
from napari_gen2seg.gui.panels.widgets import Column, Panel, quiet_label
from napari_gen2seg.models.library.user_models import free_name
from napari_gen2seg.train.finetune.config import DIALS

if TYPE_CHECKING:
    from napari_gen2seg.gui.settings import Memory
    from napari_gen2seg.models.spec import ModelSpec


class SettingsPage(QWidget):
    """Asks how to train.

    Parameters
    ----------
    memory
        Where settings are remembered.
    """

    start_asked = Signal()
    check_asked = Signal()
    changed = Signal()

    def __init__(self, memory: Memory) -> None:
        super().__init__()
        self._memory = memory
        self._named = False  # by hand
        self._ready = False
        self.name = QLineEdit()
        self.model = ModelCombo()
        self.dials = {name: QRadioButton() for name in DIALS}
        self._group = QButtonGroup(self)
        for name, button in self.dials.items():
            minutes = DIALS[name].minutes
            button.setText(
                f"{name.capitalize()}: about {minutes:.0f} minutes, {TELLS[name]}"
            )
            self._group.addButton(button)
        self.by_hand = quiet_label()
        self.minutes = automatic(QDoubleSpinBox(), 0, 100_000, 1)
        self.minutes.setDecimals(1)
        self.minutes.setSuffix(" min")
        self.steps = automatic(QSpinBox(), 0, 10_000_000, 100)
        self.rate = QComboBox()
        self.rate.addItem("automatic", 0.0)
        for rate in (1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 3e-6, 1e-6):
            self.rate.addItem(f"{rate:g}", rate)
        self.crop = QComboBox()
        self.crop.addItem("automatic", 0)
        for side in (128, 192, 256, 320, 384, 448, 512, 640, 768):
            self.crop.addItem(f"{side} pixels", side)
        self.batch = automatic(QSpinBox(), 0, 256, 1)
        self.trains, self.precision = QComboBox(), QComboBox()
        for text, value in TRAINS:
            self.trains.addItem(text, value)
        for text, value in PRECISIONS:
            self.precision.addItem(text, value)
        self.seed = QSpinBox()
        self.seed.setRange(0, 2**31 - 1)
        self.plan = wide_label()
        self.memory = wide_label()
        self.check = QPushButton("Check first")
        self.check.setToolTip(
            "Load the model and say what would be trained, and with how much memory, "
            "without training."
        )
        self.checking = QProgressBar()
        self.checking.setRange(0, 0)  # nobody knows how long loading takes
        self.checking.setTextVisible(False)
        self.checking.setMaximumWidth(120)
        self.checking.setVisible(False)
        self.start = QPushButton("Start training")
        font = self.start.font()
        font.setBold(True)
        self.start.setFont(font)
        self._lay_out()
        self._recall()
        self._connect()

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.addRow("New model's name", self.name)
        form.addRow("Start from", self.model)
        dials = QVBoxLayout()
        for button in self.dials.values():
            dials.addWidget(button)
        dials.addWidget(self.by_hand)
        form.addRow("How long", dials)
        inside = QWidget()
        more = QFormLayout(inside)
        for label, field, tip in (
            (
                "At most (minutes)",
                self.minutes,
                "Minutes of training, in place of those above; 0 leaves it to them.",
            ),
            (
                "At most (steps)",
                self.steps,
                "Steps of training; 0 leaves it to the time above.",
            ),
            (
                "What is trained",
                self.trains,
                (
                    "The whole network learns most. Small additions, or the last "
                    "blocks, need a fraction of the memory."
                ),
            ),
            (
                "Crop",
                self.crop,
                (
                    "Side of the pieces that the model trains on. Smaller needs less "
                    "memory; several objects must fit."
                ),
            ),
            ("Crops per step", self.batch, "Fewer need less memory."),
            (
                "Learning rate",
                self.rate,
                (
                    "Smaller if the loss jumps or becomes no number; larger if nothing "
                    "changes."
                ),
            ),
            ("Precision", self.precision, "16 bits halve the memory where they work."),
            ("Seed", self.seed, "The same number makes the same random choices."),
        ):
            field.setToolTip(tip)
            more.addRow(label, field)
        self.fold = QCollapsible("Advanced")
        self.fold.setDuration(0)
        self.fold.addWidget(inside)
        above = Panel()
        above.column.addLayout(form)
        above.column.addWidget(self.fold)
        last = QHBoxLayout()
        last.addStretch(1)
        last.addWidget(self.checking)
        last.addWidget(self.check)
        last.addWidget(self.start)
        column = QVBoxLayout(self)
        # Scrolled, so that the window fits on a small screen, unfolded too.
        column.addWidget(Column((above,)), 1)
        column.addWidget(self.plan)
        column.addWidget(self.memory)
        column.addLayout(last)

    def _recall(self) -> None:
        get = self._memory.get
        dial = get(KEPT["dial"])
        self.dials[dial if dial in self.dials else "quick"].setChecked(True)
        self.minutes.setValue(get(KEPT["minutes"]))
        for name in ("steps", "batch", "seed"):
            getattr(self, name).setValue(get(KEPT[name]))
        for name in ("rate", "crop", "trains", "precision"):
            combo = getattr(self, name)
            combo.setCurrentIndex(max(combo.findData(get(KEPT[name])), 0))

    def _connect(self) -> None:
        self.name.textEdited.connect(self._name_typed)
        self.name.textChanged.connect(self._tell)
        self.model.currentIndexChanged.connect(self._propose_name)
        self._group.buttonToggled.connect(self._tell)
        self._group.buttonClicked.connect(self._by_dial)
        for box in (self.minutes, self.steps, self.batch, self.seed):
            box.valueChanged.connect(self._tell)
        for combo in (self.rate, self.crop, self.trains, self.precision):
            combo.currentIndexChanged.connect(self._tell)
        self.start.clicked.connect(lambda: self.start_asked.emit())
        self.check.clicked.connect(lambda: self.check_asked.emit())

    # ---- what is set

    @property
    def values(self) -> dict[str, Any]:
        """Entries of the config; what is left automatic is None or ``"auto"``."""
        dial = next(name for name, one in self.dials.items() if one.isChecked())
        return {
            "model": self.model.currentData() or "mini",
            "name": self.name.text().strip(),
            "dial": dial,
            "minutes": self.minutes.value() or None,
            "steps": self.steps.value() or None,
            "rate": self.rate.currentData() or None,
            "crop": self.crop.currentData() or None,
            "batch": self.batch.value() or None,
            "trains": self.trains.currentData(),
            "precision": self.precision.currentData(),
            "seed": self.seed.value(),
        }

    def keep(self) -> None:
        """Remember what is set."""
        for name, value in self.values.items():
            if name in KEPT:
                kept = value
                if value is None:
                    kept = 0.0 if name in ("minutes", "rate") else 0
                self._memory.set(KEPT[name], kept)

    def show_models(self, models: tuple[ModelSpec, ...], chosen: str) -> None:
        """Offer models; one of them, or a folder elsewhere, is chosen."""
        self.model.show_models(models, chosen)
        self._propose_name()

    def rename(self) -> None:
        """Propose a name again, for another model after this one."""
        self._named = False
        self._propose_name()

    def _name_typed(self, text: str) -> None:
        self._named = bool(text.strip())

    def _propose_name(self, _index: int = 0) -> None:
        if not self._named:
            base = str(self.model.currentData() or "mini")
            own = Path(base).is_absolute()  # its title is its name
            self.name.setText(free_name(self.model.currentText() if own else base))
        self._tell()

    def _by_dial(self, *_: Any) -> None:
        """Leave the length to the dial again."""
        for box in (self.minutes, self.steps):
            box.setValue(0)

    def _tell(self, *_: Any) -> None:
        ends = length_text(self.values)
        self.by_hand.setText(
            f"Now {ends}, as set under Advanced; press one above to go by that."
        )
        self.by_hand.setVisible(bool(ends))
        self.changed.emit()

    def show_memory(self, text: str) -> None:
        """Say what it needs, once that was asked for."""
        self.memory.setText(text)

    def show_checking(self, on: bool) -> None:
        """Show whether it is being found out what a training needs."""
        self.checking.setVisible(on)
        self.check.setEnabled(self._ready and not on)
        self.check.setText("Checking…" if on else "Check first")

    def show_plan(self, text: str, memory: str, ready: bool) -> None:
        """Say in a line what Start will do, and what it needs."""
        self.plan.setText(text)
        self.memory.setText(memory)
        self._ready = ready
        self.start.setEnabled(ready)
        self.show_checking(False)


TELLS = {
    "quick": "a first look",
    "standard": "for most pictures",
    "thorough": "for many labels, or when it must be as good as it gets",
}
TRAINS = (
    ("automatic", "auto"),
    ("the whole network", "full"),
    ("small additions (LoRA)", "lora"),
    ("the last blocks", "last"),
)
PRECISIONS = (
    ("automatic", "auto"),
    ("32 bits", "float32"),
    ("16 bits (bfloat16)", "bfloat16"),
)
#: Setting of the config -> name under which it is remembered.
KEPT = {
    "dial": "training_dial",
    "minutes": "training_minutes",
    "steps": "training_steps",
    "rate": "training_rate",
    "crop": "training_crop",
    "batch": "training_batch",
    "trains": "training_trains",
    "precision": "training_precision",
    "seed": "training_seed",
}


def automatic(box: Any, low: float, high: float, step: float) -> Any:
    """Let 0 read as automatic."""
    box.setRange(low, high)
    box.setSingleStep(step)
    box.setSpecialValueText("automatic")
    box.setKeyboardTracking(False)
    return box
