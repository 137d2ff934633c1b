"""Draw image, map, instances and truth of some validation images of every kind.

python scripts/montage.py DATA docs/images/mini.jpg
python scripts/montage.py DATA page.jpg --model PATH --sources dsb2018 more/screws
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from skimage.segmentation import find_boundaries

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

from mini import sets

from napari_gen2seg import load_model
from napari_gen2seg.core.proposal_settings import ProposalSettings
from napari_gen2seg.train.data.image_folder import read_source

TITLE, GAP = 14, 2


def colors(labels: np.ndarray) -> np.ndarray:
    """Labels as uint8 (H, W, 3): random colors, thin rims; unknown pixels gray."""
    rng = np.random.default_rng(1)
    shown = np.maximum(labels, 0)
    table = rng.uniform(0.25, 1, (int(shown.max()) + 1, 3))
    table[0] = 0
    picture = table[shown]
    picture[find_boundaries(shown, mode="inner") & (shown > 0)] *= 0.6
    picture[labels < 0] = 0.35
    return (picture * 255).astype(np.uint8)


def cell(picture: np.ndarray, size: int, smooth: bool) -> Image.Image:
    """Fit a picture into a square, its sides kept in proportion."""
    how = Image.Resampling.LANCZOS if smooth else Image.Resampling.NEAREST
    image = Image.fromarray(picture)
    image.thumbnail((size, size), how)
    page = Image.new("RGB", (size, size), "white")
    page.paste(image, (0, 0))
    return page


def main() -> None:
    """Read the arguments and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("target", help="picture to write (.jpg or .png)")
    parser.add_argument("--model", default="mini")
    parser.add_argument("--sources", nargs="+", help="folders in DATA; all without")
    parser.add_argument("--each", type=int, default=2, help="images of a kind")
    parser.add_argument("--size", type=int, default=150, help="of a cell, in pixels")
    chosen = parser.parse_args()
    model, size = load_model(chosen.model, "cpu"), chosen.size
    sources = chosen.sources or sets(chosen.data)
    row = size + TITLE + GAP
    page = Image.new("RGB", (4 * chosen.each * (size + GAP), len(sources) * row))
    page.paste("white", (0, 0, *page.size))
    pen = ImageDraw.Draw(page)
    for down, source in enumerate(sources):
        images = read_source(chosen.data / source, "val")
        pen.text((2, down * row + 1), f"{source}: image, map, found, truth", "black")
        for across, one in enumerate(images[:: -(-len(images) // chosen.each)]):
            coloring = model.color(one.image)
            found = coloring.propose(ProposalSettings())
            shown = (
                (np.asarray(one.image), True),
                (coloring.as_rgb8(), True),
                (colors(found), False),
                (colors(one.labels), False),
            )
            for place, (picture, smooth) in enumerate(shown):
                left = (4 * across + place) * (size + GAP)
                page.paste(cell(picture, size, smooth), (left, down * row + TITLE))
    page.save(chosen.target, quality=72, optimize=True)


if __name__ == "__main__":
    main()
