"""The dock's side of clicks: the panel shows what answers them, and how tolerant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QObject

from napari_gen2seg.gui.qt_threads import debounce
from napari_gen2seg.models.probes import list_probes

if TYPE_CHECKING:
    from napari_gen2seg.gui.annotate.bridge import Bridge
    from napari_gen2seg.gui.dock_settings import DockSettings
    from napari_gen2seg.gui.panels.probe_panel import ProbePanel

_PLOT = 60  # milliseconds after the last click


class DockProbe(QObject):
    """Keeps the panel of clicks at what is true of the view in sight.

    Parameters
    ----------
    panel
        The panel.
    bridge
        Who clicks, and on which view.
    settings
        Sets what the panel asks for.
    parent
        Deleted with it.
    """

    def __init__(
        self,
        panel: ProbePanel,
        bridge: Bridge,
        settings: DockSettings,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._panel, self._bridge, self._session = panel, bridge, bridge.session
        self._plot_soon = debounce(self, self._show_plot, _PLOT)
        controller, session = bridge.controller, bridge.session
        panel.settings_requested.connect(settings.set_probe)
        panel.method_requested.connect(settings.set_method)
        panel.sign_requested.connect(settings.set_sign)
        panel.hover_requested.connect(settings.set_hover)
        panel.clicking_requested.connect(controller.current.start_clicking)
        session.probing.settings_changed.connect(panel.show_settings)
        session.probing.method_changed.connect(self._show_method)
        for changed in (bridge.view_changed, session.coloring_changed):
            changed.connect(self._show_brightness_use)
            changed.connect(self._show_method)
        controller.hover_preview.shown.connect(panel.show_preview)
        controller.current.clicks_changed.connect(lambda _: self._plot_soon.start())
        controller.clicks.sign_changed.connect(panel.show_sign)
        controller.clicks.keys.tolerance_requested.connect(panel.step)

    def show(self) -> None:
        """Show what is set."""
        self._panel.show_settings(self._session.probing.settings)
        self._show_method()

    def stop(self) -> None:
        """Show no more plots."""
        self._plot_soon.stop()

    def _show_method(self) -> None:
        view, probing = self._bridge.source.view, self._session.probing
        self._panel.show_method(
            probing.method(view), probing.note(view), bool(list_probes())
        )

    def _show_brightness_use(self) -> None:
        view = self._bridge.source.view
        coloring = None if view is None else self._session.coloring(view)
        self._panel.show_brightness_use(coloring is None or coloring.uses_brightness)

    def _show_plot(self) -> None:
        view, probing = self._bridge.source.view, self._session.probing
        prompts = self._bridge.controller.current.prompts
        curve = None if view is None else probing.curve(view, prompts)
        now = probing.settings.tolerance
        if now is None and curve is not None:
            now = curve.best  # the mask's own, without finding the mask
        self._panel.show_curve(curve, now)
