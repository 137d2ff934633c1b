"""Draw a contact sheet of the synthetic scenes: picture and labels for every kind.

python scripts/contact_sheet.py docs/images/synthetic.jpg
python scripts/contact_sheet.py sheet.png --kinds "fibres,cables" --per-kind 8
"""

from __future__ import annotations

import argparse

import numpy as np
from PIL import Image, ImageDraw
from skimage.segmentation import find_boundaries

from napari_gen2seg.train.synthetic import KINDS, draw_scene


def colors(labels: np.ndarray) -> np.ndarray:
    """Labels as uint8 (H, W, 3): random colours, black background, thin rims."""
    rng = np.random.default_rng(1)
    table = rng.uniform(0.25, 1, (int(labels.max()) + 1, 3))
    table[0] = 0
    picture = table[labels]
    rims = find_boundaries(labels, mode="inner") & (labels > 0)
    picture[rims] *= 0.6
    return (picture * 255).astype(np.uint8)


def sheet(
    kinds: list[str], per_kind: int, size: int, across: int, seed: int
) -> Image.Image:
    """One cell per kind: its name above `per_kind` pictures above their labels."""
    title = 14
    cell_w, cell_h = per_kind * (size + 2) + 6, 2 * (size + 2) + title + 4
    down = -(-len(kinds) // across)
    page = Image.new("RGB", (across * cell_w, down * cell_h), "white")
    pen = ImageDraw.Draw(page)
    for number, kind in enumerate(kinds):
        left, top = number % across * cell_w, number // across * cell_h
        pen.text((left + 2, top + 1), kind, fill="black")
        for k in range(per_kind):
            scene = draw_scene(np.random.default_rng([seed, number, k]), size, kind)
            x = left + k * (size + 2)
            picture = Image.fromarray((scene.image * 255).astype(np.uint8))
            page.paste(picture, (x, top + title))
            page.paste(
                Image.fromarray(colors(scene.labels)), (x, top + title + size + 2)
            )
    return page


def main() -> None:
    """Read the arguments and write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target", help="picture to write (.jpg or .png)")
    parser.add_argument(
        "--kinds", default="", help="names, comma-separated; default all"
    )
    parser.add_argument("--per-kind", type=int, default=3)
    parser.add_argument("--size", type=int, default=112, help="side in pixels")
    parser.add_argument("--across", type=int, default=3, help="kinds per row")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    kinds = [k.strip() for k in chosen.kinds.split(",") if k.strip()] or list(KINDS)
    page = sheet(kinds, chosen.per_kind, chosen.size, chosen.across, chosen.seed)
    page.save(chosen.target, quality=68, optimize=True)


if __name__ == "__main__":
    main()
