"""Verbs and replies of the session, without Qt and without waiting."""

from __future__ import annotations

import numpy as np
import pytest
from tests.helpers.fake_colorer import FakeColorer
from tests.helpers.stepped import Stepped

from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.errors import Cancelled, LicenceError, WeightsError
from napari_gen2seg.session import (
    Choice,
    ColorRequest,
    JobState,
    Prompts,
    Session,
)


def two_halves(height=40, width=60) -> np.ndarray:
    rgb = np.zeros((height, width, 3), np.float32)
    rgb[:, : width // 2] = (250, 30, 30)
    rgb[:, width // 2 :] = (30, 30, 250)
    return rgb


def halves(name: str = "mini", device: str = "auto", **_: object) -> FakeColorer:
    """Return a model that paints two halves."""
    return FakeColorer(lambda rgb: two_halves(), name, on_black=False)


class Heard:
    """Writes down what a session says."""

    def __init__(self, session: Session) -> None:
        self.planes, self.jobs, self.models, self.failures = [], [], [], []
        session.coloring_changed.connect(self.planes.append)
        session.job_changed.connect(self.jobs.append)
        session.model_changed.connect(self.models.append)
        session.failed.connect(self.failures.append)


def request(plane="p0", source="layer", picture=None) -> ColorRequest:
    if picture is None:
        picture = np.random.default_rng(1).integers(0, 255, (80, 120), np.uint8)
    return ColorRequest(plane, source, lambda: picture, size=picture.shape[:2])


@pytest.fixture
def models():
    return []


@pytest.fixture
def session(models):
    def load(*args, **options):
        models.append(halves(*args, **options))
        return models[-1]

    return Session(Stepped(), load)


def run(session, **options) -> None:
    session._runner.step(**options)


def test_colour_loads_the_model_once_and_keeps_the_coloring(session, models):
    heard = Heard(session)
    session.color(request())
    assert session.job.running
    assert session.coloring("p0") is None
    run(session)
    assert session.coloring("p0").source_shape == (80, 120)
    assert heard.planes == ["p0"]
    assert not session.job.running
    assert session.model.loaded
    assert session.model.reason == FakeColorer.reason
    texts = [job.text for job in heard.jobs]
    assert "Painting" in texts
    assert texts[-1].startswith("Colored in")
    session.color(request("p1"))
    run(session)
    assert len(models) == 1
    assert models[0].shapes == [(80, 120, 3)] * 2


def test_what_a_map_took_is_known_of_the_choice_it_was_made_with(session):
    size = (80, 120)
    assert session.seconds_a_map(size) is None
    session.color(request())
    session._runner.step()
    took = session.seconds_a_map(size)
    assert took is not None and took > 0
    session.choose(Choice("mini", passes=4))
    assert session.seconds_a_map(size) is None
    session.choose(Choice("mini"))
    assert session.seconds_a_map(size) == took
    assert session.seconds_a_map((60, 60)) is None
    session.color(request("small", picture=np.zeros((60, 60), np.uint8)))
    assert session.job.running and session.job.expected is None
    session.color(request("another"))
    assert session.job.running and session.job.expected == took
    session.choose(Choice("mae"))
    session.color(request("a third"))  # not loaded: nobody knows how long that takes
    assert session.job.expected is None


def test_model_sees_exactly_the_recipe(session, models):
    ramp = np.arange(80 * 120, dtype=np.uint16).reshape(80, 120) * 6
    session.color(request(picture=ramp))
    run(session)
    seen = models[0].seen[0]
    assert seen.dtype == np.float32
    assert seen.min() == 0
    assert seen.max() == 1
    assert np.array_equal(seen[..., 0], seen[..., 2])


def test_newer_request_wins_and_the_older_reply_is_dropped(session):
    heard = Heard(session)
    session.color(request("old"))
    session.color(request("new"))
    run(session, place=1)
    assert heard.planes == ["new"]
    run(session, heed_cancel=False)  # the old one ends late, with a result
    assert heard.planes == ["new"]
    assert session.coloring("old") is None
    assert heard.failures == []


def test_cancel_frees_at_once_and_the_late_reply_changes_nothing(session):
    heard = Heard(session)
    session.color(request())
    session.cancel()
    assert session.job == JobState(text="Cancelled", view="p0")
    run(session, heed_cancel=False)
    assert session.coloring("p0") is None
    assert session.job == JobState(text="Cancelled", view="p0")
    assert heard.planes == heard.failures == []


def test_source_gone_in_mid_job(session):
    heard = Heard(session)
    session.color(request(source="gone"))
    session.forget("gone")
    assert not session.job.running
    run(session, heed_cancel=False)
    assert heard.planes == heard.failures == []


def test_other_source_gone_leaves_the_job_alone(session):
    session.color(request(source="layer"))
    session.forget("another")
    assert session.job.running
    run(session)
    assert session.coloring("p0") is not None


def test_coming_back_to_a_model_shows_its_coloring_from_memory(session, models):
    session.color(request())
    run(session)
    first = session.coloring("p0")
    session.choose(Choice("other"))
    assert session.coloring("p0") is first  # still on screen
    session.color(request())
    run(session)
    assert session.coloring("p0") is not first
    assert models[0].unloaded
    session.choose(Choice("mini"))
    session.color(request())
    assert session._runner.jobs == []
    assert session.coloring("p0") is first
    session.color(request())  # once more on purpose: computed anew
    assert session.job.running


def test_failure_is_one_sentence_and_nothing_is_lost(session):
    session.color(request())
    run(session)
    kept = session.coloring("p0")
    heard = Heard(session)
    session.color(request(picture=np.full((80, 120), 7, np.uint8)))
    run(session)
    assert len(heard.failures) == 1
    assert "single value" in heard.failures[0]
    assert session.coloring("p0") is kept
    assert not session.job.running


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (WeightsError("The file unet.safetensors is cut short."), "cut short"),
        (MemoryError(), "not enough memory"),
        (KeyError("x"), "unexpected"),
    ],
)
def test_any_error_of_a_model_reaches_a_person(error, words):
    def load(*_, **__):
        raise error

    session = Session(load=load)
    heard = Heard(session)
    session.color(request())
    assert len(heard.failures) == 1
    assert words in heard.failures[0]


