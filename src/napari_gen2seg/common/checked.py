"""Values from a JSON file, checked against the dataclass they are for."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, Literal, get_args

from napari_gen2seg.errors import SettingsError


def checked(kind: type, raw: Any, where: str) -> dict[str, Any]:
    """Return the values when every key is known and of the right kind.

    Parameters
    ----------
    kind
        A dataclass. Fields that hold others are checked where those are made.
    raw
        What the file holds.
    where
        Its place, for the message.

    Raises
    ------
    SettingsError
        If it is no JSON object, or a key is unknown, missing or of another kind.
    """
    if not isinstance(raw, dict):
        raise SettingsError(
            f"{where} hold a {type(raw).__name__}; they must be a JSON object."
        )
    hints = typing.get_type_hints(kind)
    known = [f.name for f in dataclasses.fields(kind)]
    unknown = [key for key in raw if key not in known]
    if unknown:
        raise SettingsError(
            f"{where}: unknown settings {', '.join(map(repr, unknown))}; "
            f"{suggested(unknown, known)}"
        )
    missing = [
        f.name
        for f in dataclasses.fields(kind)
        if f.default is dataclasses.MISSING
        and f.default_factory is dataclasses.MISSING
        and f.name not in raw
    ]
    if missing:
        raise SettingsError(f"{where}: {', '.join(missing)} must be given.")
    for key, value in raw.items():
        if not _fits(value, hints[key]):
            wanted = getattr(hints[key], "__name__", None) or str(hints[key])
            raise SettingsError(
                f"{where}: {key} is {value!r}; it must be of the kind {wanted}."
            )
    return raw


def suggested(unknown: Sequence[str], known: Sequence[str]) -> str:
    """Say which names were probably meant, or which there are."""
    meant = [get_close_matches(str(name), known, 1) for name in unknown]
    if all(meant):
        return f"did you mean {', '.join(repr(one) for (one,) in meant)}?"
    return f"known are {', '.join(known)}."


def _fits(value: Any, hint: Any) -> bool:
    """Tell whether a JSON value may stand for a field of this type."""
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, one) for one in get_args(hint))
    if origin is Literal:
        return isinstance(value, str)  # which one is checked with a better message
    if origin is tuple:
        inner = get_args(hint)[0]
        return isinstance(value, list | tuple) and (
            dataclasses.is_dataclass(inner) or all(_fits(one, inner) for one in value)
        )
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint)
