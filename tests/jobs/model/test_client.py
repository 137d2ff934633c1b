"""Models in a process of their own: asked, cancelled, killed, outlived."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import psutil
import pytest
from tests.helpers.waiting import wait_until

from napari_gen2seg.core.image.rgb import RgbRecipe
from napari_gen2seg.errors import (
    Cancelled,
    MemoryShortError,
    ModelError,
    WeightsError,
)
from napari_gen2seg.jobs.model.client import ModelClient
from napari_gen2seg.session import Choice, ColorRequest, Session

HERE = Path(__file__).parents[3]
AS_IS = RgbRecipe(stretch="never")
PICTURE = np.random.default_rng(0).random((64, 80, 3), np.float32)
CODE = (
    f"import sys; sys.path.insert(0, {str(HERE)!r}); "
    "from tests.jobs.model.served_models import load; "
    "from napari_gen2seg.jobs.model.server import serve; serve(load)"
)
FAKE = (sys.executable, "-c", CODE)


@pytest.fixture(scope="module")
def client():
    """One client for all: whatever ends its child, the next question starts another."""
    made = ModelClient(FAKE)
    yield made
    made.close()


def test_loads_colours_and_tells_its_facts(client):
    texts = []
    colorer = client.load("plain", progress=lambda f, text: texts.append(text))
    assert (colorer.device, colorer.dtype) == ("cpu", "float32")
    assert colorer.reason == "This computer has no GPU that torch can use."
    coloring = colorer.color(
        PICTURE, 40, recipe=AS_IS, progress=lambda f, t: texts.append((f, t))
    )
    assert coloring.source_shape == (64, 80)
    assert coloring.resolution == 40
    assert not coloring.values.flags.writeable
    assert texts == ["Opening plain", (0.5, "Painting")]
    assert np.array_equal(coloring.values, np.clip(PICTURE * 255, 0, 255))


def test_options_reach_the_loader(client):
    colorer = client.load("plain", device="cuda:1", accept_licence=True)
    assert colorer.device == "cuda:1"


def test_what_a_library_prints_does_not_get_in_between(client):
    colorer = client.load("noisy")
    assert colorer.color(PICTURE, recipe=AS_IS).source_shape == (64, 80)


@pytest.mark.parametrize(
    ("model", "kind", "words"),
    [
        ("broken", WeightsError, "cut short"),
        ("strange", ModelError, "KeyError"),
        ("greedy", MemoryShortError, "memory"),
    ],
)
def test_errors_come_back_as_they_were_meant(client, model, kind, words):
    with pytest.raises(kind, match=words):
        client.load(model)
    client.load("plain")  # and the child goes on


def test_cancel_is_heard_between_steps(client):
    colorer = client.load("patient")
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    with pytest.raises(Cancelled):
        colorer.color(PICTURE, recipe=AS_IS, cancel=stop.is_set)
    assert colorer.alive
    assert client.load("plain").color(PICTURE, recipe=AS_IS).source_shape == (64, 80)


def test_a_model_deaf_to_cancel_is_ended(client, monkeypatch):
    monkeypatch.setattr("napari_gen2seg.jobs.model.client.PATIENCE", 0.2)
    colorer = client.load("deaf")
    with pytest.raises(Cancelled):
        colorer.color(PICTURE, recipe=AS_IS, cancel=lambda: True)
    assert not colorer.alive
    assert client.load("plain").alive


@pytest.mark.skipif(os.name == "nt", reason="signals are another thing there")
def test_killed_by_the_system_is_said_and_the_next_question_works(client):
    colorer = client.load("patient")
    child = client.pid
    threading.Timer(0.3, os.kill, (child, signal.SIGKILL)).start()
    with pytest.raises(MemoryShortError, match="memory ran out"):
        colorer.color(PICTURE, recipe=AS_IS)
    assert not colorer.alive
    assert client.load("plain").color(PICTURE, recipe=AS_IS).source_shape == (64, 80)


def test_crash_is_said(client):
    with pytest.raises(ModelError, match="code 3"):
        client.load("crash")


def test_close_from_another_thread_frees_the_waiting_one():
    client = ModelClient(FAKE)
    colorer = client.load("patient")
    threading.Timer(0.3, client.close).start()
    with pytest.raises(Cancelled):
        colorer.color(PICTURE, recipe=AS_IS)
    with pytest.raises(Cancelled):
        client.load("plain")


def test_child_ends_with_its_parent():
    code = (
        f"import sys; sys.path.insert(0, {str(HERE)!r})\n"
        "from tests.jobs.model.test_client import FAKE\n"
        "from napari_gen2seg.jobs.model.client import ModelClient\n"
        "import os; h = ModelClient(FAKE); h.load('plain')\n"
        "print(h.pid, flush=True); os._exit(1)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    pid = int(result.stdout)
    wait_until(lambda: gone(pid))


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_missing_interpreter_is_said():
    with pytest.raises(ModelError, match="could not be started"):
        ModelClient(("/nowhere/python",)).load("plain")


def test_session_keeps_models_out_of_its_own_process(tiny_offsets):
    """The real thing: a network, coloured with in the child."""
    session = Session()
    session.choose(Choice(str(tiny_offsets), resolution=64))
    failures = []
    session.failed.connect(failures.append)
    session.color(ColorRequest("p", "layer", lambda: (PICTURE * 255).astype(np.uint8)))
    session.close()
    assert failures == []
    assert session.coloring("p").model_id
    assert session.model.loaded
    assert "CPU" in session.model.reason or session.model.device != "cpu"
