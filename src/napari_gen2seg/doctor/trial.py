"""Trials in a child process: a crash there is an answer, not an accident.

``python -m napari_gen2seg.doctor.trial NAME`` prints one line of JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_MARK = "napari-gen2seg trial: "


@dataclass(frozen=True)
class Outcome:
    """What a trial gave.

    Parameters
    ----------
    facts
        What it found out; empty when it failed.
    error
        Why it failed: its last words; empty when it did not.
    """

    facts: dict[str, Any] = field(default_factory=dict)
    error: str = ""


def attempt(name: str, timeout: float = 120.0) -> Outcome:
    """Run a trial in a child process.

    Parameters
    ----------
    name
        One of ``"torch"``, ``"library"``, ``"qt"``, ``"napari"``, ``"canvas"``.
    timeout
        Seconds after which it has failed.
    """
    command = [sys.executable, "-m", "napari_gen2seg.doctor.trial", name]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    try:
        child = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Outcome(error=f"no answer within {timeout:.0f} seconds")
    for line in child.stdout.splitlines():
        if line.startswith(_MARK):
            return Outcome(facts=json.loads(line.removeprefix(_MARK)))
    words = [line.strip() for line in child.stderr.splitlines() if line.strip()]
    error = _telling(words) or f"it ended with status {child.returncode}"
    return Outcome(error=error)


def _telling(words: list[str]) -> str:
    """Pick the line that says most out of a traceback or Qt's complaints."""
    for line in reversed(words):
        if "Error" in line or "could not" in line.lower() or "cannot" in line.lower():
            return line[:300]
    return words[-1][:300] if words else ""


def _torch() -> dict[str, Any]:
    import torch

    cuda = torch.cuda.is_available()
    return {
        "version": torch.__version__,
        "cuda_build": torch.version.cuda or getattr(torch.version, "hip", None),
        "cuda": cuda,
        "gpus": [
            torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())
        ]
        if cuda
        else [],
        "mps": torch.backends.mps.is_available(),
    }


def _library() -> dict[str, Any]:
    # The very imports that loading a model makes.
    import diffusers
    import transformers
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextModel, ViTMAEForPreTraining

    classes = (AutoencoderKL, UNet2DConditionModel, CLIPTextModel, ViTMAEForPreTraining)
    return {
        "diffusers": diffusers.__version__,
        "transformers": transformers.__version__,
        "classes": [c.__name__ for c in classes],
    }


def _qt() -> dict[str, Any]:
    import qtpy
    from qtpy.QtWidgets import QApplication

    return {
        "binding": qtpy.API_NAME,
        "binding_version": qtpy.PYSIDE_VERSION or qtpy.PYQT_VERSION,
        "qt": qtpy.QT_VERSION,
        "class": QApplication.__name__,
    }


def _napari() -> dict[str, Any]:
    import napari
    from npe2 import PluginManager

    manager = PluginManager.instance()
    manager.discover(include_npe1=False)
    name = "napari-gen2seg"
    known = name in manager
    return {
        "version": napari.__version__,
        "plugin": known,
        "disabled": known and manager.is_disabled(name),
    }


def _canvas() -> dict[str, Any]:
    import numpy as np
    from qtpy.QtWidgets import QApplication
    from vispy import app, gloo

    application = QApplication.instance() or QApplication([])
    app.use_app(os.environ.get("VISPY_APP") or None)
    canvas = app.Canvas(size=(64, 64), show=True)
    facts: dict[str, Any] = {"platform": application.platformName()}

    def draw(_event: object) -> None:
        gloo.set_clear_color((1, 0, 0, 1))
        gloo.clear()
        gloo.gl.glFinish()
        facts["version"] = gloo.gl.glGetParameter(gloo.gl.GL_VERSION)
        facts["renderer"] = gloo.gl.glGetParameter(gloo.gl.GL_RENDERER)
        facts["red"] = bool(np.asarray(gloo.read_pixels())[..., 0].mean() > 200)

    canvas.events.draw.connect(draw)
    for _ in range(50):
        application.processEvents()
        canvas.update()
        if "red" in facts:
            break
    canvas.close()
    return facts


TRIALS: dict[str, Callable[[], dict[str, Any]]] = {
    "torch": _torch,
    "library": _library,
    "qt": _qt,
    "napari": _napari,
    "canvas": _canvas,
}


if __name__ == "__main__":
    sys.stdout.write(_MARK + json.dumps(TRIALS[sys.argv[1]]()) + "\n")
    sys.stdout.flush()
    # Tearing down Qt and OpenGL may crash after the answer is known.
    os._exit(0)
