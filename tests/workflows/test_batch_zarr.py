"""OME-Zarr in a batch: labels with the axes, the scale and the levels of the image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.helpers.drawn_sheet import SheetColorer, same_objects, sheet

from napari_gen2seg import segment
from napari_gen2seg.workflows.batch import ImageDone, ImageFailed, batch

zarr = pytest.importorskip("zarr")
pytest.importorskip("ome_zarr")

SHEET = sheet(230, 20)


def write(path: Path, array: np.ndarray, axes: str, version: str) -> Path:
    """Write an image of three levels with a scale, as ome-zarr writes it."""
    from ome_zarr.format import FormatV04, FormatV05
    from ome_zarr.writer import write_multiscales_metadata

    fmt: Any = FormatV04() if version == "0.4" else FormatV05()
    group = zarr.open_group(path, mode="w", zarr_format=fmt.zarr_format)
    kinds = {"c": "channel", "t": "time"}
    named = [{"name": one, "type": kinds.get(one, "space")} for one in axes]
    for one in named:
        if one["type"] == "space":
            one["unit"] = "micrometer"
    datasets = []
    for level in range(3):
        step = 2**level
        pixels = array[..., ::step, ::step]
        chunks = (1,) * (array.ndim - 2) + (128, 128)
        made = group.create_array(
            str(level), shape=pixels.shape, dtype=pixels.dtype, chunks=chunks,
            chunk_key_encoding={
                "name": "v2" if version == "0.4" else "default", "separator": "/"
            },
        )  # fmt: skip
        made[...] = pixels
        scale = [1.0] * (array.ndim - 2) + [0.5 * step, 0.25 * step]
        if "z" in axes:
            scale[axes.index("z")] = 2.0
        datasets.append(
            {
                "path": str(level),
                "coordinateTransformations": [{"type": "scale", "scale": scale}],
            }
        )
    write_multiscales_metadata(group, datasets, fmt, named)
    return path


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_labels_group(tmp_path: Path, version: str) -> None:
    from ome_zarr.io import parse_url
    from ome_zarr.reader import Reader

    image = np.stack([np.stack([SHEET, SHEET[::-1]])])  # czyx
    source = write(tmp_path / "s.ome.zarr", image, "czyx", version)
    events = list(batch(source, tmp_path / "out", SheetColorer(), tile=128))
    assert any(isinstance(one, ImageDone) for one in events), events
    target = tmp_path / "out" / "s.zarr" / "labels" / "objects"
    url = parse_url(target)
    assert url is not None
    (node,) = [one for one in Reader(url)() if "axes" in one.metadata]
    assert [one["name"] for one in node.metadata["axes"]] == ["z", "y", "x"]
    assert node.metadata["axes"][1]["unit"] == "micrometer"
    moves = [one[0]["scale"] for one in node.metadata["coordinateTransformations"]]
    assert moves == [[2.0, 0.5, 0.25], [2.0, 1.0, 0.5], [2.0, 2.0, 1.0]]
    full = np.asarray(node.data[0])
    expected = segment(SHEET, SheetColorer(), tile=0).labels
    assert same_objects(full[0], expected)
    assert same_objects(full[1], expected[::-1])
    assert not set(np.unique(full[0])) & set(np.unique(full[1])) - {0}
    np.testing.assert_array_equal(np.asarray(node.data[1]), full[:, ::2, ::2])
    np.testing.assert_array_equal(np.asarray(node.data[2]), full[:, ::4, ::4])


def test_chunks_that_are_missing_or_damaged(tmp_path: Path) -> None:
    source = write(tmp_path / "s.zarr", SHEET, "yx", "0.5")
    chunk = source / "0" / "c" / "1" / "1"
    whole = chunk.read_bytes()
    chunk.write_bytes(whole[: len(whole) // 2])
    out = tmp_path / "out"
    events = list(batch(source, out, SheetColorer(), tile=128))
    failed = [one for one in events if isinstance(one, ImageFailed)]
    assert len(failed) == 1 and "s.zarr" in str(failed[0].error)
    assert not (out / "s.zarr").exists()
    # Whole again: the rest of the tiles, and the labels of an undisturbed run.
    chunk.write_bytes(whole)
    colorer = SheetColorer()
    assert any(
        isinstance(one, ImageDone) for one in batch(source, out, colorer, tile=128)
    )
    labels = zarr.open_array(out / "s.zarr" / "labels" / "objects" / "0", mode="r")
    assert same_objects(labels[:], segment(SHEET, SheetColorer(), tile=0).labels)
    # A chunk that is not there reads as 0, and somebody is told.
    chunk.unlink()
    events = list(batch(source, out, SheetColorer(), tile=128))
    notes = [one.notes for one in events if isinstance(one, ImageDone)]
    assert "1 of its 4 chunks are not there" in notes[0][0]
