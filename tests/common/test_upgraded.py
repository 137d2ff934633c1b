"""Files of earlier versions are brought to the present one, later ones refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from napari_gen2seg.common.upgraded import upgraded
from napari_gen2seg.errors import StorageError

SOURCE = Path("facts.json")


def second(content: dict[str, Any]) -> dict[str, Any]:
    return {**content, "labels": content["truth"]}


def third(content: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name != "truth"}


STEPS = (second, third)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_every_version_becomes_the_present_one(version: int) -> None:
    old = {"format": "f", "version": version, "truth": 5, "labels": 5}
    if version == 3:
        del old["truth"]
    expected = {"format": "f", "version": 3, "labels": 5}
    assert upgraded(old, SOURCE, "f", STEPS) == expected


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"format": "f", "version": 4}, "pip install -U"),
        ({"format": "g", "version": 1}, "is no f"),
        ([], "is no f"),
        ({"format": "f"}, "None"),
        ({"format": "f", "version": 0}, "from 1 to 3"),
        ({"format": "f", "version": True}, "True"),
    ],
)
def test_others_are_refused(content: Any, said: str) -> None:
    with pytest.raises(StorageError, match=said):
        upgraded(content, SOURCE, "f", STEPS)
