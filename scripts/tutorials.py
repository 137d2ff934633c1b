"""Walk the tutorials in a real window, and take their pictures.

    python scripts/tutorials.py DATA [--only five project] [--folder FOLDER]

DATA holds annotated pictures of others, a folder a source (`SOURCE/images`,
`SOURCE/labels`): nuclei of dsb2018, metal powder of AMPIS, a stack of StarDist. What
should be clicked is read off their annotations; all clicks and keys are real events.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import napari
import numpy as np
import tifffile
from PIL import Image
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QMessageBox
from scipy import ndimage
from skimage.io import imread
from superqt import QCollapsible

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from tests.gui.person import CONTROL, SHIFT, Person  # noqa: E402
from tests.gui.saving_window import Bot  # noqa: E402

from napari_gen2seg.cli.virtual_display import virtual_display  # noqa: E402
from napari_gen2seg.gui.finetune.settings_page import set_value  # noqa: E402
from napari_gen2seg.gui.settings import FileMemory  # noqa: E402
from napari_gen2seg.gui.widget import SegmentWidget  # noqa: E402

SCREEN = 1280, 760
HEAVIEST = 150_000  # bytes of a picture
GOOD = 0.9  # IoU of an object that nobody would correct
SMALLEST = 60  # pixels of an object that somebody would paint


class Scene:
    """A window with the dock, and somebody in front of it."""

    def __init__(self, folder: Path, home: Path, model: str = "mini") -> None:
        self.folder, self.model = folder, model
        self.memory = FileMemory(home / "settings.json")
        self.memory.set("model", model)
        self.viewer = napari.Viewer(title="napari")
        self.widget = SegmentWidget(self.viewer, memory=self.memory)
        self.viewer.window.add_dock_widget(self.widget, name="Segment by clicking")
        self.person = Person(self.viewer, Bot())
        self.viewer.window.resize(*SCREEN)
        self.person.wait(300)

    @property
    def review(self) -> Any:
        """The proposals."""
        return self.widget.bridge.controller.review

    @property
    def labels(self) -> Any:
        """The kept objects, as they are shown."""
        layer = self.person.layer("objects")
        if layer is None:
            return np.zeros(self.viewer.layers[0].data.shape[:2], np.int32)
        return np.asarray(layer.data)

    def color(self) -> None:
        """Press *Color*, and wait for the proposals."""
        QTest.mouseClick(self.widget.model.color, Qt.MouseButton.LeftButton)
        self.until(lambda: self.review.review is not None)

    def until(self, ready: Callable[[], object]) -> None:
        """Wait; models take their time on a busy computer."""
        self.person.until(ready, 1_800_000)
        self.person.wait(300)

    def shoot(self, name: str) -> None:
        """Take the window, as a person sees it."""
        self.person.wait(400)
        shot = self.viewer.screenshot(canvas_only=False, flash=False)[..., :3]
        path = self.folder / f"{name}.jpg"
        for quality in (88, 80, 70, 60):
            Image.fromarray(np.ascontiguousarray(shot)).save(path, quality=quality)
            if path.stat().st_size < HEAVIEST:
                break
        print(path, path.stat().st_size, flush=True)

    def look_at(self, row: float, col: float, zoom: float) -> None:
        """Bring a place into the middle, so much larger than the whole picture."""
        self.viewer.reset_view()
        camera = getattr(self.viewer, "scene", self.viewer).camera
        camera.center, camera.zoom = (0, row, col), camera.zoom * zoom
        self.person.wait(200)

    def close(self) -> None:
        """Close the window."""
        self.viewer.close()
        self.person.wait(200)


def five_minutes(data: Path, folder: Path, home: Path) -> None:
    """A crowded picture: proposals kept at once, the few wrong ones put right."""
    source = data / "dsb2018"
    name = crowded(source)
    truth = tifffile.imread(source / "labels" / f"{name}.tif")
    scene = Scene(folder, home)
    # A copy: work is kept beside the picture that is opened.
    picture = shutil.copy(source / "images" / f"{name}.png", home / "nuclei.png")
    scene.viewer.open(str(picture), plugin="napari")
    scene.person.wait(300)
    scene.viewer.reset_view()
    started = time.monotonic()
    scene.color()
    scene.shoot("five-proposals")
    scene.person.press(Qt.Key.Key_Return, SHIFT)
    scene.person.wait(500)
    print(f"{len(np.unique(scene.labels)) - 1} kept of {truth.max()}")
    scene.shoot("five-kept")
    wrong = [
        number
        for number in np.unique(scene.labels[scene.labels > 0])
        if (truth[scene.labels == number] > 0).mean() < 0.3
    ]
    for number in wrong[:5]:
        scene.person.move(*middle(scene.labels == number))
        scene.person.press(Qt.Key.Key_D)
    missed = [
        number
        for number in np.unique(truth[truth > 0])
        if (scene.labels[truth == number] > 0).mean() < 0.3
        and (truth == number).sum() > 60
    ]
    print(f"{len(wrong)} wrong ones deleted, {len(missed)} missed ones clicked")
    for place, number in enumerate(missed[:6]):
        row, col = middle(truth == number)
        if not place:
            scene.look_at(row, col, 3)
            scene.person.move(row, col, 200)
            scene.shoot("five-missed")
        scene.person.click(row, col)
        scene.person.press(Qt.Key.Key_Return)
    scene.widget.edit.table_requested.emit()
    scene.person.wait(1500)
    scene.viewer.reset_view()
    scene.shoot("five-table")
    print(f"five minutes: {time.monotonic() - started:.0f} s on this computer")
    scene.close()


def crowded(source: Path) -> str:
    """Return the picture of fluorescence with the most nuclei, of those held out."""
    held = json.loads((source / "split.json").read_text())["val"]
    rows = json.loads((source / "manifest.json").read_text())["images"]
    rows = [one for one in rows if one["kind"] == "fluorescence"]
    names = {Path(one).stem for one in held}
    rows = [one for one in rows if Path(one["image"]).stem in names]
    rows = [one for one in rows if max(one["shape"]) <= 400]
    return Path(max(rows, key=lambda one: one["objects"])["image"]).stem


def middle(mask: np.ndarray) -> tuple[float, float]:
    """Return the place of a mask that is deepest inside."""
    padded = np.pad(mask, 1)
    depth = ndimage.distance_transform_edt(padded)[1:-1, 1:-1]
    row, col = np.unravel_index(int(np.argmax(depth)), mask.shape)
    return float(row), float(col)


def powder(data: Path, folder: Path) -> list[tuple[Path, Path]]:
    """Cut twenty pictures of metal powder, and their annotations."""
    made = []
    for number, path in enumerate(
        sorted((data / "ampis_powder" / "images").glob("*.png"))
    ):
        labels = tifffile.imread(data / "ampis_powder" / "labels" / f"{path.stem}.tif")
        pixels = imread(path)
        for part, top in enumerate((60, 520)):
            here = np.s_[top : top + 320, 200:520]
            name = f"powder-{2 * number + part + 1:02d}.tif"
            for kind, array in (("images", pixels), ("truth", labels)):
                (folder / kind).mkdir(exist_ok=True)
                colors = "rgb" if array.ndim == 3 else "minisblack"
                tifffile.imwrite(folder / kind / name, array[here], photometric=colors)
            made.append((folder / "images" / name, folder / "truth" / name))
    return made


def project_of_twenty(
    data: Path, folder: Path, home: Path, steps: int = 0, model: str = "mini"
) -> None:
    """Twenty pictures of a new kind: three by hand, one fine-tuning, the others."""
    from napari_gen2seg.gui.project.widget import ProjectWidget

    pictures = powder(data, home)
    scene = Scene(folder, home, model)
    dock = ProjectWidget(scene.viewer, memory=scene.memory)
    scene.viewer.window.add_dock_widget(dock, name="Project")
    scene.person.wait(300)
    dock.make(home / "images", home / "powder")
    scene.until(lambda: len(dock.entries) == len(pictures))
    for number in range(3):
        if not number:  # then *Done* brings the next one
            QTest.mouseClick(dock.buttons.next, Qt.MouseButton.LeftButton)
        name = pictures[number][0].stem
        scene.until(lambda name=name: dock.desk.item and dock.desk.item.name == name)  # type: ignore[misc]
        scene.until(lambda: scene.review.review is not None)
        if not number:
            scene.until(
                lambda: sum(one.waiting > 0 for one in dock.entries.values()) >= 2
            )
            scene.shoot("project-queue")
        correct(scene, tifffile.imread(pictures[number][1]))
        if number == 2:
            scene.shoot("project-work")
        scene.person.press(Qt.Key.Key_Return, CONTROL)
    scene.until(lambda: scene.review.review is not None)
    QTest.mouseClick(dock.buttons.finetune, Qt.MouseButton.LeftButton)
    dialog = scene.widget.finetune.dialog
    scene.until(lambda: len(dialog.pairs.used) == 3)
    scene.person.wait(800)
    dialog.grab().save(str(folder / "project-finetune.jpg"), "JPG", 85)
    if steps and train(scene, dialog, steps):
        scene.until(lambda: dock.buttons.offer.isVisible())
        scene.shoot("project-offer")
        QTest.mouseClick(dock.buttons.again, Qt.MouseButton.LeftButton)
        scene.until(lambda: not dock.jobs.running)
        print(dock.status.text())
    dialog.close()
    for one in dock.findChildren(QCollapsible):
        if one.text() == "Progress":
            one.expand()
    scene.shoot("project-progress")
    scene.close()


def train(scene: Scene, dialog: Any, steps: int) -> bool:
    """Fine-tune for a few steps; say whether there is a new model, now in use."""
    QTest.mouseClick(dialog.pictures.next, Qt.MouseButton.LeftButton)
    page = dialog.settings
    set_value(page.fields["steps"], steps)
    scene.person.wait(300)
    QTest.mouseClick(page.start, Qt.MouseButton.LeftButton)
    scene.until(lambda: not dialog.work.busy)
    scene.person.wait(1000)
    dialog.grab().save(str(scene.folder / "project-result.jpg"), "JPG", 85)
    print(dialog.result.verdict.text())
    if not dialog.work.finished:
        raise SystemExit(f"The fine-tuning ended: {dialog.work.message}")
    if dialog.work.unchanged:  # the window offers nothing to use
        return False
    QTest.mouseClick(dialog.result.adopt, Qt.MouseButton.LeftButton)
    scene.person.wait(300)
    for box in scene.widget.findChildren(QMessageBox):
        if box.isVisible():  # it is not better: so few steps
            yes = box.button(QMessageBox.StandardButton.Yes)
            QTest.mouseClick(yes, Qt.MouseButton.LeftButton)
    scene.until(lambda: scene.widget.session.model.choice.model != scene.model)
    return True


def correct(scene: Scene, truth: np.ndarray) -> None:
    """Keep the proposals that are right, click what is missing, brush the rest."""
    review = scene.review.review
    for index in review.shown:
        crop, (row, col) = review.candidates.masks[index].window()
        under = truth[row : row + crop.shape[0], col : col + crop.shape[1]][crop]
        number = int(np.bincount(under).argmax()) if under.size else 0
        mine = (truth == number).sum() if number else 0
        both = (under == number).sum() if number else 0
        if number and both / max(mine + crop.sum() - both, 1) > 0.6:
            place = review.candidates.points[index]
            scene.person.move(float(place[0]), float(place[1]))
            scene.person.press(Qt.Key.Key_Return)
    missed = [
        number
        for number in np.unique(truth[truth > 0])
        if (scene.labels[truth == number] > 0).mean() < 0.4
        and (truth == number).sum() > 150
    ]
    for number in missed:
        row, col = middle(truth == number)
        scene.person.click(row, col)
        scene.person.press(Qt.Key.Key_Return)
        if len(scene.widget.bridge.controller.current.prompts):  # what it gave is taken
            scene.person.press(Qt.Key.Key_Escape)
    layer = scene.person.layer("objects")
    for number in np.unique(truth[truth > 0]):
        brush(layer, truth == number)
    scene.person.wait(500)


def brush(layer: Any, mask: np.ndarray) -> None:
    """Paint an object over where its outline is off, as napari's brush does."""
    labels = np.asarray(layer.data)
    under = np.bincount(np.maximum(labels[mask], 0))
    mine = int(under.argmax()) if under[1:].any() else 0
    own = labels == mine if mine else np.zeros_like(mask)
    both = np.count_nonzero(own & mask) / np.count_nonzero(own | mask)
    if both >= GOOD or np.count_nonzero(mask) < SMALLEST:
        return
    with layer.block_history():
        if mine and both > 0.3:  # it was meant for this one
            layer.data_setitem(np.nonzero(own & ~mask), 0)
        else:
            mine = int(labels.max()) + 1
        layer.data_setitem(np.nonzero(mask), mine)


WALKS: dict[str, Callable[..., None]] = {
    "five": five_minutes,
    "project": project_of_twenty,
}


def main() -> None:
    """Read the options, walk."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", nargs="*", choices=WALKS, default=list(WALKS))
    parser.add_argument(
        "--folder", type=Path, default=ROOT / "docs" / "images" / "tutorials"
    )
    parser.add_argument(
        "--steps", type=int, default=0, help="of the fine-tuning; 0 walks up to it"
    )
    parser.add_argument(
        "--model", default="mini", help="of the project; a weak one learns for sure"
    )
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with virtual_display():
        for name in options.only:
            with tempfile.TemporaryDirectory() as home:
                os.environ["NAPARI_GEN2SEG_HOME"] = home
                walk = WALKS[name]
                if name == "project":
                    walk = partial(walk, steps=options.steps, model=options.model)
                walk(options.data, options.folder, Path(home))


if __name__ == "__main__":
    main()
