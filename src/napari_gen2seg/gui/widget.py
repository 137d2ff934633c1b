"""The dock widget: panels above, session below, a bridge between."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QAbstractSpinBox, QLineEdit, QVBoxLayout

from napari_gen2seg.gui.annotate.bridge import Bridge
from napari_gen2seg.gui.annotate.object_tools import warm_up as warm_up_tools
from napari_gen2seg.gui.classes.dock_side import DockClasses
from napari_gen2seg.gui.classes.panel import ClassesPanel
from napari_gen2seg.gui.dock_model import DockModel
from napari_gen2seg.gui.dock_probe import DockProbe
from napari_gen2seg.gui.dock_settings import DockSettings
from napari_gen2seg.gui.dock_status import DockStatus
from napari_gen2seg.gui.finetune.dock_side import FinetuneLauncher
from napari_gen2seg.gui.layers.gl_context import CanvasContext
from napari_gen2seg.gui.layers.warm_up import warm_up as warm_up_layers
from napari_gen2seg.gui.model_hosts import shared_host
from napari_gen2seg.gui.panels.docked import Docked, main_window
from napari_gen2seg.gui.panels.edit_panel import EditPanel
from napari_gen2seg.gui.panels.image_panel import ImagePanel, is_image
from napari_gen2seg.gui.panels.keys_sheet import KeysSheet
from napari_gen2seg.gui.panels.model_panel import ModelPanel
from napari_gen2seg.gui.panels.objects_panel import ObjectsPanel, is_target
from napari_gen2seg.gui.panels.probe_panel import ProbePanel
from napari_gen2seg.gui.panels.review_panel import ReviewPanel
from napari_gen2seg.gui.panels.stack_panel import StackPanel
from napari_gen2seg.gui.panels.status_line import StatusLine
from napari_gen2seg.gui.panels.widgets import Column, Panel, ask, fold
from napari_gen2seg.gui.qt_threads import Mailbox, lane
from napari_gen2seg.gui.saving.closing import CloseGuard
from napari_gen2seg.gui.saving.keeper import Keeper, close_all
from napari_gen2seg.gui.settings import Memory, remembered
from napari_gen2seg.gui.table.widget import ObjectsTable
from napari_gen2seg.models.registry import list_models
from napari_gen2seg.session import Session

if TYPE_CHECKING:
    import napari
    from napari.layers import Image
    from qtpy.QtGui import QKeyEvent

    from napari_gen2seg.gui.saving.kept_layer import KeptLayer
    from napari_gen2seg.gui.saving.opening import Work
    from napari_gen2seg.session import Runner


class SegmentWidget(Docked):
    """Color an image, move over its objects, click them, commit them.

    Parameters
    ----------
    viewer
        napari gives it.
    session
        Other than the usual one, for tests.
    background
        Runs read-only jobs: counts, thumbnails, large outlines, and what finds
        proposals; two worker threads by default.
    memory
        Where settings are remembered.
    """

    def __init__(
        self,
        viewer: napari.viewer.Viewer,
        session: Session | None = None,
        background: Runner | None = None,
        memory: Memory | None = None,
    ) -> None:
        super().__init__()
        self._mail = Mailbox(self)
        self.memory = memory if memory is not None else remembered()
        self._background = (
            background
            if background is not None
            else lane(self._mail, "gen2seg-background")
        )
        self.session = (
            session
            if session is not None
            else Session(lane(self._mail, "gen2seg"), host=shared_host(viewer))
        )
        self._finder = (
            background if background is not None else lane(self._mail, "gen2seg-find")
        )
        self.bridge = Bridge(
            viewer, self.session, self._background, self, finder=self._finder
        )
        self.settings = DockSettings(self.memory, self.bridge)
        self.image = ImagePanel(viewer)
        self.model = ModelPanel(list_models())
        self.review = ReviewPanel()
        self.stack = StackPanel()
        self.probe = ProbePanel()
        self.edit = EditPanel()
        self.classes = ClassesPanel()
        self._keys: KeysSheet | None = None
        self.objects = ObjectsPanel(viewer)
        self.keeper = Keeper(self.bridge, self._background, self._mail.post, self)
        self._classes = DockClasses(
            self.bridge,
            self.keeper,
            self.classes,
            self.memory,
            self._background,
            self,
        )
        self.book = self._classes.book
        self.guard = CloseGuard(self, self.keeper, self.objects.saving.ask_name)
        self.status = StatusLine()
        self._closed = False
        self._canvas_context = CanvasContext(viewer, self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        tools = Panel()
        tools.column.addWidget(fold("Edit kept objects", self.edit))
        tools.column.addWidget(fold("Classes", self.classes))
        panels = (self.image, self.model, self.stack, self.review, self.probe, tools)
        column.addWidget(Column(panels), 1)
        self.objects.column.setContentsMargins(6, 0, 6, 2)  # as in the column above
        column.addWidget(self.objects)  # in sight on a small screen, whatever unfolds
        column.addWidget(self.status)  # below, where no panel pushes it out of sight
        self._said = DockStatus(self.status, self.bridge, self._acts, self)
        self._model = DockModel(
            self.model, self.bridge, self.settings, self.memory, self.status, self
        )
        self.finetune = FinetuneLauncher(viewer, self._model, self)
        self._probe = DockProbe(self.probe, self.bridge, self.settings, self)
        self._connect_told()
        self._connect_panels()
        self._connect_session()
        self._connect_saving()
        self._remember()
        self._begin()
        viewer.layers.events.inserted.connect(self._inserted)
        self.left.connect(self.close_session)
        # napari closes its window without telling the widgets inside.
        self.destroyed.connect(
            partial(
                _let_go,
                self._mail,
                self.session,
                (self._background, self._finder),
                *self.keeper.held,
            )
        )

    # ---- connecting

    @property
    def _acts(self) -> tuple[Any, ...]:
        """What a person may ask for."""
        controller = self.bridge.controller
        return (
            *(self.model.model_requested, self.model.device_requested),
            *(self.model.resolution_requested, self.model.passes_requested),
            *(self.model.by_object_requested, self.model.step_requested),
            *(self.probe.settings_requested, self.probe.method_requested),
            *(self.review.on_requested, self.review.thresholds_requested),
            *(self.review.similar_requested, self.review.likeness_requested),
            *(self.objects.target.activated, self.objects.object_requested),
            *(self.objects.next_requested, self.objects.at_once_requested),
            *(self.stack.axis_requested, self.stack.color_requested),
            *(self.stack.stop_requested, self.book.changed),
            *(self.model.color_requested, controller.current.color_requested),
            *(controller.acted, controller.objects.written),
        )

    def _connect_told(self) -> None:
        """Let the status line tell what parts of the dock say."""
        keeper, warn = self.keeper, self._said.warn
        for one in (self.book, self._classes.renamer, self._model, keeper):
            one.warning.connect(warn)
        keeper.status_changed.connect(self.status.say)

    def _connect_panels(self) -> None:
        bridge, controller = self.bridge, self.bridge.controller
        self.image.layer_chosen.connect(self._choose_image)
        self.image.view_requested.connect(lambda view: bridge.source.change(**view))
        self.model.finetune_requested.connect(self.finetune.open)
        self.model.back_requested.connect(self.finetune.back)
        self.model.remove_requested.connect(self.finetune.ask_remove)
        self.objects.target.chosen.connect(controller.objects.choose)
        self.objects.object_requested.connect(controller.current.set_object)
        self.objects.commit_requested.connect(controller.current.commit)
        self.objects.undo_requested.connect(controller.history.undo_commit)
        self.objects.redo_requested.connect(controller.history.redo)
        self.objects.next_requested.connect(controller.current.next_object)
        self.objects.overwrite_requested.connect(self.settings.set_overwrite)
        self.objects.at_once_requested.connect(self.settings.set_at_once)

        self._connect_review()
        self._connect_stack()
        self._connect_tools()

    def _connect_tools(self) -> None:
        controller, panel = self.bridge.controller, self.edit
        for tools in (panel.tools, self.probe.drawn):
            tools.requested.connect(self._take_up)
            controller.tools.taken_up.connect(tools.show_tool)
        panel.keys_requested.connect(self._show_keys)
        panel.table_requested.connect(self._show_table)
        controller.help_requested.connect(self._show_keys)

    def _connect_review(self) -> None:
        panel, review = self.review, self.bridge.controller.review
        panel.on_requested.connect(self.settings.set_proposals)
        panel.thresholds_requested.connect(self.settings.set_thresholds)
        panel.keep_all_requested.connect(review.keep_all)
        panel.next_left_requested.connect(review.next_left)
        panel.next_doubtful_requested.connect(review.next_doubtful)
        panel.similar_requested.connect(review.like)
        panel.likeness_requested.connect(review.choose_likeness)
        review.changed.connect(lambda: panel.show_review(review))

    def _connect_stack(self) -> None:
        panel, stack = self.stack, self.bridge.controller.stack
        panel.axis_requested.connect(stack.choose_axis)
        panel.color_requested.connect(stack.color_all)
        panel.ahead_requested.connect(self.settings.set_ahead)
        panel.carry_requested.connect(stack.carry_on)
        panel.keep_requested.connect(stack.keep_all)
        panel.linking_requested.connect(self.settings.set_linking)
        panel.tracks_requested.connect(stack.show_tracks)
        panel.stop_requested.connect(stack.stop)
        for changed in (stack.changed, self.session.coloring_changed):
            changed.connect(lambda *_: panel.show_work(stack))

    def _connect_session(self) -> None:
        bridge, controller = self.bridge, self.bridge.controller
        self.session.model_changed.connect(lambda _: self.finetune.show_use())
        controller.copy_offered.connect(self._offer_copy)
        for changed in (bridge.view_changed, bridge.source.input_changed):
            changed.connect(lambda: self.image.show_source(bridge.source))
        bridge.model_input.changed.connect(self.image.show_model_input)
        controller.current.changed.connect(self.objects.show_object)
        controller.objects.changed.connect(
            lambda: self.objects.show_objects(controller.objects)
        )

    def _connect_saving(self) -> None:
        keeper, row = self.keeper, self.objects.saving
        keeper.changed.connect(lambda: row.show_keeper(keeper))
        keeper.changed.connect(
            lambda: self.objects.show_offer(keeper.earlier.offer is not None)
        )
        keeper.earlier.model_requested.connect(self.settings.choose_again)
        row.save_requested.connect(keeper.save)
        row.save_as_requested.connect(keeper.save_as)
        row.go_on_requested.connect(keeper.earlier.go_on)
        row.anew_requested.connect(keeper.earlier.begin_anew)
        row.earlier_requested.connect(keeper.aside.look)
        row.earlier_chosen.connect(keeper.aside.open)
        keeper.aside.listed.connect(row.show_earlier)

    def _remember(self) -> None:
        get = self.memory.get
        if told := self.settings.restore():
            self.status.say(told)
        self.probe.hover.setChecked(get("preview"))
        self.objects.overwrite.setChecked(get("overwrite"))
        self.objects.at_once.setChecked(get("one_click"))
        self.stack.ahead.setChecked(get("ahead"))
        self.classes.paint.setChecked(get("class_colors"))
        self.review.show_review(self.bridge.controller.review)

    def _begin(self) -> None:
        self._model.show_job()
        self._classes.show()
        self._probe.show()
        self.bridge.choose_source(self.image.layer.layer)
        self.bridge.controller.objects.choose(self.objects.target.layer)
        # After the window is drawn, so that opening it waits for nothing.
        QTimer.singleShot(0, self._warm_up)

    def _warm_up(self) -> None:
        if not self._closed:
            self.session.warm_up()
            self._background.submit("tools", lambda _: warm_up_tools(), _no_matter)
            # Where proposals are found: nothing else waits there before a coloring.
            self._finder.submit("layers", lambda _: warm_up_layers(), _no_matter)

    # ---- verbs

    def choose(self, **changes: object) -> None:
        """Choose a model, device or size, and remember it."""
        self.settings.choose(**changes)

    # ---- layers

    def _choose_image(self, layer: Image | None) -> None:
        """Work on another image, at a size of its own."""
        self.status.clear()  # what was said of the one before
        self._model.resolution.forget()
        self.bridge.choose_source(layer)

    def _inserted(self, event: Any) -> None:
        """Take an image that was just opened, unless an object is being clicked."""
        if is_image(event.value) and not len(self.bridge.controller.current.prompts):
            self.image.layer.refresh()
            self.image.layer.choose(event.value)
            self.bridge.controller.look_away()
        elif is_target(event.value):
            self.objects.target.refresh()
            self.bridge.controller.current.labels_opened(event.value)

    # ---- tools and windows beside the dock

    def _take_up(self, tool: str) -> None:
        """Let clicks on the canvas belong to a tool; to none if it is empty."""
        tools = self.bridge.controller.tools
        if tool:
            tools.take_up(tool)
        else:
            tools.let_go()

    def _show_table(self) -> None:
        """Open the table of objects below the canvas, or bring it to the front."""
        window = self.bridge.viewer.window
        open_ones = main_window(self).findChildren(ObjectsTable)
        table = open_ones[0] if open_ones else ObjectsTable(self.bridge.viewer)
        if not open_ones:
            window.add_dock_widget(table, name="Objects table", area="bottom")
        table.use(self.keeper, self.bridge.controller.objects.layer)
        table.parentWidget().show()
        table.parentWidget().raise_()

    def _show_keys(self) -> None:
        if self._keys is None:
            self._keys = KeysSheet(main_window(self))
        self._keys.toggle()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Keep Enter in a field from being Enter on the canvas, which commits."""
        entered = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        field = self.focusWidget()
        if entered and isinstance(field, QAbstractSpinBox | QLineEdit):
            field.clearFocus()
            event.accept()
            return
        super().keyPressEvent(event)

    def _offer_copy(self, text: str) -> None:
        self.status.say(text)
        ask(
            self,
            "A copy that can be edited?",
            f"{text}\n\nMake an editable copy of the layer, and write into that?",
            self.bridge.controller.current.copy_target,
        )

    # ---- leaving

    def close_session(self) -> None:
        """Let go of everything; may be called more than once."""
        if self._closed:
            return
        self._closed = True
        self.bridge.viewer.layers.events.inserted.disconnect(self._inserted)
        self._canvas_context.close()
        if self._keys is not None:
            with suppress(RuntimeError):  # Qt deletes it together with its window
                self._keys.deleteLater()
        self.finetune.close()
        self._classes.release()
        self.guard.release()
        for problem in self.keeper.close():
            self._said.warn(problem)
        _let_go(self._mail, self.session, (self._background, self._finder), {}, {})
        with suppress(RuntimeError):  # Qt deletes timers together with their window
            self._probe.stop()
        self.bridge.close()
        self.image.layer.close_choice()
        self.objects.target.close_choice()


def _no_matter(*_: object) -> None:
    """Hear how warming up went: what failed is said when it is needed."""


def _let_go(
    mail: Mailbox,
    session: Session,
    runners: tuple[Runner, ...],
    layers: dict[str, KeptLayer],
    works: dict[Any, Work],
    *_: object,
) -> None:
    """End the threads; knows nothing of a widget that may be gone."""
    close_all(layers, works)
    mail.close()
    session.close()
    for runner in runners:
        runner.close()
