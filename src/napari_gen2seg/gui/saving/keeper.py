"""Which Labels layer is kept as which work, from the first act on."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, QTimer, Signal

from napari_gen2seg.errors import Gen2SegError, StorageError
from napari_gen2seg.gui.layers.overlays import find_layer, source_of
from napari_gen2seg.gui.layers.view import array_of
from napari_gen2seg.gui.saving.acts import act_of
from napari_gen2seg.gui.saving.earlier import EarlierWork
from napari_gen2seg.gui.saving.kept_layer import KeptLayer
from napari_gen2seg.gui.saving.kept_objects import KeptObjects
from napari_gen2seg.gui.saving.opening import Key, Work
from napari_gen2seg.gui.saving.restored import clicks_now, settings_now
from napari_gen2seg.gui.saving.set_aside import SetAside
from napari_gen2seg.gui.saving.works import Works
from napari_gen2seg.project.item import project_around
from napari_gen2seg.project.journal import Act, Patch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari.components import ViewerModel
    from napari.layers import Labels

    from napari_gen2seg.gui.annotate.bridge import Bridge
    from napari_gen2seg.gui.annotate.class_giver import ClassGiver
    from napari_gen2seg.session import Prompts, Runner, Ticket

_AGAIN = 5000  # ms until what could not be saved is tried again


class Keeper(QObject):
    """Keeps what a person does, from the first act on.

    Parameters
    ----------
    bridge
        Image, Labels layer and clicks that are worked on.
    background
        Worker thread on which journals are opened.
    post
        Makes a call in the Qt thread, from any.
    parent
        Deleted with it.

    Attributes
    ----------
    objects
        What is kept of the objects that are worked on.
    earlier
        What was done on the image before.
    """

    changed = Signal()  # what there is to show
    status_changed = Signal(str)
    warning = Signal(str)  # a sentence that must not be missed

    def __init__(
        self,
        bridge: Bridge,
        background: Runner,
        post: Callable[[Callable[[], None]], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._bridge, self._background = bridge, background
        self._controller = bridge.controller
        self.works = Works(background, post, self._told, self._warn)
        self.layers: dict[str, KeptLayer] = {}  # by `unique_id`
        self.objects = KeptObjects(self.layers, self._controller.objects)
        self.earlier = EarlierWork(bridge, self.works, self._keep, self._go_on, self)
        self.earlier.changed.connect(self.changed)
        self.earlier.status_changed.connect(self.status_changed)
        self.earlier.warning.connect(self.warning)
        self.aside = SetAside(self, bridge)
        self._warned = ""
        self._closed = False
        self._again = QTimer(self)
        self._again.setInterval(_AGAIN)
        self._again.timeout.connect(self._retry)
        bridge.view_changed.connect(self._look)
        bridge.viewer.layers.events.removed.connect(self._removed)
        self._controller.objects.changed.connect(self._follow)
        self._controller.objects.edited.connect(self._look_back)
        self._controller.current.clicks_changed.connect(self._clicked)
        self._controller.objects.why_wait = self.earlier.why_wait
        self._controller.objects.log.waits = self.objects.behind
        self._controller.classes.store = self.objects
        self._controller.history.earlier = self.objects

    # ---- what there is to show

    @property
    def viewer(self) -> ViewerModel:
        """Whose layers are kept."""
        return self._bridge.viewer

    @property
    def layer(self) -> KeptLayer | None:
        """What is kept of the Labels layer that takes the objects."""
        return self.objects.layer

    @property
    def giver(self) -> ClassGiver:
        """Who gives classes to objects."""
        return self._controller.classes

    @property
    def project(self) -> Path | None:
        """The folder of the project that the image in view belongs to."""
        work = self.work
        folder = None if work is None else work.folder
        return None if folder is None else project_around(folder)

    @property
    def unsaved(self) -> list[KeptLayer]:
        """Layers with work that is not on the disk."""
        return [one for one in self.layers.values() if one.state == "not saved"]

    @property
    def work(self) -> Work | None:
        """The work on the image in view, if it was found."""
        return self.works.of(self._bridge.source.layer_id)

    # ---- verbs

    def leave(self, image: str) -> list[Labels]:
        """Save the work on an image and let go of it, on the other thread.

        Parameters
        ----------
        image
            ``unique_id`` of its layer.

        Returns
        -------
        list of Labels
            Layers that were kept: they may be removed now.

        Raises
        ------
        StorageError
            If something of it is not saved. Then everything is as before.
        """
        work = self.works.of(image)
        if work is None:
            self.works.forget(image)
            return []
        ours = [
            name
            for name, one in self.layers.items()
            if self._work_of(one) is work
            and (one.begun or source_of(one.layer) == image)
        ]
        for name in ours:
            if self.layers[name].state == "not saved":
                self.layers[name].retry()
            kept = self.layers[name]
            if kept.state == "not saved" or (kept.begun and kept.journal is None):
                why = kept.problem or "It is still to be written; try again."
                raise StorageError(
                    f"The work on {work.identity.name} is not saved, so it stays open. "
                    f"{why}"
                )
        self.works.forget(image)
        layers = [self.layers.pop(name) for name in ours]
        journals = {found for one in layers if (found := one.let_go()) is not None}
        if work.journal is not None:
            journals.add(work.journal)
        for journal in journals:
            self.works.close_soon(work, journal)
        self.changed.emit()
        return [one.layer for one in layers]

    def save(self) -> None:
        """Save the labels whole, where the work is kept."""
        kept = self.layer
        if kept is None or not kept.begun:
            self.status_changed.emit("Nothing to save yet: keep an object first.")
            return
        kept.retry()
        kept.save()
        if kept.journal is not None and kept.state != "not saved":
            self.status_changed.emit(f"Saved in {kept.journal.folder}.")

    def save_as(self, path: str) -> None:
        """Write the labels into a file, on the other thread."""
        layer = self._controller.objects.layer
        if layer is None:
            self.status_changed.emit("Nothing to save yet: keep an object first.")
            return
        name = path if path.lower().endswith((".tif", ".tiff")) else f"{path}.tif"
        labels = np.array(array_of(layer, 0))

        def write(_ticket: Ticket) -> None:
            from napari_gen2seg.io.formats.writers import write_labels

            write_labels(name, labels)

        def done(_ticket: Ticket, _value: Any, error: BaseException | None) -> None:
            if error is None:
                self.status_changed.emit(f"Saved {name}.")
            else:
                self.warning.emit(f"{name} could not be saved: {error}")

        self._background.submit(f"save {name}", write, done)

    @property
    def held(self) -> tuple[dict[str, KeptLayer], dict[Key, Work]]:
        """What `close_all` lets go of."""
        return self.layers, self.works.held

    def close(self) -> list[str]:
        """Save everything and let go of it; may be called more than once.

        Returns
        -------
        list of str
            What could not be saved, as sentences.
        """
        if self._closed:
            return []
        self._closed = True
        self.works.close()
        with suppress(RuntimeError):  # Qt deletes timers together with their window
            self._again.stop()
        with suppress(ValueError, TypeError):
            self._bridge.viewer.layers.events.removed.disconnect(self._removed)
        with suppress(ValueError, TypeError):
            self._controller.objects.changed.disconnect(self._follow)
            self._controller.objects.edited.disconnect(self._look_back)
        return close_all(*self.held, self._bridge.viewer)

    # ---- the image

    def _look(self) -> None:
        """Look for earlier work on an image that came into view."""
        source = self._bridge.source
        layer, view = source.layer, source.view
        if layer is None or view is None or self.works.knows(source.layer_id):
            self.changed.emit()
        else:
            self.works.find(layer, view, self._opened)

    def _opened(self, work: Work) -> None:
        """Take work that is open now."""
        if work.problem:
            self._warn(work.problem)
        elif work.offered and work.journal is not None:
            self.earlier.meet(work)
        for kept in self.layers.values():
            if kept.begun and kept.journal is None and self._work_of(kept) is work:
                self._begin(kept)
        self.changed.emit()

    # ---- the Labels layer

    def _follow(self) -> None:
        """Hear what happens to the Labels layer that takes the objects."""
        layer = self._controller.objects.layer
        if layer is not None and not self._closed:
            self._keep(layer)
        self.changed.emit()

    def _look_back(self) -> None:
        kept = self.layer
        if kept is not None and not self._closed:
            kept.look_back()

    def _keep(self, layer: Labels) -> KeptLayer:
        name = str(layer.unique_id)
        if name not in self.layers:
            self.layers[name] = KeptLayer(layer, self._act_of, self._begin, self._told)
        return self.layers[name]

    def _work_of(self, kept: KeptLayer) -> Work | None:
        image = source_of(kept.layer)
        if not self.works.knows(image):
            image = self._bridge.source.layer_id
        return self.works.of(image)

    def _begin(self, kept: KeptLayer) -> None:
        """Give a layer its journal, or let it wait for one."""
        work = self._work_of(kept)
        if work is not None and work.problem:
            kept.problem = work.problem
        elif work is not None and work.journal is not None:
            if work.offered:
                # Changed by others than our tools, such as napari's brush: those wait.
                aside = self.earlier.set_aside(work)
                if aside is not None:
                    self.warning.emit(
                        f"The labels were changed before the earlier work on "
                        f"{work.identity.name} was answered for. It is set aside in "
                        f"{aside}; Earlier work ... brings it back."
                    )
            try:
                self._give(work, kept)
            except Gen2SegError as error:
                kept.problem = str(error)
        kept.note("settings", settings_now(self._bridge.session))

    def _go_on(self, work: Work, kept: KeptLayer) -> None:
        """Let a layer go on in the journal of a work."""
        self._give(work, kept, going_on=True)

    def _give(self, work: Work, kept: KeptLayer, going_on: bool = False) -> None:
        name = str(kept.layer.unique_id)
        journal = work.journal
        if journal is None:
            return
        if work.layer_id not in (None, name):
            journal = self.works.another(work, journal)
        else:
            work.layer_id = name
        if going_on:
            kept.go_on(journal)
        else:
            kept.take(journal)

    def _removed(self, event: Any) -> None:
        """Save a layer that was removed; its work is offered again."""
        name = str(event.value.unique_id)
        kept = self.layers.pop(name, None)
        if kept is None:
            return
        work = self.works.of_layer(name)
        journal = kept.journal
        problem = kept.close(present=False)
        if problem:
            self.warning.emit(problem)
        if work is not None and journal is not None:
            work.journal, work.layer_id, work.answered = None, None, False
            work.asks = True  # it was taken away on purpose, perhaps
            self.works.open(work, self._opened)

    # ---- acts

    def _act_of(self, patch: Patch) -> Act:
        return act_of(patch, self._bridge, self.objects.origins, self.objects.classes)

    def _clicked(self, _prompts: Prompts) -> None:
        kept = self.layer
        if kept is None or not kept.begun or self._closed:
            return
        kept.note("settings", settings_now(self._bridge.session))
        clicks = self._controller.clicks
        kept.note("clicks", clicks_now(clicks.layer, clicks.number))

    # ---- telling

    def _told(self) -> None:
        """Show what came of an act; try again what could not be written."""
        if self._closed:
            return
        kept = self.layer
        if kept is not None and kept.state == "not saved":
            self._warn(kept.problem or "The work is not saved.")
            if not self._again.isActive():
                self._again.start()
        elif kept is not None:
            self._warned = ""
        self.changed.emit()

    def _warn(self, text: str) -> None:
        if text != self._warned:
            self._warned = text
            self.warning.emit(text)

    def _retry(self) -> None:
        waiting = self.unsaved
        if not waiting:
            self._again.stop()
        for kept in waiting:
            work = self._work_of(kept)
            if kept.journal is not None:
                kept.retry()
            elif work is not None and work.journal is None and work.problem:
                work.problem = kept.problem = ""
                self.works.open(work, self._opened)


def close_all(
    layers: dict[str, KeptLayer], works: dict[Key, Work], viewer: Any = None
) -> list[str]:
    """Save everything and let go; knows nothing of a window that may be gone.

    Returns
    -------
    list of str
        What could not be saved, as sentences.
    """
    problems = []
    for name, kept in layers.items():
        present = viewer is not None and find_layer(viewer, name) is not None
        problem = kept.close(present)
        if problem:
            problems.append(problem)
    layers.clear()
    for work in works.values():
        if work.journal is not None:
            work.journal.close(force=True)
    works.clear()
    return problems
