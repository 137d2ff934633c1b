"""Words of earlier versions, in what they wrote: runs, settings, events, weights.

Everything is written in the new words, and read in both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Key before -> key now.
KEYS = {"dial": "preset", "trains": "trainable", "held": "validation"}
#: Value before -> value now, by the key that it is of.
VALUES = {
    "trainable": {"last": "last_blocks"},
    "trains": {"last": "last_blocks"},  # still the word of events
    "role": {"held": "validation"},
}


def in_new_words(raw: Any) -> Any:
    """Rename the keys and values of an object of JSON; anything else stays as it is."""
    if not isinstance(raw, Mapping):
        return raw
    found = {}
    for key, value in raw.items():
        new = KEYS.get(key, key)
        # Where both are there, the old one stays: settings complain of it as unknown,
        # and events have both, of which ``trainable`` is a number.
        name = key if new in raw else new
        found[name] = new_value(name, value)
    return found


def new_value(key: str, value: Any) -> Any:
    """Return what a value of a key is called now."""
    return VALUES.get(key, {}).get(value, value) if isinstance(value, str) else value


def in_old_words(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object of JSON as an earlier version would have written it."""
    keys = {new: old for old, new in KEYS.items()}
    found = {}
    for key, value in values.items():
        olds = {new: old for old, new in VALUES.get(key, {}).items()}
        found[keys.get(key, key)] = olds.get(value, value) if olds else value
    return found
