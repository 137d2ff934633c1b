"""Evaluation: numbers on maps that are known beforehand, and a real tiny model."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import imageio.v3 as iio
import numpy as np
import pytest
from scipy import stats
from tests.helpers.command_line import run, run_here
from tests.helpers.fake_colorer import FakeColorer

from napari_gen2seg import evaluate
from napari_gen2seg.errors import Cancelled, DataError, SettingsError
from napari_gen2seg.io.annotated import AnnotatedSource, Dataset, from_masks
from napari_gen2seg.io.formats.writers import write_labels
from napari_gen2seg.metrics.bootstrap import (
    Bootstrap,
    draws,
    interval,
    object_mean,
    ratio,
)
from napari_gen2seg.metrics.click_protocol import click_trace, clicks_to, interior_point
from napari_gen2seg.workflows.evaluate import (
    EvaluationSettings,
    Finished,
    PictureDone,
    Report,
    Started,
    compare,
    in_words,
    iter_evaluate,
)

QUICK = EvaluationSettings(resamples=100, edge_levels=9)
NAMES = (
    "clicks/distance/centre",
    "clicks/distance/off_centre",
    "clicks/distance/clicks_to_90",
    "proposals/pq",
    "proposals/ap",
    "edges/ap",
)


def scene(seed: int, size: int = 96) -> np.ndarray:
    """Four to six rectangles that do not touch."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((size, size + 16), np.int32)
    for number in range(int(rng.integers(4, 7))):
        row, col = divmod(number, 3)
        height, width = rng.integers(12, 26, 2)
        top, left = 8 + 44 * row, 6 + 36 * col
        labels[top : top + height, left : left + width] = number + 1
    return labels


def perfect(
    name: str = "perfect", spoil: Callable[[np.ndarray], np.ndarray] | None = None
) -> FakeColorer:
    """Return a model that paints the grey levels of an image, which are its labels.

    ``spoil`` changes the map before it is handed out.
    """

    def draw(rgb: np.ndarray) -> np.ndarray:
        level = np.rint(rgb[..., 0] * 255 / 20).astype(int)
        colors = np.stack([level * 83 % 256, level * 157 % 256, level * 211 % 256], -1)
        colors = colors.astype(np.float32)
        return spoil(colors) if spoil else colors

    return FakeColorer(draw, name, side=None, on_black=False)


def merged(rgb: np.ndarray) -> np.ndarray:
    """Give every object the same colour and let a bridge join the first two."""
    out = np.where(rgb.any(axis=-1)[..., None], np.float32([200, 90, 30]), 0)
    out[12:14, 6:60] = (200, 90, 30)
    return out.astype(np.float32)


def pairs(count: int = 5) -> list[tuple[np.ndarray, np.ndarray]]:
    return [((scene(n) * 20).astype(np.uint8), scene(n)) for n in range(count)]


@pytest.fixture(scope="module")
def good() -> Report:
    return evaluate(pairs(), perfect(), settings=QUICK)


@pytest.fixture(scope="module")
def poor() -> Report:
    return evaluate(pairs(), perfect("merged", merged), settings=QUICK)


def test_a_perfect_map_gets_perfect_numbers(good: Report) -> None:
    assert good.value("clicks/distance/centre") > 0.98
    assert good.value("clicks/distance/off_centre") > 0.98
    assert good.value("clicks/distance/clicks_to_85") == 1
    assert good.value("clicks/distance/never_90") == 0
    assert good.value("proposals/pq") > 0.9
    assert good.value("proposals/ap_50") == pytest.approx(1)
    assert good.value("edges/ods") > 0.9


def test_a_bad_map_gets_worse_numbers(good: Report, poor: Report) -> None:
    for name in NAMES:
        better = good.summary[name]["better"]
        gain = good.value(name) - poor.value(name)
        assert gain * better > 0, name


