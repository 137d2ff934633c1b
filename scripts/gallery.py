"""Make the pictures of the gallery: an image, its map, the objects found in it.

    python scripts/gallery.py DATA [--only nuclei coins] [--folder docs/images/gallery]

DATA holds annotated pictures of others, a folder a source. Taken is the validation
image with the median number of objects, so that nobody chose it; nothing is clicked.
Prints how many objects were found, and how many of the marked ones among them.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from montage import colors  # scripts/montage.py
from PIL import Image
from skimage import data as samples
from skimage.segmentation import find_boundaries

from napari_gen2seg import load_model
from napari_gen2seg.core.image.rgb import to_rgb
from napari_gen2seg.io.annotated import Annotated
from napari_gen2seg.metrics.matching import overlaps
from napari_gen2seg.train.data.image_folder import read_source

ROOT = Path(__file__).parent.parent
TILE, GAP = 300, 4  # pixels
HEAVIEST = 150_000  # bytes of a picture
OUTLINE = np.array([255, 221, 0], np.uint8)


@dataclass(frozen=True)
class Shown:
    """A picture of the gallery.

    Attributes
    ----------
    source
        Folder in DATA; empty for the coins of scikit-image.
    kind
        Of the manifest; empty for any.
    """

    source: str
    kind: str = ""


PICTURES = {
    "coins": Shown(""),
    "nuclei": Shown("dsb2018", "fluorescence"),
    "tissue": Shown("dsb2018", "tissue_light"),
    "cells": Shown("usiigaci"),
    "powder": Shown("ampis_powder"),
    "nanoshapes": Shown("more/nanoshapes"),
    "mushrooms": Shown("more/mushrooms"),
    "embryos": Shown("more/embryos"),
    "seedlings": Shown("more/seedlings"),
}


def read(data: Path, shown: Shown) -> Annotated:
    """Return the validation image that has the median number of objects."""
    if not shown.source:
        pixels = samples.coins()
        return Annotated(pixels, np.zeros(pixels.shape, np.int32))
    images = read_source(data / shown.source, "val")
    images = [one for one in images if shown.kind in ("", one.kind)]
    return sorted(images, key=lambda one: len(one.objects))[len(images) // 2]


def fit(pixels: np.ndarray, smooth: bool = True) -> Image.Image:
    """Cut the middle square out, and bring it to the size of a tile."""
    side = min(pixels.shape[:2])
    top, left = ((length - side) // 2 for length in pixels.shape[:2])
    how = Image.Resampling.LANCZOS if smooth else Image.Resampling.NEAREST
    square = np.ascontiguousarray(pixels[top : top + side, left : left + side])
    return Image.fromarray(square).resize((TILE, TILE), how)


def outlined(pixels: np.ndarray, found: np.ndarray) -> Image.Image:
    """Draw outlines as wide as a pixel of the tile."""
    tile = np.array(fit(pixels))
    labels = np.array(fit(found.astype(np.int32), smooth=False))
    tile[find_boundaries(labels, mode="inner")] = OUTLINE
    return Image.fromarray(tile)


def main() -> None:
    """Read the options, make the pictures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", nargs="*", choices=PICTURES, default=list(PICTURES))
    parser.add_argument("--model", default="mini")
    parser.add_argument(
        "--folder", type=Path, default=ROOT / "docs" / "images" / "gallery"
    )
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    model = load_model(options.model, "cpu")
    for name in options.only:
        image = read(options.data, PICTURES[name])
        rgb = np.rint(to_rgb(image.image) * 255).astype(np.uint8)
        coloring = model.color(image.image)
        found = coloring.propose()
        row, col = rgb.shape[:2]
        painted = Image.fromarray(coloring.as_rgb8()).resize((col, row))
        tiles = fit(rgb), fit(np.asarray(painted)), outlined(rgb, found)
        tiles = *tiles, fit(colors(found), smooth=False)
        page = Image.new("RGB", (len(tiles) * (TILE + GAP) - GAP, TILE), "white")
        for place, tile in enumerate(tiles):
            page.paste(tile, (place * (TILE + GAP), 0))
        path = options.folder / f"{name}.jpg"
        for quality in (85, 78, 70, 60):
            page.save(path, quality=quality, optimize=True)
            if path.stat().st_size < HEAVIEST:
                break
        print(path, path.stat().st_size, told(image, found), flush=True)


def told(image: Annotated, found: np.ndarray) -> str:
    """Say how many objects there are, and how many of the marked ones were found."""
    count = len(np.unique(found[found > 0]))
    text = f"{image.name or 'coins'}: {count} found"
    if not (image.labels > 0).any():
        return text
    table = overlaps(image.labels, found).table
    hit = int((table.max(axis=1) >= 0.5).sum()) if table.size else 0
    return f"{text}, of {len(image.objects)} marked {hit}"


if __name__ == "__main__":
    main()
