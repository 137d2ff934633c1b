"""The demo on a machine without a screen, as a person would call it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from skimage import data
from tests.helpers.command_line import Ended, run_here
from tests.helpers.waiting import BACKSTOP

from napari_gen2seg import Coloring
from napari_gen2seg.cli import virtual_display
from napari_gen2seg.cli.pictures import subject
from napari_gen2seg.core.learned_probe.choice import METHODS
from napari_gen2seg.errors import SettingsError
from napari_gen2seg.gui.saving.opening import identity_of
from napari_gen2seg.metrics.click_protocol import answerer
from napari_gen2seg.models.probes import chosen_probe
from napari_gen2seg.project.journal import Act, Journal, Patch

EXAMPLES = ("coins", "cell", "ihc")


def without_display(*arguments: object, **changes: str) -> Ended:
    """Run the demo in this process as on a machine without a screen."""
    gone = {"DISPLAY": None, "WAYLAND_DISPLAY": None}
    return run_here("demo", *arguments, **gone, **changes)


def in_same_place(
    coloring: Coloring, labels: np.ndarray, name: str, method: str | None = None
) -> bool:
    """Tell whether the first click's object is what the map gives."""
    first = subject(name).points[0]
    answer = answerer(coloring, probe=chosen_probe(coloring, method))
    return bool(np.array_equal(labels == labels[first], answer([first], [1])))


@pytest.mark.slow
def test_without_a_screen_a_virtual_one_serves(
    tiny_offsets: Path, tmp_path: Path
) -> None:
    if not virtual_display.available():
        pytest.skip("Xvfb is not installed")
    folder = tmp_path / "demo-output"
    environment = dict(os.environ)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        environment.pop(name, None)
    options = ("--model", str(tiny_offsets), "--resolution", "96", "-o", str(folder))
    coins = data.coins()
    mine = np.zeros(coins.shape, np.int32)
    mine[:20, :20] = 1
    with Journal(identity_of(None, coins, "coins"), coins.shape) as journal:
        journal.record(Act("edit", Patch.from_windows(mine * 0, mine)))
    done = subprocess.run(
        [sys.executable, "-m", "napari_gen2seg", "demo", *options],
        capture_output=True,
        text=True,
        timeout=BACKSTOP,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    assert "is set aside" in done.stdout
    assert "under a virtual display" in done.stdout
    assert str(folder) in done.stdout
    assert {path.name for path in folder.iterdir()} == {
        "screenshot.png",
        "coloring.png",
        "coloring.tif",
        "labels.tif",
    }
    coloring = Coloring.load(folder / "coloring.tif")
    assert coloring.source_shape == data.coins().shape
    np.testing.assert_array_equal(
        iio.imread(folder / "coloring.png"), coloring.as_rgb8()
    )
    labels = tifffile.imread(folder / "labels.tif")
    assert labels.shape == data.coins().shape
    # A commit in the window waits for the learned probe no longer than 0.1 s.
    assert any(in_same_place(coloring, labels, "coins", way) for way in METHODS)
    window = iio.imread(folder / "screenshot.png")
    assert window.shape[0] > 700
    assert window.shape[1] > 1000
    canvas = window[200:700, 400:900].reshape(-1, 3)
    assert len(np.unique(canvas, axis=0)) > 50  # a picture, no empty canvas


def test_without_even_a_virtual_screen_the_work_is_done(
    tiny_offsets: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    done = without_display(
        "--model", tiny_offsets, "--resolution", "96", "-o", folder, PATH=str(tmp_path)
    )
    assert done.returncode == 0, done.stderr
    assert "Xvfb is not installed" in done.stdout
    coloring = Coloring.load(folder / "coloring.tif")
    labels = tifffile.imread(folder / "labels.tif")
    (height, width), (rows, columns) = coloring.shape, labels.shape
    assert (height, width) != (rows, columns)
    assert f"The map has {width} x {height} pixels" in done.stdout
    assert f"picture's own {columns} x {rows}." in done.stdout
    assert in_same_place(coloring, labels, "coins")


def test_what_is_there_is_not_written_over(tmp_path: Path) -> None:
    mine = tmp_path / "labels.tif"
    tifffile.imwrite(mine, data.coins())
    kept = mine.read_bytes()
    done = without_display("-o", tmp_path)
    assert done.returncode == 1
    assert "add --overwrite" in done.stderr
    done = without_display("--picture", mine, "-o", tmp_path, "--overwrite")
    assert done.returncode == 1
    assert "is what is read here" in done.stderr
    assert mine.read_bytes() == kept
    assert list(tmp_path.iterdir()) == [mine]


def test_virtual_display_is_there_and_gone_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not virtual_display.available():
        pytest.skip("Xvfb is not installed")
    monkeypatch.setenv("DISPLAY", ":before")
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    with virtual_display.virtual_display(640, 480) as name:
        socket = Path("/", "tmp", ".X11-unix", f"X{name[1:]}")
        assert os.environ["DISPLAY"] == name
        assert "QT_QPA_PLATFORM" not in os.environ
        assert socket.exists()
    assert not socket.exists()
    assert os.environ["DISPLAY"] == ":before"
    assert os.environ["QT_QPA_PLATFORM"] == "offscreen"


def test_virtual_display_that_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with (
        pytest.raises(SettingsError, match="apt-get install xvfb"),
        virtual_display.virtual_display(),
    ):
        pass


def test_pictures_come_with_scikit_image(tmp_path: Path) -> None:
    # An empty cache, and a proxy that refuses: a download would fail.
    calls = "; ".join(f"subject({name!r})" for name in EXAMPLES)
    child = subprocess.run(
        [
            sys.executable,
            "-c",
            f"from napari_gen2seg.cli.pictures import subject; {calls}",
        ],
        env={
            **os.environ,
            "XDG_CACHE_HOME": str(tmp_path),
            "https_proxy": "http://127.0.0.1:9",
            "http_proxy": "http://127.0.0.1:9",
        },
        check=False,
    )
    assert child.returncode == 0


@pytest.mark.parametrize("name", EXAMPLES)
def test_clicks_lie_inside_their_picture(name: str) -> None:
    chosen = subject(name)
    height, width = chosen.array.shape[:2]
    for row, column in filter(None, (*chosen.points, chosen.last)):
        assert 0 <= row < height
        assert 0 <= column < width


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    iio.imwrite(tmp_path / "mine.png", data.cell())
    chosen = subject(str(tmp_path / "mine.png"))
    np.testing.assert_array_equal(chosen.array, data.cell())
    assert (chosen.name, chosen.points) == ("mine", ())
    with pytest.raises(SettingsError, match="must be one of coins"):
        subject("nothing of the kind")
