"""A project: a folder of images, their labels, and how far each of them is.

::

    PROJECT/
      project.json           name, classes, model, version of this layout
      images/                copies, where images were not only pointed at
      items/NAME/            the work on one image: labels.tif, facts.json, journal.log

Plain files that a person can read, share, and put under version control.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_gen2seg.common.arguments import checked_arguments
from napari_gen2seg.common.atomic import not_written, writing
from napari_gen2seg.common.text import names_text, slug
from napari_gen2seg.core.image.axes import Axes
from napari_gen2seg.errors import Gen2SegError, SettingsError, StorageError
from napari_gen2seg.io.formats.images import read_picture
from napari_gen2seg.io.identity import ImageIdentity
from napari_gen2seg.project.facts import (
    PROJECT_NAME,
    ObjectClass,
    ProjectFacts,
    check_classes,
    read_facts,
    save_facts,
)
from napari_gen2seg.project.image_files import absolute, copy_image
from napari_gen2seg.project.item import ITEMS, Item
from napari_gen2seg.project.journal import Act, WorkState
from napari_gen2seg.project.journal.aside import is_aside
from napari_gen2seg.project.journal.files import Work, is_work, write_facts
from napari_gen2seg.project.journal.lock import OWNER_NAME

if TYPE_CHECKING:
    from napari_gen2seg.models.colorer import Colorer
    from napari_gen2seg.project.exchange.exporting import Exported
    from napari_gen2seg.project.exchange.importing import Imported
    from napari_gen2seg.project.replay import ItemReplay

IMAGES = "images"

_IGNORED = f"*.lock\n{OWNER_NAME}\njournal.torn-*\ncoloring.*\n"
"""What is of no use to others under version control."""


@dataclass(frozen=True, eq=False)
class Project:
    """A project on disk. It holds no images or labels: these are read when asked for.

    Attributes
    ----------
    folder
        Where it lies.
    facts
        What holds for all of it.
    """

    folder: Path
    facts: ProjectFacts

    @classmethod
    @checked_arguments()
    def create(cls, folder: str | Path, name: str = "", model: str = "mini") -> Project:
        """Make an empty project.

        Parameters
        ----------
        folder
            A new folder, or one that is there and holds no project.
        name
            For people; the folder's name if not given.
        model
            What proposes objects.

        Raises
        ------
        StorageError
            If there is a project already, or nothing can be written there.
        """
        root = absolute(folder)
        if (root / PROJECT_NAME).exists():
            raise StorageError(
                f"{root} holds a project already; open it, or choose another folder."
            )
        project = cls(root, ProjectFacts(name or root.name, model))
        save_facts(root, project.facts)
        with writing(root / ".gitignore") as draft:
            draft.write_text(_IGNORED, encoding="utf-8")
        return project

    @classmethod
    @checked_arguments()
    def open(cls, folder: str | Path) -> Project:
        """Open a project.

        Raises
        ------
        StorageError
            If there is none, or it is damaged or of a later version.
        """
        root = absolute(folder)
        if not (root / PROJECT_NAME).is_file():
            raise StorageError(
                f"{root} is no project: it has no {PROJECT_NAME}. Make one with "
                f"napari-gen2seg project init {folder}."
            )
        return cls(root, read_facts(root))

    @property
    def items(self) -> tuple[Item, ...]:
        """The images, by name."""
        folders = sorted((self.folder / ITEMS).glob("*"))
        return tuple(
            Item(one.name, one) for one in folders if is_work(one) and not is_aside(one)
        )

    @checked_arguments()
    def item(self, name: str) -> Item:
        """Return one image.

        Raises
        ------
        SettingsError
            If there is none of that name.
        """
        folder = self.folder / ITEMS / name
        if Path(name).name != name or not is_work(folder):
            names = names_text([one.name for one in self.items], 20)
            raise SettingsError(
                f"The project has no image {name!r}; it has {names or 'none yet'}."
            )
        return Item(name, folder)

    @checked_arguments()
    def add(self, image: str | Path, *, copy: bool = False, group: str = "") -> Item:
        """Add an image; see `add_images`."""
        return self.add_images([image], copy=copy, group=group)[0]

    def add_images(
        self, images: Iterable[str | Path], *, copy: bool = False, group: str = ""
    ) -> list[Item]:
        """Add images.

        Parameters
        ----------
        images
            Their files.
        copy
            Copy them into the project, to be shared with it; else they are pointed at.
        group
            Images of one group (fields of one slide, frames of one film) are never
            divided between training and test.

        Returns
        -------
        list of Item
            One for each file, in order; the one that is there already, where an image
            of the same content is.

        Raises
        ------
        StorageError, ImageError
            If one cannot be read or copied; those before it were added.
        """
        found = []
        for _, added in self.add_each(images, copy=copy, group=group):
            if isinstance(added, Gen2SegError):
                raise added
            found.append(added)
        return found

    def add_each(
        self, images: Iterable[str | Path], *, copy: bool = False, group: str = ""
    ) -> Iterator[tuple[Path, Item | Gen2SegError]]:
        """Add images as `add_images` does, going on where one cannot be added.

        Yields
        ------
        tuple
            The file, and its image, or why it could not be added.
        """
        known = {item.work().image.key: item for item in self.items}
        for image in images:
            source = absolute(image)
            try:
                identity = ImageIdentity.of_file(source)
                if identity.key not in known:
                    known[identity.key] = self._new_item(identity, copy, group)
            except Gen2SegError as error:
                yield source, error
            else:
                yield source, known[identity.key]

    def _new_item(self, identity: ImageIdentity, copy: bool, group: str) -> Item:
        source = absolute(identity.path or identity.name)
        picture = read_picture(source)
        shape = Axes.of(picture.pixels, picture.axes).labels_shape
        name = self._free_name(source.stem)
        if copy:
            target = self.folder / IMAGES / f"{name}{source.suffix}"
            copy_image(source, target)
            identity = replace(identity, path=target)
        folder = self.folder / ITEMS / name
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            raise not_written(folder, error) from error
        state = WorkState(group=group)
        write_facts(Work(folder, identity, shape, np.dtype(np.int32), state))
        return Item(name, folder)

    def with_classes(self, classes: Sequence[ObjectClass]) -> Project:
        """Save other classes, and return the project that has them.

        Raises
        ------
        SettingsError
            If a name or a key is there twice, or a key is none of 1 to 9.
        """
        check_classes(classes)
        return self._with_facts(classes=tuple(classes))

    def with_model(self, model: str) -> Project:
        """Save which model proposes from now on, and return the project that has it."""
        return self._with_facts(model=model)

    def _with_facts(self, **changes: Any) -> Project:
        """Change what is on the disk now: another dock may have changed the rest."""
        facts = replace(Project.open(self.folder).facts, **changes)
        save_facts(self.folder, facts)
        return replace(self, facts=facts)

    def with_class_names(self, names: Iterable[str]) -> Project:
        """Add classes that are not there yet, each with the next free key."""
        now = Project.open(self.folder)
        classes = list(now.facts.classes)
        taken = {one.key for one in classes}
        for name in names:
            if all(one.name != name for one in classes):
                key = next((n for n in range(1, 10) if n not in taken), None)
                taken.add(key)
                classes.append(ObjectClass(name, key=key))
        if len(classes) == len(now.facts.classes):
            return now
        return self.with_classes(classes)

    @checked_arguments()
    def set_state(self, name: str, state: str) -> None:
        """Say how far an image is.

        Raises
        ------
        InUseError
            If it is open in another window.
        SettingsError
            If there is no such image or state.
        """
        from napari_gen2seg.project.journal.state import checked_state

        with self.item(name).journal() as journal:
            journal.record(Act("state", values={"state": checked_state(state)}))

    @checked_arguments()
    def import_labels(self, source: str | Path, *, overwrite: bool = False) -> Imported:
        """Take labels that were made elsewhere; see `exchange.importing.import_labels`.

        Parameters
        ----------
        source
            A file of labels of any known format, or a folder of such.
        overwrite
            Replace labels that are there.

        Raises
        ------
        DataError, StorageError
            If something cannot be read, or fits no image.
        """
        from napari_gen2seg.project.exchange.importing import import_labels

        return import_labels(self, source, overwrite=overwrite)

    @checked_arguments()
    def export(self, kind: str, target: str | Path, **options: Any) -> Exported:
        """Write a data set; see `exchange.exporting.export_project`.

        Parameters
        ----------
        kind
            ``"tiff"``, ``"coco"``, ``"yolo"``, ``"imagej"``, ``"cellpose"``,
            ``"stardist"`` or ``"ome-zarr"``.
        target
            A new folder.
        **options
            ``states``, ``shares``, ``seed``, ``overwrite``.

        Raises
        ------
        SettingsError, DataError, StorageError
            If there is no such kind, nothing to export, or no place for it.
        """
        from napari_gen2seg.project.exchange.exporting import export_project

        return export_project(self, kind, target, **options)

    def replay(self, names: Sequence[str] = ()) -> Iterator[ItemReplay]:
        """Make the labels again, and say of each image what differs.

        Parameters
        ----------
        names
            Of images; all if none.

        Yields
        ------
        ItemReplay
            See `napari_gen2seg.project.replay`.
        """
        from napari_gen2seg.models.loader import load_model
        from napari_gen2seg.project.replay import replay

        def load(model: str, revision: str | None) -> Colorer:
            return load_model(model, revision=revision)

        return replay(self, load, names=names)

    def _free_name(self, stem: str) -> str:
        plain = slug(stem)
        taken = {one.name for one in (self.folder / ITEMS).glob("*")}
        number, name = 1, plain
        while name in taken:
            number += 1
            name = f"{plain}-{number}"
        return name
