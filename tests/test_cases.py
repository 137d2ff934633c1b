"""Small inputs that once failed: each gives what it should, or an error that names it.

``tests/data/cases/cases.json`` tells of each what it is, and who met the like.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_gen2seg.cli.inputs import read_plane
from napari_gen2seg.core.image.rgb import to_rgb
from napari_gen2seg.errors import (
    DataError,
    Gen2SegError,
    ImageError,
    MemoryShortError,
    StorageError,
    WeightsError,
)
from napari_gen2seg.io.datasets.catalog import open_dataset
from napari_gen2seg.io.formats.images import read_picture

CASES = Path(__file__).parent / "data" / "cases"
Check = Callable[[Path, Path], None]
CHECKS: dict[str, Check] = {}

#: Cases of other tests.
ELSEWHERE = {
    "large-picture": "docs/reliability.md: measured, no test asserts a time",
    "without-imagecodecs": "tests/io/formats/test_every_file.py: it is a dependency",
}


def case(name: str) -> Callable[[Check], Check]:
    def keep(check: Check) -> Check:
        CHECKS[name] = check
        return check

    return keep


def raises(name: str, kinds: Any, match: str, act: Callable[[Path], Any]) -> None:
    def check(file: Path, _tmp: Path) -> None:
        with pytest.raises(kinds, match=match):
            act(file)

    CHECKS[name] = check


def rgb_of(file: Path) -> np.ndarray:
    return to_rgb(read_plane(file, None, None))


def first(file: Path) -> Any:
    return open_dataset(file / "annotations.json").items[0].read()


def pairs_of(file: Path) -> tuple[list[Any], list[str]]:
    from napari_gen2seg.cli.finetune import _pairs
    from napari_gen2seg.train.data.labeled_images import read_pairs

    return read_pairs(_pairs(file / "images", file / "labels", False))


def run(*args: str) -> Any:
    from click.testing import CliRunner

    from napari_gen2seg.cli import main

    return CliRunner().invoke(main, args)


# ------------------------------------------------------------------ files of images


@case("composite-dim-channel")
def _(file: Path, _tmp: Path) -> None:
    import napari_gen2seg

    labels = napari_gen2seg.segment(read_plane(file, None, None), "mini", "YXC").labels
    found = 0
    for row in range(28, 160, 48):
        for col in range(28, 160, 48):
            number = labels[row, col]
            found += bool(number) and (labels == number).sum() < 1500
    assert found == 9


@case("palette-inverted")
def _(file: Path, _tmp: Path) -> None:
    rgb = rgb_of(file)
    assert rgb[20, 25].mean() == pytest.approx(0.22, abs=0.005)
    assert rgb[0, 0].mean() == pytest.approx(0.88, abs=0.005)


@case("miniswhite")
def _(file: Path, _tmp: Path) -> None:
    rgb = rgb_of(file)
    assert (rgb[20, 25].mean(), rgb[0, 0].mean()) == (0, 1)


@case("rgb16-of-12-bits")
def _(file: Path, _tmp: Path) -> None:
    assert rgb_of(file).max() > 0.9
    assert read_plane(file, None, None).dtype == np.uint16


@case("thumbnail-then-picture")
def _(file: Path, _tmp: Path) -> None:
    assert rgb_of(file).shape[:2] == (64, 80)
    assert "the largest is read" in read_picture(file).notes[0]


@case("palette-colours")
def _(file: Path, _tmp: Path) -> None:
    np.testing.assert_allclose(rgb_of(file)[20, 25], (0.86, 0.24, 0.16), atol=0.005)


raises("sibling-missing", StorageError, r"sibling-missing_z1\.ome\.tif is not there",
       lambda file: read_plane(file, None, (1,)))  # fmt: skip
raises("stack-cut-off", StorageError, "ends within plane 4 of 5",
       lambda file: read_picture(file).array)  # fmt: skip
raises("width-two-billion", (StorageError, MemoryShortError), "damaged",
       lambda file: read_picture(file).array)  # fmt: skip
raises("tile-width-zero", StorageError, "damaged",
       lambda file: read_picture(file).array)  # fmt: skip
raises("two-scenes", ImageError, "holds 2 images .*--series 1",
       lambda file: read_picture(file))  # fmt: skip


# ------------------------------------------------------------------------------ COCO


@case("coco-exif-6")
def _(file: Path, _tmp: Path) -> None:
    truth = first(file)
    bright = truth.image.reshape(*truth.shape, -1).mean(-1) > 100
    assert truth.shape == (96, 128)
    assert 200 < ((truth.labels > 0) & bright).sum() < 280


@case("coco-category-no-name")
def _(file: Path, _tmp: Path) -> None:
    assert first(file).shape == (96, 128)


@case("coco-ids-mixed")
def _(file: Path, _tmp: Path) -> None:
    assert len(first(file).areas) == 2


raises("coco-of-twice-the-size", DataError, "256 x 192 pixels, but it is 128 x 96",
       first)  # fmt: skip
raises("coco-images-null", DataError, r"'images' of .*annotations\.json holds null",
       first)  # fmt: skip
raises("coco-polygon-of-letters", DataError, "Annotation 1: ", first)


# ------------------------------------------------------------------- labelled folders


def reads_one(file: Path, _tmp: Path) -> None:
    assert len(pairs_of(file)[0]) == 1
    assert len([item.read() for item in open_dataset(file).items]) == 1


for _name in ("labels-in-capitals", "five-channels", "apple-double-finetune",
              "apple-double-evaluate"):  # fmt: skip
    CHECKS[_name] = reads_one


def reads_five(file: Path, _tmp: Path) -> None:
    assert len(pairs_of(file)[0][0].read().objects) == 5
    assert len(open_dataset(file).items[0].read().areas) == 5


for _name in ("labels-float32-finetune", "labels-float32-evaluate",
              "labels-of-one-plane-stack"):  # fmt: skip
    CHECKS[_name] = reads_five

CHECKS["five-channels-finetune"] = CHECKS.pop("five-channels")


@case("one-picture-without-labels")
def _(file: Path, _tmp: Path) -> None:
    pairs, told = pairs_of(file)
    assert len(pairs) == 2 and any("b.tif" in line for line in told)
    data = open_dataset(file)
    assert len(data) == 2 and any("b.tif" in line for line in data.notes)


@case("one-empty-of-two")
def _(file: Path, _tmp: Path) -> None:
    pairs, told = pairs_of(file)
    assert len(pairs) == 1 and any("empty" in line for line in told)


raises("labels-jpeg", DataError, "JPEG, which changes numbers", pairs_of)
raises("split-of-null", DataError, r"'val' of .*split\.json holds null",
       lambda file: open_dataset(file, split="val"))  # fmt: skip


# ---------------------------------------------------------------------------- models


@case("header-without-shape")
def _(file: Path, _tmp: Path) -> None:
    from napari_gen2seg.models.weights import count_parameters

    with pytest.raises(WeightsError, match="no 'shape'"):
        count_parameters(file)


@case("bf16-variant")
def _(_file: Path, tmp: Path) -> None:
    model = tiny(tmp)
    for part in ("unet", "vae"):
        file = model / part / "diffusion_pytorch_model.safetensors"
        file.rename(file.with_name("diffusion_pytorch_model.bf16.safetensors"))
    loads(model)


@case("stale-index")
def _(_file: Path, tmp: Path) -> None:
    model = tiny(tmp)
    (model / "unet" / "diffusion_pytorch_model.safetensors.index.json").write_text(
        json.dumps({"weight_map": {"a": "old-00001-of-00002.safetensors"}})
    )
    loads(model)


@case("scheduler-nonsense")
def _(_file: Path, tmp: Path) -> None:
    from napari_gen2seg import load_model

    model = tiny(tmp)
    path = model / "scheduler" / "scheduler_config.json"
    good = json.loads(path.read_text())
    for wrong in (
        {"beta_schedule": "foo"},
        {"beta_end": "x"},
        {"num_train_timesteps": None},
    ):
        path.write_text(json.dumps({**good, **wrong}))
        with pytest.raises(WeightsError, match=r"scheduler_config\.json"):
            load_model(model, device="cpu")
    path.write_text(json.dumps(good))
    (model / "vae" / "config.json").write_text("{}")
    with pytest.raises(WeightsError, match=r"vae.config\.json has block_out_channels"):
        load_model(model, device="cpu")


def tiny(tmp: Path) -> Path:
    source = Path(__file__).parent / "data" / "tiny-gen2seg-sd"
    return Path(shutil.copytree(source, tmp / "model"))


def loads(model: Path) -> None:
    from napari_gen2seg import load_model

    image = np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)
    assert np.isfinite(load_model(model, device="cpu").color(image, 64).values).all()


@case("read-only-labels")
def _(_file: Path, _tmp: Path) -> None:
    from napari.components import ViewerModel
    from napari.layers import Labels

    from napari_gen2seg.core.probe.mask import Mask
    from napari_gen2seg.gui.annotate.commit import write
    from napari_gen2seg.gui.layers.view import View

    image = ViewerModel().add_image(np.zeros((40, 60), np.uint8))
    array, found = np.zeros((40, 60), np.int32), np.zeros((40, 60), bool)
    array.setflags(write=False)
    found[4:9, 4:9] = True
    mask = Mask.from_window(found, (0, 0), (40, 60), (40, 60))
    with pytest.raises(Gen2SegError, match="read-only"):
        write(Labels(array), View.of(image, (0, 1), (0, 0)), mask, 1)


# -------------------------------------------------------------------------- commands


def coins(tmp: Path) -> Path:
    from skimage import data

    tifffile.imwrite(tmp / "coins.tif", data.coins())
    return tmp / "coins.tif"


# A user who is in no password database, as in a container with a user id of its own.
NOBODY = """
import pwd, sys
def unknown(uid): raise KeyError(uid)
pwd.getpwuid = unknown
from napari_gen2seg.cli import main
main()
"""


@case("no-home")
def _(_file: Path, tmp: Path) -> None:
    pytest.importorskip("pwd")
    without = ("HOME", "NAPARI_GEN2SEG_HOME", "XDG_DATA_HOME")
    done = subprocess.run(
        [sys.executable, "-c", NOBODY, "segment", str(coins(tmp)), "--point", "54,44"],
        env={k: v for k, v in os.environ.items() if k not in without},
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp / "coins-labels.tif").is_file()


@case("name-of-251-letters")
def _(_file: Path, tmp: Path) -> None:
    image = tifffile.imread(coins(tmp))
    for letters, fits in ((251, False), (245, False), (240, True)):
        path = tmp / f"{'n' * letters}.tif"
        tifffile.imwrite(path, image)
        done = run("segment", str(path), "--point", "54,44")
        if fits:
            assert done.exit_code == 0, done.output
        else:
            assert done.exit_code == 1 and "too many" in done.output
            assert done.output.count("\n") == 1  # nothing before: no model was loaded


@case("stdout-full")
def _(_file: Path, tmp: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    path = coins(tmp)
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "napari_gen2seg", "segment", str(path), "--point",
             "54,44"],
            check=False, text=True, stderr=subprocess.PIPE, stdout=full,
        )  # fmt: skip
    assert (tmp / "coins-labels.tif").is_file()
    assert "Traceback" not in done.stderr and "No space left" in done.stderr


@case("map-on-full-disk")
def _(_file: Path, tmp: Path) -> None:
    from napari_gen2seg.common.atomic import not_written

    # What numpy says of a write that was cut short has no number of an error.
    error = OSError("152400 requested and 12148 written")
    assert "the disk is full" in str(not_written(tmp / "m.tif", error))
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return
    place = tmp / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        return  # a container may not mount
    try:
        from napari_gen2seg import Coloring

        coloring = Coloring.from_array(np.random.default_rng(0).random((200, 200, 3)))
        with pytest.raises(StorageError, match="the disk is full"):
            coloring.save(place / "m.tif")
    finally:
        subprocess.run(["umount", str(place)], check=False)


@case("constant-picture")
def _(_file: Path, tmp: Path) -> None:
    tifffile.imwrite(tmp / "a.tif", np.full((64, 64), 9, np.uint8))
    for args in (["segment", "--all"], ["color"]):
        done = run(*args, str(tmp / "a.tif"))
        assert done.exit_code == 0 and "nothing to color" in done.output
    labels = np.zeros((64, 64), np.uint8)
    labels[9:30, 9:30] = 1
    for folder in ("images", "labels"):
        (tmp / folder).mkdir()
    shutil.copy(tmp / "a.tif", tmp / "images")
    tifffile.imwrite(tmp / "labels" / "a.tif", labels)
    assert any("a single value" in line for line in pairs_of(tmp)[1])


# ------------------------------------------------------------------------------------


def all_cases() -> list[Any]:
    slow = {"no-home", "stdout-full"}
    return [
        pytest.param(
            entry, id=entry["id"], marks=pytest.mark.slow if entry["id"] in slow else ()
        )
        for entry in json.loads((CASES / "cases.json").read_text("utf-8"))
        if entry["id"] not in ELSEWHERE
    ]


@pytest.mark.parametrize("entry", all_cases())
def test_case(entry: dict[str, Any], tmp_path: Path) -> None:
    file = CASES / (entry["file"] or "")
    if file.is_dir() and entry["file"]:  # some programs write beside what they read
        file = Path(shutil.copytree(file, tmp_path / "data"))
    CHECKS[entry["id"]](file, tmp_path)


def test_every_case_is_tried() -> None:
    names = {e["id"] for e in json.loads((CASES / "cases.json").read_text("utf-8"))}
    assert names == {*CHECKS, *ELSEWHERE}
    assert issubclass(WeightsError, Gen2SegError)
