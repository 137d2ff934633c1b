"""Where models, caches and acceptances live on this computer (no torch here)."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

#: Environment variable that moves everything this package writes on its own.
HOME_VARIABLE = "NAPARI_GEN2SEG_HOME"


def data_dir() -> Path:
    """Return the folder for things worth keeping (models, acceptances).

    ``$NAPARI_GEN2SEG_HOME`` when set, else the platform's usual place, and a temporary
    one for users who have no home. The folder is not created here.
    """
    chosen = os.environ.get(HOME_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    try:
        home = Path.home()
    except RuntimeError:
        # A user who is in no password database, as in a container. What ships with the
        # package works all the same; what is downloaded lasts until the next restart.
        who = f"-{os.getuid()}" if hasattr(os, "getuid") else ""
        return Path(tempfile.gettempdir()) / f"napari-gen2seg{who}"
    # Not by platformdirs: on macOS, of late, a set XDG_DATA_HOME wins there, and on
    # Windows the registry does; people's models would not be found where they are.
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    return base / "napari-gen2seg"


def models_dir() -> Path:
    """Return the folder whose sub-folders are the user's own models."""
    return data_dir() / "models"


def downloads_dir() -> Path:
    """Return the folder that holds models downloaded from the hub."""
    return data_dir() / "hub"


def work_dir() -> Path:
    """Return the folder for work on images beside which nothing can be written."""
    return data_dir() / "work"


def cache_dir() -> Path:
    """Return the folder for things that can be computed again."""
    return data_dir() / "cache"
