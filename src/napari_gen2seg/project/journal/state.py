"""What is known of one image's work, beside its labels: acts add up to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from napari_gen2seg.errors import SettingsError
from napari_gen2seg.project.journal.act import Act
from napari_gen2seg.project.origin import Origin

ItemState = Literal["untouched", "proposed", "in work", "done", "skipped"]
STATES: tuple[str, ...] = get_args(ItemState)


@dataclass
class WorkState:
    """What acts have added up to.

    Attributes
    ----------
    sequence
        Number of the latest act.
    state
        How far the image is.
    origins
        Object -> where it comes from. Objects that are not in it, a brush drew.
    classes
        Object -> name of its class.
    clicks
        Those of the object being worked on, as the window gave them.
    settings
        Names and values, as the window gave them.
    group
        Images of one group share content and are held back together.
    touched
        When the latest act was, in seconds since the epoch; 0 before any.
    """

    sequence: int = 0
    state: ItemState = "untouched"
    origins: dict[int, Origin] = field(default_factory=dict)
    classes: dict[int, str] = field(default_factory=dict)
    clicks: list[Any] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    group: str = ""
    touched: float = 0.0

    def origins_after(self, act: Act) -> dict[int, Origin | None]:
        """Return the origins that an act gives, those that follow from it included.

        A brush that changes an object that clicks or a model made, corrects it.
        """
        given = dict(act.origins)
        if act.kind == "edit" and act.patch is not None:
            for number in act.patch.objects:
                origin = self.origins.get(number)
                if number not in given and origin and origin.who != "corrected":
                    given[number] = origin.corrected()
        return given

    def classes_after(self, act: Act) -> dict[int, str | None]:
        """Return the classes that an act gives: an object that is gone has none."""
        given = dict(act.classes)
        for number, origin in act.origins.items():
            if origin is None and number in self.classes:
                given.setdefault(number, None)
        return given

    def apply(self, act: Act) -> None:
        """Add an act that has its number.

        Raises
        ------
        SettingsError
            If its values are none of those that its kind takes.
        """
        values = act.values
        if act.kind == "state":
            self.state = checked_state(values.get("state", self.state))
            self.group = str(values.get("group", self.group))
        elif act.kind == "settings":
            self.settings.update(values)
        elif act.kind == "clicks":
            self.clicks = list(values.get("clicks", []))
        elif act.kind == "rename":
            old, new = str(values.get("class")), str(values.get("name"))
            self.classes = {
                number: new if name == old else name
                for number, name in self.classes.items()
            }
        elif act.kind == "propose":
            if self.state == "untouched":
                self.state = "proposed"
        elif self.state in ("untouched", "proposed") and act.kind != "undo":
            self.state = "in work"
        for number, origin in act.origins.items():
            if origin is None:
                self.origins.pop(number, None)
            else:
                self.origins[number] = origin
        for number, name in act.classes.items():
            if name is None:
                self.classes.pop(number, None)
            else:
                self.classes[number] = name
        if act.kind == "commit":
            self.clicks = []
        self.sequence = act.sequence
        self.touched = max(self.touched, act.at)

    def copy(self) -> WorkState:
        """Return a state that later acts do not change."""
        return replace(
            self,
            origins=dict(self.origins),
            classes=dict(self.classes),
            settings=dict(self.settings),
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values for the file of facts."""
        return {
            "sequence": self.sequence,
            "state": self.state,
            "group": self.group,
            "touched": self.touched,
            "settings": self.settings,
            "clicks": self.clicks,
            "classes": {str(n): name for n, name in sorted(self.classes.items())},
            "objects": {
                str(n): origin.to_json() for n, origin in sorted(self.origins.items())
            },
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> WorkState:
        """Read what `to_json` gave.

        Raises
        ------
        SettingsError
            If a value is of another kind.
        """
        try:
            return cls(
                int(raw.get("sequence", 0)),
                checked_state(raw.get("state", "untouched")),
                {int(n): Origin.from_json(o) for n, o in raw["objects"].items()},
                {int(n): str(name) for n, name in raw.get("classes", {}).items()},
                list(raw.get("clicks", [])),
                dict(raw.get("settings", {})),
                str(raw.get("group", "")),
                float(raw.get("touched", 0.0)),
            )
        except SettingsError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise SettingsError(
                f"What is known of an image's work could not be read ({error!r})."
            ) from error


def checked_state(value: Any) -> ItemState:
    """Return a state.

    Raises
    ------
    SettingsError
        If there is no such state.
    """
    if value not in STATES:
        raise SettingsError(
            f"The state is {value!r}; it must be one of {', '.join(STATES)}."
        )
    state: ItemState = value
    return state
