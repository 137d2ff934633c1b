"""The work on each image of a window: found, opened and closed behind it."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from napari_gen2seg.gui.layers.marks import work_of
from napari_gen2seg.gui.layers.view import array_of
from napari_gen2seg.gui.saving.opening import (
    Key,
    Work,
    identity_of,
    open_work,
    work_in,
)
from napari_gen2seg.project.journal import Journal
from napari_gen2seg.project.journal.files import is_work

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari.layers import Image

    from napari_gen2seg.gui.layers.view import View
    from napari_gen2seg.session import Runner, Ticket

_log = logging.getLogger(__name__)


class Works:
    """Knows which image of the window has which work, and opens journals.

    Images are named by the ``unique_id`` of their layers. Several layers may show the
    same image: they have one work.

    Parameters
    ----------
    background
        Worker thread on which journals are opened and closed, in turn.
    post
        Makes a call in the Qt thread, from any.
    saved
        Called in the Qt thread when something came to the disk, or could not.
    warn
        Told a sentence that must not be missed.

    Attributes
    ----------
    held
        Work that is open, or was tried to be.
    homes
        Content of an image -> the folder of its work in a project.
    """

    def __init__(
        self,
        background: Runner,
        post: Callable[[Callable[[], None]], None],
        saved: Callable[[], None],
        warn: Callable[[str], None],
    ) -> None:
        self._background, self._post = background, post
        self._saved, self._warn = saved, warn
        self._images: dict[str, Key | None] = {}  # None while its work is looked for
        self.held: dict[Key, Work] = {}
        self.homes: dict[str, Path] = {}
        self._closed = False

    # ---- what there is

    def knows(self, image: str | None) -> bool:
        """Whether the work on an image was found, or is looked for."""
        return image in self._images

    def of(self, image: str | None) -> Work | None:
        """Return the work on an image, if it was found."""
        key = self._images.get(image or "")
        return None if key is None else self.held.get(key)

    def of_layer(self, layer_id: str) -> Work | None:
        """Return the work that a Labels layer has the journal of."""
        found = (one for one in self.held.values() if one.layer_id == layer_id)
        return next(found, None)

    def images_of(self, work: Work) -> list[str]:
        """List the layers that show the image of a work."""
        return [image for image, key in self._images.items() if key == work.key]

    def journal_of(self, image: str) -> Journal | None:
        """Return the journal of an image, if it is open."""
        work = self.of(image)
        return None if work is None else work.journal

    # ---- opening

    def find(self, layer: Image, view: View, opened: Callable[[Work], None]) -> None:
        """Find and open the work on an image that came into view."""
        image = str(layer.unique_id)
        self._images[image] = None
        path, name, folder = layer.source.path, str(layer.name), work_of(layer)
        array, shape = array_of(layer, 0), view.own_sizes

        def name_it(_ticket: Ticket) -> Work:
            if folder is not None and is_work(folder):
                return work_in(folder)
            return Work(identity_of(path, array, name), shape)

        named = partial(self._named, image, opened)
        self._submit(f"image {image}", name_it, named)

    def expect(self, image: str) -> None:
        """Take the work on an image to be looked for: it is being moved."""
        self._images[image] = None

    def open(self, work: Work, opened: Callable[[Work], None]) -> None:
        """Open the journal of a work."""
        self._submit(
            f"work {work.identity.key}",
            lambda _: open_work(work, self._on_change),
            opened,
        )

    def open_in(self, folder: Path) -> Work:
        """Open the work in a folder of a project; on any thread.

        Raises
        ------
        StorageError
            If it cannot be read.
        """
        return open_work(work_in(folder), self._on_change)

    def bring(self, layer: Image, work: Work) -> None:
        """Take work that was opened for an image layer that is about to be shown."""
        self._images[str(layer.unique_id)] = work.key
        self.held[work.key] = work

    def another(self, work: Work, journal: Journal) -> Journal:
        """Open a journal for a further Labels layer of an image."""
        number = 2
        folder = journal.folder

        def place() -> Path:
            if work.folder is None:
                return folder.with_name(f"{folder.name}.{number}")
            return folder / f"layer-{number}"  # beside it would be another image's

        while is_work(place()):
            number += 1
        return Journal(
            work.identity, work.shape, folder=place(), on_change=self._on_change
        )

    # ---- closing

    def forget(self, image: str) -> None:
        """Take the image and its work to be gone."""
        key = self._images.pop(image, None)
        if key is not None:
            self.held.pop(key, None)

    def drop(self, work: Work) -> None:
        """Let go of work that was opened for an image that is not shown after all."""
        if work.journal is not None:
            self.close_soon(work, work.journal)

    def close_soon(self, work: Work, journal: Journal) -> None:
        """Close a journal on the other thread: it saves the labels whole."""
        name = f"closing {journal.folder}"
        self.held[name, ""] = Work(
            work.identity, work.shape, work.folder, journal, answered=True
        )

        def closed(_value: Any, error: BaseException | None) -> None:
            self.held.pop((name, ""), None)
            if error is not None:
                journal.close(force=True)
                self._warn(f"{error} Every act is in the journal.")

        self.behind(name, lambda _: journal.close(), closed)

    def close(self) -> None:
        """Hear nothing more of what is done on the other thread."""
        self._closed = True

    # ---- the other thread

    def behind(
        self,
        kind: str,
        do: Callable[[Ticket], Any],
        done: Callable[[Any, BaseException | None], None],
    ) -> None:
        """Do something on the thread on which work is opened and closed, in turn."""

        def told(_ticket: Ticket, value: Any, error: BaseException | None) -> None:
            if not self._closed:
                done(value, error)

        self._background.submit(kind, do, told)

    def _submit(
        self, kind: str, do: Callable[[Ticket], Any], then: Callable[[Any], None]
    ) -> None:
        def done(value: Any, error: BaseException | None) -> None:
            if error is None:
                then(value)
            else:
                _log.warning("%s: %r", kind, error)
                self._warn(f"Work on this image is not saved: {error}")

        self.behind(kind, do, done)

    def _on_change(self, _state: object) -> None:
        self._post(self._saved)

    def _named(self, image: str, opened: Callable[[Work], None], work: Work) -> None:
        work.folder = work.folder or self.homes.get(work.identity.key)
        self._images[image] = work.key
        if work.key in self.held:
            opened(self.held[work.key])
        else:
            self.held[work.key] = work
            self.open(work, opened)
