"""Metrics of masks and proposals against independent implementations."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from skimage.metrics import variation_of_information
from skimage.segmentation import relabel_sequential

from napari_gen2seg.metrics import matching


def two_pictures(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Blobs, and the same blobs moved, cut and merged a little."""
    rng = np.random.default_rng(seed)
    truth, _ = ndimage.label(ndimage.gaussian_filter(rng.random((80, 90)), 3) > 0.5)
    found, _ = ndimage.label(
        ndimage.gaussian_filter(rng.random((80, 90)), 1) * 0.02
        + ndimage.gaussian_filter(np.roll(truth > 0, 1, 1).astype(float), 0.7)
        > 0.5
    )
    return truth.astype(np.int32), found.astype(np.int32)


@pytest.mark.parametrize("seed", range(4))
def test_overlaps_agree_with_plain_loops(seed: int) -> None:
    truth, found = two_pictures(seed)
    masks = [truth == n for n in range(1, truth.max() + 1)]
    table, names = matching.mask_overlaps(masks, found)
    expected = [[matching.iou(m, found == n) for n in names] for m in masks]
    np.testing.assert_allclose(table, expected)
    np.testing.assert_allclose(matching.overlaps(truth, found).table, table)


def test_identical_labels_have_no_information_between_them() -> None:
    truth, _ = two_pictures(0)
    shuffled = np.random.default_rng(0).permutation(np.arange(1, truth.max() + 1))
    renamed = np.concatenate([[0], shuffled])[truth].astype(np.int32)
    assert sum(variation_of_information(truth, renamed)) == pytest.approx(0, abs=1e-9)
    table = matching.overlaps(truth, renamed).table
    pairs = matching.match(table)
    assert len(pairs) == truth.max() and all(table[pair] == 1 for pair in pairs)


@pytest.mark.parametrize("seed", range(4))
def test_matches_and_their_overlaps_by_hand(seed: int) -> None:
    truth, found = two_pictures(seed)
    total, hit = 0.0, 0
    for true in range(1, truth.max() + 1):
        for name in range(1, found.max() + 1):
            overlap = matching.iou(truth == true, found == name)
            if overlap > 0.5:
                total, hit = total + overlap, hit + 1
    table = matching.overlaps(truth, found).table
    pairs = matching.match(table, 0.5 + 1e-9)
    assert len(pairs) == hit
    assert sum(table[pair] for pair in pairs) == pytest.approx(total)


@pytest.mark.parametrize("seed", range(6))
def test_average_precision_agrees_with_pycocotools(
    seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    coco = pytest.importorskip("pycocotools.coco").COCO()
    coco_mask = pytest.importorskip("pycocotools.mask")
    evaluation = pytest.importorskip("pycocotools.cocoeval").COCOeval
    rng = np.random.default_rng(seed)

    def packed(mask: np.ndarray) -> dict[str, object]:
        return dict(coco_mask.encode(np.asfortranarray(mask.astype(np.uint8))))

    truths, answers, tables, scores = [], [], [], []
    for picture in range(3):
        truth, found = two_pictures(10 * seed + picture)
        names = range(1, found.max() + 1)
        score = rng.random(found.max())
        tables.append(matching.overlaps(truth, found).table)
        scores.append(score)
        for n in range(1, truth.max() + 1):
            mask = truth == n
            truths.append(
                {
                    "id": len(truths) + 1,
                    "image_id": picture,
                    "category_id": 1,
                    "iscrowd": 0,
                    "area": int(mask.sum()),
                    "bbox": [0, 0, 1, 1],
                    "segmentation": packed(mask),
                }
            )
        answers += [
            {
                "image_id": picture,
                "category_id": 1,
                "segmentation": packed(found == n),
                "score": float(score[n - 1]),
            }
            for n in names
        ]
    coco.dataset = {
        "info": {},
        "images": [{"id": n, "height": 80, "width": 90} for n in range(3)],
        "annotations": truths,
        "categories": [{"id": 1, "name": "object"}],
    }
    coco.createIndex()
    run = evaluation(coco, coco.loadRes(answers), "segm")
    run.params.maxDets = [1, 10, 10000]
    run.evaluate()
    run.accumulate()
    capsys.readouterr()
    # [threshold, recall, category, area, most]
    theirs = run.eval["precision"][:, :, 0, 0, -1].mean(axis=1)
    order = np.argsort(-np.concatenate(scores), kind="stable")
    for place, threshold in enumerate(matching.AP_THRESHOLDS):
        flags = [
            matching.hits(t, s, threshold) for t, s in zip(tables, scores, strict=True)
        ]
        flat = np.concatenate(flags)[order]
        ours = matching.average_precision(flat, np.ones(len(flat)), len(truths))
        assert ours == pytest.approx(theirs[place], abs=1e-6)
        whole = matching.pooled_average_precision(tables, scores, threshold)
        assert whole == pytest.approx(theirs[place], abs=1e-6)


def test_weights_count_as_repeated_pictures() -> None:
    hit = np.array([True, False, True])
    weighted = matching.average_precision(hit, np.array([2.0, 1.0, 0.0]), 4)
    spelled = matching.average_precision(np.array([True, True, False]), np.ones(3), 4)
    assert weighted == pytest.approx(spelled)


def test_average_precision_without_truth_or_proposals() -> None:
    assert np.isnan(matching.average_precision(np.zeros(2, bool), np.ones(2), 0))
    assert matching.average_precision(np.zeros(0, bool), np.zeros(0), 3) == 0


def test_flat_proposals_come_first() -> None:
    labels = np.zeros((20, 20), np.int32)
    labels[:10, :10], labels[10:, 10:] = 3, 8
    values = np.zeros((20, 20, 3), np.float32)
    values[labels == 3] = (10, 200, 30)
    values[labels == 8] = np.random.default_rng(0).uniform(0, 255, (100, 3))
    score = matching.evenness(values, labels)
    assert score[0] == 1
    spread = values[labels == 8].std(axis=0)
    assert score[1] == pytest.approx(1 / (1 + np.sqrt(np.square(spread).sum())))


def test_evenness_reads_a_smaller_map_where_it_lies() -> None:
    values = np.zeros((10, 10, 3), np.float32)
    values[:, 5:] = 200
    labels = np.ones((40, 40), np.int32)
    labels[:, 20:] = 2
    np.testing.assert_array_equal(matching.evenness(values, labels), [1, 1])


def test_mostly_unknown() -> None:
    found = relabel_sequential(np.repeat(np.arange(1, 5), 5).reshape(4, 5))[0]
    unknown = np.zeros((4, 5), bool)
    unknown[0, :3] = unknown[1, :2] = True
    assert matching.mostly_unknown(found, unknown) == {1}
