"""How long a colouring takes while a model is trained on the same computer.

    python benchmarks/beside_training.py DATA [--pictures 2] [--times 9]

DATA has ``images/`` and ``labels/``. A real training (``napari-gen2seg finetune``) runs
as politely as the window starts it, and then like any other program, while another
process colours, as politely as the window's worker does. Not for Windows.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from napari_gen2seg.jobs.model.server import NICE as WORKER
from napari_gen2seg.jobs.training.child import NICE as TRAINING

BEGUN = 40  # seconds until a training is past loading and its first looks


def main() -> None:
    """Print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--pictures", type=int, default=2)
    parser.add_argument("--times", type=int, default=9)
    parser.add_argument("--colour", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    pictures = sorted((chosen.data / "images").iterdir())[: chosen.pictures]
    if chosen.color:
        out(color(pictures[0], chosen.times))
        return
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name in ("images", "labels"):
            (folder / name).mkdir()
            for picture in pictures:
                for path in (chosen.data / name).glob(f"{picture.stem}.*"):
                    shutil.copy(path, folder / name)
        out(f"no training     {told(chosen)}")
        for politeness in (TRAINING, 0):
            child = train(folder, politeness)
            try:
                time.sleep(BEGUN)
                out(f"training at {politeness:2}  {told(chosen)}")
            finally:
                child.kill()
                child.wait()


def train(folder: Path, politeness: int) -> subprocess.Popen[bytes]:
    """Start a training that is long enough."""
    command = ["nice", "-n", str(politeness), sys.executable, "-m", "napari_gen2seg"]
    command += ["finetune", "--out", str(folder / f"run-{politeness}")]
    for name in ("images", "labels"):
        command += [f"--{name}", str(folder / name)]
    command += ["--steps", "100000", "--minutes", "30"]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, stdout=quiet, stderr=quiet)


def told(chosen: argparse.Namespace) -> str:
    """Colour in a process as polite as the worker, and return what it says."""
    command = ["nice", "-n", str(WORKER), sys.executable, __file__, "--colour"]
    command += [str(chosen.data), "--times", str(chosen.times)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def color(path: Path, times: int) -> str:
    """Colour a picture again and again; the first time is not counted."""
    from napari_gen2seg import load_model
    from napari_gen2seg.io.formats.images import plane_of, read_picture

    model, picture = load_model("mini"), plane_of(read_picture(path))
    seconds = []
    for _ in range(times + 1):
        begun = time.perf_counter()
        model.color(picture)
        seconds.append(time.perf_counter() - begun)
    median, worst = statistics.median(seconds[1:]), max(seconds[1:])
    return f"{median:.2f} s a colouring, {worst:.2f} s at worst"


def out(text: str) -> None:
    """Print at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
