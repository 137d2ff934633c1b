"""Pictures of every kind through the bridge, on a viewer model without a window."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from napari.components import ViewerModel
from skimage import data
from tests.helpers.fake_colorer import FakeColorer
from tests.helpers.stepped import Stepped

from napari_gen2seg.core.image.rgb import RgbRecipe
from napari_gen2seg.gui.annotate.bridge import Bridge
from napari_gen2seg.gui.layers.overlays import (
    COLORING,
    OBJECTS,
    PREVIEW,
    PROMPTS,
    role_of,
)
from napari_gen2seg.session import Inline, Session

COIN, SECOND, GROUND = (51, 155), (124, 45), (88, 130)


class Work:
    """A bridge over a viewer model, and what it says."""

    def __init__(self, viewer: ViewerModel, painter: FakeColorer) -> None:
        self.viewer = viewer
        self.session = Session(Inline(), load=lambda *a, **k: painter)
        self.bridge = Bridge(viewer, self.session, Inline())
        self.said: list[str] = []
        self.warned: list[str] = []
        self.bridge.controller.status_changed.connect(self.said.append)
        self.bridge.warning.connect(self.warned.append)
        self.bridge.controller.copy_offered.connect(self.warned.append)
        self.session.failed.connect(self.warned.append)

    def layer(self, role):
        found = [one for one in self.viewer.layers if role_of(one) == role]
        assert len(found) <= 1
        return found[0] if found else None

    def open(self, picture, **options):
        layer = self.viewer.add_image(picture, **options)
        self.bridge.choose_source(layer)
        return layer

    def click(self, at, sign=1):
        source = self.bridge.source
        self.bridge.controller.clicks.add(source.view, at, sign)
        self.bridge.controller.current.read_clicks()

    def point(self, at, held=frozenset()):
        """Move the pointer to a place of the plane."""
        source = self.bridge.source
        full = list(source.view.index)
        for axis, value in zip(source.view.axes, at, strict=True):
            full[axis] = value
        self.bridge.controller.hover_preview.point(
            tuple(source.layer.data_to_world(full)), held
        )


@pytest.fixture
def painter():
    return FakeColorer()


@pytest.fixture
def work(qapp, painter):
    made = Work(ViewerModel(), painter)
    yield made
    made.bridge.close()


def lit(work, *at):
    preview = work.layer(PREVIEW)
    return bool(preview is not None and preview.data[at])


GRAY = data.coins()
KINDS = {
    "8-bit": GRAY,
    "16-bit": GRAY.astype(np.uint16) * 200 + 311,
    "float": GRAY / 37.0 - 2,
    "rgb": np.stack([GRAY, GRAY, 255 - GRAY], axis=-1),
    "lazy": da.from_array(GRAY, chunks=100),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_pixels(work, painter, kind):
    work.open(KINDS[kind])
    work.bridge.color()
    seen = painter.seen[0]
    assert seen.shape == (303, 384, 3)
    assert seen.dtype == np.float32
    assert seen.min() >= 0
    assert seen.max() <= 1
    assert work.warned == []
    work.click(COIN)
    work.bridge.controller.current.commit()
    assert work.layer(OBJECTS).data[COIN] == 1


def stack() -> np.ndarray:
    return np.stack([GRAY, GRAY[::-1], GRAY[:, ::-1], 255 - GRAY])


def test_plane_of_a_stack_with_its_place_in_the_world(work):
    layer = work.open(
        stack(),
        scale=(3, 0.5, 0.5),
        translate=(7, 1, 2),
        units=("um", "um", "um"),
        axis_labels=("z", "y", "x"),
    )
    work.viewer.dims.set_current_step(0, 1)
    work.bridge.color()
    coloring = work.layer(COLORING)
    assert coloring.data.shape == (1, 303, 384, 3)
    assert coloring.units == layer.units
    assert coloring.axis_labels == layer.axis_labels
    assert coloring.data_to_world((0, 0, 0)) == pytest.approx(
        layer.data_to_world((1, 0, 0))
    )
    flipped = 302 - COIN[0], COIN[1]
    work.point(flipped)
    assert lit(work, 0, *flipped)
    work.click(flipped)
    work.bridge.controller.current.commit()
    objects = work.layer(OBJECTS)
    assert objects.data.shape == stack().shape
    assert objects.data[1][flipped] == 1
    assert not objects.data[[0, 2, 3]].any()
    assert objects.scale == pytest.approx(layer.scale)


def test_scrolling_away_keeps_everything_and_coming_back_shows_it(work, painter):
    work.open(stack())
    dims = work.viewer.dims
    dims.set_current_step(0, 0)
    work.bridge.color()
    first = work.layer(COLORING).data.copy()
    work.click(COIN)
    dims.set_current_step(0, 2)
    assert not work.layer(PREVIEW).data.any()
    assert len(work.bridge.controller.current.prompts) == 0
    work.bridge.color()
    assert len(painter.seen) == 2
    assert not np.array_equal(work.layer(COLORING).data, first)
    assert work.layer(COLORING).translate[0] == 2
    dims.set_current_step(0, 0)
    assert len(painter.seen) == 2
    assert np.array_equal(work.layer(COLORING).data, first)
    assert work.layer(COLORING).translate[0] == 0
    assert work.bridge.controller.current.prompts.points == (COIN,)
    assert lit(work, 0, *COIN)
    assert len(work.layer(PROMPTS).data) == 1


def test_clicks_of_one_object_on_two_planes_stay_apart(work):
    work.open(stack())
    dims = work.viewer.dims
    for step in (0, 1):
        dims.set_current_step(0, step)
        work.bridge.color()
        work.bridge.controller.current.set_object(5)
        work.click(COIN if step == 0 else (302 - COIN[0], COIN[1]))
        work.bridge.controller.current.commit()
    objects = work.layer(OBJECTS).data
    assert objects[0][COIN] == 5
    assert objects[1][302 - COIN[0], COIN[1]] == 5
    work.bridge.controller.current.set_object(5)
    assert len(work.bridge.controller.current.prompts) == 1


def test_reply_for_a_plane_out_of_view_is_kept_for_later(qapp, painter):
    viewer = ViewerModel()
    work = Work(viewer, painter)
    work.session._runner = Stepped()
    work.open(stack())
    viewer.dims.set_current_step(0, 0)
    work.bridge.color()
    viewer.dims.set_current_step(0, 3)
    work.session._runner.step()
    assert work.layer(COLORING) is None
    viewer.dims.set_current_step(0, 0)
    work.bridge.controller.current.start_clicking()
    work.point(COIN)
    assert lit(work, 0, *COIN)
    work.bridge.close()


def test_channel_axis_feeds_the_colours_and_objects_have_none(work, painter):
    cyx = np.stack([GRAY, np.zeros_like(GRAY), GRAY // 2]).astype(np.uint16)
    work.open(cyx, axis_labels=("c", "y", "x"))
    assert work.bridge.source.options.channel_axis == 0
    work.bridge.color()
    seen = painter.seen[0]
    assert seen[..., 0].max() == 1
    assert np.ptp(seen[..., 1]) == 0
    work.click(COIN)
    work.bridge.controller.current.commit()
    assert work.layer(OBJECTS).data.shape == GRAY.shape
    assert work.layer(COLORING).data.shape == (303, 384, 3)
    work.viewer.dims.set_current_step(0, 2)  # another channel, the same picture
    assert len(painter.seen) == 1
    work.point(SECOND)
    assert lit(work, *SECOND)
    assert len(work.layer(OBJECTS).data.shape) == 2


def test_layers_together_make_one_picture(work, painter):
    red = work.open(GRAY, name="red")
    green = work.viewer.add_image(255 - GRAY, name="green")
    work.bridge.source.change(
        partners=(str(green.unique_id),), recipe=RgbRecipe(channels=(0, 1, None))
    )
    work.bridge.color()
    seen = painter.seen[0]
    assert np.corrcoef(seen[..., 0].ravel(), seen[..., 1].ravel())[0, 1] < -0.9
    assert seen[..., 2].max() == 0
    work.viewer.layers.remove(green)
    work.bridge.color()
    assert "gone" in work.warned[-1]
    assert red in work.viewer.layers


def test_thumbnail_is_exactly_what_the_model_sees(work, painter):
    shown = []
    work.bridge.model_input.changed.connect(shown.append)
    work.open(GRAY.astype(np.uint16) * 77)
    work.bridge.source.change(recipe=RgbRecipe(low=10, high=90, invert=True))
    work.bridge.model_input.look()
    work.bridge.color()
    seen, small = painter.seen[0], shown[-1]
    step = round(seen.shape[1] / small.shape[1])
    rows, cols = small.shape[:2]
    blocks = seen[: rows * step, : cols * step].reshape(rows, step, cols, step, 3)
    assert np.abs(blocks.mean((1, 3)) * 255 - small).max() <= 1


def test_other_contrast_is_another_coloring(work, painter):
    work.open(GRAY)
    work.bridge.color()
    work.bridge.source.change(recipe=RgbRecipe(invert=True))
    work.bridge.color()
    assert len(painter.seen) == 2
    assert painter.seen[0] + painter.seen[1] == pytest.approx(1, abs=1e-5)


def test_pyramid_level(work):
    big = np.kron(GRAY, np.ones((4, 4), np.uint8))
    levels = [big, big[::2, ::2], big[::4, ::4]]
    layer = work.open(levels, multiscale=True, scale=(0.1, 0.1))
    work.bridge.source.change(level=2)
    work.bridge.color()
    work.click(COIN)
    work.bridge.controller.current.commit()
    objects = work.layer(OBJECTS)
    assert objects.data.shape == levels[2].shape
    assert objects.data[COIN] == 1
    full = np.array(COIN) * 4 + 1.5
    assert objects.data_to_world(COIN) == pytest.approx(layer.data_to_world(full))
    prompt = work.layer(PROMPTS).data[0]
    assert prompt == pytest.approx(full)


def test_source_data_replaced_drops_its_colorings(work, painter):
    layer = work.open(GRAY)
    work.bridge.color()
    work.click(COIN)
    layer.data = GRAY[::-1].copy()
    assert work.session.coloring(work.bridge.source.view) is None
    assert not work.layer(PREVIEW).data.any()
    assert len(work.layer(PROMPTS).data) == 1
    work.bridge.color()
    assert len(painter.seen) == 2


def test_two_pictures_have_their_own_clicks(work):
    first = work.open(GRAY, name="first")
    work.bridge.color()
    work.click(COIN)
    second = work.open(GRAY[:, ::-1].copy(), name="second")
    assert len(work.bridge.controller.current.prompts) == 0
    work.bridge.color()
    work.click((SECOND[0], 383 - SECOND[1]))
    layers = [one for one in work.viewer.layers if role_of(one) == PROMPTS]
    assert [len(one.data) for one in layers] == [1, 1]
    assert [one.visible for one in layers] == [False, True]
    work.bridge.choose_source(first)
    assert work.bridge.controller.current.prompts.points == (COIN,)
    assert [one.visible for one in layers] == [True, False]
    assert second in work.viewer.layers


def test_clicks_edited_in_the_layer_count_whatever_the_event_says(work):
    work.open(GRAY)
    work.bridge.color()
    work.click(COIN)
    work.click(SECOND)
    points = work.layer(PROMPTS)
    points.data = points.data[1:]  # as somebody's script would
    work.bridge.controller.current.read_clicks()
    assert work.bridge.controller.current.prompts.points == (SECOND,)
    table = points.features.copy()
    table.loc[:, "sign"] = -1
    points.features = table
    work.bridge.controller.current.read_clicks()
    assert work.bridge.controller.current.prompts.signs == (-1,)
    assert not work.layer(PREVIEW).data.any()
    points.features = table.drop(columns=["sign", "object"])
    # A table without our columns is no reason to fail.
    work.bridge.controller.current.read_clicks()
    assert work.warned == []


def test_click_outside_the_picture_is_said_and_nothing_breaks(work):
    work.open(GRAY)
    work.bridge.color()
    work.click(COIN)
    work.click((-40, 20))
    assert "outside" in work.warned[-1]
    assert work.bridge.controller.current.prompts.points == (COIN,)
    work.bridge.controller.current.commit()
    assert work.layer(OBJECTS).data[COIN] == 1


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (np.full((50, 60), np.nan), "NaN"),
        (np.zeros((50, 60), np.uint8), "single value"),
        (np.zeros((1, 1), np.uint8), "at least"),
    ],
)
def test_unusable_pictures_are_said_in_a_sentence(work, picture, words):
    work.open(picture)
    work.bridge.color()
    assert any(words in text for text in work.warned)
    assert work.layer(COLORING) is None


def test_three_dimensions_are_said(work):
    work.open(stack())
    work.viewer.dims.ndisplay = 3
    work.bridge.color()
    assert "2D/3D" in work.warned[-1]
    work.viewer.dims.ndisplay = 2
    work.bridge.color()
    assert work.layer(COLORING) is not None


def test_commit_into_a_chosen_layer_that_cannot_be_written_is_said(work):
    work.open(GRAY)
    work.bridge.color()
    lazy = work.viewer.add_labels(da.zeros(GRAY.shape, dtype="u2"), name="lazy")
    work.bridge.controller.objects.choose(lazy)
    work.click(COIN)
    work.bridge.controller.current.commit()
    assert "cannot be written" in work.warned[-1]
    assert len(work.bridge.controller.current.prompts) == 1


def test_pointer_in_mixed_units_finds_its_place(work):
    work.open(GRAY, scale=(0.5, 0.5), units=("um", "um"))
    work.bridge.color()
    work.point(COIN)
    assert lit(work, *COIN)
    assert not lit(work, *GROUND)


def test_undo_of_everything_in_order(work):
    work.open(GRAY)
    work.bridge.color()
    work.click(COIN)
    work.bridge.controller.current.commit()
    work.click(SECOND)
    work.bridge.controller.history.undo()  # the click
    assert work.bridge.controller.current.prompts.points == ()
    work.bridge.controller.history.undo()  # the commit
    assert work.layer(OBJECTS).data.max() == 0
    assert work.bridge.controller.current.number == 1
    assert work.bridge.controller.current.prompts.points == (COIN,)
    work.bridge.controller.history.undo()  # its click
    work.bridge.controller.history.undo()
    assert work.said[-1] == "Nothing to take back."