def test_means_over_objects_and_over_pictures_by_hand(poor: Report) -> None:
    overlaps = [
        [one["centre"] for one in image["clicks"]["distance"]] for image in poor.images
    ]
    flat = [value for part in overlaps for value in part]
    assert poor.value("clicks/distance/centre") == pytest.approx(
        np.mean(flat), abs=1e-6
    )
    assert poor.value("clicks/distance/centre_pictures") == pytest.approx(
        np.mean([np.mean(part) for part in overlaps]), abs=1e-6
    )
    share = np.mean(np.array(flat) >= 0.75)
    assert poor.value("clicks/distance/centre_75") == pytest.approx(share, abs=1e-6)


def test_size_classes_are_those_of_coco() -> None:
    labels = np.zeros((300, 340), np.int32)
    labels[2:33, 2:34] = 1  # 992: small
    labels[40:72, 2:34] = 2  # 1024: medium
    labels[100:196, 10:106] = 3  # 9216: large
    report = evaluate(
        [((labels * 20).astype(np.uint8), labels)], perfect(), "clicks", QUICK
    )
    names = {name for name in report.summary if name.startswith("clicks/distance/cen")}
    assert {f"clicks/distance/centre_{s}" for s in ("small", "medium", "large")} < names
    areas = {one["area"] for one in report.images[0]["clicks"]["distance"]}
    assert areas == {992, 1024, 9216}


def test_the_same_bytes_twice(good: Report, tmp_path: Path) -> None:
    again = evaluate(pairs(), perfect(), settings=QUICK)
    assert again.to_json() == good.to_json()
    good.save_json(tmp_path / "a.json")
    assert Report.load(tmp_path / "a.json").content == json.loads(good.to_json())


def test_another_seed_moves_off_centre_clicks_only() -> None:
    def sloping(rgb: np.ndarray) -> np.ndarray:
        """Let the colour run across each object, so that the place matters."""
        slope = np.arange(rgb.shape[1])[None, :, None] * 9.0 % 255
        return np.where(rgb.any(axis=-1)[..., None], slope, 0) * np.float32([1, 1, 0])

    settings = replace(QUICK, protocol="clicks", corrections=False)
    model = perfect("sloping", sloping)
    one = evaluate(pairs(), model, settings=settings)
    two = evaluate(pairs(), model, settings=replace(settings, seed=5))
    columns = [
        [
            [o[name] for i in report.images for o in i["clicks"]["distance"]]
            for report in (one, two)
        ]
        for name in ("centre", "off_centre")
    ]
    assert columns[0][0] == columns[0][1]
    assert columns[1][0] != columns[1][1]


def test_both_rules(good: Report) -> None:
    settings = replace(QUICK, protocol="clicks", rules=("distance", "paper"))
    report = evaluate(pairs(2), perfect(), settings=settings)
    assert "clicks/paper/centre" in report.summary
    assert "clicks/paper/clicks_to_85" not in report.summary  # no negative clicks
    for image in report.images:
        objects = [
            [o["object"] for o in image["clicks"][r]] for r in ("distance", "paper")
        ]
        assert objects[0] == objects[1]


def test_one_protocol_alone_measures_nothing_else() -> None:
    for protocol in ("clicks", "proposals", "edges"):
        report = evaluate(pairs(1), perfect(), protocol, QUICK)  # type: ignore[arg-type]
        assert {name.partition("/")[0] for name in report.summary} == {protocol}


def test_overlapping_objects_are_clicked_whole() -> None:
    first, second = np.zeros((2, 80, 90), bool)
    first[10:50, 10:50] = True
    second[30:70, 30:80] = True

    def read() -> Any:
        return from_masks((first * 60 + second * 100).astype(np.uint8), [first, second])

    data = Dataset("overlap", (AnnotatedSource("one", read),))
    report = evaluate(data, perfect(), settings=QUICK)
    areas = [one["area"] for one in report.images[0]["clicks"]["distance"]]
    assert areas == [1600, 2000]
    assert report.images[0]["proposals"]["true"] == 2


