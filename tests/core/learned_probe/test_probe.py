"""What holds for every mask of the learned probe, whatever its network says."""

from __future__ import annotations

import gc
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from napari_gen2seg import Coloring
from napari_gen2seg.core.candidates import CandidateSet
from napari_gen2seg.core.learned_probe.answer import Answer
from napari_gen2seg.core.learned_probe.choice import (
    LEARNED,
    SIMILARITY,
    default_method,
    possible_method,
    reason_for_similarity,
)
from napari_gen2seg.core.learned_probe.inputs import Clicks
from napari_gen2seg.core.learned_probe.looking import Predict
from napari_gen2seg.core.learned_probe.probe import Probe
from napari_gen2seg.core.learned_probe.threshold import (
    MIDDLE,
    threshold_of,
    tolerance_of,
)
from napari_gen2seg.core.learned_probe.window import SIDE
from napari_gen2seg.core.map.instances import Instances
from napari_gen2seg.core.probe.settings import ProbeSettings
from napari_gen2seg.core.proposal_settings import ProposalSettings
from napari_gen2seg.errors import Cancelled, ImageError, PromptError, SettingsError
from napari_gen2seg.metrics.matching import iou

SHAPE = (140, 180)


def coloring(source: tuple[int, int] = (280, 360), image: bool = True) -> Coloring:
    """A map of two rectangles, with its image."""
    values = np.zeros((*SHAPE, 3), np.float32)
    values[30:90, 30:80], values[30:90, 84:150] = (220, 90, 90), (90, 220, 90)
    seen = (values * 0.5).astype(np.uint8) if image else None
    return Coloring(
        values, source, black_background=True, image=seen, learned_probe="mini"
    )


