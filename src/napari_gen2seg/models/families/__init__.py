"""Model families: a record each, and how one is added (no torch here).

To add a family, write a module with a `Family` record, as `mae` is one, and list it in
`FAMILIES`. A package of its own names the record as an entry point of the group
``napari_gen2seg.families``; every process of the plugin (window, model, training) then
knows it::

    [project.entry-points."napari_gen2seg.families"]
    mine = "my_package.family:MINE"

`register_family` does the same for one process.

    family                `Family`: all that the rest asks about a family
    stable_diffusion, stable_diffusion_net
                          `sd`: the record; the network
    empty_prompt          the one text that `sd` is given, as an embedding
    mae, mae_net          `mae`: the record; the network

family                what a family is, and a folder of one
stable_diffusion      latent diffusion in one step; its network: stable_diffusion_net
mae                   masked autoencoder; its network: mae_net
offsets               centers of objects, pretrained encoder; its network: offsets_net
empty_prompt          the embedding that stands for no text, of latent diffusion
"""

from __future__ import annotations

import copyreg
import logging
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from napari_gen2seg.errors import SettingsError, WrongFamilyError
from napari_gen2seg.models.families.family import Family
from napari_gen2seg.models.families.mae import MAE
from napari_gen2seg.models.families.offsets import OFFSETS
from napari_gen2seg.models.families.stable_diffusion import SD

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_log = logging.getLogger(__name__)

ENTRY_POINTS = "napari_gen2seg.families"

#: By name, in the order in which a folder is tried.
FAMILIES: dict[str, Family] = {family.name: family for family in (SD, MAE, OFFSETS)}


def register_family(family: Family) -> None:
    """Add a family to this process.

    Raises
    ------
    SettingsError
        If another family has its name.
    """
    if FAMILIES.get(family.name, family) is not family:
        raise SettingsError(
            f"There is a model family {family.name!r} already "
            f"({FAMILIES[family.name].title}). Give the new one another name."
        )
    FAMILIES[family.name] = family


def known_families() -> tuple[Family, ...]:
    """Return every family, those of installed packages among them."""
    _load_entry_points()
    return tuple(FAMILIES.values())


def get_family(name: str) -> Family:
    """Return a family by its name.

    Raises
    ------
    WrongFamilyError
        If there is none of that name.
    """
    _load_entry_points()
    if name not in FAMILIES:
        raise WrongFamilyError(
            f"There is no model family {name!r}; it must be one of "
            f"{', '.join(map(repr, FAMILIES))}. Install the package that brings it."
        )
    return FAMILIES[name]


def detect_family(folder: Path, config: Mapping[str, Any]) -> Family | None:
    """Tell a folder's family from its own files, else from its ``gen2seg.json``.

    Parameters
    ----------
    folder
        A model folder.
    config
        Content of its ``gen2seg.json``; empty where there is none.

    Returns
    -------
    Family or None
        None when it is of no known family.
    """
    families = known_families()
    for family in families:
        if family.detect is not None and family.detect(folder):
            return family
    for family in families:
        if family.detect is None and config.get("family") == family.name:
            return family
    return None


def _reduce(family: Family) -> tuple[Any, ...]:
    """Travel to another process by name: the family there is the same."""
    return get_family, (family.name,)


copyreg.pickle(Family, _reduce)


def layouts_text() -> str:
    """Say by what the folders of each family are recognized."""
    return " or ".join(
        f"{family.layout} (family {family.name!r})" for family in known_families()
    )


@cache
def _load_entry_points() -> None:
    """Register the families of installed packages, once."""
    for entry in entry_points(group=ENTRY_POINTS):
        try:
            family = entry.load()
            if not isinstance(family, Family):
                raise SettingsError(
                    f"{entry.value} is a {type(family).__name__}; it must be a Family."
                )
            register_family(family)
        except Exception as error:  # noqa: BLE001 - another package's fault
            _log.warning(
                "The model family %r (%s) cannot be used: %s. Update its package.",
                entry.name, entry.value, error,
            )  # fmt: skip
