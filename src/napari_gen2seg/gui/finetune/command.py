"""The command that opens the dialog from napari's menus and its palette."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_gen2seg.gui.finetune.dialog import FinetuneDialog

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
