"""One model for several users: turns, who frees it, how often an image is checked."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from tests.helpers.fake_colorer import FakeColorer, as_it_is

from napari_gen2seg import load_model
from napari_gen2seg.core.image import rgb
from napari_gen2seg.errors import Cancelled
from napari_gen2seg.jobs.model.client import RemoteColorer
from napari_gen2seg.jobs.model.messages import Loaded
from napari_gen2seg.models.colorer import Colorer
from napari_gen2seg.session import Choice, ColorRequest, ModelHost, Session, Ticket
from napari_gen2seg.session.model_host import HostedColorer

PICTURE = np.random.default_rng(0).integers(0, 255, (64, 80), np.uint8)
RGB = np.repeat(PICTURE[..., None] / np.float32(255), 3, axis=-1)


class Gate:
    """Where a model waits while it is shut."""

    def __init__(self) -> None:
        self.inside, self.open = threading.Event(), threading.Event()
        self.open.set()

    def __call__(self, _cancel: object) -> None:
        self.inside.set()
        self.open.wait()


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open.set()


@pytest.fixture
def loaded() -> list[FakeColorer]:
    return []


@pytest.fixture
def host(loaded, gate) -> ModelHost:
    def load(name, **_):
        loaded.append(FakeColorer(as_it_is, name, side=None, meanwhile=gate))
        return loaded[-1]

    return ModelHost(load)


def request() -> ColorRequest:
    return ColorRequest("p", "layer", lambda: PICTURE)


def test_clients_of_a_model_are_colorers_like_any_other(host):
    hosted = host.colorer(Choice("a"))
    assert isinstance(hosted, Colorer)
    facts = Loaded("cpu", "float32", "", hosted.spec, ("Memory was short.",))
    remote = RemoteColorer(None, facts)
    assert isinstance(remote, Colorer)
    assert remote.notes == ("Memory was short.",)


def test_a_model_that_another_user_replaced_is_loaded_again(host, loaded):
    hosted = host.colorer(Choice("a"))
    assert hosted.color(RGB).model_id == "a"
    made = host.color(Choice("b"), request(), Ticket("color", 1))
    assert made.coloring.model_id == "b"
    assert loaded[0].unloaded
    assert hosted.color(RGB).model_id == "a"
    assert [one.spec.id for one in loaded] == ["a", "b", "a"]
    assert [one.unloaded for one in loaded] == [True, True, False]


def test_only_what_the_window_does_not_color_with_is_freed(host, loaded):
    hosted = host.colorer(Choice("a"))
    hosted.unload()
    assert loaded[0].unloaded
    host.color(Choice("a"), request(), Ticket("color", 1))
    again: HostedColorer = host.colorer(Choice("a"))
    again.unload()
    assert len(loaded) == 2
    assert not loaded[1].unloaded


def test_warming_up_takes_no_model_from_who_works_with_it(host, loaded):
    hosted = host.colorer(Choice("a"))
    assert host.warm(Choice("b"), Ticket("warm", 1)) is None
    hosted.color(RGB)
    assert len(loaded) == 1
    assert host.warm(Choice("a"), Ticket("warm", 2)) is not None


def test_who_waits_for_a_turn_can_cancel(host, gate):
    hosted = host.colorer(Choice("a"))
    gate.open.clear()
    busy = threading.Thread(target=hosted.color, args=(RGB,))
    busy.start()
    assert gate.inside.wait(600)
    ticket, said = Ticket("color", 1), []

    def report(_fraction, text):
        said.append(text)
        if text == "Waiting for the model":
            ticket.cancel()

    ticket.listen(report)
    with pytest.raises(Cancelled):
        host.color(Choice("a"), request(), ticket)
    assert said == ["Reading the picture", "Waiting for the model"]
    gate.open.set()
    busy.join()


def test_the_last_to_leave_ends_the_process():
    host = ModelHost().join()
    host.join()
    client = host._client
    host.leave()
    assert not client._closed
    host.leave()
    assert client._closed


def counted(monkeypatch, name: str) -> list[int]:
    """Count the calls of a function of `core.image.rgb`, whoever imported it."""
    from napari_gen2seg.models import colorer

    calls, real = [0], getattr(rgb, name)

    def counting(*args, **options):
        calls[0] += 1
        return real(*args, **options)

    for module in (rgb, colorer):
        if hasattr(module, name):
            monkeypatch.setattr(module, name, counting)
    return calls


@pytest.mark.parametrize(("here", "times"), [(True, 1), (False, 0)])
def test_an_image_is_checked_once_and_in_the_model_process(
    monkeypatch, tiny_offsets, here, times
):
    checks, conversions = (counted(monkeypatch, n) for n in ("check_image", "to_rgb"))
    session = Session(load=load_model if here else None)
    failures = []
    session.failed.connect(failures.append)
    session.choose(Choice(str(tiny_offsets), device="cpu", resolution=64))
    session.color(request())
    session.close()
    assert failures == []
    assert session.coloring("p") is not None
    assert checks == conversions == [times]
