"""Weight files on disk: found, checked and counted before anything is loaded.

Only safetensors are accepted: a pickle can run code. The header of a safetensors
file tells every tensor's shape, so missing, cut-off and wrong files are named
here within milliseconds, without torch.
"""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_gen2seg.errors import WeightsError
from napari_gen2seg.models.model_config import read_json

if TYPE_CHECKING:
    from pathlib import Path

PICKLE_SUFFIXES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
_MAX_HEADER = 100_000_000


@dataclass(frozen=True)
class WeightFiles:
    """The safetensors files of one part of a model.

    Parameters
    ----------
    files
        Paths, one or several shards.
    variant
        ``"fp16"`` when only the half-precision variant is there, else None.
    parameters
        Number of values in all tensors.
    bytes
        Size on disk.
    """

    files: tuple[Path, ...]
    variant: str | None
    parameters: int
    bytes: int


def find_weights(folder: Path) -> WeightFiles:
    """Find and check the safetensors of one part (``unet``, ``vae``, a whole MAE).

    Raises
    ------
    WeightsError
        If there are none, only unsafe ones, or a file is missing or damaged.
    """
    every = sorted(folder.glob("*.safetensors")) if folder.is_dir() else []
    plain = [p for p in every if _variant(p) is None]
    half = [p for p in every if _variant(p) == "fp16"]
    shards = _index_shards(folder)
    for name in shards:
        if not (folder / name).is_file():
            raise WeightsError(
                f"The weight file {folder / name} is missing, though the index beside "
                "it names it. Download or copy the model again."
            )
    if shards:
        chosen, variant = [folder / name for name in shards], None
    elif plain:
        named = [p for p in plain if p.stem in ("model", "diffusion_pytorch_model")]
        chosen, variant = (named or plain)[:1], None
    elif half:
        chosen, variant = half[:1], "fp16"
    else:
        raise _nothing_safe(folder)
    parameters = sum(count_parameters(path) for path in chosen)
    size = sum(path.stat().st_size for path in chosen)
    return WeightFiles(tuple(chosen), variant, parameters, size)


def count_parameters(path: Path) -> int:
    """Count the values of a safetensors file from its header.

    Raises
    ------
    WeightsError
        If the file is cut off or no safetensors file.
    """
    total = 0
    for name, entry in read_header(path).items():
        if name != "__metadata__":
            total += math.prod(entry["shape"])
    return total


def read_header(path: Path) -> dict[str, dict[str, list[int]]]:
    """Read and check the header of a safetensors file.

    Raises
    ------
    WeightsError
        If the file is cut off or no safetensors file.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            start = stream.read(8)
            length = struct.unpack("<Q", start)[0] if len(start) == 8 else _MAX_HEADER
            if length >= min(_MAX_HEADER, size):
                raise _damaged(path, size, "its header is cut off or not safetensors")
            header = json.loads(stream.read(length))
        ends = [v["data_offsets"][1] for k, v in header.items() if k != "__metadata__"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsError(
            f"The weight file {path} cannot be read ({error}). "
            "Download or copy the model again."
        ) from error
    if 8 + length + max(ends, default=0) != size:
        expected = 8 + length + max(ends, default=0)
        raise _damaged(path, size, f"its header announces {expected} bytes")
    checked: dict[str, dict[str, list[int]]] = header
    return checked


def _variant(path: Path) -> str | None:
    """Return ``fp16`` for ``model.fp16.safetensors``, None for plain names."""
    parts = path.name.split(".")
    return parts[1] if len(parts) == 3 else None


def _index_shards(folder: Path) -> list[str]:
    """Return the shard names of an index file, when the folder has one."""
    for index in sorted(folder.glob("*.safetensors.index.json")):
        mapping = read_json(index).get("weight_map")
        if isinstance(mapping, dict):
            return sorted({str(name) for name in mapping.values()})
    return []


def _nothing_safe(folder: Path) -> WeightsError:
    """Word the error for a folder without safetensors."""
    unsafe = (
        [p.name for p in sorted(folder.iterdir()) if p.suffix in PICKLE_SUFFIXES]
        if folder.is_dir()
        else []
    )
    if unsafe:
        return WeightsError(
            f"The folder {folder} holds its weights as {', '.join(unsafe)}, a format "
            "that can run code when it is read. Only .safetensors files are loaded: "
            "ask for such a copy, or convert the file yourself if you trust it."
        )
    return WeightsError(
        f"The folder {folder} holds no weights: a .safetensors file is missing. "
        "Download or copy the model again."
    )


def _damaged(path: Path, size: int, why: str) -> WeightsError:
    """Word the error for a cut-off file."""
    return WeightsError(
        f"The weight file {path} is damaged: it has {size} bytes, but {why}. "
        "Download or copy the model again."
    )
