"""A model as a bioimage.io package: one zip that other programs can run.

The weights are a TorchScript trace of the whole way from RGB to map: autoencoder,
UNet, stretch and refinement. A trace is made for one size: the package takes square
pictures of exactly the size it was made at, one at a time, and knows nothing of the
resolution rule; cut or resize pictures before. Format: bioimage.io model description
0.5, as ``bioimageio.core`` reads it.
"""

from __future__ import annotations

import json
import math
import tempfile
import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from napari_gen2seg.common.atomic import replacing
from napari_gen2seg.errors import (
    MemoryShortError,
    SettingsError,
    StorageError,
    WeightsError,
)
from napari_gen2seg.models.library.import_export import check_model

if TYPE_CHECKING:
    from torch import nn

    from napari_gen2seg.models.model_config import ModelConfig
    from napari_gen2seg.models.model_folder import ModelFolder

FORMAT = "0.5.4"
_PAPER = {
    "text": "Khangaonkar and Pirsiavash, gen2seg: Generative Models Enable "
    "Generalizable Instance Segmentation, ICLR 2026",
    "url": "https://arxiv.org/abs/2505.15263",
}


def export_bioimageio(
    folder: Path,
    target: Path,
    *,
    authors: Sequence[str],
    licence: str | None = None,
    size: int = 256,
    test_image: np.ndarray[Any, Any] | None = None,
) -> Path:
    """Write a bioimage.io package of a model.

    Parameters
    ----------
    folder
        The model.
    target
        The zip to write.
    authors
        Names; at least one.
    licence
        SPDX id of the weights' licence; that of the model if None.
    size
        Side in pixels of the pictures it will take: a multiple of the model's own
        (32 always is one, for mini and Stable Diffusion); fixed for a masked
        autoencoder.
    test_image
        (H, W) or (H, W, 3), as `core.rgb.to_rgb` takes it, shown as the example; a
        drawn pattern if None.

    Raises
    ------
    SettingsError
        If the size does not suit the model, author or licence is missing, or the
        model's family cannot be exported.
    WeightsError, WrongFamilyError
        If the folder is no whole model.
    MemoryShortError, StorageError
        If it does not fit into memory, or on the disk.
    """
    model = check_model(folder)
    config = model.config
    if model.family.load_map_net is None:
        raise SettingsError(
            f"{folder.name!r} is a model of the family {config.family!r} "
            f"({model.family.title}), which cannot be written for bioimage.io. Export "
            "it as a folder or a zip for napari-gen2seg."
        )
    licence = licence or config.licence
    if not [name for name in authors if name.strip()]:
        raise SettingsError("A bioimage.io package needs the name of an author.")
    if licence in ("", "unknown") or " " in licence:
        raise SettingsError(
            f"The license of the weights is {licence!r}; a bioimage.io package needs "
            "an id of spdx.org, such as BSD-3-Clause or CC-BY-4.0. Name it if you may."
        )
    side = _side(model, size)
    picture = _example(test_image, side)
    with tempfile.TemporaryDirectory(prefix="napari-gen2seg-") as place:
        draft = Path(place)
        try:
            shown = _trace(
                model.family.load_map_net(model), picture, draft / "weights.pt"
            )
        except MemoryError as error:
            raise MemoryShortError(
                f"The model {folder.name!r} does not fit into memory at {side} pixels; "
                "choose a smaller size."
            ) from error
        np.save(draft / "test-input.npy", picture)
        np.save(draft / "test-output.npy", shown)
        _cover(draft / "cover.png", picture, shown)
        card = folder / "README.md"
        text = (
            card.read_text(encoding="utf-8") if card.is_file() else f"# {config.id}\n"
        )
        (draft / "README.md").write_text(text + _LIMITS.format(side=side), "utf-8")
        config_file = folder / "gen2seg.json"
        if config_file.is_file():
            (draft / "gen2seg.json").write_bytes(config_file.read_bytes())
        about = _description(folder, config, authors, licence, side)
        (draft / "rdf.yaml").write_text(_yaml(about), encoding="utf-8")
        return _zip(draft, target)


_LIMITS = """
## This package

The weights are a TorchScript trace for RGB pictures of exactly {side} x {side} pixels,
one at a time, values 0 to 1. The output is a coloring map, 0 to 255: each object in a
color of its own, and not labels. napari-gen2seg turns it into masks.
"""


def size_multiple(config: ModelConfig) -> int:
    """Return what the side in pixels of a package's images is a multiple of."""
    return math.lcm(32, config.multiple)


def _side(model: ModelFolder, size: int) -> int:
    fixed = model.family.fixed_input_size(model.config)
    if fixed is not None:
        return fixed
    multiple = size_multiple(model.config)
    if size < 64 or size % multiple:
        raise SettingsError(
            f"The size is {size}; it must be a multiple of {multiple}, 64 or more."
        )
    return size


