"""The dock widget: panels above, session below, a bridge between."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QAbstractSpinBox, QLineEdit, QVBoxLayout

from napari_gen2seg.errors import Gen2SegError
from napari_gen2seg.gui.annotate.bridge import Bridge
from napari_gen2seg.gui.annotate.object_tools import warm_up as warm_up_tools
from napari_gen2seg.gui.classes.dock_side import DockClasses
from napari_gen2seg.gui.classes.panel import ClassesPanel
from napari_gen2seg.gui.dock_settings import DockSettings
from napari_gen2seg.gui.finetune.dock_side import FinetuneLauncher
from napari_gen2seg.gui.layers.gl_context import CanvasContext
from napari_gen2seg.gui.layers.warm_up import warm_up as warm_up_layers
from napari_gen2seg.gui.model_hosts import shared_host
from napari_gen2seg.gui.panels.docked import Docked, main_window
from napari_gen2seg.gui.panels.edit_panel import EditPanel
from napari_gen2seg.gui.panels.image_panel import ImagePanel, is_image
from napari_gen2seg.gui.panels.keys_sheet import KeysSheet
from napari_gen2seg.gui.panels.model_panel import ModelPanel, job_of_view
from napari_gen2seg.gui.panels.objects_panel import ObjectsPanel, is_target
from napari_gen2seg.gui.panels.probe_panel import ProbePanel
from napari_gen2seg.gui.panels.resolution_choice import ResolutionChoice
from napari_gen2seg.gui.panels.review_panel import ReviewPanel
from napari_gen2seg.gui.panels.stack_panel import StackPanel
from napari_gen2seg.gui.panels.status_line import StatusLine
from napari_gen2seg.gui.panels.widgets import Column, Panel, ask, fold
from napari_gen2seg.gui.qt_threads import Mailbox, debounce, lane
from napari_gen2seg.gui.saving.closing import CloseGuard
from napari_gen2seg.gui.saving.keeper import Keeper, close_all
from napari_gen2seg.gui.settings import Memory, remembered
from napari_gen2seg.gui.table.widget import ObjectsTable
from napari_gen2seg.models.probes import list_probes
from napari_gen2seg.models.registry import list_models
from napari_gen2seg.session import Session

if TYPE_CHECKING:
    import napari
    from napari.layers import Image
    from qtpy.QtGui import QKeyEvent

    from napari_gen2seg.gui.layers.source import Source
    from napari_gen2seg.gui.layers.view import View
    from napari_gen2seg.gui.saving.kept_layer import KeptLayer
    from napari_gen2seg.gui.saving.opening import Work
    from napari_gen2seg.session import JobState, ModelState, Preview, Prompts, Runner


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
        self.resolution = ResolutionChoice(
            self.bridge, lambda size: self.choose(resolution=size)
        )
        self.image = ImagePanel(viewer)
        self.model = ModelPanel(list_models())
        self.finetune = FinetuneLauncher(viewer, self, self)
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
        self._plot_soon = debounce(self, self._show_plot, 60)
        self._closed = False
        self._canvas_context = CanvasContext(viewer, self)
        self._told_of: View | None = None  # what the status line is about
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
        self._connect_status()
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

    def _connect_status(self) -> None:
        """Let each act end what was said of the last; before the acts are connected."""
        controller, status = self.bridge.controller, self.status
        asked = (
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
        for signal in asked:
            signal.connect(lambda *_: status.act())
        self.book.warning.connect(self._warn)
        self._classes.renamer.warning.connect(self._warn)
        controller.status_changed.connect(status.say)
        controller.refused.connect(status.wait_for)
        controller.review.pointed.connect(status.point)
        controller.hover_preview.pointed.connect(status.point)
        controller.review.found.connect(status.come)
        self.session.coloring_changed.connect(self._colored)

    def _connect_panels(self) -> None:
        bridge, controller = self.bridge, self.bridge.controller
        self.image.layer_chosen.connect(self._choose_image)
        self.image.view_requested.connect(lambda view: bridge.source.change(**view))
        self.model.model_requested.connect(lambda name: self.choose(model=name))
        self.model.device_requested.connect(lambda name: self.choose(device=name))
        self.model.resolution_requested.connect(lambda n: self.choose(resolution=n))
        self.model.passes_requested.connect(lambda n: self.choose(passes=n))
        self.model.by_object_requested.connect(self._size_by_object)
        self.model.step_requested.connect(self._look_again)
        self.model.color_requested.connect(bridge.color)
        self.model.cancel_requested.connect(self.session.cancel)
        self.model.finetune_requested.connect(self.finetune.open)
        self.model.back_requested.connect(self.finetune.back)
        self.model.remove_requested.connect(self.finetune.ask_remove)
        self.probe.settings_requested.connect(self.settings.set_probe)
        self.probe.method_requested.connect(self.settings.set_method)
        self.probe.sign_requested.connect(self.settings.set_sign)
        self.probe.hover_requested.connect(self.settings.set_hover)
        self.probe.clicking_requested.connect(controller.current.start_clicking)
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
        bridge, session = self.bridge, self.session
        controller = bridge.controller
        session.job_changed.connect(self._job_changed)
        session.model_changed.connect(self._model_changed)
        session.probing.settings_changed.connect(self.probe.show_settings)
        session.probing.method_changed.connect(self._show_method)
        session.failed.connect(self._failed)
        session.licence_requested.connect(self._ask_licence)
        controller.copy_offered.connect(self._offer_copy)
        bridge.warning.connect(self._warn)
        bridge.view_changed.connect(self._view_changed)
        bridge.view_changed.connect(lambda: self.image.show_source(bridge.source))
        for changed in (bridge.view_changed, session.coloring_changed):
            changed.connect(self._show_brightness_use)
            changed.connect(self._show_method)
        session.coloring_changed.connect(lambda _: self._show_job())
        bridge.source.edited.connect(lambda _: self._show_job())
        bridge.model_input.changed.connect(self.image.show_model_input)
        controller.hover_preview.shown.connect(self._probed)
        controller.current.clicks_changed.connect(self._clicks_changed)
        controller.current.changed.connect(self.objects.show_object)
        controller.objects.changed.connect(
            lambda: self.objects.show_objects(controller.objects)
        )
        controller.clicks.sign_changed.connect(self.probe.show_sign)
        controller.clicks.keys.tolerance_requested.connect(self.probe.step)
        bridge.source.input_changed.connect(
            lambda: self.image.show_source(bridge.source)
        )

    def _connect_saving(self) -> None:
        keeper, row = self.keeper, self.objects.saving
        keeper.changed.connect(lambda: row.show_keeper(keeper))
        keeper.changed.connect(
            lambda: self.objects.show_offer(keeper.earlier.offer is not None)
        )
        keeper.status_changed.connect(self.status.say)
        keeper.warning.connect(self._warn)
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
        self._show_job()
        self._classes.show()
        self.probe.show_settings(self.session.probing.settings)
        self._show_method()
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

    # ---- what fine-tuning asks of the dock

    @property
    def source(self) -> Source:
        """The image in view."""
        return self.bridge.source

    @property
    def current_model(self) -> str:
        """Id of the model in use."""
        return self.session.model.choice.model

    def use_model(self, model: str) -> None:
        """Use another model, on the image in view first."""
        self.refresh_models()
        self.choose(model=model)
        if self.bridge.source.view is not None:
            self.bridge.color()

    def refresh_models(self) -> None:
        """Offer the models that are there now."""
        self.model.show_models(list_models())

    def show_previous(self, title: str) -> None:
        """Offer the way back to a model."""
        self.model.show_previous(title)

    def show_training(self, text: str) -> None:
        """Say how far a training is."""
        self.model.show_training(text)

    # ---- the model

    def _model_changed(self, state: ModelState) -> None:
        self.model.show_model(state)
        self.finetune.show_use()
        self.settings.note_model(state)

    def _choose_image(self, layer: Image | None) -> None:
        """Work on another image, at a size of its own."""
        self.status.clear()  # what was said of the one before
        self.resolution.forget()
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

    def _look_again(self, factor: float) -> None:
        try:
            self.resolution.again(factor)
        except Gen2SegError as error:
            self._warn(str(error))

    def _size_by_object(self) -> None:
        try:
            size = self.resolution.by_object()
        except Gen2SegError as error:
            self._warn(str(error))
            return
        self.status.say(f"The model will look at {size} pixels. Press Color.")

    def _show_method(self) -> None:
        view, probing = self.bridge.source.view, self.session.probing
        self.probe.show_method(
            probing.method(view), probing.note(view), bool(list_probes())
        )

    def _show_brightness_use(self) -> None:
        view = self.bridge.source.view
        coloring = None if view is None else self.session.coloring(view)
        self.probe.show_brightness_use(coloring is None or coloring.uses_brightness)

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

    # ---- showing

    def _job_changed(self, _job: JobState) -> None:
        self._show_job()

    def _show_job(self) -> None:
        """Show what is done, as far as it is about the view in sight."""
        view = self.bridge.source.view
        coloring = None if view is None else self.session.coloring(view)
        self.model.show_job(job_of_view(self.session.job, view, coloring is not None))

    def _view_changed(self) -> None:
        """Take back what was said of another view."""
        view = self.bridge.source.view
        if view != self._told_of and self._told_of is not None:
            self.status.clear()
        self._told_of = view
        source = self.bridge.source
        self.model.show_problem(source.problem if source.layer is not None else "")
        self._show_job()

    def _failed(self, text: str) -> None:
        self._warn(text)
        if self.session.job.view != self.bridge.source.view:
            self.status.clear()  # the notification is enough: it is of another view

    def _probed(self, preview: Preview | None) -> None:
        self.probe.show_preview(preview)

    def _clicks_changed(self, _prompts: Prompts) -> None:
        self._plot_soon.start()

    def _show_plot(self) -> None:
        view, prompts = self.bridge.source.view, self.bridge.controller.current.prompts
        curve = None if view is None else self.session.probing.curve(view, prompts)
        now = self.session.probing.settings.tolerance
        if now is None and curve is not None:
            now = curve.best  # the mask's own, without finding the mask
        self.probe.show_curve(curve, now)

    def _warn(self, text: str) -> None:
        from napari.utils.notifications import show_warning

        self.status.wait_for(text)
        show_warning(text)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Keep Enter in a field from being Enter on the canvas, which commits."""
        entered = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        field = self.focusWidget()
        if entered and isinstance(field, QAbstractSpinBox | QLineEdit):
            field.clearFocus()
            event.accept()
            return
        super().keyPressEvent(event)

    def _colored(self, view: View) -> None:
        """Take back what waited for the coloring of the view in sight."""
        if view == self.bridge.source.view:
            self.status.come()

    def _offer_copy(self, text: str) -> None:
        self.status.say(text)
        ask(
            self,
            "A copy that can be edited?",
            f"{text}\n\nMake an editable copy of the layer, and write into that?",
            self.bridge.controller.current.copy_target,
        )

    def _ask_licence(self, text: str) -> None:
        ask(self, "License of the model", text, self._licence_accepted)

    def _licence_accepted(self) -> None:
        self.session.choose(replace(self.session.model.choice, licence_accepted=True))
        self.bridge.color()

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
            self._warn(problem)
        _let_go(self._mail, self.session, (self._background, self._finder), {}, {})
        with suppress(RuntimeError):  # Qt deletes timers together with their window
            self._plot_soon.stop()
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
