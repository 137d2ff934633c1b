"""Make the pictures of the documentation, by driving a real viewer.

    python scripts/screenshots.py [--model ID] [--picture coins] [--folder docs/images]
    python scripts/screenshots.py --laptop
    python scripts/screenshots.py --proposals
    python scripts/screenshots.py --project
    python scripts/screenshots.py --stack
    python scripts/screenshots.py --sheet
    python scripts/screenshots.py --batch

Runs under a virtual display of its own, so it looks the same everywhere.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_gen2seg.cli.pictures import subject
from napari_gen2seg.cli.virtual_display import virtual_display
from napari_gen2seg.common.user_dirs import HOME_VARIABLE
from napari_gen2seg.io.formats.writers import write_rgb
from napari_gen2seg.session.state import Choice

if TYPE_CHECKING:
    from napari_gen2seg.gui.tour import Tour

LAPTOP = (1366, 768)
ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))  # for what the benchmarks draw


Size = tuple[int, int]


@contextmanager
def touring(
    array: np.ndarray, name: str, model: str, size: Size | None = (1300, 760)
) -> Iterator[Tour]:
    """Show a picture in a window of a size, and close it at the end."""
    from napari_gen2seg.gui.tour import Tour

    tour = Tour(array, name, Choice(model), print)
    if size is not None:
        tour.viewer.window.resize(*size)
    yield tour
    tour.close()


def shoot(picture: str, model: str, folder: Path) -> list[Path]:
    """Take the window with a few objects kept, and the colouring map."""
    names = {"screenshot": picture, "coloring": f"{picture}-coloring"}
    return clicked(picture, model, folder, names, None)


def shoot_laptop(model: str, folder: Path) -> Path:
    """Take the window as large as the screen of a small laptop."""
    return clicked("coins", model, folder, {"screenshot": "laptop"}, LAPTOP)[0]


def clicked(
    picture: str, model: str, folder: Path, names: dict[str, str], size: Size | None
) -> list[Path]:
    """Keep a few objects; return the files of the tour that get another name."""
    chosen = subject(picture)
    with touring(chosen.array, chosen.name, model, size) as tour:
        tour.run(chosen.points, chosen.last)
        written = tour.write(folder)
    made = [
        (folder / f"{source}.png").rename(folder / f"{target}.png")
        for source, target in names.items()
    ]
    for path in written:
        path.unlink(missing_ok=True)
    return made


def shoot_proposals(picture: str, model: str, folder: Path) -> Path:
    """Take the canvas before any proposal is kept, half way, and at the end."""
    chosen = subject(picture)
    with touring(chosen.array, chosen.name, model) as tour:
        tour.run()
        shots = tour.review()
    path = folder / f"{picture}-proposals.png"
    seen = shots[0].any(axis=2)  # the canvas is black around the image
    rows, cols = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    part = np.s_[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    write_rgb(path, np.concatenate([shot[part] for shot in shots], axis=1))
    return path


def shoot_project(model: str, folder: Path) -> Path:
    """Take the window with a project of crops of the coins, one done, one in work."""
    chosen, path = subject("coins"), folder / "project.png"
    with (
        tempfile.TemporaryDirectory() as home,
        touring(chosen.array, chosen.name, model) as tour,
    ):
        tour.settle()
        write_rgb(path, tour.project(Path(home), coin_crops(chosen.array)))
    return path


def shoot_batch(model: str, folder: Path) -> Path:
    """Take the window while a batch is half way, one file of which is no image."""
    chosen, path = subject("coins"), folder / "batch.png"
    with (
        tempfile.TemporaryDirectory() as home,
        touring(chosen.array, chosen.name, model) as tour,
    ):
        tour.run()
        write_rgb(path, tour.batch(Path(home), coin_crops(chosen.array)))
    return path


def shoot_stack(model: str, folder: Path) -> Path:
    """Take the window with a drawn stack whose proposals are kept in all planes."""
    from benchmarks.stacks import ellipsoids, painted

    stack, path = painted(ellipsoids(12, 240)), folder / "stack.png"
    with touring(stack, "nuclei", model, (1300, 800)) as tour:
        write_rgb(path, tour.stack(len(stack) // 2))
    return path


def shoot_sheet(model: str, folder: Path) -> Path:
    """Take the window with a large drawn picture, two windows of which are done."""
    from benchmarks.big import BLOCK, block

    side, path = 3000, folder / "sheet.png"
    sheet = np.block(
        [
            [block(100 * row + col)[0] for col in range(side // BLOCK)]
            for row in range(side // BLOCK)
        ]
    )
    with touring(sheet, "sheet", model) as tour:
        write_rgb(path, tour.sheet([(900, 700), (1500, 1600)], 0.4))
    return path


def coin_crops(array: np.ndarray) -> dict[str, np.ndarray]:
    """Cut an image into overlapping pictures, by name."""
    height, width = array.shape[:2]
    rows, cols = (0, height // 3), (0, width // 4, width // 2)
    high, wide = height * 2 // 3, width // 2
    places = [(row, col) for row in rows for col in cols]
    return {
        f"field-{number}": array[row : row + high, col : col + wide]
        for number, (row, col) in enumerate(places, 1)
    }


def main() -> None:
    """Read the options, take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--picture", action="append")
    parser.add_argument("--model", default="mini")
    parser.add_argument("--folder", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument(
        "--laptop", action="store_true", help="only the window of a small laptop"
    )
    parser.add_argument(
        "--proposals", action="store_true", help="only a review, in three steps"
    )
    parser.add_argument("--project", action="store_true", help="only a project's dock")
    parser.add_argument("--stack", action="store_true", help="only a stack")
    parser.add_argument("--sheet", action="store_true", help="only a large picture")
    parser.add_argument("--batch", action="store_true", help="only a batch")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:  # no earlier work is met there
        os.environ[HOME_VARIABLE] = home
        take_all(options)


def take_all(options: argparse.Namespace) -> None:
    """Take the pictures that are asked for."""
    for wanted, take in (
        (options.project, shoot_project),
        (options.stack, shoot_stack),
        (options.sheet, shoot_sheet),
        (options.batch, shoot_batch),
    ):
        if wanted:
            with virtual_display():
                print(take(options.model, options.folder))
            return
    if options.proposals:
        with virtual_display():
            for picture in options.picture or ["coins"]:
                print(shoot_proposals(picture, options.model, options.folder))
        return
    if options.laptop:
        with virtual_display(*LAPTOP):
            print(shoot_laptop(options.model, options.folder))
        return
    with virtual_display():
        for picture in options.picture or ["coins"]:
            for path in shoot(picture, options.model, options.folder):
                print(path)


if __name__ == "__main__":
    main()