def _example(image: np.ndarray[Any, Any] | None, side: int) -> np.ndarray[Any, Any]:
    """Return the test input, float32 (1, 3, side, side) in 0..1."""
    from skimage.transform import resize

    from napari_gen2seg.core.image.rgb import to_rgb

    if image is None:
        rows, cols = np.mgrid[:side, :side] / 32.0
        dots = np.clip(1.2 * np.cos(np.pi * rows) * np.cos(np.pi * cols), 0, 1)
        image = (dots * 200 + 20).astype(np.uint8)
    rgb = resize(to_rgb(image), (side, side, 3), anti_aliasing=True)
    return np.ascontiguousarray(rgb.transpose(2, 0, 1)[None], np.float32).clip(0, 1)


def _trace(
    net: nn.Module, picture: np.ndarray[Any, Any], target: Path
) -> np.ndarray[Any, Any]:
    """Write the traced network; return what it makes of the image."""
    import torch

    net.eval()
    example = torch.from_numpy(picture)
    with torch.no_grad(), warnings.catch_warnings():
        # Sizes become constants, which is what the card says.
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(net, example, check_trace=False)
        torch.jit.save(traced, target)
        again = torch.jit.load(target)
        shown: np.ndarray[Any, Any] = again(example).numpy()
    return shown


def _cover(
    path: Path, picture: np.ndarray[Any, Any], shown: np.ndarray[Any, Any]
) -> None:
    from skimage.io import imsave

    both = np.concatenate([picture[0] * 255, shown[0]], axis=2).transpose(1, 2, 0)
    imsave(path, both.round().astype(np.uint8), check_contrast=False)


def _description(
    folder: Path, config: ModelConfig, authors: Sequence[str], licence: str, side: int
) -> dict[str, Any]:
    import torch

    def axes(channels: list[str]) -> list[dict[str, Any]]:
        return [
            {"type": "batch", "size": 1},
            {"type": "channel", "channel_names": channels},
            {"type": "space", "id": "y", "size": side},
            {"type": "space", "id": "x", "size": side},
        ]

    name = config.title or config.id or folder.name
    return {
        "type": "model",
        "format_version": FORMAT,
        "name": f"gen2seg colorer {_plain(name)}",
        "description": config.description
        or "Paints every object of a picture in a color of its own.",
        "authors": [{"name": author} for author in authors if author.strip()],
        "cite": [_PAPER],
        "license": licence,
        "documentation": "README.md",
        "covers": ["cover.png"],
        "tags": ["instance-segmentation", "napari", "pytorch", "2d"],
        "attachments": (
            [{"source": "gen2seg.json"}] if (folder / "gen2seg.json").is_file() else []
        ),
        "inputs": [
            {
                "id": "picture",
                "description": "RGB, 0 to 1, contrast stretched",
                "axes": axes(["red", "green", "blue"]),
                "test_tensor": {"source": "test-input.npy"},
                "data": {"type": "float32", "range": [0.0, 1.0]},
            }
        ],
        "outputs": [
            {
                "id": "map",
                "description": "Coloring map, 0 to 255: a color an object",
                "axes": axes(["map_red", "map_green", "map_blue"]),
                "test_tensor": {"source": "test-output.npy"},
                "data": {"type": "float32", "range": [0.0, 255.0]},
            }
        ],
        "weights": {
            "torchscript": {
                "source": "weights.pt",
                "pytorch_version": torch.__version__.split("+")[0],
            }
        },
    }


def _plain(name: str) -> str:
    """Keep what a bioimage.io name may hold."""
    kept = "".join(c if c.isalnum() or c in "_+- ()" else " " for c in name)
    return " ".join(kept.split())[:80] or "model"


def _yaml(content: dict[str, Any]) -> str:
    import yaml

    return cast("str", yaml.safe_dump(json.loads(json.dumps(content)), sort_keys=False))


def _zip(draft: Path, target: Path) -> Path:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with (
            replacing(target) as part,
            zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            for path in sorted(draft.iterdir()):
                archive.write(path, path.name)
    except OSError as error:
        raise StorageError(
            f"The package could not be written to {target} ({error}). Free some space, "
            "or choose another folder."
        ) from error
    return target


def check_package(path: Path) -> str | None:
    """Run a bioimage.io package on its own test input.

    Parameters
    ----------
    path
        The zip.

    Returns
    -------
    str or None
        What has checked it, with its version; None where it is not installed.

    Raises
    ------
    WeightsError
        If it was run and does not do what it says, with the reasons.
    """
    try:
        from bioimageio import core
    except ImportError:
        return None
    summary = core.test_model(str(path))
    if summary.status != "passed":
        reasons = "; ".join(error.msg for error in summary.errors[:3])
        raise WeightsError(
            f"{path} was written, but bioimageio.core does not accept it "
            f"({reasons or summary.status}). Try another size."
        )
    return f"bioimageio.core {core.__version__}"
