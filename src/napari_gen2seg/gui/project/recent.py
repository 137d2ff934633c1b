"""Projects that were opened before, the last one first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_gen2seg.project.facts import PROJECT_NAME

if TYPE_CHECKING:
    from napari_gen2seg.gui.settings import Memory

_MOST = 8
_KEY = "projects"


def recent_projects(memory: Memory) -> list[Path]:
    """Return the folders of projects that are still there."""
    folders = [Path(line) for line in memory.get(_KEY).splitlines() if line]
    return [one for one in folders if (one / PROJECT_NAME).is_file()]


def remember_project(memory: Memory, folder: Path) -> None:
    """Put a project before the others."""
    others = [one for one in recent_projects(memory) if one != folder]
    memory.set(_KEY, "\n".join(str(one) for one in [folder, *others][:_MOST]))