def on_each(look: Callable[[np.ndarray], tuple[np.ndarray, float]]) -> Predict:
    """Make a network of what one look at one window says."""

    def predict(windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        logits, qualities = zip(*map(look, windows), strict=True)
        return np.stack(logits), np.array(qualities, np.float32)

    return predict


def network(seed: int) -> tuple[object, list[int]]:
    """A network of smooth noise, another at every look: the worst there can be."""
    rng = np.random.default_rng(seed)
    looks: list[int] = []

    @on_each
    def predict(channels: np.ndarray) -> tuple[np.ndarray, float]:
        assert channels.shape[1:] == (SIDE, SIDE) and np.isfinite(channels).all()
        looks.append(1)
        noise = ndimage.gaussian_filter(
            rng.normal(size=(SIDE, SIDE)), rng.uniform(1, 9)
        )
        logits = noise / noise.std() * 3 + rng.normal()
        return logits.astype(np.float32), float(rng.random())

    return predict, looks


@on_each
def believer(channels: np.ndarray) -> tuple[np.ndarray, float]:
    """A network that believes the map: near in color to a kept click."""
    return (0.3 - channels[6]) * 20, 0.9


@pytest.mark.parametrize("seed", range(15))
def test_clicks_are_obeyed_whatever_the_network_says(seed: int) -> None:
    rng = np.random.default_rng([seed, 1])
    where = coloring()
    probe = Probe(network(seed)[0])
    points, signs = [], []
    for number in range(6):
        points.append((int(rng.integers(280)), int(rng.integers(360))))
        signs.append(1 if number == 0 or rng.random() < 0.5 else -1)
        for tolerance in (None, 5.0, 150.0):
            settings = ProbeSettings(tolerance=tolerance)
            last = dict(zip(points, signs, strict=True))
            for free in (True, False):
                mask = probe.mask(where, points, signs, settings, insisted=free)
                assert 0 <= mask.score <= 1
                assert mask.method == LEARNED or mask.refused > 4
                full = mask.full()
                for point, sign in last.items():
                    assert full[point] == (sign > 0)


def test_the_same_clicks_give_the_same_mask_asked_one_by_one_or_at_once() -> None:
    where = coloring()
    points, signs = [(120, 100), (120, 200), (60, 80), (100, 240)], [1, -1, 1, -1]
    one_by_one = Probe(believer)
    for count in range(1, 5):
        mask = one_by_one.mask(where, points[:count], signs[:count])
    at_once = Probe(believer).mask(coloring(), points, signs)
    np.testing.assert_array_equal(mask.array, at_once.array)
    # A click that leaves out may come first.
    first = Probe(believer).mask(where, points[1::-1], signs[1::-1])
    assert first.full()[120, 100] and not first.full()[120, 200]


@pytest.mark.parametrize(("score", "at_once"), [(0.9, True), (0.1, False)])
def test_a_large_thing_among_small_ones_is_seen_whole_where_the_model_is_sure_of_it(
    score: float, at_once: bool
) -> None:
    labels = np.zeros((256, 256), np.int32)
    for number, (row, col) in enumerate(np.ndindex(12, 12), 2):
        labels[row * 20 + 4 : row * 20 + 14, col * 20 + 4 : col * 20 + 14] = number
    labels[90:170, 90:170] = 1
    present = np.unique(labels[labels > 0])
    labels = np.searchsorted(np.r_[0, present], labels).astype(np.int32)
    colors = np.random.default_rng(0).uniform(90, 255, (len(present) + 1, 3))
    colors[0] = 0
    values = colors[labels].astype(np.float32)
    scores = np.full(len(present), score, np.float32)
    where = Coloring(
        values,
        (256, 256),
        black_background=True,
        image=values.astype(np.uint8),
        instances=Instances(labels, scores),
    )
    looks: list[int] = []

    def counted(windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        looks.extend([1] * len(windows))
        return believer(windows)

    mask = Probe(counted).mask(where, [(128, 128)])
    assert iou(mask.full(), labels == labels[128, 128]) > 0.9
    assert (len(looks) == 1) is at_once


@pytest.mark.parametrize("seed", range(60))
def test_a_click_changes_only_what_is_about_it(seed: int) -> None:
    rng = np.random.default_rng([seed, 2])

    def noise(box: tuple[int, int, int, int]) -> np.ndarray:
        shape = (box[2] - box[0], box[3] - box[1])
        some = ndimage.gaussian_filter(rng.normal(size=shape), rng.uniform(1, 6))
        return (some / some.std() * 3 + 0.5).astype(np.float32)

    def box() -> tuple[int, int, int, int]:
        r0, c0 = (int(n) for n in rng.integers(0, 60, 2))
        r1, c1 = (int(n) for n in rng.integers(70, 120, 2))
        return r0, c0, r1, c1

    def whole(answer: Answer) -> np.ndarray:
        frame = np.zeros((120, 120), bool)
        r0, c0, r1, c1 = answer.box
        frame[r0:r1, c0:c1] = answer.region(0.0)
        return frame

    first = box()
    clicks = Clicks(np.array([[65, 65]]), np.ones(1, np.int8))
    answer = Answer.first(noise(first), first, clicks, 0.5)
    for _ in range(6):
        before = whole(answer)
        at, sign = rng.integers(0, 120, 2), int(rng.choice([-1, 1]))
        clicks = clicks.plus((int(at[0]), int(at[1])), sign)
        seen = box()
        answer = answer.corrected(noise(seen), seen, clicks, 0.5, 1.0)
        after = whole(answer)
        for pixel, value in zip(clicks.pixels, clicks.signs, strict=True):
            newest = clicks.signs[(clicks.pixels == pixel).all(axis=1)][-1]
            assert after[tuple(pixel)] == (newest > 0), value
        looked = np.zeros((120, 120), bool)
        looked[seen[0] : seen[2], seen[1] : seen[3]] = looked[tuple(at)] = True
        assert not ((before != after) & ~looked).any()
        # What comes in is connected to the click, and what goes is either that, or a
        # part of the object that the click has cut off.
        concerned = before != after
        concerned[tuple(clicks.pixels.T)] = True  # these are put back, whatever is said
        pieces, count = ndimage.label(concerned, np.ones((3, 3)))
        for piece in range(1, count + 1):
            places = np.argwhere(pieces == piece)
            about = np.hypot(*(places - at).T).min() <= 4
            added = (after & ~before)[tuple(places.T)]
            assert about or not added.any()
        # All that is left hangs together with a click, or lies beyond what was seen.
        pieces, _ = ndimage.label(after, np.ones((3, 3)))
        held = {*pieces[tuple(clicks.kept.T)]} | {*pieces[after & ~looked]}
        assert {*pieces[after]} <= held


def test_what_a_click_cuts_off_goes_and_what_is_out_of_sight_stays() -> None:
    shape = (0, 0, 60, 300)
    logits = np.full((60, 300), -4, np.float32)
    logits[20:40, 10:290] = 4
    clicks = Clicks(np.array([[30, 20]]), np.ones(1, np.int8))
    answer = Answer.first(logits, shape, clicks, 0.9)
    seen = (0, 60, 60, 140)
    cut = logits[:, 60:140].copy()
    cut[:, 30:50] = -4
    clicks = clicks.plus((30, 100), -1)
    after = answer.corrected(cut, seen, clicks, 0.9).region(0.0)
    assert after[30, 20] and not after[30, 100] and after[30, 200]
    everything = logits.copy()
    everything[:, 90:110] = -4
    after = answer.corrected(everything, shape, clicks, 0.9).region(0.0)
    assert after[30, 20] and not after[30, 100] and not after[30, 200]


def test_the_tolerance_moves_the_outline_without_another_look() -> None:
    predict, looks = network(3)
    where, probe = coloring(), Probe(predict)
    click = [(120, 110)]
    own = probe.mask(where, click)
    once = len(looks)
    assert own.tolerance == MIDDLE == tolerance_of(None)
    areas = []
    for tolerance in np.geomspace(4, 220, 9):
        mask = probe.mask(where, click, None, ProbeSettings(tolerance=tolerance))
        areas.append(mask.area)
        assert mask.tolerance == tolerance
    assert areas == sorted(areas) and areas[0] < areas[-1]
    assert len(looks) == once
    same = probe.mask(where, click, None, ProbeSettings(tolerance=MIDDLE))
    np.testing.assert_array_equal(same.array, own.array)
    assert threshold_of(None) == 0 and abs(threshold_of(MIDDLE)) < 1e-9
    assert probe.known(where, click) and not probe.known(where, [(10, 10)])


def test_an_object_larger_than_any_window_is_found_whole() -> None:
    values = np.zeros((900, 1100, 3), np.float32)
    values[100:800, 50:1000] = (200, 90, 40)
    values[10:40, 10:40] = (90, 200, 40)  # of typical size, beside it
    seen = values.astype(np.uint8)
    where = Coloring(values, (900, 1100), black_background=True, image=seen)
    mask = Probe(believer).mask(where, [(200, 120)])
    truth = values[..., 0] == 200
    shared = (mask.array & truth).sum() / (mask.array | truth).sum()
    assert shared > 0.95


def test_small_objects_are_found_at_full_size() -> None:
    values = np.zeros((300, 300, 3), np.float32)
    values[100:108, 100:107] = (200, 90, 40)
    where = Coloring(values, (300, 300), image=values.astype(np.uint8))
    mask = Probe(believer).mask(where, [(103, 103)])
    truth = values[..., 0] == 200
    assert (mask.array & truth).sum() / (mask.array | truth).sum() > 0.6


def test_a_map_without_its_image_uses_similarity_and_says_so() -> None:
    where = coloring(image=False)
    probe = Probe(believer)
    mask = probe.mask(where, [(120, 100)])
    assert mask.method == SIMILARITY
    np.testing.assert_array_equal(mask.array, where.probe([(120, 100)]).array)
    assert default_method(where) == SIMILARITY
    assert possible_method(where, LEARNED) == SIMILARITY
    assert "without its image" in reason_for_similarity(where, LEARNED)
    assert reason_for_similarity(coloring(), LEARNED) == ""
    # So do the published rule, and what is connected to no click.
    for settings in (ProbeSettings(rule="paper"), ProbeSettings(contiguous=False)):
        assert probe.mask(coloring(), [(120, 100)], None, settings).method == SIMILARITY


def test_the_default_is_learned_where_it_was_measured() -> None:
    assert default_method(coloring()) == LEARNED
    unmeasured = Coloring(
        coloring().values, SHAPE, image=np.zeros((*SHAPE, 3), np.uint8)
    )
    assert default_method(unmeasured) == SIMILARITY
    assert possible_method(unmeasured, LEARNED) == LEARNED
    with pytest.raises(SettingsError, match='"similarity" or "learned"'):
        possible_method(unmeasured, "magic")


def test_clicks_that_cannot_be_are_refused() -> None:
    with pytest.raises(PromptError, match="outside"):
        Probe(believer).mask(coloring(), [(900, 10)])
    with pytest.raises(PromptError, match="negative"):
        Probe(believer).mask(coloring(), [(10, 10)], [-1])


def test_answers_go_with_their_map() -> None:
    probe = Probe(believer)
    where = coloring()
    probe.mask(where, [(120, 100)])
    assert len(probe._answers) == 1
    del where
    gc.collect()
    assert len(probe._answers) == 0


def test_the_image_travels_with_the_map(tmp_path: Path) -> None:
    where = coloring()
    loaded = Coloring.load(where.save(tmp_path / "map.tif"))
    assert loaded.image is not None and where.image is not None
    np.testing.assert_array_equal(loaded.image, where.image)
    assert loaded.key == where.key and loaded.learned_probe == "mini"
    assert not loaded.image.flags.writeable
    carried = pickle.loads(pickle.dumps(where))  # noqa: S301 - our own
    np.testing.assert_array_equal(carried.image, where.image)
    without = coloring(image=False)
    assert without.key != where.key
    assert Coloring.load(without.save(tmp_path / "b.tif")).image is None
    both = Coloring(
        where.values, where.source_shape, image=where.image,
        extra_maps=np.zeros((*SHAPE, 4), np.float32),
        brightness_image=np.full(where.source_shape, 7, np.uint8),
    )  # fmt: skip
    loaded = Coloring.load(both.save(tmp_path / "c.tif"))
    assert loaded.brightness_image is not None and loaded.extra_maps is not None
    assert loaded.extra_maps.shape == (*SHAPE, 4) and loaded.key == both.key
    with pytest.raises(ImageError, match="as the model saw it"):
        Coloring(where.values, SHAPE, image=np.zeros((3, 3, 3), np.uint8))


@on_each
def greedy(channels: np.ndarray) -> tuple[np.ndarray, float]:
    """A network that takes all that it sees, once there is a mask before."""
    if not channels[12].any():
        return (0.3 - channels[6]) * 20, 0.9
    return np.full((SIDE, SIDE), 9.0, np.float32), 0.9


def test_growth_is_refused_unless_it_is_insisted_on() -> None:
    values = np.zeros((300, 300, 3), np.float32)
    values[100:140, 100:140] = (200, 90, 40)
    values[105:135, 190:215] = (40, 90, 200)
    where = Coloring(values, (300, 300), image=values.astype(np.uint8))
    points, probe = [(120, 110), (120, 200)], Probe(greedy)
    first, held = probe.mask(where, points[:1]), probe.mask(where, points)
    assert first.area < held.area < 2 * first.area
    assert held.full()[120, 200] and np.isnan(first.refused)
    free = probe.mask(where, points, insisted=[False, True])
    assert free.area > 4 * first.area and np.isnan(free.refused)
    assert held.refused == pytest.approx(free.area / first.area)
    assert probe.mask(where, points, insisted=True).area == free.area
    # A third click starts from what was held, and from a base as from a first click.
    third = probe.mask(where, [*points, (120, 201)])
    assert third.area < 2 * first.area
    about_base = probe.mask(where, points[1:], base=first)
    assert about_base.refused == pytest.approx(held.refused, rel=0.2)


def candidates_of(where: Coloring, *boxes: tuple[int, int, int, int]) -> CandidateSet:
    """Candidates on a map at its own size: boxes, half open."""
    labels = np.zeros(where.shape, np.int32)
    for number, (r0, c0, r1, c1) in enumerate(boxes, 1):
        labels[r0:r1, c0:c1] = number
    scores = np.linspace(0.9, 0.6, len(boxes))
    return CandidateSet.from_labels(labels, scores, where.source_shape)


def test_candidates_get_the_outline_of_a_click_and_keep_place_and_score() -> None:
    where = coloring((140, 180))
    found = candidates_of(where, (36, 36, 84, 74), (34, 90, 86, 144))
    probe, told = Probe(believer), []
    refined = probe.refine(where, found, lambda share, text: told.append(share))
    assert found.method == SIMILARITY and refined.method == LEARNED
    assert told == [1.0]
    np.testing.assert_array_equal(refined.scores, found.scores)
    np.testing.assert_array_equal(refined.points, found.points)
    truth = where.values.any(axis=-1)
    for place, mask in enumerate(refined.masks):
        clicked = probe.mask(where, refined.points[place])
        np.testing.assert_array_equal(mask.full(), clicked.full())
        assert mask.score == found.scores[place]
        before = found.masks[place]
        assert (mask.array & truth).sum() > (before.array & truth).sum()
    assert refined.answers(ProposalSettings())


def test_objects_looked_at_together_are_as_if_alone() -> None:
    """One of them outgrows its window, and is looked at again without the others."""
    values = np.zeros((500, 700, 3), np.float32)
    boxes = [(20, 20, 60, 60), (100, 100, 480, 680), (20, 120, 60, 150)]
    for number, (r0, c0, r1, c1) in enumerate(boxes):
        values[r0:r1, c0:c1] = (90 + 50 * number, 200 - 40 * number, 60)
    taken = [boxes[0], (230, 240, 330, 400), boxes[2]]
    labels = np.zeros((500, 700), np.int32)
    for number, (r0, c0, r1, c1) in enumerate(taken, 1):
        labels[r0:r1, c0:c1] = number
    where = Coloring(
        values,
        (500, 700),
        image=values.astype(np.uint8),
        instances=Instances(labels, np.full(3, 0.9, np.float32)),
    )
    found = candidates_of(where, *taken)
    looks: list[int] = []

    def counted(windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        looks.append(len(windows))
        return believer(windows)

    together = Probe(counted).refine(where, found)
    assert looks[0] == 3 and looks[1:] and set(looks[1:]) == {1}
    for place, point in enumerate(found.points):
        alone = Probe(believer).mask(where, point)
        if alone.iou(found.masks[place]) < 0.3:
            alone = found.masks[place]
        np.testing.assert_array_equal(together.masks[place].full(), alone.full())


@pytest.mark.parametrize(("expected", "again"), [(0.3, True), (0.9, False)])
def test_where_the_answer_is_doubtful_the_whole_object_is_looked_for(
    expected: float, again: bool
) -> None:
    """What the model took for an object was a piece of it: its window is too small."""
    values = np.zeros((300, 400, 3), np.float32)
    values[60:180, 60:260] = (200, 90, 40)
    labels = np.zeros((300, 400), np.int32)
    labels[100:130, 100:130] = 1
    where = Coloring(
        values,
        (300, 400),
        image=values.astype(np.uint8),
        instances=Instances(labels, np.full(1, 0.9, np.float32)),
    )
    seen: list[np.ndarray] = []

    @on_each
    def near_sighted(channels: np.ndarray) -> tuple[np.ndarray, float]:
        """At first it sees what is at the click, and knows how much that is worth."""
        seen.append(channels)
        if len(seen) == 1:
            return np.where(channels[8] > 0.5, 9, -9).astype(np.float32), expected
        return (0.3 - channels[6]) * 20, 0.9

    mask = Probe(near_sighted).mask(where, [(115, 115)])
    assert (len(seen) > 1) == again
    whole = values.any(axis=-1)
    assert (iou(mask.full(), whole) > 0.95) == again
    assert mask.score == pytest.approx(0.9)


def test_an_outline_of_another_object_is_not_taken() -> None:
    where = coloring((140, 180))
    found = candidates_of(where, (50, 50, 58, 58))  # a speck of the rectangle there
    refined = Probe(believer).refine(where, found)
    np.testing.assert_array_equal(refined.masks[0].array, found.masks[0].array)


def test_what_is_hardly_an_object_is_not_looked_at() -> None:
    where, looks = coloring((140, 180)), []
    found = candidates_of(where, (36, 36, 84, 74), (34, 90, 86, 144))
    found = replace(found, scores=np.array([0.9, 0.1]))

    def counted(windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        looks.extend([1] * len(windows))
        return believer(windows)

    refined = Probe(counted).refine(where, found)
    assert len(looks) == 1 and refined.masks[1] is found.masks[1]


def test_refining_stops_when_asked_and_needs_the_image() -> None:
    where = coloring((140, 180))
    boxes = [(r, c, r + 6, c + 6) for r in range(34, 80, 9) for c in range(34, 70, 9)]
    found = candidates_of(where, *boxes)
    looks: list[int] = []

    def counted(windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        looks.extend([1] * len(windows))
        return believer(windows)

    with pytest.raises(Cancelled):
        Probe(counted).refine(where, found, cancel=lambda: bool(looks))
    assert 0 < len(looks) < len(boxes)
    blind = coloring((140, 180), image=False)
    assert Probe(believer).refine(blind, found) is found
