"""Pictures of a project to learn from, those that are done as labelled whole."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from napari_gen2seg.errors import Gen2SegError
from napari_gen2seg.gui.finetune.data.candidates import TrainingCandidate
from napari_gen2seg.gui.finetune.data.search import looked
from napari_gen2seg.io.annotated import Annotated, AnnotatedSource
from napari_gen2seg.project.item import Item
from napari_gen2seg.project.project import Project
from napari_gen2seg.project.training_sources import item_sources


def project_rows(
    folder: Path, leave_out: Collection[str], check: Callable[[], None]
) -> list[TrainingCandidate]:
    """List the planes with objects of the pictures that are in work or done.

    Parameters
    ----------
    folder
        The project.
    leave_out
        Names of pictures.
    check
        Called between pictures; raises to stop.

    Raises
    ------
    StorageError
        If there is no project.
    """
    project = Project.open(folder)
    rows = []
    for item in project.items:
        check()
        if item.name not in leave_out:
            rows += [looked(row) for row in _rows(project, item)]
    return rows


def _rows(project: Project, item: Item) -> Iterator[TrainingCandidate]:
    """Yield the rows of a picture, its labels as they are now."""
    try:
        state = item.work().state.state
        for source in item_sources(item):
            where = source.title.removeprefix(item.name)
            drawn = f"{project.facts.name}, {state}"
            yield TrainingCandidate(f"{item.folder}/{where}", source, drawn)
    except Gen2SegError as error:
        yield _damaged(project, item, error)


def _damaged(project: Project, item: Item, error: Gen2SegError) -> TrainingCandidate:
    def unread() -> Annotated:
        raise error

    source = AnnotatedSource(item.name, unread)
    return TrainingCandidate(
        str(item.folder), source, project.facts.name, False, problem=str(error)
    )
