"""One act on an image: what a person did, and how the labels changed by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from napari_gen2seg.errors import DataError, SettingsError
from napari_gen2seg.project.journal.patch import Patch
from napari_gen2seg.project.origin import Origin

ActKind = Literal[
    "commit",
    "delete",
    "edit",
    "propose",
    "import",
    "undo",
    "redo",
    "clicks",
    "settings",
    "classes",
    "rename",
    "state",
]
"""``commit``: an object was kept. ``edit``: brush, eraser, fill. ``propose`` and
``import``: many objects at once. ``clicks``: those of the object being worked on.
``classes``: objects are given a class. ``rename``: a class has another name.
``settings``, ``state``: what is known of the image."""


@dataclass(frozen=True, eq=False)
class Act:
    """One act.

    Attributes
    ----------
    kind
        See `ActKind`.
    patch
        How the labels changed; None where they did not.
    origins
        Object -> where it comes from now; None where it is gone.
    values
        ``clicks``: ``{"clicks": [...]}``, whatever the caller keeps of them.
        ``settings``: names and values, of which the latest count. ``state``:
        ``{"state": ..., "group": ...}``, one of them or both, the state one of
        `napari_gen2seg.project.journal.state.STATES`. ``rename``: ``{"class": ...,
        "name": ...}``, as it was called and as it is called now. All of it plain JSON.
    classes
        Object -> name of its class now; None for none.
    sequence, at
        Number from 1, and seconds since the epoch; given by the journal.
    before, classes_before
        Object -> where it came from, and its class, before; given by the journal.
    """

    kind: ActKind
    patch: Patch | None = None
    origins: Mapping[int, Origin | None] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    classes: Mapping[int, str | None] = field(default_factory=dict)
    sequence: int = 0
    at: float = 0.0
    before: Mapping[int, Origin | None] = field(default_factory=dict)
    classes_before: Mapping[int, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in get_args(ActKind):
            raise SettingsError(
                f"An act is of the kind {self.kind!r}; it must be one of "
                f"{', '.join(get_args(ActKind))}."
            )

    @property
    def undoable(self) -> bool:
        """Whether labels, origins or classes changed, so that there is a way back."""
        changed = self.patch is not None and not self.patch.empty
        known = bool(self.origins) or bool(self.classes_before)
        return self.kind not in ("undo", "redo") and (changed or known)

    def reverse(self, kind: Literal["undo", "redo"] = "undo") -> Act:
        """Return the act that takes this one back."""
        patch = None if self.patch is None else self.patch.inverse()
        return Act(kind, patch, dict(self.before), classes=dict(self.classes_before))

    def again(self) -> Act:
        """Return the act that does this one once more."""
        return Act("redo", self.patch, dict(self.origins), classes=dict(self.classes))

    def with_renamed_class(self, old: str, new: str) -> Act:
        """Return the same act, with another name for a class."""
        if old not in (*self.classes.values(), *self.classes_before.values()):
            return self
        return replace(
            self,
            classes=renamed(self.classes, old, new),
            classes_before=renamed(self.classes_before, old, new),
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values for a record."""
        values: dict[str, Any] = {"n": self.sequence, "act": self.kind, "at": self.at}
        if self.values:
            values["values"] = dict(self.values)
        for name, origins in (("origins", self.origins), ("before", self.before)):
            if origins:
                values[name] = {
                    str(number): None if origin is None else origin.to_json()
                    for number, origin in origins.items()
                }
        for name, classes in (
            ("classes", self.classes),
            ("classes_before", self.classes_before),
        ):
            if classes:
                values[name] = {str(number): one for number, one in classes.items()}
        if self.patch is not None:
            values["patch"] = self.patch.to_json()
        return values

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Act:
        """Read what `to_json` gave.

        Raises
        ------
        DataError
            If it is no act.
        """
        try:
            return cls(
                raw["act"],
                Patch.from_json(raw["patch"]) if "patch" in raw else None,
                _origins(raw.get("origins", {})),
                dict(raw.get("values", {})),
                _classes(raw.get("classes", {})),
                int(raw["n"]),
                float(raw["at"]),
                _origins(raw.get("before", {})),
                _classes(raw.get("classes_before", {})),
            )
        except DataError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(
                f"A record of a journal could not be read ({error})."
            ) from error


def renamed(
    classes: Mapping[int, str | None], old: str, new: str
) -> dict[int, str | None]:
    """Return classes of objects, with another name for one of them."""
    return {number: new if name == old else name for number, name in classes.items()}


def _origins(raw: Mapping[str, Any]) -> dict[int, Origin | None]:
    return {
        int(number): None if one is None else Origin.from_json(one)
        for number, one in raw.items()
    }


def _classes(raw: Mapping[str, Any]) -> dict[int, str | None]:
    return {int(n): None if name is None else str(name) for n, name in raw.items()}
