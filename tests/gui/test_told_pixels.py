"""The number of pixels told before Enter is that of the object kept."""

from __future__ import annotations

import re

import numpy as np
import pytest
from qtpy.QtCore import Qt

COIN, SECOND = (51, 155), (124, 45)


def told(at) -> str:
    return at.widget.probe.result.text().split(",  ")[0].split(" pixels")[0]


def number(text: str) -> int:
    return int(re.search(r"[\d,]+", text).group().replace(",", ""))


@pytest.fixture
def coarse(desk):
    """Coins whose map is smaller than they are, as maps of models mostly are."""
    at = desk()
    at.widget.choose(resolution=256)
    at.widget.model.color.click()
    at.person.wait(60)
    return at


def test_a_click_says_before_enter_what_is_kept(coarse):
    coarse.person.click(*COIN)
    before = told(coarse)
    coarse.person.press(Qt.Key.Key_Return)
    assert number(before) == np.count_nonzero(coarse.labels == 1)
    assert not before.startswith("about")
    assert f"Object 1: {before} pixels" == coarse.widget.status.text()


def test_what_is_lit_is_counted_once_the_pointer_rests(coarse):
    person = coarse.person
    person.move(*SECOND)
    person.until(lambda: person.layer("preview") is not None)
    person.until(lambda: told(coarse) and not told(coarse).startswith("about"))
    before = number(told(coarse))
    person.press(Qt.Key.Key_Return)
    assert before == np.count_nonzero(coarse.labels == 1)


def test_a_correction_is_counted_too(coarse):
    coarse.person.click(*COIN)
    coarse.person.click(COIN[0] + 12, COIN[1] + 12)
    before = number(told(coarse))
    coarse.person.press(Qt.Key.Key_Return)
    assert before == np.count_nonzero(coarse.labels == 1)


def test_of_a_proposal_the_free_pixels_are_told(coarse):
    person = coarse.person
    coarse.widget.review.on.click()
    person.until(lambda: coarse.bridge.controller.review.review is not None)
    labels = np.zeros((303, 384), np.int32)
    labels[: COIN[0] - 5] = 9
    layer = coarse.viewer.add_labels(labels, name="above")
    coarse.widget.objects.target.choose(layer)
    person.settle()
    coarse.bridge.controller.current.start_clicking()
    person.move(*SECOND)
    person.move(*COIN)
    before = number(told(coarse))
    person.press(Qt.Key.Key_Return)
    kept = np.asarray(layer.data)
    assert kept[COIN] == 10
    assert before == np.count_nonzero(kept == 10)
    assert f"a proposal of {before:,} pixels" in coarse.widget.status.text()


def test_what_is_lit_becomes_the_proposal_that_is_found_under_a_resting_pointer(coarse):
    person, review = coarse.person, coarse.bridge.controller.review
    person.move(*SECOND)
    person.move(*COIN, wait=200)
    coarse.widget.review.on.click()
    person.until(lambda: review.review is not None)
    person.until(lambda: "Proposal, certainty" in coarse.widget.status.text())
    before = number(told(coarse))
    person.press(Qt.Key.Key_Return)
    assert coarse.labels[COIN] == 1
    assert before == np.count_nonzero(coarse.labels)
    assert f"a proposal of {before:,} pixels" in coarse.widget.status.text()
