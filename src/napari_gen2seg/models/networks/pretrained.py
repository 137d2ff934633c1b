"""Load one diffusers or transformers module, with every tensor accounted for."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from napari_gen2seg.errors import WeightsError, WrongFamilyError
from napari_gen2seg.models.json_file import read_json

if TYPE_CHECKING:
    from torch import nn

    from napari_gen2seg.models.weights import WeightFiles

# Since these versions the keyword is ``dtype``; before, ``torch_dtype``.
_RENAMED = {"diffusers": (0, 42), "transformers": (4, 56)}


def load_part(
    kind: Any, folder: Path, files: WeightFiles, dtype: str = "float32"
) -> nn.Module:
    """Load one part, with every tensor accounted for.

    Parameters
    ----------
    kind
        The diffusers or transformers class.
    folder
        Its folder, with ``config.json`` and safetensors.
    files
        The safetensors, as `weights.find_weights` found them.
    dtype
        Number type of the weights.

    Raises
    ------
    WrongFamilyError
        If ``config.json`` names another diffusers class.
    WeightsError
        If weights are missing, damaged, unsafe, or not those of the configuration.
    """
    named = read_json(folder / "config.json").get("_class_name")
    if named is not None and named != kind.__name__:
        raise WrongFamilyError(
            f"{folder / 'config.json'} describes a {named}; this plugin runs "
            f"{kind.__name__} here. Use a gen2seg model."
        )
    package = kind.__module__.split(".")[0]
    keywords: dict[str, Any] = {
        dtype_keyword(package): getattr(torch, dtype),
        "use_safetensors": True,
        "local_files_only": True,
        "output_loading_info": True,
        "variant": files.variant,
    }
    if package == "diffusers":
        keywords["low_cpu_mem_usage"] = find_spec("accelerate") is not None
    try:
        with _alone(folder, files) as place:
            model, info = kind.from_pretrained(place, **keywords)
    except Exception as error:  # a damaged config or file makes them raise anything
        if isinstance(error, MemoryError) or "allocate" in str(error):
            raise
        raise WeightsError(
            f"The weights in {folder} cannot be loaded: {_short(error)}. "
            "Download or copy the model again."
        ) from error
    missing = sorted(info.get("missing_keys", ()))
    if missing or info.get("mismatched_keys"):
        raise WeightsError(
            f"The weights in {folder} do not fit its config.json: "
            f"{len(missing)} tensors are missing ({', '.join(missing[:3])}) and "
            f"{len(info.get('mismatched_keys', ()))} have another shape. "
            "Download or copy the model again."
        )
    loaded: nn.Module = model
    return loaded


@contextmanager
def _alone(folder: Path, files: WeightFiles) -> Iterator[Path]:
    """Show a folder without its index, where that names files that are not there."""
    if not files.alone:
        yield folder
        return
    with tempfile.TemporaryDirectory() as name:
        for path in (folder / "config.json", *files.files):
            try:
                (Path(name) / path.name).symlink_to(path.resolve())
            except OSError:  # not every system lets everybody
                shutil.copyfile(path, Path(name) / path.name)
        yield Path(name)


def dtype_keyword(package: str) -> str:
    """Return how ``from_pretrained`` of a package calls the number type."""
    try:
        parts = version(package).split(".")[:2]
        found = tuple(int(part) for part in parts)
    except (PackageNotFoundError, ValueError):
        return "dtype"
    return "dtype" if found >= _RENAMED.get(package, (0, 0)) else "torch_dtype"


def _short(error: BaseException) -> str:
    """Return the first line of an error, at most 300 characters."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:300].rstrip(".")
