"""One model for several users: turns, who frees it, how often an image is checked."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import numpy as np
import pytest

from napari_gen2seg import load_model
from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.core.image import rgb
from napari_gen2seg.errors import Cancelled
from napari_gen2seg.jobs.model.client import RemoteColorer
from napari_gen2seg.jobs.model.messages import Loaded
from napari_gen2seg.models.colorer import Colorer
from napari_gen2seg.session import Choice, ColorRequest, ModelHost, Session, Ticket
from napari_gen2seg.session.model_host import HostedColorer

PICTURE = np.random.default_rng(0).integers(0, 255, (64, 80), np.uint8)


class Model:
    device, dtype, reason, notes = "cpu", "float32", "", ()

    def __init__(self, name: str) -> None:
        self.spec = SimpleNamespace(id=name)
        self.unloaded = False
        self.inside, self.gate = threading.Event(), threading.Event()
        self.gate.set()

    def color(self, image, resolution=None, **_):
        self.inside.set()
        assert self.gate.wait(60)
        values = np.zeros((*image.shape[:2], 3), np.float32)
        return Coloring.from_array(values, model_id=self.spec.id)

    def unload(self) -> None:
        self.unloaded = True


@pytest.fixture
def loaded() -> list[Model]:
    return []


@pytest.fixture
def host(loaded) -> ModelHost:
    def load(name, **_):
        loaded.append(Model(name))
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
    assert hosted.color(PICTURE).model_id == "a"
    made = host.color(Choice("b"), request(), Ticket("color", 1))
    assert made.coloring.model_id == "b"
    assert loaded[0].unloaded
    assert hosted.color(PICTURE).model_id == "a"
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
    hosted.color(PICTURE)
    assert len(loaded) == 1
    assert host.warm(Choice("a"), Ticket("warm", 2)) is not None


def test_who_waits_for_a_turn_can_cancel(host, loaded):
    hosted = host.colorer(Choice("a"))
    loaded[0].gate.clear()
    busy = threading.Thread(target=hosted.color, args=(PICTURE,))
    busy.start()
    assert loaded[0].inside.wait(60)
    ticket, said = Ticket("color", 1), []

    def report(_fraction, text):
        said.append(text)
        if text == "Waiting for the model":
            ticket.cancel()

    ticket.listen(report)
    with pytest.raises(Cancelled):
        host.color(Choice("a"), request(), ticket)
    assert said == ["Reading the picture", "Waiting for the model"]
    loaded[0].gate.set()
    busy.join(60)
    assert not busy.is_alive()


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
    monkeypatch, tiny_sd, here, times
):
    checks, conversions = (counted(monkeypatch, n) for n in ("check_image", "to_rgb"))
    session = Session(load=load_model if here else None)
    failures = []
    session.failed.connect(failures.append)
    session.choose(Choice(str(tiny_sd), device="cpu", resolution=64))
    session.color(request())
    session.close()
    assert failures == []
    assert session.coloring("p") is not None
    assert checks == conversions == [times]
