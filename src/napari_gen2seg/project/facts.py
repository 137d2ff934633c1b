"""What holds for all images of a project: ``project.json``."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from napari_gen2seg.common.atomic import writing
from napari_gen2seg.common.checked import checked
from napari_gen2seg.common.upgraded import Step, upgraded
from napari_gen2seg.errors import SettingsError, StorageError

PROJECT_NAME = "project.json"
PROJECT_FORMAT = "napari-gen2seg project"
PROJECT_STEPS: tuple[Step, ...] = ()
"""From one version of ``project.json`` to the next."""


@dataclass(frozen=True)
class ObjectClass:
    """A kind of object.

    Attributes
    ----------
    name
        Unique in the project.
    color
        ``#rrggbb``; empty for none of its own.
    key
        1 to 9, the key that gives it; None for none.
    """

    name: str
    color: str = ""
    key: int | None = None


@dataclass(frozen=True)
class ProjectFacts:
    """What holds for all images of a project.

    Attributes
    ----------
    name
        For people.
    model
        What proposes objects, where nobody says otherwise.
    classes
        Kinds of objects; empty where there is only one.
    """

    name: str
    model: str = "mini"
    classes: tuple[ObjectClass, ...] = ()


def read_facts(folder: Path) -> ProjectFacts:
    """Read the facts of the project in a folder.

    Raises
    ------
    StorageError
        If they are damaged or of a later version.
    """
    source = folder / PROJECT_NAME
    try:
        raw = json.loads(source.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StorageError(
            f"{source} could not be read as JSON ({error}). Restore it from a copy."
        ) from error
    raw = upgraded(raw, source, PROJECT_FORMAT, PROJECT_STEPS)
    values = {k: v for k, v in raw.items() if k not in ("format", "version")}
    values = checked(ProjectFacts, values, f"The facts in {source}")
    classes = tuple(
        ObjectClass(**checked(ObjectClass, one, f"A class in {source}"))
        for one in values.get("classes", ())
    )
    return ProjectFacts(**{**values, "classes": classes})


def save_facts(folder: Path, facts: ProjectFacts) -> None:
    """Write the facts of the project in a folder.

    Raises
    ------
    StorageError
        If they cannot be written.
    """
    content = {
        "format": PROJECT_FORMAT,
        "version": len(PROJECT_STEPS) + 1,
        **asdict(facts),
    }
    with writing(folder / PROJECT_NAME) as draft:
        text = json.dumps(content, indent=1, ensure_ascii=False)
        draft.write_text(text + "\n", encoding="utf-8")


def check_classes(classes: Sequence[ObjectClass]) -> None:
    """Refuse classes that cannot be told apart.

    Raises
    ------
    SettingsError
        If a name or a key is there twice, or a key is none of 1 to 9.
    """
    names = Counter(one.name for one in classes)
    keys = Counter(one.key for one in classes if one.key is not None)
    twice = [str(one) for one, count in (names | keys).items() if count > 1]
    if twice:
        raise SettingsError(
            f"{twice[0]} is there twice among the classes; names and keys must be "
            "unique."
        )
    wrong = [key for key in keys if not 1 <= key <= 9]
    if wrong:
        raise SettingsError(f"The key of a class is {wrong[0]}; it must be 1 to 9.")
