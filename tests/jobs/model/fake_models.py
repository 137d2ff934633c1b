"""Models of several characters, for the process that serves them."""

from __future__ import annotations

import os
import time

import numpy as np

from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.errors import Cancelled, WeightsError


class Fake:
    dtype, reason, spec = "float32", "Because.", None

    def __init__(self, name: str, device: str) -> None:
        self.name, self.device = name, "cpu" if device == "auto" else device

    def color(self, image, resolution=None, *, passes=1, progress=None, cancel=None):
        if self.name == "noisy":
            print("progress bars, warnings, banners" * 99, flush=True)  # noqa: T201
        if self.name == "deaf":
            time.sleep(60)
        if self.name == "patient":
            for _ in range(600):
                time.sleep(0.05)
                if cancel():
                    raise Cancelled("Stopped as asked.")
        progress(0.5, "Half way")
        return Coloring.from_array(
            np.clip(image * 255, 0, 255), image.shape[:2], resolution=resolution or 0
        )

    def unload(self) -> None:
        pass


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
    return Fake(id_or_path, device)
