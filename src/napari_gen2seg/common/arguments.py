"""Arguments of public functions, checked against their own annotations.

A wrong type otherwise ends deep inside, in words about an operator. What annotations
cannot say (ranges, shapes) is checked where it is known.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import inspect
import types
import typing
from collections.abc import Callable, Collection
from functools import cache, wraps
from importlib import import_module
from numbers import Integral, Real
from typing import Any, Literal, ParamSpec, TypeVar, get_args, get_origin

import numpy as np
import numpy.typing as npt

from napari_gen2seg.errors import SettingsError

P = ParamSpec("P")
R = TypeVar("R")

_WORDS: dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    str: "text",
    type(None): "None",
    npt.ArrayLike: "an array of numbers",
}
_LONG = 60  # characters of a value that are told


def checked_arguments(
    error: type[Exception] = SettingsError,
    left: Collection[str] = (),
    **late: str,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function refuse arguments of other types than it is annotated with.

    Parameters
    ----------
    error
        What is raised.
    left
        Arguments that the function itself checks, in better words.
    **late
        Modules of names in annotations that are only imported for type checkers.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)

        @wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                given = signature.bind(*args, **kwargs).arguments
            except TypeError:
                return function(*args, **kwargs)  # Python says it best
            hints = _hints(function, tuple(late.items()))
            for name, value in given.items():
                if name in hints and name not in left:
                    check(name, value, hints[name], error)
            return function(*args, **kwargs)

        return checked

    return decorate


def check_fields(value: Any, error: type[Exception] = SettingsError) -> None:
    """Refuse a dataclass whose fields are of other types than they are annotated with.

    Raises
    ------
    SettingsError
        Or another; it names the field.
    """
    kind: Any = type(value)
    hints = _hints(kind, ())
    for field in dataclasses.fields(value):
        if field.init and field.name in hints:
            check(field.name, getattr(value, field.name), hints[field.name], error)


def check(
    name: str, value: Any, hint: Any, error: type[Exception] = SettingsError
) -> None:
    """Refuse a value of another type.

    Raises
    ------
    SettingsError
        Or another; it says what it is called, what it was and what it must be.
    """
    if not _fits(value, hint):
        raise error(f"{name} is {told(value)}; it must be {_described(hint)}.")


def told(value: Any) -> str:
    """Say what a value is, shortly."""
    if isinstance(value, np.ndarray):
        return f"an array of the shape {value.shape} and the type {value.dtype}"
    text = repr(value)
    return text if len(text) <= _LONG else f"{text[:_LONG]}..."


@cache
def _hints(owner: Any, late: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """Return the annotations that can be resolved, each by itself."""
    module = inspect.getmodule(owner)
    names = {name: getattr(import_module(home), name) for name, home in late}
    space = {**vars(typing), **(vars(module) if module else {}), **names}
    found = {}
    for name, raw in inspect.get_annotations(owner).items():
        try:
            found[name] = eval(raw, space) if isinstance(raw, str) else raw  # noqa: S307
        except (NameError, TypeError):  # for type checkers alone
            continue
    return found


def _fits(value: Any, hint: Any) -> bool:
    if hint is npt.ArrayLike or _is_array(hint):
        return _is_numeric(value)
    origin = get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        rest, arrays = _parted(hint)
        return (arrays and _is_numeric(value)) or any(_fits(value, one) for one in rest)
    if origin is Literal:
        return isinstance(value, str | int) and value in get_args(hint)
    if hint is None or hint is type(None):
        return value is None
    if hint is bool:
        return isinstance(value, bool | np.bool_)
    if hint is int:
        return isinstance(value, Integral) and not isinstance(value, bool)
    if hint is float:
        return isinstance(value, Real) and not isinstance(value, bool)
    if origin is tuple:
        return _fits_tuple(value, get_args(hint))
    if origin is collections.abc.Callable:
        return callable(value)
    kind = origin or hint
    if hint is Any or not isinstance(kind, type) or kind is object:
        return True
    if kind in (collections.abc.Sequence, collections.abc.Iterable):
        return isinstance(value, kind) and not isinstance(value, str | bytes | dict)
    if getattr(kind, "_is_protocol", False):
        # Not by isinstance: what stands in for a model need not do all that one does.
        members = {n: one for n, one in vars(kind).items() if not n.startswith("_")}
        methods = [name for name, one in members.items() if inspect.isfunction(one)]
        return "__call__" in vars(kind) or any(
            hasattr(value, name) for name in methods or members
        )
    return isinstance(value, kind)


def _parted(union: Any) -> tuple[tuple[Any, ...], bool]:
    """Return the members of a union that are no part of ``ArrayLike``, if it is in."""
    members, arrays = get_args(union), get_args(npt.ArrayLike)
    if not set(arrays) <= set(members):
        return members, False
    return tuple(one for one in members if one not in arrays), True


def _fits_tuple(value: Any, inner: tuple[Any, ...]) -> bool:
    if not isinstance(value, tuple | list | np.ndarray):
        return False
    if len(inner) == 2 and inner[1] is Ellipsis:
        return all(_fits(one, inner[0]) for one in value)
    return len(value) == len(inner) and all(map(_fits, value, inner))


def _is_array(hint: Any) -> bool:
    return get_origin(hint) is np.ndarray


def _is_numeric(value: Any) -> bool:
    """Whether something is an array of real numbers, or a list that becomes one."""
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return bool(np.dtype(value.dtype).kind in "buif")
    if not isinstance(value, collections.abc.Sequence | Real):
        return hasattr(value, "__array__")
    try:
        return np.asarray(value).dtype.kind in "buif"
    except (TypeError, ValueError, OverflowError):
        return False


def _described(hint: Any) -> str:
    if hint in _WORDS:
        return _WORDS[hint]
    if _is_array(hint):
        return "an array of numbers"
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (typing.Union, types.UnionType):
        rest, arrays = _parted(hint)
        words = ["an array of numbers"] * arrays + [_described(one) for one in rest]
        return " or ".join(dict.fromkeys(words))
    if origin is Literal:
        return f"one of {', '.join(map(repr, inner))}"
    if origin is tuple:
        many = len(inner) == 2 and inner[1] is Ellipsis
        count = "several" if many else str(len(inner))
        return f"{count} of: {_described(inner[0])}"
    if origin is collections.abc.Callable:
        return "a function"
    kind = origin or hint
    return f"a {getattr(kind, '__name__', kind)}"
