"""Thumbnail of the model input: exactly what the model sees, made off the window."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_gen2seg.core.image.rgb import thumbnail
from napari_gen2seg.errors import Gen2SegError
from napari_gen2seg.gui.qt_threads import debounce
from napari_gen2seg.session.session import sentence

if TYPE_CHECKING:
    from napari_gen2seg.gui.layers.source import Source
    from napari_gen2seg.session import Runner, Ticket

SIZE = 232  # pixels, twice what is shown: for dense screens
PAUSE = 120  # milliseconds without a change


class ModelInput(QObject):
    """Thumbnail of the model input, kept up to date.

    Parameters
    ----------
    source
        The picture.
    runner
        Where the thumbnail is made; lazy arrays may take their time.
    parent
        Deleted with it.
    """

    changed = Signal(object)  # uint8 (h, w, 3), a sentence, or None

    def __init__(
        self, source: Source, runner: Runner, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._source, self._runner = source, runner
        self._soon = debounce(self, self.look, PAUSE)
        source.plane_changed.connect(self.look_soon)
        source.input_changed.connect(self.look_soon)

    def look_soon(self) -> None:
        """Look again once nothing has changed for a moment."""
        self._soon.start()

    def look(self) -> None:
        """Look now."""
        try:
            read, recipe = self._source.reader(), self._source.options.color_recipe
        except Gen2SegError:
            self.changed.emit(None)
            return

        def done(ticket: Ticket, value: Any, error: BaseException | None) -> None:
            if not ticket.cancelled:
                self.changed.emit(sentence(error) if error is not None else value)

        self._runner.submit("look", lambda _: thumbnail(read(), recipe, SIZE), done)

    def close(self) -> None:
        """Stop looking."""
        with suppress(RuntimeError):  # Qt deletes timers together with their window
            self._soon.stop()
