"""Train, validation and test: shares of the images, groups never divided."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from napari_gen2seg.errors import SettingsError

PARTS = ("train", "val", "test")
SHARES = (0.7, 0.15, 0.15)


def divide(
    groups: Mapping[str, str],
    shares: tuple[float, float, float] = SHARES,
    seed: int = 0,
) -> dict[str, str]:
    """Say of each image which part it is in.

    The same images are divided in the same way, in whatever order they come. Larger
    groups are placed first, each where most is missing still.

    Parameters
    ----------
    groups
        Image -> group; an image of no group (empty) is one of its own.
    shares
        Of train, validation and test, 0 or more; their sum counts as all.
    seed
        For another division.

    Returns
    -------
    dict
        Image -> ``"train"``, ``"val"`` or ``"test"``.

    Raises
    ------
    SettingsError
        If the shares are none.
    """
    if len(shares) != 3 or min(shares) < 0 or not sum(shares) > 0:
        raise SettingsError(
            f"The shares are {shares}; they must be three numbers from 0 for train, "
            "validation and test, not all 0, such as 0.7, 0.15, 0.15."
        )
    members: dict[str, list[str]] = {}
    for name in sorted(groups):
        members.setdefault(groups[name] or f"\0{name}", []).append(name)

    def mixed(group: str) -> str:
        return hashlib.sha256(f"{seed}/{group}".encode()).hexdigest()

    wanted = [share / sum(shares) * len(groups) for share in shares]
    found: dict[str, str] = {}
    for group in sorted(members, key=lambda one: (-len(members[one]), mixed(one))):
        place = max(range(3), key=lambda at: (wanted[at], -at))
        wanted[place] -= len(members[group])
        found |= dict.fromkeys(members[group], PARTS[place])
    return {name: found[name] for name in sorted(found)}
