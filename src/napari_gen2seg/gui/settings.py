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
from napari_gen2seg.train.finetune.config import FinetuneConfig
from napari_gen2seg.train.finetune.old_words import in_new_words
from napari_gen2seg.train.finetune.setting import PREFIX, remembered_settings

_log = logging.getLogger(__name__)

PLUGIN = "napari-gen2seg"
DEFAULTS: dict[str, Any] = {
    "model": "mini",
    "device": "auto",
    "passes": 1,
    "connected": True,
    "brightness": True,
    "probe": "",
    "preview": True,
    "overwrite": False,
    "one_click": False,
    "proposals": True,
    "ahead": False,
    "certainty": -1.0,
    "project_ahead": True,
    "projects": "",
    "batch_in": "",
    "batch_out": "",
    "batch_link": False,
    "classes": "",
    "class_colors": True,
    **{one.key: one.default for one in remembered_settings(FinetuneConfig).values()},
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
                self._values = renamed(loaded)
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


def renamed(values: dict[str, Any]) -> dict[str, Any]:
    """Return remembered values under the names that they have now."""
    ours = {key: one for key, one in values.items() if key.startswith(PREFIX)}
    new = in_new_words({key.removeprefix(PREFIX): one for key, one in ours.items()})
    others = {key: one for key, one in values.items() if key not in ours}
    return others | {PREFIX + key: one for key, one in new.items()}


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
        memory = NapariMemory(settings.clicking, settings.training)
    except (KeyError, AttributeError):  # the manifest is not registered here
        return FileMemory()
    _recall_old_names(memory, settings.config_path)
    return memory


def _recall_old_names(memory: NapariMemory, path: Any) -> None:
    """Take over what napari's file holds under names of an earlier version.

    napari leaves such names out when it reads the file, and when it writes it next.
    """
    import yaml

    try:
        loaded = yaml.safe_load(Path(path).read_text("utf-8"))["training"]
        new = renamed(loaded)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError):
        return
    for name in new.keys() - loaded.keys():
        try:
            memory.set(name, new[name])
        except ValueError as error:
            _log.debug("%s is not taken over: %s", name, error)
