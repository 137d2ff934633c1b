"""A class of a project gets another name, in the work on every image."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

from napari_gen2seg.errors import SettingsError
from napari_gen2seg.project.journal import Act, Journal
from napari_gen2seg.project.journal.files import Work
from napari_gen2seg.project.project import Project


def rename_class(
    project: Project, old: str, new: str, held: Sequence[Journal] = ()
) -> Project:
    """Give a class another name: in the list, and for every object that has it.

    The work on all images that know the class is opened first, so that it is renamed
    everywhere or nowhere. Where a crash comes between, doing it again does the rest.

    Parameters
    ----------
    project
        The project.
    old, new
        The class, and its name from now on.
    held
        Journals of its images that this window has open.

    Returns
    -------
    Project
        With the other name.

    Raises
    ------
    SettingsError
        If there is no such class, or one of the new name.
    InUseError
        If an image that knows the class is open elsewhere; nothing is changed.
    StorageError
        If something cannot be read or written.
    """
    new, project = new.strip(), Project.open(project.folder)
    check_new_name([one.name for one in project.facts.classes], old, new)
    ours = {journal.folder.resolve(): journal for journal in held}
    with ExitStack() as opened:
        journals = []
        for item in project.items:
            if old in names_in(item.work()):
                journal = ours.get(item.folder.resolve())
                journals.append(journal or opened.enter_context(item.journal()))
        for journal in journals:
            record_rename(journal, old, new)
    return project.with_classes(
        [
            replace(one, name=new) if one.name == old else one
            for one in project.facts.classes
        ]
    )


def record_rename(journal: Journal, old: str, new: str) -> None:
    """Write into the work on one image that a class has another name.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    journal.record(Act("rename", values={"class": old, "name": new}))


def names_in(work: Work) -> set[str]:
    """Return the classes that the work on an image knows, undone ones too."""
    names: set[str | None] = set(work.state.classes.values())
    for act in (*work.history.done, *work.history.undone):
        names.update(act.classes.values())
        names.update(act.classes_before.values())
    return {name for name in names if name is not None}


def check_new_name(names: Sequence[str], old: str, new: str) -> None:
    """Say whether a class can be called otherwise.

    Raises
    ------
    SettingsError
        If there is no such class, no name, or another class of that name.
    """
    if old not in names:
        known = ", ".join(names) or "none yet"
        raise SettingsError(f"There is no class {old!r}; there are {known}.")
    if not new:
        raise SettingsError(f"The class {old!r} needs a name; give it one.")
    if new != old and new in names:
        raise SettingsError(
            f"There is a class {new!r} already. Choose another name; to make two "
            "classes one, give its objects the other class."
        )
