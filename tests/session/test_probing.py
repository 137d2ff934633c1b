"""Who answers clicks in the window: similarity at once, the learned probe later."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from tests.helpers.tiny_probe import tiny_probe_as_mini

from napari_gen2seg import load_probe
from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.core.learned_probe.choice import LEARNED, SIMILARITY
from napari_gen2seg.core.learned_probe.threshold import MIDDLE
from napari_gen2seg.errors import Cancelled, SettingsError
from napari_gen2seg.session import ColorRequest, Inline, Prompts, Session, refining
from napari_gen2seg.session.model_host import ModelHost
from napari_gen2seg.session.refining import Refinement

VIEW = "plane"
CLICK = Prompts(((60.0, 50.0),), (1,))


def two_discs(learned: bool = True, image: bool = True) -> Coloring:
    rows, columns = np.mgrid[:120, :160]
    values = np.zeros((120, 160, 3), np.float32)
    values[np.hypot(rows - 60, columns - 50) < 24] = (200, 80, 30)
    values[np.hypot(rows - 60, columns - 110) < 20] = (40, 90, 220)
    seen = np.where(values.max(-1) > 0, 200, 30).astype(np.uint8)
    return Coloring(
        values,
        (240, 320),
        black_background=True,
        image=np.repeat(seen[..., None], 3, -1) if image else None,
        learned_probe="mini" if learned else None,
    )


@pytest.fixture
def host() -> ModelHost:
    return ModelHost(load=lambda *a, **k: None)


@pytest.fixture
def session(host: ModelHost) -> Iterator[Session]:
    with tiny_probe_as_mini():
        made = Session(Inline(), host=host)
        yield made
        made.close()


def keep(session: Session, coloring: Coloring) -> Coloring:
    session.keep(ColorRequest(VIEW, "layer", lambda: np.zeros((2, 2))), coloring)
    return coloring


def test_the_pointer_shows_similarity_at_once_and_then_the_learned_mask(
    session: Session,
) -> None:
    coloring = keep(session, two_discs())
    at = (120.0, 100.0)
    first = session.preview(VIEW, Prompts(), at)
    assert first is not None
    assert not first.exact and first.method == SIMILARITY
    session.probing.learn(session.probing.search(VIEW, Prompts(), at)())
    then = session.preview(VIEW, Prompts(), at)
    assert then is not None
    assert then.exact and then.method == LEARNED
    # A click gets the very mask that the pointer showed.
    clicked = Prompts((at,), (1,))
    mask = session.mask(VIEW, clicked)
    assert mask is not None and mask.method == LEARNED
    wanted = load_probe("mini").mask(coloring, [at])
    np.testing.assert_array_equal(mask.array, wanted.array)


@pytest.mark.parametrize("sign", [1, -1])
def test_until_a_correction_is_answered_the_mask_stays_but_near_the_click(
    session: Session, host: ModelHost, sign: int
) -> None:
    """Similarity alone may make something else of all clicks, for all to see."""
    coloring = keep(session, two_discs())
    at, other = (120.0, 100.0), ((60.0, 240.0) if sign > 0 else (124.0, 104.0))
    first = session.mask(VIEW, Prompts((at,), (1,)))
    assert first is not None and first.method == LEARNED
    both = Prompts((at, other), (1, sign))
    shown = session.preview(VIEW, both)
    assert shown is not None and not shown.exact
    wanted = coloring.probe([other], [sign], session.probing.settings, base=first)
    np.testing.assert_array_equal(shown.array > 0, wanted.crop)
    assert wanted.full()[int(other[0]), int(other[1])] == (sign > 0)
    # A commit that cannot wait takes what is on screen.
    with host._mine(None, None):
        taken = session.mask(VIEW, both)
    assert taken is not None
    np.testing.assert_array_equal(taken.full(), wanted.full())
    after = session.mask(VIEW, both)
    assert after is not None and after.method == LEARNED


def test_the_tolerance_is_live_once_the_learned_probe_has_answered(
    session: Session,
) -> None:
    keep(session, two_discs())
    at = (120.0, 100.0)
    session.probing.learn(session.probing.search(VIEW, Prompts(), at)())
    areas = []
    for tolerance in (5.0, MIDDLE, 150.0):
        session.probing.set(tolerance=tolerance)
        shown = session.preview(VIEW, Prompts(), at)
        assert shown is not None and shown.exact and shown.method == LEARNED
        assert shown.tolerance == tolerance
        areas.append(shown.area)
    assert areas[0] < areas[1] < areas[2]
    assert session.probing.curve(VIEW, CLICK) is None


def test_who_answers_is_chosen_or_left_to_the_map(session: Session) -> None:
    probing, told = session.probing, []
    probing.method_changed.connect(lambda: told.append(probing.chosen))
    keep(session, two_discs())
    assert probing.method(VIEW) == LEARNED and probing.note(VIEW) == ""
    probing.choose(SIMILARITY)
    assert probing.method(VIEW) == SIMILARITY
    mask = session.mask(VIEW, CLICK)
    assert mask is not None and mask.method == SIMILARITY
    probing.choose(None)
    keep(session, two_discs(learned=False))
    assert probing.method(VIEW) == SIMILARITY
    probing.choose(LEARNED)
    assert probing.method(VIEW) == LEARNED
    assert "not measured on maps of this model" in probing.note(VIEW)
    keep(session, two_discs(image=False))
    assert probing.method(VIEW) == SIMILARITY
    assert "without its image" in probing.note(VIEW)
    # What it cannot do is left to similarity.
    keep(session, two_discs())
    probing.set(contiguous=False)
    assert probing.method(VIEW) == SIMILARITY
    assert told == [SIMILARITY, None, LEARNED]
    with pytest.raises(SettingsError):
        probing.choose("magic")


def test_a_busy_model_is_not_waited_for(session: Session, host: ModelHost) -> None:
    keep(session, two_discs())
    held, go = threading.Event(), threading.Event()

    def busy() -> None:
        with host._mine(None, None):
            held.set()
            go.wait()

    worker = threading.Thread(target=busy)
    worker.start()
    held.wait()
    try:
        mask = session.mask(VIEW, CLICK)
        assert mask is not None and mask.method == SIMILARITY
    finally:
        go.set()
        worker.join()
    mask = session.mask(VIEW, CLICK)  # the other one was not kept for it
    assert mask is not None and mask.method == LEARNED


def test_the_network_runs_in_the_models_process() -> None:
    from tests.helpers.tiny_probe import FOLDER

    host = ModelHost().join()
    try:
        remote = host.probe(str(FOLDER)).mask(two_discs(), [(120, 100), (60, 240)])
        assert host.pid is not None
        local = load_probe(str(FOLDER)).mask(two_discs(), [(120, 100), (60, 240)])
        np.testing.assert_array_equal(remote.array, local.array)
        assert abs(remote.score - local.score) < 1e-4
    finally:
        host.leave()


def test_outlines_are_drawn_however_slow_the_network_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only for its turn they do not wait long; what is begun is waited for."""
    from tests.helpers.tiny_probe import FOLDER

    monkeypatch.setattr(refining, "_MOMENT", 1e-3)
    monkeypatch.setattr(refining, "_LONG", 0.0)  # every answer takes too long
    coloring = two_discs()
    found = coloring.candidates()
    assert len(found) > 1
    host, turns = ModelHost().join(), iter(range(100))
    try:
        probe = host.probe(str(FOLDER))
        refining_them = Refinement(coloring, found, probe, host)
        with host._mine(None, None):
            assert not refining_them.go_on(0.1, lambda: None)
        assert refining_them.left == len(found)
        refined = refining_them.finish(lambda: next(turns))
        assert refining_them.left == 0 and next(turns) <= len(found)
        wanted = load_probe(str(FOLDER)).refine(coloring, found)
        for one, other in zip(refined.masks, wanted.masks, strict=True):
            np.testing.assert_array_equal(one.full(), other.full())
    finally:
        host.leave()


def test_one_who_can_wait_is_answered_once_the_model_has_time(session, monkeypatch):
    coloring = two_discs()
    probe = session.probing._probe(coloring)
    answer, busy, checks = type(probe).mask, [True, True], []

    def sometimes(self, *asked):
        if busy:
            busy.pop()
            raise Cancelled("The model is busy with something else.")
        return answer(self, *asked)

    monkeypatch.setattr(type(probe), "mask", sometimes)
    ask = session.probing.asked(coloring, lambda: checks.append(1))
    mask = ask([(60.0, 50.0)])
    assert mask.method == LEARNED and len(checks) == 2

    def stop():
        raise Cancelled("Stopped as asked.")

    busy.append(True)
    with pytest.raises(Cancelled, match="Stopped as asked"):
        session.probing.asked(coloring, stop)([(60.0, 50.0)])
