"""What is remembered between two sessions of napari.

napari 0.9 keeps the settings of plugins and shows them in its preferences; below
it, or where the manifest is not registered, a small file of our own takes over.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any, Protocol

from napari_gen2seg.common.atomic import replacing

_log = logging.getLogger(__name__)

PLUGIN = "napari-gen2seg"
DEFAULTS: dict[str, Any] = {
    "model": "mini",
    "device": "auto",
    "passes": 1,
    "connected": True,
    "brightness": True,
    "preview": True,
    "overwrite": False,
    "one_click": False,
    "training_dial": "quick",
    "training_minutes": 0.0,
    "training_steps": 0,
    "training_rate": 0.0,
    "training_crop": 0,
    "training_batch": 0,
    "training_trains": "auto",
    "training_precision": "auto",
    "training_seed": 0,
    "training_map": True,
}


class Memory(Protocol):
    """Keeps small values by name."""

    def get(self, name: str) -> Any:
        """Return a value, its default if it was never set."""
        ...

    def set(self, name: str, value: Any) -> None:
        """Keep a value."""
        ...


class FileMemory:
    """Settings in a JSON file; a damaged or unwritable file costs only the memory.

    Parameters
    ----------
    path
        The file; by default in the user's configuration folder.
    """

    def __init__(self, path: Path | None = None) -> None:
        if path is None:
            from platformdirs import user_config_path

            path = user_config_path(PLUGIN, appauthor=False) / "settings.json"
        self._path = path
        self._values: dict[str, Any] = {}
        try:
            loaded = json.loads(path.read_text("utf-8"))
            if isinstance(loaded, dict):
                self._values = loaded
        except (OSError, ValueError):
            _log.debug("no settings in %s yet", path)

    def get(self, name: str) -> Any:
        """Return a value, its default if it is missing or of another type."""
        default = DEFAULTS[name]
        value = self._values.get(name, default)
        return value if isinstance(value, type(default)) else default

    def set(self, name: str, value: Any) -> None:
        """Keep a value."""
        if self._values.get(name) == value:
            return
        self._values[name] = value
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(self._path) as draft:
                draft.write_text(json.dumps(self._values, indent=1), "utf-8")
        except OSError as error:
            _log.warning("The settings could not be kept in %s: %s", self._path, error)


class NapariMemory:
    """Settings in napari's own store, which also shows them in its preferences.

    Parameters
    ----------
    groups
        The plugin's groups of settings; no name is in two of them.
    """

    def __init__(self, *groups: Any) -> None:
        self._groups = groups

    def get(self, name: str) -> Any:
        """Return a value."""
        group = self._group(name)
        return DEFAULTS[name] if group is None else getattr(group, name)

    def set(self, name: str, value: Any) -> None:
        """Keep a value; napari writes its file itself."""
        group = self._group(name)
        if group is not None and self.get(name) != value:
            setattr(group, name, value)

    def _group(self, name: str) -> Any:
        return next((one for one in self._groups if hasattr(one, name)), None)


def remembered() -> Memory:
    """Return the store to use here."""
    try:
        from napari.settings import get_plugin_settings
    except ImportError:  # napari below 0.9
        return FileMemory()
    try:
        settings = get_plugin_settings(PLUGIN)
        return NapariMemory(settings.clicking, settings.training)
    except (KeyError, AttributeError):  # the manifest is not registered here
        return FileMemory()
