"""A large picture: what is in view is colored at its own size, and clicked there."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtCore import Qt
from skimage.draw import disk
from tests.gui.person import CONTROL, SHIFT

from napari_gen2seg.core.probe.mask import Mask
from napari_gen2seg.gui.annotate.commit import read_object, write
from napari_gen2seg.gui.layers.camera import camera_of
from napari_gen2seg.gui.layers.view import ReadOptions, view_on_screen

SHAPE = (2400, 3000)
MIDDLE, NEAR, FAR = (1200, 1500), (1000, 1250), (400, 2500)
RADIUS = 60


@pytest.fixture(scope="module")
def sheet() -> np.ndarray:
    image = np.random.default_rng(0).integers(0, 20, SHAPE, np.uint8)
    # The last for the window of the background: of noise alone half is foreground.
    for place in (MIDDLE, NEAR, FAR, (2200, 2300)):
        image[disk(place, RADIUS)] = 200
    return image


def covers(labels: np.ndarray, number: int, place: tuple[int, int]) -> bool:
    """Whether an object is the disc around a place, and nothing else."""
    truth = np.zeros(SHAPE, bool)
    truth[disk(place, RADIUS)] = True
    mine = labels == number
    return np.count_nonzero(mine & truth) > 0.85 * np.count_nonzero(mine | truth)


def test_windows_of_a_large_picture(desk, sheet):
    at = desk(sheet)
    source, session = at.bridge.source, at.session
    assert "in windows of 1024 x 1024" in at.widget.image.facts.text()
    at.widget.model.color.click()
    at.person.settle()
    first = source.view
    assert first.window == (688, 988, 1712, 2012)
    assert session.coloring(first).source_shape == (1024, 1024)
    said = at.widget.status.text()
    assert said.startswith("Colored what is in view: 1,024 x 1,024 of 3,000 x 2,400")
    shown = at.person.layer("coloring")
    np.testing.assert_allclose(shown.extent.world[:, :2][0], (687.5, 987.5), atol=1)

    at.person.click(*MIDDLE)
    at.person.press(Qt.Key.Key_Return)
    assert at.labels.shape == SHAPE and covers(at.labels, 1, MIDDLE)

    # A click elsewhere has a window of its own, and is not lost.
    at.person.click(*FAR)
    second = source.view
    assert second.window == (0, 1976, 1024, 3000)
    assert len(at.bridge.controller.current.prompts) == 1
    # It keeps its window until it is done with, which is said.
    at.person.move(*NEAR)
    assert source.view == second
    assert "Enter keeps it, Esc" in at.widget.status.text()
    at.person.press(Qt.Key.Key_Return)
    assert covers(at.labels, 2, FAR) and covers(at.labels, 1, MIDDLE)

    # The pointer goes back: what is colored there is there, and nothing is asked.
    at.person.move(MIDDLE[0] - 100, MIDDLE[1])
    at.person.move(*NEAR)
    assert source.view == first
    at.person.move(*NEAR)
    assert at.bridge.controller.hover_preview.at == pytest.approx(
        (NEAR[0] - 688, NEAR[1] - 988), abs=40
    )
    at.person.press(Qt.Key.Key_Return)
    assert covers(at.labels, 3, NEAR)
    at.person.press(Qt.Key.Key_Z, CONTROL)
    assert not (at.labels == 3).any()
    at.person.press(Qt.Key.Key_Escape)  # its click is here again

    # What is deleted is gone beyond the window, too, and comes back whole.
    rows, cols = (one.ravel() for one in np.mgrid[1660:1800, 1400:1500])
    at.person.layer("objects").data_setitem((rows, cols), 9)
    at.person.move(1500, 1450)
    at.person.move(1680, 1450)
    at.person.press(Qt.Key.Key_D)
    assert not (at.labels == 9).any()
    at.person.press(Qt.Key.Key_Z, CONTROL)
    assert np.count_nonzero(at.labels == 9) == rows.size

    # A click outside that turns out to be on background marks nothing.
    at.person.move(*MIDDLE)
    at.person.click(450, 1960)
    assert source.view not in (first, second)
    assert not len(at.bridge.controller.current.prompts)
    assert "takes for background" in at.widget.status.text()

    # Press Color again elsewhere; and shrunk whole, if somebody wants that.
    camera_of(at.viewer).center = (0, 2000, 600)
    at.widget.model.color.click()
    at.person.settle()
    assert source.view.window == (1376, 88, 2400, 1112)
    at.widget.image.windows.click()
    assert source.view.window is None and source.view.shape == SHAPE
    at.widget.model.color.click()
    at.person.settle()
    assert session.coloring(source.view).source_shape == SHAPE
    at.widget.image.windows.click()
    assert session.coloring(first) is not None


def test_only_the_window_is_read(desk):
    class Lazy:
        shape, dtype, ndim = (5, *SHAPE), np.dtype(np.uint8), 3

        def __init__(self):
            self.seen = []

        def __getitem__(self, index):
            part = np.broadcast_to(np.uint8(7), self.shape)[index]
            self.seen.append(part.shape)
            return part

    at = desk(np.zeros((2, 40, 40), np.uint8))
    small = at.bridge.source.view
    assert small.window is None and not at.widget.image.windows.isVisible()
    view = type(small)(
        "some",
        (1, 2),
        (3, 0, 0),
        (5, *SHAPE),
        0,
        None,
        np.ones(3),
        small.transform,
    )
    view = view.through(view.window_around((2390, 10)))
    assert view.window == (1376, 0, 2400, 1024)
    lazy = Lazy()
    assert view.read(lazy).shape == view.shape == (1024, 1024)
    assert lazy.seen == [(1024, 1024)]


def test_a_window_lies_where_its_pixels_are():
    viewer = ViewerModel()
    levels = [np.zeros((side, side + 200), np.uint8) for side in (5000, 2500)]
    image = viewer.add_image(
        levels, multiscale=True, scale=(0.5, 0.25), translate=(7, -3)
    )
    view = view_on_screen(viewer, image, ReadOptions(level=1))
    view = view.through((300, 40, 812, 1064))
    # Half as fine: the middle of its first pixel is that of four of the level.
    half = Labels(np.zeros((256, 512), np.uint8), **view.placement((256, 512)))
    assert view.to_plane(half.data_to_world((0, 0))) == pytest.approx((0.5, 0.5))
    assert view.to_plane(half.data_to_world((9, 100))) == pytest.approx((18.5, 200.5))
    whole = Labels(np.zeros((2500, 2700), np.int32), **view.placement())
    assert view.to_plane(whole.data_to_world((300, 40))) == pytest.approx((0, 0))
    assert view.to_plane(whole.data_to_world((299, 40))) is None
    mask = Mask.from_source(np.ones((3, 4), bool), (10, 20), (256, 512), (512, 1024))
    written = write(whole, view, mask, 5)
    rows, cols = np.nonzero(whole.data)
    assert written.pixels == rows.size > 0
    assert 308 <= rows.min() < rows.max() <= 314 and 58 <= cols.min() <= 61
    crop, corner = read_object(whole, view, 5)
    assert crop.sum() == rows.size
    assert corner == (rows.min() - 300, cols.min() - 40)


@pytest.fixture
def cut_sheet(sheet) -> np.ndarray:
    """A large picture with a disc on the rim of the window in its middle."""
    image = sheet.copy()
    image[disk(CUT, RADIUS)] = 200
    return image


CUT = (1712, 1500)


def test_what_the_rim_of_a_window_cuts_waits_for_the_next(desk, memory, cut_sheet):
    memory.set("proposals", True)
    at = desk(cut_sheet)
    review = at.bridge.controller.review
    at.widget.model.color.click()
    at.person.until(lambda: review.review is not None)
    at.person.settle()
    assert at.bridge.source.view.window == (688, 988, 1712, 2012)
    assert "in this window" in at.widget.review.counter.text()
    at.person.move(CUT[0] - 30, CUT[1])
    assert "cut at the rim of the window" in at.widget.status.text()
    at.person.press(Qt.Key.Key_Return, SHIFT)
    assert "1 at the rim of the window" in at.widget.status.text()
    first = at.labels[MIDDLE]
    assert first and covers(at.labels, first, MIDDLE)
    assert not at.labels[CUT[0] - 30, CUT[1]]
    at.person.press(Qt.Key.Key_Return, SHIFT)
    assert "cut at the rim" in at.widget.status.text()
    assert not at.labels[CUT[0] - 30, CUT[1]]
    # Beyond the window nothing is colored, which is said before and after Enter.
    at.person.move(CUT[0] + 30, CUT[1])
    assert "not colored" in at.widget.status.text()
    at.person.press(Qt.Key.Key_Return)
    assert "not colored" in at.widget.status.text()
    at.person.move(CUT[0] - 30, CUT[1])
    assert "not colored" not in at.widget.status.text()
    # The next window has it whole.
    camera_of(at.viewer).center = (0, *CUT)
    at.widget.model.color.click()
    at.person.until(lambda: review.review is not None)
    at.person.settle()
    at.person.press(Qt.Key.Key_Return, SHIFT)
    assert covers(at.labels, at.labels[CUT], CUT)
    assert at.labels[MIDDLE] == first