def test_unknown_areas_count_neither_way() -> None:
    labels = scene(1)
    unknown = np.where(labels == 2, -1, labels).astype(np.int32)
    picture = (labels * 20).astype(np.uint8)
    whole = evaluate([(picture, labels)], perfect(), "proposals", QUICK).images[0]
    part = evaluate([(picture, unknown)], perfect(), "proposals", QUICK).images[0]
    assert part["proposals"]["true"] == whole["proposals"]["true"] - 1
    assert part["proposals"]["found"] == whole["proposals"]["found"] - 1


def test_a_picture_without_objects_does_no_harm() -> None:
    empty = np.zeros((64, 64), np.int32)
    data = [*pairs(2), (empty.astype(np.uint8), empty)]
    report = evaluate(data, perfect(), settings=QUICK)
    assert report.images[-1]["clicks"]["distance"] == []
    assert report.value("clicks/distance/centre_pictures") > 0.98
    alone = evaluate(data[-1:], perfect(), settings=QUICK)
    assert math.isnan(alone.value("clicks/distance/centre"))
    json.loads(alone.to_json())


# Corrections


def test_a_trace_ends_where_it_is_good_enough_or_capped() -> None:
    truth = np.zeros((60, 60), bool)
    truth[10:50, 10:50] = True
    asked: list[int] = []

    def discs(points: Any, signs: Any) -> np.ndarray:
        """Keep a disc around each positive click; the truth's own rim."""
        asked.append(len(points))
        rows, cols = np.ogrid[:60, :60]
        mask = np.zeros((60, 60), bool)
        for (row, col), sign in zip(points, signs, strict=True):
            mask[(rows - row) ** 2 + (cols - col) ** 2 <= 15**2] = sign > 0
        return mask & truth

    trace = click_trace(discs, truth, until=0.9, cap=20)
    assert asked == list(range(1, len(trace) + 1))
    assert trace[-1] >= 0.9 > max(trace[:-1])
    assert clicks_to(trace, 0.9, 20) == (len(trace), True)
    assert len(click_trace(discs, truth, until=1.1, cap=3)) == 3
    assert clicks_to(trace[:2], 0.9, 20) == (20, False)


def test_the_next_click_goes_into_the_largest_error() -> None:
    truth = np.zeros((40, 60), bool)
    truth[5:35, 5:55] = True
    clicks: list[tuple[int, int]] = []

    def left_half(points: Any, signs: Any) -> np.ndarray:
        clicks[:] = points
        mask = truth.copy()
        mask[:, 20:] = len(points) > 1
        return mask & truth

    click_trace(left_half, truth)
    missing = truth.copy()
    missing[:, :20] = False
    assert clicks == [interior_point(truth), interior_point(missing)]


# Intervals and verdicts


def test_intervals_agree_with_scipy() -> None:
    rng = np.random.default_rng(0)
    values = rng.uniform(0, 1, 40)
    statistic = ratio(values, np.ones(40))
    low, high = interval(statistic(draws(40, 20_000, 1)), 0.95)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=2
    ).confidence_interval
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=0.004)


def test_every_draw_has_as_many_pictures() -> None:
    weights = draws(7, 300, 0)
    assert (weights.sum(axis=1) == 7).all()
    assert weights.mean(axis=0) == pytest.approx(np.ones(7), abs=0.2)


def test_intervals_hold_their_value(poor: Report) -> None:
    for name, entry in poor.summary.items():
        if entry["value"] is not None:
            assert entry["low"] <= entry["value"] + 1e-6, name
            assert entry["value"] <= entry["high"] + 1e-6, name


def test_the_better_model_is_called_better(good: Report, poor: Report) -> None:
    verdicts = {one.name: one.verdict for one in compare(poor, good).differences}
    for name in NAMES:
        assert verdicts[name] == "better", name
    back = {one.name: one.verdict for one in compare(good, poor).differences}
    assert {back[name] for name in NAMES} == {"worse"}


