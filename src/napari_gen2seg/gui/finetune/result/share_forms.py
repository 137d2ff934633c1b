"""What must be known before a model is published, or packed for bioimage.io."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from napari_gen2seg.gui.finetune.texts import wide_label
from napari_gen2seg.models.library.bioimageio import size_multiple

if TYPE_CHECKING:
    from napari_gen2seg.models.model_config import ModelConfig

LICENCES = ("BSD-3-Clause", "MIT", "Apache-2.0", "CC-BY-4.0", "CC0-1.0")
SIZES = (128, 256, 384, 512, 768, 1024)
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


class Form(QDialog):
    """A few fields under an explanation; it does not block the window.

    Parameters
    ----------
    parent
        Above which it is shown.
    title, text
        What it is about.
    fields
        Label -> field, in the order of the Tab key.
    action
        What its button does, in a word or two; Enter presses it.
    """

    def __init__(
        self,
        parent: QWidget,
        title: str,
        text: str,
        fields: dict[str, QWidget],
        action: str,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        rows = QFormLayout()
        for label, field in fields.items():
            rows.addRow(label, field)
        buttons = QDialogButtonBox()
        self.go = buttons.addButton(action, QDialogButtonBox.ButtonRole.AcceptRole)
        leave = buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        leave.setAutoDefault(False)  # or Enter would press it while the other is off
        self.go.setDefault(True)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(wide_label(text, 420))
        column.addLayout(rows)
        column.addWidget(buttons)
        next(iter(fields.values())).setFocus()


class HubForm(Form):
    """Asks where on the hub a model is published."""

    def __init__(self, parent: QWidget) -> None:
        repository = QLineEdit()
        repository.setPlaceholderText("OWNER/NAME")
        public = QCheckBox("A new repository is seen by everybody, not only by me")
        super().__init__(
            parent,
            "Push to the Hub",
            "This publishes the model: its weights and its card are uploaded to the "
            "Hugging Face hub, as who is logged in there (hf auth login). Pictures and "
            "labels stay here. A repository that is not there yet is made.",
            {"&Repository": repository, "": public},
            "Publish",
        )
        self.repository, self.public = repository, public
        repository.textChanged.connect(self._check)
        self._check()

    @property
    def repo(self) -> str:
        """``OWNER/NAME``."""
        return self.repository.text().strip()

    def _check(self) -> None:
        self.go.setEnabled(_REPOSITORY.fullmatch(self.repo) is not None)


class BioimageForm(Form):
    """Asks what a bioimage.io package must say.

    Parameters
    ----------
    parent
        Above which it is shown.
    facts
        Of the model.
    """

    def __init__(self, parent: QWidget, facts: ModelConfig) -> None:
        author, licence, size = QLineEdit(), QComboBox(), QComboBox()
        licence.setEditable(True)
        own = () if facts.licence in ("", "unknown") else (facts.licence,)
        licence.addItems(list(dict.fromkeys((*own, *LICENCES))))
        if facts.fixed_input_size is not None:
            size.addItem(str(facts.fixed_input_size))
        else:
            multiple = size_multiple(facts)
            size.addItems([str(side) for side in SIZES if side % multiple == 0])
            size.setCurrentText("256")
        super().__init__(
            parent,
            "Export for bioimage.io",
            "Writes one zip with which other programs can run the model, on RGB "
            "pictures of exactly one size. It gives coloring maps, not masks.",
            {
                "&Author": author,
                "&License of the weights": licence,
                "&Size of the pictures": size,
            },
            "Export",
        )
        self.author, self.licence, self.size = author, licence, size
        author.textChanged.connect(self._check)
        self._check()

    def _check(self) -> None:
        self.go.setEnabled(bool(self.author.text().strip()))
