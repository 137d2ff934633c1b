"""Long thin things whose colour drifts are followed; bodies stay what they are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.core.probe.prober import Prober, ProbeSettings

SHAPE = (120, 400)
_Y, _X = np.mgrid[: SHAPE[0], : SHAPE[1]]
_WAVE = 96.0


def _waves(along: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Colours of waves over a position, as `models.guides` makes them."""
    phases = 2 * np.pi * np.arange(3) / 3
    waves = 157 + 58 * np.sin(2 * np.pi * along[..., None] / _WAVE + phases)
    return waves.astype(np.float32)


def _paint(*strokes: tuple[npt.NDArray[np.bool_], npt.ArrayLike]) -> Coloring:
    values = np.zeros((*SHAPE, 3), np.float32)
    for inside, colors in strokes:
        values[inside] = np.broadcast_to(colors, values.shape)[inside]
    return Coloring(values, SHAPE, black_background=True)


ACROSS = (abs(_Y - 60) <= 4) & (_X > 20) & (_X < 380)
UPWARDS = (abs(_X - 200) <= 4) & (_Y > 5) & (_Y < 115)
FIBRE = (ACROSS, _waves(_X.astype(float)))


def _share(mask: npt.NDArray[np.bool_], truth: npt.NDArray[np.bool_]) -> float:
    return float((mask & truth).sum() / (mask | truth).sum())


def test_a_fibre_whose_colour_drifts_is_one_object() -> None:
    mask = _paint(FIBRE).probe([(60, 100)])
    assert _share(mask.full(), ACROSS) > 0.9


def test_without_the_background_on_black_nothing_is_followed() -> None:
    values = _paint(FIBRE).values
    assert _share(Prober(values, SHAPE).probe([(60, 100)]).full(), ACROSS) < 0.5


def test_the_moving_pointer_sees_what_a_click_would_give() -> None:
    prober = _paint(FIBRE).prober
    preview, mask = prober.preview([(61, 90)]), prober.probe([(61, 90)])
    assert np.array_equal(preview.full(), mask.full())


def test_crossing_fibres_are_followed_straight_on() -> None:
    coloring = _paint((UPWARDS, _waves(_Y + 30.0)), FIBRE)
    found = coloring.probe([(60, 100)]).full()
    assert _share(found, ACROSS) > 0.8
    assert not found[20, 200] and not found[100, 200]
    upwards = coloring.probe([(20, 200)]).full()
    assert upwards[100, 200]
    assert not upwards[60, 100]


def test_rods_in_a_row_stay_rods() -> None:
    """Flat colours that leap at a thin dark gap, and others that touch."""
    place = (_X - 20) // 40
    colors = _waves(place * 37.0)
    touching = _paint((ACROSS, colors))
    rod = ACROSS & (place == 3)
    assert _share(touching.probe([(60, 160)]).full(), rod) > 0.9
    apart = _paint((ACROSS & ((_X - 20) % 40 > 2), colors))
    assert not apart.probe([(60, 160)]).full()[60, 210]


def test_a_round_body_stays_round() -> None:
    body = np.hypot(_Y - 60, _X - 200) < 40
    tail = (abs(_Y - 60) <= 3) & (_X > 200) & (_X < 390)
    coloring = _paint((tail, _waves(_X.astype(float))), (body, (200, 90, 90)))
    assert _share(coloring.probe([(60, 200)]).full(), body) > 0.9


def test_a_negative_click_takes_a_piece_out_of_a_strand() -> None:
    found = _paint(FIBRE).probe([(60, 100), (60, 300)], [1, -1]).full()
    assert found[60, 40] and found[60, 260]
    assert not found[60, 295:306].any()


def test_a_second_click_elsewhere_adds_what_it_has() -> None:
    body = np.hypot(_Y - 25, _X - 60) < 15
    coloring = _paint(FIBRE, (body, (90, 90, 200)))
    found = coloring.probe([(60, 100), (25, 60)]).full()
    assert _share(found, ACROSS | body) > 0.85


def test_a_click_beside_a_fibre_is_not_on_it() -> None:
    """In a pocket of background that is smaller than the fibre around it."""
    pocket = (_X > 100) & (_X < 130) & (_Y > 30) & (_Y < 56)
    wall = (_X > 92) & (_X < 138) & (_Y > 22) & (_Y <= 56) & ~pocket
    coloring = _paint(FIBRE, (wall, (90, 90, 200)))
    found = coloring.probe([(53, 115)]).full()
    assert found[40, 115] and not found[60, 115]


def test_a_fibre_is_whole_beside_a_larger_body_too() -> None:
    body = (_Y < 40) & (_X > 20) & (_X < 380)
    coloring = _paint(FIBRE, (body, (90, 90, 200)))
    found = coloring.probe([(60, 100), (20, 200)], insisted=True).full()
    assert _share(found, ACROSS | body) > 0.9


def test_a_tolerance_that_was_asked_for_is_kept_to() -> None:
    coloring = _paint(FIBRE)
    for settings in (ProbeSettings(tolerance=40.0), ProbeSettings(clean=False)):
        assert _share(coloring.probe([(60, 100)], None, settings).full(), ACROSS) < 0.5


def test_two_clicks_on_one_fibre_and_a_click_off_its_middle() -> None:
    coloring = _paint(FIBRE)
    assert _share(coloring.probe([(57, 100), (63, 350)]).full(), ACROSS) > 0.9


def test_a_ring_is_followed_all_round() -> None:
    away = np.hypot(_Y - 60, _X - 200)
    ring = (away > 42) & (away < 50)
    turns = np.arctan2(_Y - 60, _X - 200) / (2 * np.pi)
    found = _paint((ring, _waves(3 * _WAVE * turns))).probe([(60, 246)])
    assert _share(found.full(), ring) > 0.9


def test_proposals_hold_whole_fibres() -> None:
    labels = _paint((UPWARDS, _waves(_Y + 30.0)), FIBRE).propose()
    found = [labels == number for number in range(1, labels.max() + 1)]
    assert max(_share(mask, ACROSS) for mask in found) > 0.8
    assert len(found) <= 3