def test_a_model_is_no_better_than_itself(good: Report) -> None:
    for one in compare(good, good).differences:
        assert one.verdict == "no difference"
        assert one.difference in (0, None)


@pytest.mark.parametrize("count", [1, 3])
def test_few_pictures_speak_of_their_own_objects_alone(
    count: int, tmp_path: Path
) -> None:
    good = evaluate(pairs(count), perfect(), settings=QUICK)
    poor = evaluate(pairs(count), perfect("merged", merged), settings=QUICK)
    found = {one.name: one for one in compare(poor, good).differences}
    for name, one in found.items():
        # Numbers that are no mean over objects have no interval and no verdict.
        whole = not name.startswith("clicks") or name.endswith("_pictures")
        assert one.drawn == (None if whole else "objects"), name
        assert good.summary[name]["drawn"] == one.drawn
        assert (one.low is None) == whole
    assert found["proposals/ap"].difference
    assert found["proposals/ap"].verdict == "no difference"
    if count == 3:
        assert found["clicks/distance/centre"].verdict == "better"
    assert "interval" in in_words(good)[0] and ", over objects)" in in_words(good)[0]
    good.save_html(tmp_path / "few.html")
    text = (tmp_path / "few.html").read_text(encoding="utf-8")
    assert "over objects where fewer than 4 pictures have any" in text


def test_from_four_pictures_on_pictures_are_drawn(good: Report) -> None:
    assert {one.drawn for one in compare(good, good).differences} == {"images"}
    assert "over objects" not in in_words(good)[0]


def test_one_object_proves_nothing() -> None:
    image, labels = pairs(1)[0]
    labels[labels > 1] = 0
    good = evaluate([(image, labels)], perfect(), settings=QUICK)
    poor = evaluate([(image, labels)], perfect("merged", merged), settings=QUICK)
    assert {entry["low"] for entry in good.summary.values()} == {None}
    found = compare(poor, good).differences
    assert {one.verdict for one in found} == {"no difference"}
    assert any(one.difference for one in found)


def test_crowded_pictures_are_drawn_in_parts_and_alike() -> None:
    values = np.random.default_rng(0).uniform(0, 1, 3000)
    statistic = object_mean("a/b", "B", 1, [values])
    drawn = Bootstrap(1, 1500, 3).values(statistic)
    assert drawn.shape == (1500,)
    assert drawn.mean() == pytest.approx(values.mean(), abs=1e-3)
    assert drawn.std() == pytest.approx(values.std() / 3000**0.5, rel=0.1)
    assert (drawn == Bootstrap(1, 1500, 3).values(statistic)).all()


def test_other_data_cannot_be_compared(good: Report) -> None:
    with pytest.raises(DataError, match="differ in their pictures"):
        compare(good, evaluate(pairs(2), perfect(), settings=QUICK))
    moved = [(picture, np.roll(labels, 3, 0)) for picture, labels in pairs()]
    with pytest.raises(DataError, match="differ in their truth"):
        compare(good, evaluate(moved, perfect(), "proposals", QUICK))
    with pytest.raises(DataError, match="resamples 100 and 50"):
        settings = replace(QUICK, resamples=50, corrections=False)
        compare(good, evaluate(pairs(), perfect(), settings=settings))
    with pytest.raises(DataError, match="share no number"):
        compare(
            evaluate(pairs(2), perfect(), "edges", QUICK),
            evaluate(pairs(2), perfect(), "proposals", QUICK),
        )


