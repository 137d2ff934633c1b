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
from napari_gen2seg.train.finetune.config import PRESETS, FinetuneConfig
from napari_gen2seg.train.finetune.setting import (
    Remembered,
    config_values,
    remembered_settings,
)

if TYPE_CHECKING:
    from napari_gen2seg.gui.settings import Memory
    from napari_gen2seg.models.spec import ModelSpec

#: What is asked for and remembered, by the names of the config, in the order shown.
KEPT = remembered_settings(FinetuneConfig)


class SettingsPage(QWidget):
    """Asks how to train.

    Parameters
    ----------
    memory
        Where settings are remembered.
    """

    start_requested = Signal()
    check_requested = Signal()
    changed = Signal()

    def __init__(self, memory: Memory) -> None:
        super().__init__()
        self._memory = memory
        self._named = False  # by hand
        self._ready = False
        self.name = QLineEdit()
        self.model = ModelCombo()
        self.fields = {
            name: field_for(one)
            for name, one in KEPT.items()
            if name != "preset"  # which has a button for every choice
        }
        self.presets: dict[str, QRadioButton] = {}
        self._group = QButtonGroup(self)
        for name, tells in KEPT["preset"].setting.choices:
            button = QRadioButton(
                f"{name.capitalize()}: about {PRESETS[name].minutes:.0f} minutes, "
                f"{tells}"
            )
            self.presets[name] = button
            self._group.addButton(button)
        self.by_hand = quiet_label()
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
        presets = QVBoxLayout()
        for button in self.presets.values():
            presets.addWidget(button)
        presets.addWidget(self.by_hand)
        form.addRow(KEPT["preset"].setting.label, presets)
        inside = QWidget()
        more = QFormLayout(inside)
        for name, field in self.fields.items():
            known = KEPT[name].setting
            field.setToolTip(known.tip)
            more.addRow(known.label, field)
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
        preset = self._memory.get(KEPT["preset"].key)
        known = preset if preset in self.presets else KEPT["preset"].default
        self.presets[known].setChecked(True)
        for name, field in self.fields.items():
            set_value(field, self._memory.get(KEPT[name].key))

    def _connect(self) -> None:
        self.name.textEdited.connect(self._name_typed)
        self.name.textChanged.connect(self._tell)
        self.model.currentIndexChanged.connect(self._propose_name)
        self._group.buttonToggled.connect(self._tell)
        self._group.buttonClicked.connect(self._by_preset)
        for field in self.fields.values():
            heard = (
                field.currentIndexChanged
                if isinstance(field, QComboBox)
                else field.valueChanged
            )
            heard.connect(self._tell)
        self.start.clicked.connect(lambda: self.start_requested.emit())
        self.check.clicked.connect(lambda: self.check_requested.emit())

    # ---- what is set

    @property
    def kept(self) -> dict[str, Any]:
        """What is remembered, by the settings' names; 0 is automatic."""
        preset = next(name for name, one in self.presets.items() if one.isChecked())
        fields = {name: value_of(field) for name, field in self.fields.items()}
        return {"preset": preset, **fields}

    @property
    def values(self) -> dict[str, Any]:
        """Entries of the config; what is left automatic is None or ``"auto"``."""
        return {
            "model": self.model.currentData() or "mini",
            "name": self.name.text().strip(),
            **config_values(FinetuneConfig, self.kept),
        }

    def keep(self) -> None:
        """Remember what is set."""
        for name, value in self.kept.items():
            self._memory.set(KEPT[name].key, value)

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

    def _by_preset(self, *_: Any) -> None:
        """Leave the length to the preset again."""
        for name in ("minutes", "steps"):
            set_value(self.fields[name], 0)

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


def field_for(one: Remembered) -> QComboBox | QSpinBox | QDoubleSpinBox:
    """Return the field that asks for a setting."""
    known = one.setting
    if known.choices or known.offered:
        combo = QComboBox()
        if known.offered:
            combo.addItem("automatic", one.default)
        for value, text in known.choices or known.offered:
            combo.addItem(text, value)
        return combo
    low, high = known.limits or (0, 0)
    high = high if known.most is None else known.most
    if isinstance(one.default, float):
        number = QDoubleSpinBox()
        number.setDecimals(known.decimals)
        number.setSuffix(known.suffix)
        number.setRange(0, high)
        number.setSingleStep(known.step)
        box: QSpinBox | QDoubleSpinBox = number
    else:
        box = QSpinBox()
        box.setRange(0, int(high))
        box.setSingleStep(int(known.step))
    if low > 0:  # 0 can only mean that the training chooses
        box.setSpecialValueText("automatic")
        box.setKeyboardTracking(False)
    return box


def value_of(field: Any) -> Any:
    """Return what a field says."""
    return field.currentData() if isinstance(field, QComboBox) else field.value()


def set_value(field: Any, value: Any) -> None:
    """Let a field say something; what a list does not have is its first entry."""
    if isinstance(field, QComboBox):
        field.setCurrentIndex(max(field.findData(value), 0))
    else:
        field.setValue(value)
