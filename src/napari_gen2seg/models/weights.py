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
from typing import TYPE_CHECKING, Any

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
        ``"fp16"``, ``"bf16"`` and the like when only such a variant is there, else
        None.
    alone
        Whether an index beside the file names other files, which are not there: then
        the file must be loaded as if it lay alone.
    parameters
        Number of values in all tensors.
    bytes
        Size on disk.
    """

    files: tuple[Path, ...]
    variant: str | None
    parameters: int
    bytes: int
    alone: bool = False


def find_weights(folder: Path) -> WeightFiles:
    """Find and check the safetensors of one part (``unet``, ``vae``, a whole MAE).

    Raises
    ------
    WeightsError
        If there are none, only unsafe ones, or a file is missing or damaged.
    """
    shards = _index_shards(folder)
    whole = [folder / f"{name}.safetensors" for name in _USUAL_NAMES]
    # An index that an earlier copy left behind must not hide the file that is there.
    stale = not all(path.is_file() for path in shards) and any(
        path.is_file() for path in whole
    )
    if shards and not stale:
        _check_there(shards)
        files, variant = shards, None
    else:
        files, variant = _one_file(folder)
    return WeightFiles(
        tuple(files),
        variant,
        parameters=sum(count_parameters(path) for path in files),
        bytes=sum(path.stat().st_size for path in files),
        alone=stale,
    )


def one_variant(names: Iterable[str]) -> set[str]:
    """Choose the plain safetensors, or those of one variant if there are no others."""
    found: dict[str | None, set[str]] = {}
    for name in names:
        if name.endswith(".safetensors"):
            parts = name.rsplit("/", 1)[-1].split(".")
            variant = parts[1].split("-")[0] if len(parts) == 3 else None
            found.setdefault(variant, set()).add(name)
    return found[_preferred(found)] if found else set()


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


def _check_entry(name: str, entry: Any) -> None:
    """Refuse a tensor whose description is not complete."""
    shape, offsets = entry["shape"], entry["data_offsets"]
    numbers = [*shape, *offsets]
    if (
        not isinstance(entry["dtype"], str)
        or len(offsets) != 2
        or not all(type(number) is int and number >= 0 for number in numbers)
    ):
        raise ValueError(f"the tensor {name!r} is described as {entry!r}"[:200])


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
        tensors = {k: v for k, v in header.items() if k != "__metadata__"}
        for name, entry in tensors.items():
            _check_entry(name, entry)
        ends = [entry["data_offsets"][1] for entry in tensors.values()]
    except KeyError as error:
        raise WeightsError(
            f"The weight file {path} cannot be read: a tensor has no {error}. "
            "Download or copy the model again."
        ) from error
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
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
    if not every:
        raise _nothing_safe(folder)
    chosen = _preferred({_variant(path) for path in every})
    return [path for path in every if _variant(path) == chosen][:1], chosen


def _variant(path: Path) -> str | None:
    """Return ``fp16`` for ``model.fp16.safetensors``, None for plain names."""
    parts = path.name.split(".")
    return parts[1] if len(parts) == 3 else None


def _preferred(variants: Iterable[str | None]) -> str | None:
    """Choose among variants: the plain one, or half precision, or what there is."""
    order = {None: "", "fp16": "1", "bf16": "2"}
    return min(variants, key=lambda name: order.get(name, f"3{name}"))


def _index_shards(folder: Path) -> list[Path]:
    """Return the shards that an index file names, when the folder has one."""
    for index in sorted(folder.glob("*.safetensors.index.json")):
        mapping = read_json(index).get("weight_map")
        if isinstance(mapping, dict):
            return [folder / name for name in sorted(set(map(str, mapping.values())))]
    return []


def _check_there(shards: list[Path]) -> None:
    """Refuse an index of which files are missing."""
    for path in shards:
        if not path.is_file():
            raise WeightsError(
                f"The weight file {path} is missing, though the index beside it names "
                "it. Download or copy the model again."
            )


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
