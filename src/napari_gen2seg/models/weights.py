"""Weight files on disk: found, checked and counted before anything is loaded.

Only safetensors are accepted: a pickle can run code. The header of a safetensors
file tells every tensor's shape, so missing, cut-off and wrong files are named
here within milliseconds, without torch.
"""

from __future__ import annotations

import json
import math
import struct
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_gen2seg.errors import WeightsError
from napari_gen2seg.models.json_file import read_json

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

PICKLE_SUFFIXES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
_MAX_HEADER = 100_000_000
# As transformers and diffusers call the weights of a whole part.
_USUAL_NAMES = ("model", "diffusion_pytorch_model")
_DTYPES = {"F16": "float16", "BF16": "bfloat16", "F32": "float32"}


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
    shards = _index_shards(folder)
    files, variant = (shards, None) if shards else _one_file(folder)
    return WeightFiles(
        tuple(files),
        variant,
        parameters=sum(count_parameters(path) for path in files),
        bytes=sum(path.stat().st_size for path in files),
    )


def one_variant(names: Iterable[str]) -> set[str]:
    """Choose the plain safetensors, or the fp16 ones where there are no others."""
    safe = [n for n in names if n.endswith(".safetensors")]
    plain = {n for n in safe if len(n.rsplit("/", 1)[-1].split(".")) == 2}
    half = {n for n in safe if n.endswith(".fp16.safetensors")}
    return plain or half


def stored_dtype(folder: Path) -> str:
    """Return the number type of most tensors in a part's files, as torch names it.

    Raises
    ------
    WeightsError
        As `find_weights`.
    """
    kinds = Counter(
        str(entry.get("dtype", "F32"))
        for path in find_weights(folder).files
        for name, entry in read_header(path).items()
        if name != "__metadata__"
    )
    most = kinds.most_common(1)
    return _DTYPES.get(most[0][0], "float32") if most else "float32"


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
    # Not by safetensors' safe_open: of a cut-off file it tells neither how many bytes
    # there are nor how many there must be.
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


def _one_file(folder: Path) -> tuple[list[Path], str | None]:
    """Return the only weight file of a folder without an index, and its variant."""
    every = sorted(folder.glob("*.safetensors")) if folder.is_dir() else []
    plain = [path for path in every if _variant(path) is None]
    if plain:
        named = [path for path in plain if path.stem in _USUAL_NAMES]
        return (named or plain)[:1], None
    half = [path for path in every if _variant(path) == "fp16"]
    if half:
        return half[:1], "fp16"
    raise _nothing_safe(folder)


def _variant(path: Path) -> str | None:
    """Return ``fp16`` for ``model.fp16.safetensors``, None for plain names."""
    parts = path.name.split(".")
    return parts[1] if len(parts) == 3 else None


def _index_shards(folder: Path) -> list[Path]:
    """Return the shards that an index file names, when the folder has one.

    Raises
    ------
    WeightsError
        If one of them is missing.
    """
    for index in sorted(folder.glob("*.safetensors.index.json")):
        mapping = read_json(index).get("weight_map")
        if isinstance(mapping, dict):
            shards = [folder / name for name in sorted(set(map(str, mapping.values())))]
            for path in shards:
                if not path.is_file():
                    raise WeightsError(
                        f"The weight file {path} is missing, though the index beside "
                        "it names it. Download or copy the model again."
                    )
            return shards
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
