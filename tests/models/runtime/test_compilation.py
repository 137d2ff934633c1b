"""A compiled network paints the same map; a compiler that fails costs nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.train.finetune.made import guided_model

from napari_gen2seg import load_model

PICTURE = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)


def broken(*_: Any, **__: Any) -> Any:
    raise RuntimeError("there is no compiler\nand this is a long story")


@pytest.mark.parametrize("family", ["tiny_sd", "tiny_mae"])
def test_a_compiler_that_fails_leaves_the_map_as_it_was(
    family: str, request: pytest.FixtureRequest
) -> None:
    folder = request.getfixturevalue(family)
    plain = load_model(folder, "cpu").color(PICTURE, 64)
    colorer = load_model(folder, "cpu")
    colorer.compile(backend=broken)  # type: ignore[attr-defined]
    values = colorer.color(PICTURE, 64).values
    assert np.array_equal(values, plain.values)
    assert "could not be compiled" in colorer.reason
    assert "long story" not in colorer.reason
    colorer.color(PICTURE, 64)
    assert len(colorer.notes) == 1


def test_a_compiled_network_paints_the_same_map(tmp_path: Path) -> None:
    """Traced and lowered as for any compiler; generating code would take minutes.

    A network shaped as mini is, for the larger one takes three times as long to trace.
    """
    folder = guided_model(tmp_path / "tiny", levels=2)
    plain = load_model(folder, "cpu").color(PICTURE, 64)
    colorer = load_model(folder, "cpu")
    colorer.compile(backend="aot_eager")  # type: ignore[attr-defined]
    values = colorer.color(PICTURE, 64).values
    assert colorer.notes == ()
    assert np.abs(values - plain.values).max() < 1  # of 255
