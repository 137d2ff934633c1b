"""Frames around the windows of a large picture that were colored, in a real viewer."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from skimage.draw import disk

from napari_gen2seg.gui.annotate.hover import MAP_GONE_HERE, NOT_COLORED_HERE
from napari_gen2seg.gui.layers.camera import camera_of
from napari_gen2seg.gui.layers.window_frames import EARLIER, IN_USE, THICKNESS
from napari_gen2seg.session import Inline, Session
from napari_gen2seg.session.coloring_cache import ColoringCache

SHAPE = (2400, 3000)
LEFT, RIGHT, NOWHERE = (600, 600), (1700, 2400), (2200, 300)
LEFT_BOX, RIGHT_BOX = (88, 88, 1112, 1112), (1188, 1888, 2212, 2912)


@pytest.fixture(scope="module")
def sheet() -> np.ndarray:
    image = np.random.default_rng(0).integers(0, 20, SHAPE, np.uint8)
    for place in (LEFT, RIGHT):
        image[disk(place, 60)] = 200
    return image


def color(at, place) -> None:
    camera_of(at.viewer).center = (0, *place)
    at.widget.model.color.click()
    at.person.settle()


def frames(at) -> dict[tuple[int, ...], tuple[float, ...]]:
    """What is on the canvas: boxes in pixels of the plane, and their colors."""
    layer = at.person.layer("windows")
    if layer is None or not layer.visible:
        return {}
    view, found = at.bridge.source.view.through(None), {}
    for lines, colors in zip(
        layer._view_data.reshape(-1, 4, 2, 2),
        layer._view_face_color.reshape(-1, 8, 4),
        strict=True,
    ):
        starts = lines[:, 0]
        np.testing.assert_array_equal(starts + lines[:, 1], np.roll(starts, -1, 0))
        world = np.zeros((4, layer.ndim))
        world[:, list(view.own_axes)] = starts
        corners = view.to_pixels([layer.data_to_world(one) for one in world])
        corners = corners[:, list(view.axes)] + 0.5
        low, high = corners.min(0).round(6), corners.max(0).round(6)
        found[tuple(int(n) for n in (*low, *high))] = tuple(colors[0].round(3).tolist())
    return found


@pytest.fixture
def slide(desk, sheet):
    """A large picture, two windows of which were colored, the right one last."""
    at = desk(sheet, name="slide")
    color(at, LEFT)
    color(at, RIGHT)
    return at


def test_windows_that_were_colored_are_framed(desk, sheet):
    at = desk(sheet, name="slide")
    assert at.person.layer("windows") is None
    color(at, LEFT)
    assert frames(at) == {LEFT_BOX: IN_USE}
    chosen = at.viewer.layers.selection.active
    color(at, RIGHT)
    assert frames(at) == {LEFT_BOX: EARLIER, RIGHT_BOX: IN_USE}
    layer = at.person.layer("windows")
    assert layer.name == "slide windows"
    assert at.viewer.layers.selection.active is chosen is not layer
    assert at.person.roles()[:3] == ["", "coloring", "windows"]


def test_pointing_into_a_frame_brings_its_map_back(slide):
    slide.viewer.reset_view()
    slide.person.move(*NOWHERE)
    assert slide.widget.status.text() == NOT_COLORED_HERE
    slide.person.move(LEFT[0] + 200, LEFT[1])
    assert slide.bridge.source.view.window == LEFT_BOX
    assert frames(slide) == {LEFT_BOX: IN_USE, RIGHT_BOX: EARLIER}
    assert slide.widget.status.text() == ""
    slide.person.click(*LEFT)
    slide.person.press(Qt.Key.Key_Return)
    assert slide.labels[LEFT] == 1
    assert not slide.labels[RIGHT]


def test_a_frame_whose_map_had_to_go_says_so(desk, sheet, painter):
    cache = ColoringCache(limit=1)
    session = Session(Inline(), load=lambda *a, **k: painter, cache=cache)
    at = desk(sheet, session, name="slide")
    color(at, LEFT)
    color(at, RIGHT)
    at.viewer.reset_view()
    at.person.move(*LEFT)
    assert at.widget.status.text() == MAP_GONE_HERE
    assert frames(at) == {LEFT_BOX: EARLIER, RIGHT_BOX: IN_USE}
    at.person.click(*LEFT)  # colors it again, and clicks there
    assert frames(at) == {RIGHT_BOX: EARLIER, LEFT_BOX: IN_USE}
    assert len(at.bridge.controller.current.prompts) == 1


def test_frames_follow_their_image(slide):
    image, layer = slide.viewer.layers["slide"], slide.person.layer("windows")
    image.scale, image.rotate, image.translate = (0.5, 0.5), 30, (7, -3)
    slide.person.settle()
    assert slide.person.layer("windows") is layer
    assert frames(slide) == {LEFT_BOX: EARLIER, RIGHT_BOX: IN_USE}
    corner = image.data_to_world((RIGHT_BOX[0] - 0.5, RIGHT_BOX[1] - 0.5))
    starts = [layer.data_to_world(one) for one in layer.data[:, 0]]
    assert min(np.linalg.norm(one - np.array(corner)) for one in starts) < 1e-6


def test_lines_are_as_thick_on_the_screen_at_any_zoom(slide):
    layer, camera = slide.person.layer("windows"), camera_of(slide.viewer)
    for zoom in (0.1, 2.0):
        camera.zoom = zoom
        slide.person.settle()
        assert layer.edge_width * zoom == pytest.approx(THICKNESS, rel=0.06)
    slide.viewer.layers["slide"].scale = (0.5, 0.5)
    slide.person.settle()
    assert layer.edge_width * 0.5 * 2.0 == pytest.approx(THICKNESS, rel=0.06)


def test_nothing_of_the_frames_is_under_the_pointer(slide):
    layer = slide.person.layer("windows")
    slide.viewer.layers.selection.active = layer
    slide.viewer.reset_view()
    before = layer.data.copy()
    slide.person.move(*RIGHT)
    assert slide.person.lit((256, 256))  # of the map, half as fine
    slide.person.drag([(1300, 2000), (1400, 2100)])
    assert not layer.editable
    np.testing.assert_array_equal(layer.data, before)
    slide.person.click(*RIGHT)
    slide.person.press(Qt.Key.Key_Return)
    assert slide.labels[RIGHT] == 1


def test_frames_go_with_their_image_and_its_pixels(slide):
    image = slide.viewer.layers["slide"]
    image.data = image.data[::-1].copy()
    slide.person.settle()
    assert frames(slide) == {}
    color(slide, LEFT)
    assert frames(slide) == {LEFT_BOX: IN_USE}
    slide.viewer.layers.remove(image)
    slide.person.settle()
    assert slide.person.layer("windows") is None


def test_deleted_frames_stay_deleted_until_there_is_more_to_frame(slide):
    slide.viewer.layers.remove(slide.person.layer("windows"))
    slide.person.settle()
    slide.viewer.reset_view()
    slide.person.move(*LEFT)
    assert slide.bridge.source.view.window == LEFT_BOX
    assert slide.person.layer("windows") is None
    color(slide, (600, 2400))
    assert set(frames(slide)) == {LEFT_BOX, RIGHT_BOX, (88, 1888, 1112, 2912)}


def test_hidden_frames_stay_hidden_and_change_meanwhile(slide):
    layer = slide.person.layer("windows")
    layer.visible = False
    color(slide, (600, 2400))
    slide.widget.image.windows.click()  # shrunk whole: there are no windows
    slide.person.settle()
    slide.widget.image.windows.click()
    slide.person.settle()
    assert not layer.visible
    layer.visible = True
    assert len(frames(slide)) == 3


def test_only_where_there_are_windows(slide):
    slide.widget.image.windows.click()
    slide.person.settle()
    assert frames(slide) == {}
    slide.widget.image.windows.click()
    slide.person.settle()
    assert len(frames(slide)) == 2
    slide.viewer.add_image(np.zeros((300, 400), np.uint8), name="small")
    slide.person.settle()
    assert frames(slide) == {}
    slide.widget.model.color.click()
    slide.person.settle()
    assert frames(slide) == {}
    slide.widget.image.layer.choose(slide.viewer.layers["slide"])
    slide.person.settle()
    assert len(frames(slide)) == 2


def test_every_plane_of_a_stack_of_slides_has_frames_of_its_own(desk, sheet):
    at = desk(np.stack([sheet, sheet[::-1]]), name="slides")
    at.viewer.dims.set_current_step(0, 0)
    color(at, LEFT)
    color(at, RIGHT)
    at.viewer.dims.set_current_step(0, 1)
    at.person.settle()
    assert frames(at) == {}
    color(at, LEFT)
    assert frames(at) == {LEFT_BOX: IN_USE}
    at.viewer.dims.set_current_step(0, 0)
    at.person.settle()
    assert set(frames(at)) == {LEFT_BOX, RIGHT_BOX}
    assert IN_USE in frames(at).values()


def test_frames_lie_on_the_level_of_a_pyramid(desk, sheet):
    finest = np.repeat(np.repeat(sheet, 2, 0), 2, 1)
    at = desk([finest, sheet], name="pyramid", multiscale=True)
    at.widget.image.view_requested.emit({"level": 1})
    at.person.settle()
    color(at, (1200, 1200))
    assert frames(at) == {LEFT_BOX: IN_USE}
    layer = at.person.layer("windows")
    # A pixel of the level is two of the image: edges lie on edges.
    np.testing.assert_allclose(
        layer.data_to_world(layer.data[0, 0]), np.array(LEFT_BOX[:2]) * 2 - 0.5
    )
    at.widget.image.view_requested.emit({"level": 0})
    at.person.settle()
    assert frames(at) == {}


def test_a_dock_opened_again_takes_the_frames_over(slide, window, painter, memory):
    from napari_gen2seg.gui.widget import SegmentWidget

    layer = slide.person.layer("windows")
    slide.widget.close_session()
    again = SegmentWidget(
        window,
        Session(Inline(), load=lambda *a, **k: painter),
        background=Inline(),
        memory=memory,
    )
    dock = window.window.add_dock_widget(again, name="again")
    slide.person.settle()
    assert slide.person.layer("windows") is layer
    assert again.bridge.overlays.frames.of(again.bridge.source.view) == [
        LEFT_BOX,
        RIGHT_BOX,
    ]
    window.window.remove_dock_widget(dock)
    again.close_session()
    again.deleteLater()
