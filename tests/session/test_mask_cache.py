"""Large objects: coarse at a glance, exact when found, the same mask for the click."""

from __future__ import annotations

import numpy as np
import pytest

from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.core.probe.prober import ProbeSettings
from napari_gen2seg.session import ColorRequest, Prompts, Session

GROUND, BLOB = (30.0, 700.0), (450.0, 450.0)


@pytest.fixture
def coloring() -> Coloring:
    """Return a red disk on a blue ground that fills the rest of 900 x 900 pixels."""
    rows, cols = np.mgrid[:900, :900]
    rgb = np.zeros((900, 900, 3), np.float32)
    rgb[...] = (20, 40, 200)
    rgb[np.hypot(rows - 450, cols - 450) < 60] = (240, 30, 30)
    return Coloring.from_array(rgb)


@pytest.fixture
def session(coloring: Coloring) -> Session:
    session = Session()
    session.keep(ColorRequest("plane", "layer", lambda: np.zeros(0)), coloring)
    return session


def test_small_objects_are_exact_at_a_glance(session, coloring):
    seen = session.preview("plane", Prompts(), BLOB)
    assert seen.exact
    np.testing.assert_array_equal(seen.array > 0, coloring.probe(BLOB).crop)


def test_a_large_one_is_coarse_until_it_is_found(session, coloring):
    coarse = session.preview("plane", Prompts(), GROUND)
    assert not coarse.exact
    truth = coloring.probe(GROUND)
    assert coarse.area == pytest.approx(truth.area, rel=0.05)

    session.probing.learn(session.probing.search("plane", Prompts(), GROUND)())
    fine = session.preview("plane", Prompts(), GROUND)
    assert fine.exact
    np.testing.assert_array_equal(fine.array > 0, truth.crop)
    assert session.probing.search("plane", Prompts(), GROUND)() == []


@pytest.mark.parametrize("at", [GROUND, BLOB])
def test_a_click_gets_the_very_mask_that_was_shown(session, at):
    session.probing.learn(session.probing.search("plane", Prompts(), at)())
    shown = session.preview("plane", Prompts(), at)
    read_back = (at[0] + 1e-9, at[1] - 1e-9)  # as the prompt layer returns it
    mask = session.mask("plane", Prompts((read_back,), (1,)))
    assert mask is session.mask("plane", Prompts((at,), (1,)))
    np.testing.assert_array_equal(mask.crop, shown.array > 0)


def test_a_mask_is_exact_whatever_the_glance_was(session, coloring):
    assert not session.preview("plane", Prompts(), GROUND).exact
    mask = session.mask("plane", Prompts((GROUND,), (1,)))
    assert mask.exact
    np.testing.assert_array_equal(mask.crop, coloring.probe(GROUND).crop)


def test_other_settings_are_another_question(session):
    asked = Prompts((BLOB,), (1,))
    automatic = session.mask("plane", asked)
    session.probing.set(tolerance=400.0)
    assert session.mask("plane", asked).area > automatic.area


def test_like_colours_everywhere_are_coarse_at_a_glance_too(session, coloring):
    session.probing.set(contiguous=False)
    seen = session.preview("plane", Prompts(), BLOB)
    truth = coloring.probe(BLOB, settings=ProbeSettings(contiguous=False))
    assert not seen.exact
    assert seen.area == pytest.approx(truth.area, rel=0.1)


def test_a_search_outside_the_picture_finds_nothing(session):
    assert session.probing.search("plane", Prompts(), (-50.0, 10.0))() == []
    assert session.preview("plane", Prompts(), (-50.0, 10.0)) is None
