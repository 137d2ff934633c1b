"""Files cut off and with flipped bits: read, or refused by an error that names them."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from PIL import Image
from tests.fuzz.outcome import SEED, TIMES, attempt

from napari_gen2seg import Coloring
from napari_gen2seg.core.image.rgb import to_rgb
from napari_gen2seg.errors import Gen2SegError
from napari_gen2seg.io.datasets.catalog import open_dataset
from napari_gen2seg.io.formats.images import read_picture
from napari_gen2seg.io.formats.labels import read_labels
from napari_gen2seg.models.weights import find_weights, read_header

DATA = Path(__file__).parents[1] / "data"
RNG = np.random.default_rng(7)
GRAY = RNG.integers(0, 255, (40, 48), np.uint8)
RGB = RNG.integers(0, 255, (40, 48, 3), np.uint8)
PALETTE = RNG.integers(0, 65535, (3, 256), np.uint16)
STACK = RNG.integers(0, 999, (3, 2, 40, 48)).astype(np.uint16)

TIFFS: dict[str, tuple[np.ndarray, dict[str, Any]]] = {
    "plain": (GRAY, {}),
    "rgb": (RGB, {"photometric": "rgb", "compression": "zlib"}),
    "planar": (
        np.moveaxis(RGB, -1, 0),
        {"photometric": "rgb", "planarconfig": "separate"},
    ),
    "tiled": (GRAY, {"tile": (16, 16), "compression": "lzw"}),
    "zstd": (STACK[0], {"compression": "zstd", "photometric": "minisblack"}),
    "jpeg": (RGB, {"photometric": "rgb", "compression": "jpeg"}),
    "big": (GRAY.astype(np.float32), {"bigtiff": True, "byteorder": ">"}),
    "imagej": (STACK, {"imagej": True, "metadata": {"axes": "ZCYX"}}),
    "ome": (STACK, {"ome": True, "metadata": {"axes": "ZCYX"}}),
    "palette": (
        GRAY,
        {
            "photometric": "palette",
            "colormap": RNG.integers(0, 65535, (3, 256), np.uint16),
        },
    ),
}


def damaged(whole: bytes, rng: np.random.Generator) -> bytes:
    """Cut, flip, blank or repeat a part; most often near an end, where headers are."""
    data = bytearray(whole)
    kind = rng.integers(5)
    near = int(rng.choice([64, 512, len(data)]))
    places = rng.integers(0, min(near, len(data)), rng.integers(1, 9))
    if rng.random() < 0.3:
        places = len(data) - 1 - places
    if kind == 0:
        return bytes(data[: int(rng.integers(0, len(data)))])
    if kind in (1, 2):
        for place in places:
            data[place] ^= 1 << int(rng.integers(8))
    elif kind == 3:
        for place in places:
            data[place] = int(rng.choice([0, 255, 127]))
    else:
        start = int(places[0])
        data[start : start + 8] = rng.bytes(8)
    return bytes(data)


def look(path: Path) -> None:
    picture = read_picture(path)
    index = tuple(0 for letter in picture.axes if letter not in "YXC")
    to_rgb(picture.plane(index))


def try_all(
    whole: Path, readers: dict[str, Callable[[Path], Any]], count: int, tmp: Path
) -> Counter[str]:
    """Damage a file ``count`` times and let each reader try it."""
    rng = np.random.default_rng([SEED, len(whole.name), *whole.name.encode()[:8]])
    place = tmp / f"damaged{whole.suffix}"
    found: Counter[str] = Counter()
    wrong = []
    for number in range(count * TIMES):
        place.write_bytes(damaged(whole.read_bytes(), rng))
        for name, reader in readers.items():
            try:
                found[attempt(f"{whole.name} {number} {name}", reader, place)] += 1
            except AssertionError as error:
                wrong.append(str(error))
    assert not wrong, f"{len(wrong)} of {count}:\n" + "\n".join(wrong[:5])
    assert set(found) - {"worked"}  # some are refused
    return found


@pytest.mark.parametrize("kind", TIFFS)
def test_tiff(kind: str, tmp_path: Path) -> None:
    array, options = TIFFS[kind]
    path = tmp_path / f"{kind}.tif"
    tifffile.imwrite(path, array, **{"photometric": "minisblack", **options})
    try_all(path, {"image": look, "labels": read_labels}, 25, tmp_path)


@pytest.mark.parametrize("kind", ["png", "deep.png", "p.png", "jpg", "gif", "npy"])
def test_rasters(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{kind}"
    if kind == "npy":
        np.save(path, STACK)
    elif kind == "deep.png":
        import imagecodecs

        path.write_bytes(imagecodecs.png_encode(RGB.astype(np.uint16) * 200))
    elif kind == "p.png":
        Image.fromarray(GRAY).convert("P").save(path)
    elif kind == "gif":
        frames = [Image.fromarray(np.roll(GRAY, n, 0)) for n in range(3)]
        frames[0].save(path, save_all=True, append_images=frames[1:])
    else:
        Image.fromarray(RGB).save(path)
    try_all(path, {"image": look, "labels": read_labels}, 25, tmp_path)


def test_coloring_maps(tmp_path: Path) -> None:
    path = tmp_path / "map.tif"
    Coloring.from_array(RGB).save(path)
    try_all(path, {"map": Coloring.load}, 60, tmp_path)


def test_safetensors(tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    path = tmp_path / "model.safetensors"
    save_file({"a": GRAY, "b": STACK.astype(np.float32)}, path)
    assert load_file(path)

    def weights(file: Path) -> None:
        (tmp_path / "part").mkdir(exist_ok=True)
        shutil.copy(file, tmp_path / "part" / "model.safetensors")
        find_weights(tmp_path / "part")

    try_all(path, {"header": read_header, "part": weights}, 60, tmp_path)


def test_model_parts(tmp_path: Path) -> None:
    """A model whose weights or configs are damaged."""
    from napari_gen2seg import load_model

    rng = np.random.default_rng([SEED, 3])
    source = DATA / "tiny-gen2seg-mae"
    files = sorted(p.name for p in source.iterdir() if p.is_file())
    found: Counter[str] = Counter()
    for number in range(12 * TIMES):
        folder = tmp_path / str(number)
        shutil.copytree(source, folder)
        name = files[number % len(files)]
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(damaged(whole, rng))
        what = f"{name} {number}"
        found[attempt(what, partial(load_model, folder, device="cpu"))] += 1
        shutil.rmtree(folder)
    assert found["WeightsError"]


def test_zipped_models(tmp_path: Path) -> None:
    from napari_gen2seg.models.library.import_export import unpacked

    source = DATA / "tiny-gen2seg-mae"
    path = tmp_path / "model.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in source.iterdir():
            if file.suffix != ".safetensors":
                archive.write(file, file.name)
            else:
                archive.writestr(file.name, file.read_bytes()[:4000])

    def unpack(file: Path) -> None:
        with unpacked(file):
            pass

    try_all(path, {"zip": unpack}, 40, tmp_path)


# --------------------------------------------------------------- JSON of any content

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
ANY_JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
GOOD: dict[str, Any] = {
    "images": [{"id": 1, "file_name": "a.png", "width": 48, "height": 40}],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 1, "iscrowd": 0,
         "segmentation": [[2, 2, 30, 2, 30, 30]]},
        {"id": 2, "image_id": 1, "category_id": 1,
         "segmentation": {"size": [40, 48], "counts": [100, 20, 1800]}},
    ],
    "categories": [{"id": 1, "name": "cell"}],
}  # fmt: skip

MANY = settings(
    max_examples=150 * TIMES,
    deadline=None,
    derandomize=SEED == 0,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@st.composite
def almost_coco(draw: st.DrawFn) -> Any:
    """A COCO file of which one value is something else, or is not there."""
    content = json.loads(json.dumps(GOOD))
    node: Any = content
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key = draw(st.sampled_from(keys))
        if isinstance(node[key], (dict, list)) and node[key] and draw(st.booleans()):
            node = node[key]
            continue
        if draw(st.integers(0, 4)) == 0:
            del node[key]
        else:
            node[key] = draw(ANY_JSON)
        return content


@seed(SEED)
@MANY
@given(content=almost_coco() | ANY_JSON)
def test_coco(content: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.getbasetemp() / "coco"
    folder.mkdir(exist_ok=True)
    if not (folder / "a.png").exists():
        Image.fromarray(GRAY).save(folder / "a.png")
    path = folder / "annotations.json"
    path.write_text(json.dumps(content), "utf-8")
    attempt(f"coco {content!r}"[:400], lambda: [
        item.read() for item in open_dataset(path).items
    ])  # fmt: skip


@seed(SEED)
@MANY
@given(
    content=ANY_JSON
    | st.fixed_dictionaries({"val": ANY_JSON})
    | st.fixed_dictionaries({"val": st.lists(SCALARS, max_size=3)})
)
def test_split(content: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.getbasetemp() / "split"
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True, exist_ok=True)
        if not (folder / name / "a.png").exists():
            Image.fromarray(GRAY).save(folder / name / "a.png")
    (folder / "split.json").write_text(json.dumps(content), "utf-8")
    attempt(f"split {content!r}"[:400], lambda: open_dataset(folder))
    attempt(f"split {content!r}"[:400], lambda: open_dataset(folder, split="val"))


@seed(SEED)
@MANY
@given(content=ANY_JSON, name=st.sampled_from(["gen2seg.json", "config.json"]))
def test_model_configs(
    content: Any, name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from napari_gen2seg.models.model_folder import read_model_folder

    folder = tmp_path_factory.getbasetemp() / "model"
    source = DATA / "tiny-gen2seg-mae"
    if not folder.exists():
        shutil.copytree(source, folder)
    for file in ("gen2seg.json", "config.json"):
        if (source / file).is_file():
            shutil.copy(source / file, folder)
        else:
            (folder / file).unlink(missing_ok=True)
    good = {}
    if (folder / name).is_file():
        good = json.loads((folder / name).read_text())
    if isinstance(content, dict) and good:
        key = sorted(good)[len(str(content)) % len(good)]
        content = {**good, key: next(iter(content.values()), None)}
    (folder / name).write_text(json.dumps(content), "utf-8")
    attempt(f"{name} {content!r}"[:400], lambda: read_model_folder(folder))


@seed(SEED)
@MANY
@given(content=ANY_JSON | st.fixed_dictionaries({"run": SCALARS, "pairs": ANY_JSON}))
def test_settings_of_training(
    content: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from napari_gen2seg.train.finetune.config import read_finetune_config

    path = tmp_path_factory.getbasetemp() / "run.json"
    path.write_text(json.dumps(content), "utf-8")
    attempt(f"settings {content!r}"[:400], lambda: read_finetune_config(path))


def test_random_bytes_are_no_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(SEED)
    for ending in (".tif", ".png", ".jpg", ".npy", ".gif", ".webp", ".czi", ".zip"):
        path = tmp_path / f"a{ending}"
        for size in (0, 1, 7, 300):
            path.write_bytes(rng.bytes(size))
            with pytest.raises(Gen2SegError):
                read_picture(path)
