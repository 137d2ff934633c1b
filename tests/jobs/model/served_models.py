"""Models of several characters, for the process that serves them."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

from tests.helpers.fake_colorer import FakeColorer, as_it_is

from napari_gen2seg.errors import Cancelled, WeightsError


def _noisy(cancel: Any) -> None:
    print("progress bars, warnings, banners" * 99, flush=True)  # noqa: T201


def _deaf(cancel: Any) -> None:
    threading.Event().wait()


def _patient(cancel: Any) -> None:
    while not cancel():
        time.sleep(0.05)
    raise Cancelled("Stopped as asked.")


CHARACTERS = {"noisy": _noisy, "deaf": _deaf, "patient": _patient}


def load(id_or_path, device="auto", *, progress=None, cancel=None, **options):
    progress(None, f"Opening {id_or_path}")
    if id_or_path == "broken":
        raise WeightsError("The file is cut short.")
    if id_or_path == "strange":
        raise KeyError("x")
    if id_or_path == "greedy":
        raise MemoryError
    if id_or_path == "crash":
        os._exit(3)
    return FakeColorer(
        as_it_is,
        id_or_path,
        "cpu" if device == "auto" else device,
        side=None,
        meanwhile=CHARACTERS.get(id_or_path),
    )
