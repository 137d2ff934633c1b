"""One image as the model will see it, with the outlines of its labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import Qt
from qtpy.QtGui import QPainter, QPixmap
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_gen2seg.core.image.rgb import thumbnail
from napari_gen2seg.gui.panels.widgets import pixmap_of

if TYPE_CHECKING:
    from qtpy.QtGui import QPaintEvent

    from napari_gen2seg.gui.finetune.data.candidates import TrainingCandidate

SIZE = 560  # pixels of the longer side
LINE = (255, 209, 26)  # as the preview of the dock
DIM = 0.45  # brightness that is left where nothing is known

Rgb8 = npt.NDArray[np.uint8]


class PictureView(QWidget):
    """Shows an image as large as there is room, or a sentence."""

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self.picture: QPixmap | None = None
        self.text = text
        self.setMinimumSize(110, 90)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_image(self, rgb: Rgb8 | None, text: str = "") -> None:
        """Show uint8 (h, w, 3), or a text instead."""
        self.picture, self.text = None, text
        if rgb is not None:
            self.picture = pixmap_of(rgb)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw."""
        painter = QPainter(self)
        if self.picture is None:
            painter.setPen(self.palette().windowText().color())
            painter.drawText(
                self.rect().adjusted(8, 8, -8, -8),
                Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap,
                self.text,
            )
            return
        shown = self.picture.scaled(
            self.size(),
            Qt.AspectRatioMode.KeepAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
        left = (self.width() - shown.width()) // 2
        painter.drawPixmap(left, (self.height() - shown.height()) // 2, shown)


def preview_of(row: TrainingCandidate, complete: bool) -> Rgb8:
    """Draw what the model will see, and what it will be told; on any thread.

    Outlines of the labels are yellow; where nothing is known, the picture is dark.
    """
    read = row.source.read()
    picture = thumbnail(read.image, row.source.recipe, SIZE)
    return outlined(picture, read.labels, dark=not complete)


def outlined(picture: Rgb8, labels: npt.NDArray[Any], dark: bool = False) -> Rgb8:
    """Draw outlines of labels over an image, whatever the sizes of the two."""
    small = shrunk(labels, picture.shape[:2])
    drawn = picture.astype(np.float32)
    if dark:
        drawn[small <= 0] *= DIM
    drawn[rims(small)] = LINE
    return np.asarray(np.rint(drawn), np.uint8)


def shrunk(labels: npt.NDArray[Any], shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """Take the nearest label for every pixel of another size."""
    rows, cols = (
        np.minimum(((np.arange(n) + 0.5) * full / n).astype(int), full - 1)
        for n, full in zip(shape[:2], labels.shape, strict=True)
    )
    return np.asarray(labels[np.ix_(rows, cols)])


def rims(labels: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return the pixels of objects that touch something else."""
    edge = np.zeros(labels.shape, bool)
    down, right = labels[1:] != labels[:-1], labels[:, 1:] != labels[:, :-1]
    edge[1:] |= down
    edge[:-1] |= down
    edge[:, 1:] |= right
    edge[:, :-1] |= right
    return edge & (labels > 0)


def colored(labels: npt.NDArray[Any]) -> Rgb8:
    """Paint labels in colors of their own on black."""
    rng = np.random.default_rng(5)
    table = rng.uniform(70, 255, (1024, 3))
    table[0] = 0
    place = np.where(labels > 0, 1 + labels % 1023, 0)
    return np.asarray(table[place], np.uint8)
