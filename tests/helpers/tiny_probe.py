"""A tiny learned probe, made by ``tests/data/tiny-probe/made_by.py.txt``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from napari_gen2seg.models import probes

FOLDER = Path(__file__).parents[1] / "data" / "tiny-probe"


@contextmanager
def tiny_probe_as_mini() -> Iterator[None]:
    """Let the tiny probe stand where the shipped one lies, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(probes._FOLDERS, "mini", FOLDER)
        probes._loaded.cache_clear()
        yield
    probes._loaded.cache_clear()
