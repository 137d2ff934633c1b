"""What the command line writes and says, as a newcomer meets it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from skimage import data
from tests.helpers.command_line import run_here

from napari_gen2seg import Coloring

QUICK = ("--resolution", 96, "--device", "cpu")


@pytest.fixture
def coins(tmp_path: Path) -> Path:
    path = tmp_path / "coins.png"
    iio.imwrite(path, data.coins())
    return path


def test_a_map_of_another_size_is_explained(coins: Path, tiny_sd: Path) -> None:
    done = run_here("color", coins, "--model", tiny_sd, *QUICK)
    rows, columns = Coloring.load(coins.with_name("coins-coloring.tif")).shape
    assert done.stdout == (
        f"{coins.with_name('coins-coloring.tif')}: coloring map of {rows} rows x "
        f"{columns} columns (the model looked at the picture, 303 rows x 384 columns, "
        "reduced)\n"
    )


def test_no_file_is_lost(coins: Path, tiny_sd: Path, tmp_path: Path) -> None:
    kept = b"my work"
    for name in ("coins-coloring.tif", "coins-labels.tif", "map.tif"):
        (tmp_path / name).write_bytes(kept)
    free = tmp_path / "free.tif"
    options = ("--model", tiny_sd, *QUICK)
    point = ("segment", coins, "--point", "48,40")
    for arguments, name in (
        (("color", coins), "coins-coloring.tif"),
        (point, "coins-labels.tif"),
        ((*point, "-o", free, "--coloring", tmp_path / "map.tif"), "map.tif"),
    ):
        refused = run_here(*arguments, *options)
        assert refused.returncode == 1
        assert f"{name} is there already; add --overwrite" in refused.stderr
        assert (tmp_path / name).read_bytes() == kept
    assert not free.exists()
    refused = run_here("color", coins, "-o", coins, "--overwrite", *options)
    assert refused.returncode == 1
    assert "is what is read here" in refused.stderr
    refused = run_here(*point, "-o", free, "--coloring", free, *options)
    assert "named for two files" in refused.stderr
    done = run_here(*point, "--overwrite", *options)
    assert done.returncode == 0, done.stderr
    assert "coins-labels.tif: labels, 303 rows x 384 columns\n" in done.stdout
    assert tifffile.imread(tmp_path / "coins-labels.tif").shape == (303, 384)


def test_a_map_to_look_at_is_a_real_png(
    coins: Path, tiny_sd: Path, tmp_path: Path
) -> None:
    point, target = ("--point", "48,40"), tmp_path / "map.png"
    options = ("--model", tiny_sd, *QUICK)
    done = run_here("segment", coins, *point, "--coloring", target, *options)
    assert done.returncode == 0, done.stderr
    assert target.read_bytes().startswith(b"\x89PNG")
    refused = run_here("segment", coins, *point, "--coloring", "map.jpg", *options)
    assert refused.returncode == 1
    assert "must end in .tif or .png" in refused.stderr


@pytest.mark.parametrize("ending", [".png", ".tif", ".jpg"])
def test_what_is_no_picture_is_one_sentence(tmp_path: Path, ending: str) -> None:
    (tmp_path / f"text{ending}").write_text("hello")
    refused = run_here("color", tmp_path / f"text{ending}")
    assert refused.returncode == 1
    assert refused.stderr == (
        f"Error: {tmp_path / f'text{ending}'} is not a picture that can be read, or it "
        "is damaged; pictures are TIFF, PNG, JPEG, BMP, GIF, WebP, NPY or OME-Zarr.\n"
    )


def test_what_cannot_be_removed_is_not_asked_about(
    tiny_sd: Path, tmp_path: Path
) -> None:
    home = {"NAPARI_GEN2SEG_HOME": str(tmp_path)}
    refused = run_here("models", "remove", "mini", **home)
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert "mini is part of this package" in refused.stderr
    assert "you have none yet" in refused.stderr
    assert run_here("models", "add", tiny_sd, "--name", "mine", **home).returncode == 0
    refused = run_here("models", "remove", "yours", **home)
    assert "no model 'yours' of your own; yours are mine." in refused.stderr
    assert run_here("models", "remove", "mine", "--yes", **home).returncode == 0


def test_a_model_is_added_and_removed_by_its_title(
    tiny_sd: Path, tmp_path: Path
) -> None:
    home = {"NAPARI_GEN2SEG_HOME": str(tmp_path / "home")}
    model = shutil.copytree(tiny_sd, tmp_path / "run" / "model")
    (model / "gen2seg.json").write_text(json.dumps({"title": "My cells"}))
    assert run_here("models", "add", model, **home).returncode == 0
    assert (tmp_path / "home" / "models" / "My-cells").is_dir()
    assert run_here("models", "remove", "My cells", "--yes", **home).returncode == 0
    assert not (tmp_path / "home" / "models" / "My-cells").exists()


def test_what_is_missing_of_a_data_set_is_named(coins: Path, tmp_path: Path) -> None:
    gone = run_here("evaluate", tmp_path / "nosuch")
    assert gone.returncode == 2
    assert "nosuch' does not exist" in " ".join(gone.stderr.split())
    folder = tmp_path / "mine"
    (folder / "images").mkdir(parents=True)
    bare = run_here("evaluate", folder)
    assert bare.returncode == 1
    assert f"The folder {folder} has no labels/;" in bare.stderr
    (folder / "labels").mkdir()
    shutil.copy(coins, folder / "images" / "a.png")
    bare = run_here("evaluate", folder)
    assert f"a.png has no labels: {folder / 'labels'} must hold a.tif or" in bare.stderr


def test_the_background_is_told(coins: Path, tmp_path: Path) -> None:
    """With the embedded model, which paints it black."""
    dark = tmp_path / "dark.png"
    iio.imwrite(dark, np.zeros((128, 128), np.uint8))
    done = run_here("segment", dark, "--point", "60,60", *QUICK)
    assert done.returncode == 0, done.stderr
    words = "the point 60,60 lies on what the model takes for background"
    assert words in done.stdout
    done = run_here("segment", dark, "--all", "--overwrite", *QUICK)
    assert done.stdout.endswith("128 rows x 128 columns, 0 objects\n")
    where = ("--each", "--point", "88,200", "--point", "54,44")
    done = run_here("segment", coins, *where, "--device", "cpu")
    between, coin, _ = done.stdout.splitlines()
    assert between.startswith("object 1:") and coin.startswith("object 2:")
    assert "the point 88,200 lies on what the model takes" in between
    assert "background" not in coin


def test_a_zip_of_a_model_is_not_written_over_either(tmp_path: Path) -> None:
    mine = tmp_path / "backup.zip"
    mine.write_bytes(b"my work")
    for form in ("--zip", "--bioimageio"):
        done = run_here("models", "export", "mini", tmp_path / "backup", form)
        assert done.returncode == 1
        assert "backup.zip is there already" in done.stderr
        assert mine.read_bytes() == b"my work"
    again = ("--zip", "--overwrite")
    done = run_here("models", "export", "mini", tmp_path / "backup", *again)
    assert done.returncode == 0, done.stderr
    assert mine.stat().st_size > 1_000_000