def test_a_file_that_is_no_report(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    with pytest.raises(DataError, match="could not be read"):
        Report.load(path)
    path.write_text("[]")
    with pytest.raises(DataError, match="no evaluation report"):
        Report.load(path)
    path.write_text('{"format": "napari-gen2seg evaluation", "version": 99}')
    with pytest.raises(DataError, match="version 99"):
        Report.load(path)


# Events, cancelling, refusals


def test_events_in_order() -> None:
    events = list(iter_evaluate(pairs(3), perfect(), "clicks", QUICK))
    assert [type(event) for event in events] == [
        Started,
        *[PictureDone] * 3,
        Finished,
    ]
    assert [e.number for e in events if isinstance(e, PictureDone)] == [1, 2, 3]
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.report.images == [e.facts for e in events if isinstance(e, PictureDone)]


def test_fewer_pictures_are_spread_evenly() -> None:
    model = perfect()
    events = list(iter_evaluate(pairs(5), model, "proposals", QUICK, pictures=2))
    assert [e.name for e in events if isinstance(e, PictureDone)] == ["0", "2"]
    assert len(model.seen) == 2
    assert not model.unloaded  # it is the caller's


def test_cancel_stops_between_objects() -> None:
    asked = 0

    def cancel() -> bool:
        nonlocal asked
        asked += 1
        return asked > 3

    model = perfect()
    events = iter_evaluate(pairs(3), model, "clicks", QUICK, cancel=cancel)
    with pytest.raises(Cancelled, match="evaluation"):
        list(events)
    assert len(model.seen) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"protocol": "everything"},
        {"rules": ()},
        {"rules": ("nearest",)},
        {"cap": 0},
        {"most": 0},
        {"confidence": 1.0},
        {"seed": -1},
        {"edge_sigma": 0.0},
    ],
)
def test_settings_are_checked(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        EvaluationSettings(**wrong)


def test_data_are_checked() -> None:
    with pytest.raises(DataError, match="No pictures"):
        evaluate([], perfect())
    with pytest.raises(DataError, match="whole numbers"):
        evaluate([(np.zeros((64, 64)), np.full((64, 64), 0.5))], perfect())
    with pytest.raises(DataError, match="at least 1"):
        evaluate(pairs(1), perfect(), pictures=0)


# The page


def test_the_page_needs_nothing_else(poor: Report, tmp_path: Path) -> None:
    poor.save_html(tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert not re.findall(r'(?:src|href)="(?!data:)', text)
    assert "<script" not in text
    assert "url(" not in text
    assert text.count("<svg") == 3
    assert text.count("data:image/png;base64,") == 4 * len(poor.worst)
    for entry in poor.summary.values():
        assert entry["title"] in unescape(text)
    for svg in re.findall(r"<svg.*?</svg>", text, re.DOTALL):
        assert list(ElementTree.fromstring(svg).iter("polyline"))  # noqa: S314


def test_worst_cases_are_the_worst(poor: Report) -> None:
    overlaps = [case.overlap for case in poor.worst]
    assert overlaps == sorted(overlaps)
    assert len(overlaps) == 8
    every = [o["centre"] for i in poor.images for o in i["clicks"]["distance"]]
    assert overlaps[0] == min(every)
    for words, data in poor.worst[0].pictures:
        picture = iio.imread(data)
        assert picture.ndim == 3, words
        assert max(picture.shape[:2]) <= 480
        assert picture.std() > 0


def test_names_cannot_break_the_page() -> None:
    image, labels = pairs(1)[0]

    def read() -> Any:
        from napari_gen2seg.io.annotated import Annotated

        return Annotated(image, labels)

    data = Dataset("<b>bold</b>", (AnnotatedSource("<img src=x>", read),))
    from napari_gen2seg.workflows.evaluate.html_report import page

    text = page(evaluate(data, perfect(), "clicks", QUICK).content)
    assert "<img src=x>" not in text
    assert "<b>bold</b>" not in text


def test_in_words(good: Report, poor: Report) -> None:
    clicked, proposed = in_words(good)
    assert "for 100 % of the objects; mean IoU 1.00 (95 % interval" in clicked
    objects = sum(len(labels_) for labels_ in map(np.unique, map(scene, range(5)))) - 5
    assert clicked.endswith(f", {objects} objects in 5 pictures.")
    assert f"{objects} of {objects} objects are found" in proposed
    assert "for 100 %" not in in_words(poor)[0]


def test_in_words_where_there_is_little_to_say() -> None:
    alone = evaluate(pairs(1), perfect(), "clicks", QUICK)
    assert in_words(alone)[0].endswith("objects in 1 picture.")
    nothing = replace(QUICK, smallest=10**6)
    assert in_words(evaluate(pairs(2), perfect(), "clicks", nothing)) == [
        "No object of 1000000 pixels or more was there to click: 2 pictures."
    ]
    assert in_words(evaluate(pairs(1), perfect(), "edges", QUICK)) == []
    both = replace(QUICK, rules=("distance", "paper"))
    said = in_words(evaluate(pairs(1), perfect(), "clicks", both))
    assert ["rule distance," in said[0], "rule paper," in said[1]] == [True, True]


# The command line, with a real model


def test_command_line(tmp_path: Path, tiny_offsets: Path) -> None:
    for number in range(2):
        folder = tmp_path / "data"
        labels = scene(number)
        write_labels(folder / "labels" / f"{number}.tif", labels)
        (folder / "images").mkdir(exist_ok=True)
        iio.imwrite(folder / "images" / f"{number}.png", (labels * 20).astype(np.uint8))

    options = ["--model", tiny_offsets, "--device", "cpu", "--resolution", 64]
    first, page = tmp_path / "a.json", tmp_path / "a.html"
    child = run(
        "evaluate", tmp_path / "data", *options,
        "--edge-levels", 5, "--json", first, "--html", page,
    )  # fmt: skip
    assert child.returncode == 0, child.stderr
    table = child.stdout.index("One center click, mean IoU over objects")
    verdict = re.search(
        r"One click in the middle \(learned probe\) gives a good mask "
        r"\(IoU of 0\.75 or more\) for "
        r"(\d+) % of the objects; mean IoU (0\.\d\d) \(95 % interval 0\.\d\d to "
        r"0\.\d\d, over objects\), (\d+) objects in 2 pictures\.",
        child.stdout,
    )
    assert verdict and verdict.end() < table
    content = json.loads(first.read_text())
    summary = content["summary"]
    assert int(verdict[1]) == round(100 * summary["clicks/distance/centre_75"]["value"])
    assert verdict[2] == f"{summary['clicks/distance/centre']['value']:.2f}"
    assert int(verdict[3]) == sum(
        len(image["clicks"]["distance"]) for image in content["images"]
    )
    assert content["data"] == {"name": "data", "pictures": 2}
    assert content["model"]["id"] == "tiny-offsets"
    assert str(tmp_path) not in first.read_text()
    assert page.stat().st_size > 5000
    again = run_here("evaluate", tmp_path / "data", *options, "--json", first)
    assert again.returncode == 1
    assert f"{first} is there already; add --overwrite" in again.stderr


def test_command_line_compares(good: Report, poor: Report, tmp_path: Path) -> None:
    poor.save_json(tmp_path / "a.json")
    good.save_json(tmp_path / "b.json")
    judged = tmp_path / "verdict.json"
    result = told(
        "--compare", tmp_path / "a.json", tmp_path / "b.json", "--json", judged
    )
    assert result.exit_code == 0, result.output
    assert "perfect against merged on pictures" in result.output
    assert re.search(r"Panoptic quality.* -> .*better", result.output)
    found = {one["name"]: one for one in json.loads(judged.read_text())["differences"]}
    assert found["proposals/pq"]["verdict"] == "better"


def test_command_line_refuses(tmp_path: Path) -> None:
    result = told()
    assert result.exit_code == 2
    assert "Give either DATA" in result.output
    result = told(tmp_path)
    assert result.exit_code == 1
    assert "has no images/ and no labels/" in result.output


def told(*arguments: Any) -> Any:
    """Run the command line in this process."""
    from click.testing import CliRunner

    from napari_gen2seg.cli import main

    return CliRunner().invoke(main, ["evaluate", *map(str, arguments)])
