"""Earlier work that was set aside: what there is; opened in place of the present."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_gen2seg.common.text import count_text
from napari_gen2seg.errors import Gen2SegError, StorageError
from napari_gen2seg.gui.annotate.count import count_objects
from napari_gen2seg.gui.layers.marks import (
    OBJECTS,
    PROMPTS,
    find_layer,
    role_of,
    source_of,
)
from napari_gen2seg.gui.layers.removal import remove_layers
from napari_gen2seg.project.journal.aside import bring_back
from napari_gen2seg.project.journal.files import read_work

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari.layers import Image, Labels

    from napari_gen2seg.gui.annotate.bridge import Bridge
    from napari_gen2seg.gui.saving.keeper import Keeper
    from napari_gen2seg.gui.saving.opening import Work


@dataclass(frozen=True)
class Aside:
    """What is told of work that was set aside.

    Attributes
    ----------
    folder
        Where it lies.
    when
        When its last act was, in seconds since the epoch; 0 if that is not known.
    count
        Of its objects.
    changed
        Whether the image had another content then.
    problem
        Why it cannot be opened, as a sentence.
    """

    folder: Path
    when: float = 0.0
    count: int = 0
    changed: bool = False
    problem: str = ""

    @property
    def text(self) -> str:
        """Say in a line which it is."""
        if self.problem:
            return f"{self.folder.name}: cannot be read"
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(self.when))
        known = f"{when}, " if self.when else ""
        changed = ", before the image changed" if self.changed else ""
        return f"{known}{count_text(self.count, 'object')}{changed}"


class SetAside(QObject):
    """Leads back to work that was set aside for the image in view.

    Parameters
    ----------
    keeper
        Of the work on it.
    bridge
        Image, Labels layer and clicks that are worked on.
    """

    listed = Signal(list)  # of `Aside`, the latest first

    def __init__(self, keeper: Keeper, bridge: Bridge) -> None:
        super().__init__(keeper)
        self._keeper, self._bridge = keeper, bridge

    @property
    def folders(self) -> list[Path]:
        """Where there is some, the latest first."""
        work = self._keeper.work
        return [] if work is None else list(work.aside)

    def look(self) -> None:
        """Read behind the window what there is; `listed` tells."""
        work = self._keeper.work
        if work is None:
            self.listed.emit([])
            return
        folders, key = list(work.aside), work.identity.key

        def done(found: Any, error: BaseException | None) -> None:
            if error is None:
                self.listed.emit(found)
            else:
                self._keeper.warning.emit(f"Earlier work could not be read: {error}")

        self._keeper.works.behind(
            f"look at {work.identity.key}",
            lambda _: [look_at(folder, key) for folder in folders],
            done,
        )

    def open(self, folder: Path) -> None:
        """Open work that was set aside; the present work is set aside itself."""
        keeper, work = self._keeper, self._keeper.work
        if work is None:
            return
        kept = keeper.layer
        begun = kept is not None and kept.begun
        if len(self._bridge.controller.current.prompts) and not begun:
            keeper.status_changed.emit(
                "An object is being clicked: Enter keeps it, Esc removes its clicks; "
                "then earlier work can be opened."
            )
            return

        def read(found: Any, error: BaseException | None) -> None:
            if error is not None:
                keeper.warning.emit(f"{folder} could not be read: {error}")
            elif found.problem:
                keeper.warning.emit(found.problem)
            else:
                self._take_its_place(work, found)

        key = work.identity.key
        keeper.works.behind(f"read {folder}", lambda _: look_at(folder, key), read)

    def _take_its_place(self, work: Work, chosen: Aside) -> None:
        keeper, source = self._keeper, self._bridge.source
        image, view = source.layer, source.view
        if keeper.work is not work or image is None or view is None:
            return  # somebody went on to another image meanwhile
        present = [] if work.journal is None else [work.journal.folder]
        layer_id = work.layer_id
        try:
            layers = keeper.leave(str(image.unique_id))
        except StorageError as error:
            keeper.warning.emit(str(error))
            return
        keeper.works.expect(str(image.unique_id))
        self._put_away(image, [one for one in layers if str(one.unique_id) == layer_id])

        def brought(found: Any, error: BaseException | None) -> None:
            told = "" if error else _told(chosen, found[1])
            then = partial(self._opened, told, "" if error is None else str(error))
            if find_layer(keeper.viewer, str(image.unique_id)) is not None:
                keeper.works.find(image, view, then)

        # Behind the closing of the present work, which saves it whole.
        keeper.works.behind(
            f"bring back {chosen.folder}",
            lambda _: bring_back(chosen.folder, present),
            brought,
        )

    def _put_away(self, image: Image, layers: Sequence[Labels]) -> None:
        """Take the present objects and their clicks out of sight; they are saved."""
        keeper, controller = self._keeper, self._bridge.controller
        controller.stack.forget()
        controller.redo_stack.clear()
        controller.objects.choose(None)
        going = [one for one in layers if role_of(one) == OBJECTS]
        for layer in layers:
            if role_of(layer) != OBJECTS:
                layer.visible = False  # a person's own
        ours = str(image.unique_id)
        going += [
            layer
            for layer in keeper.viewer.layers
            if role_of(layer) == PROMPTS and source_of(layer) == ours
        ]
        remove_layers(keeper.viewer, going)
        keeper.viewer.layers.selection.active = image  # and not whatever is left

    def _opened(self, told: str, problem: str, work: Work) -> None:
        """Go on at once: with what was chosen, or with what could not be replaced."""
        keeper = self._keeper
        if work.offered and work is keeper.work:
            keeper.earlier.go_on()
            self._click_again()
        if told and work is keeper.work and not work.problem:
            keeper.status_changed.emit(told)
        for text in filter(None, (problem, work.problem)):
            keeper.warning.emit(text)
        keeper.changed.emit()

    def _click_again(self) -> None:
        """Let clicks go on, where there is a map for them."""
        view = self._bridge.source.view
        if view is not None and self._bridge.session.coloring(view) is not None:
            self._bridge.controller.current.start_clicking()


def look_at(folder: Path, key: str) -> Aside:
    """Read what is to be told of work that was set aside; on any thread.

    Parameters
    ----------
    folder
        Where it lies.
    key
        Of the image as it is now.
    """
    try:
        work = read_work(folder)
        count = count_objects(work.labels())[0]
    except Gen2SegError as error:
        return Aside(folder, problem=str(error))
    return Aside(folder, work.state.touched, count, work.image.key != key)


def _told(chosen: Aside, aside: Sequence[Path]) -> str:
    text = f"The earlier work is open again ({chosen.text})"
    if not aside:
        return f"{text}."
    return (
        f"{text}; what was there before is set aside, and Earlier work ... brings it "
        "back."
    )