def test_licence_is_asked_then_passed_on(models):
    def load(*args, accept_licence=False, **options):
        if not accept_licence:
            raise LicenceError("Terms: ask nicely.")
        models.append(halves(*args))
        return models[-1]

    session = Session(load=load)
    heard, asked = Heard(session), []
    session.licence_requested.connect(asked.append)
    session.color(request())
    assert asked == ["Terms: ask nicely."]
    assert heard.failures == []
    session.choose(Choice("mini", licence_accepted=True))
    session.color(request())
    assert session.coloring("p0") is not None


def test_cancel_inside_the_model_says_cancelled(session, models):
    def stop(_):
        raise Cancelled("Stopped as asked.")

    session._host._load = lambda *a, **k: FakeColorer(meanwhile=stop)
    heard = Heard(session)
    session.color(request())
    run(session)
    assert session.job.text == "Cancelled"
    assert heard.failures == []


def test_choice_made_while_loading_is_not_overwritten(session):
    session.color(request())
    session.choose(Choice("another"))
    run(session)
    assert session.model.choice.model == "another"
    assert not session.model.loaded
    assert session.coloring("p0") is not None


def test_unload_gives_the_model_back_and_keeps_colorings(session, models):
    session.color(request())
    run(session)
    session.unload()
    run(session)
    assert models[0].unloaded
    assert not session.model.loaded
    assert session.coloring("p0") is not None


def test_warm_up_loads_an_embedded_model_and_tells_the_device(session):
    session.warm_up()
    run(session)
    assert session.model.loaded
    assert session.model.device == "cpu"


@pytest.fixture
def colored(session):
    session.color(request())
    run(session)
    return session


def test_preview_before_the_click_is_what_a_click_would_give(colored):
    preview = colored.preview("p0", Prompts(), pointer=(40, 20))
    assert set(np.unique(preview.array)) <= {0, 2}
    clicked = colored.mask("p0", Prompts(((40.0, 20.0),), (1,)))
    assert (preview.array == 2).sum() == clicked.area
    assert preview.area == pytest.approx(80 * 60, rel=0.1)


def test_preview_shows_what_a_further_click_would_add_and_take(colored):
    left = Prompts(((40.0, 20.0),), (1,))
    adding = colored.preview("p0", left, pointer=(40, 100), sign=1)
    assert {1, 2} <= set(np.unique(adding.array))
    both = left.plus((40, 100), 1)
    taking = colored.preview("p0", both, pointer=(40, 110), sign=-1)
    assert 3 in np.unique(taking.array)
    assert (taking.array == 1).sum() < colored.mask("p0", both).area


def test_negative_pointer_without_a_click_shows_nothing(colored):
    assert colored.preview("p0", Prompts(), pointer=(40, 20), sign=-1) is None


def test_pointer_outside_shows_the_clicks_alone(colored):
    left = Prompts(((40.0, 20.0),), (1,))
    preview = colored.preview("p0", left, pointer=(-9, 0))
    assert set(np.unique(preview.array)) <= {0, 1}


def test_mask_follows_settings_and_is_computed_once(colored):
    left = Prompts(((40.0, 20.0),), (1,))
    mask = colored.mask("p0", left)
    assert colored.mask("p0", left) is mask
    colored.probing.set(tolerance=400.0, edge_barrier=False)
    assert colored.mask("p0", left).area > mask.area


def test_no_coloring_no_mask(session):
    assert session.mask("p0", Prompts(((1.0, 1.0),), (1,))) is None
    assert session.preview("p0", Prompts(), (1, 1)) is None
    assert session.probing.curve("p0", Prompts(((1.0, 1.0),), (1,))) is None


def test_closed_session_hears_nothing_more(session):
    heard = Heard(session)
    session.color(request())
    session.close()
    assert session._runner.jobs == []
    assert heard.planes == []


def test_given_coloring_is_used_like_any_other(session):
    session.keep(request("g"), Coloring.from_array(two_halves(), (80, 120)))
    assert session.mask("g", Prompts(((40.0, 20.0),), (1,))).area > 0
