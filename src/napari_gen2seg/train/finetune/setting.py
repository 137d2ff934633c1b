"""How one setting of a training is checked, asked for and remembered (no torch).

A setting is declared once, as a field of `FinetuneConfig` with `setting`. From it
derive the check of the config, the page of the dialog, what the window remembers and
its defaults; the manifest, which napari reads as it is, is held to it by a test.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from napari_gen2seg.errors import SettingsError

#: A value, and what people read for it.
Choice = tuple[Any, str]
PREFIX = "training_"  # of the names under which the window remembers settings


@dataclass(frozen=True)
class Setting:
    """What is to be known of a field beside its type and default.

    Attributes
    ----------
    limits
        Least and largest number, where it is one.
    choices
        The only values it may have.
    label
        On the page of the dialog; empty where people are not asked.
    tip
        One sentence more.
    offered
        Some of many values, to choose from on the page.
    most
        Largest number that people are offered; the limit if None.
    step, decimals, suffix
        Of the field for a number.
    title, about
        In napari's preferences; label and tip where empty.
    """

    limits: tuple[float, float] | None = None
    choices: tuple[Choice, ...] = ()
    label: str = ""
    tip: str = ""
    offered: tuple[Choice, ...] = ()
    most: float | None = None
    step: float = 1
    decimals: int = 0
    suffix: str = ""
    title: str = ""
    about: str = ""

    @property
    def values(self) -> tuple[Any, ...]:
        """The only values it may have."""
        return tuple(value for value, _ in self.choices)


def setting(**known: Any) -> dict[str, Setting]:
    """Return the metadata of a field that is a `Setting`; ``known`` are its attributes.

    Where the field's default is None, the training chooses: people read "automatic",
    and what is remembered is 0.
    """
    return {"setting": Setting(**known)}


def settings_of(kind: type) -> Iterator[tuple[str, Any, Setting]]:
    """Yield name, default and `Setting` of every field that is one, in their order."""
    for one in dataclasses.fields(kind):
        known = one.metadata.get("setting")
        if known is not None:
            yield one.name, one.default, known


def check_settings(config: Any) -> None:
    """Check the values of a dataclass against what its settings may be.

    Raises
    ------
    SettingsError
        If one may not be; the message names it.
    """
    for name, _, known in settings_of(type(config)):
        value = getattr(config, name)
        if known.choices and value not in known.values:
            raise SettingsError(
                f"{name} is {value!r}; it must be one of "
                f"{', '.join(map(str, known.values))}."
            )
        if known.limits is not None and value is not None:
            low, high = known.limits
            if not low <= value <= high:
                raise SettingsError(
                    f"{name} is {value}; it must lie between {low} and {high}."
                )


@dataclass(frozen=True)
class Remembered:
    """A setting as the window keeps it.

    Attributes
    ----------
    key
        Its name in the memory.
    default
        A string or a number of the kind that is kept.
    setting
        What is known of it.
    """

    key: str
    default: Any
    setting: Setting


def remembered_settings(kind: type) -> dict[str, Remembered]:
    """Return what the window remembers of a config: every setting that people see."""
    found = {}
    hints = {one.name: str(one.type) for one in dataclasses.fields(kind)}
    for name, default, known in settings_of(kind):
        if known.label:
            zero = 0.0 if "float" in hints[name] else 0
            kept = zero if default is None else default
            found[name] = Remembered(PREFIX + name, kept, known)
    return found


def config_values(kind: type, kept: dict[str, Any]) -> dict[str, Any]:
    """Return entries of a config for what is remembered: 0 is None where one may be."""
    defaults = {name: default for name, default, _ in settings_of(kind)}
    return {
        name: None if not value and defaults[name] is None else value
        for name, value in kept.items()
    }


def manifest_settings(kind: type) -> dict[str, dict[str, Any]]:
    """Return the properties of a napari manifest for what is remembered."""
    found = {}
    for kept in remembered_settings(kind).values():
        known, default = kept.setting, kept.default
        facts: dict[str, Any] = {"default": default}
        if known.choices:
            facts |= {"type": "string", "enum": list(known.values)}
        elif known.limits is not None:
            low, high = known.limits
            high = high if known.most is None else known.most
            number = "number" if isinstance(default, float) else "integer"
            # 0 stands for what the training chooses.
            facts |= {"type": number, "minimum": min(low, default), "maximum": high}
        found[kept.key] = facts | {
            "title": known.title or known.label,
            "description": known.about or known.tip,
        }
    return found
