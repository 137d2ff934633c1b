"""Cellpose: the masks of a ``_seg.npy``, without running any code that is in it.

Such a file is a pickled dictionary, and a pickle may hold any program. Here only numpy
arrays and plain values are made of it; everything else becomes an empty stand-in.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from napari_gen2seg.common.types import Int32Array
from napari_gen2seg.errors import DataError
from napari_gen2seg.io.annotated import as_labels

SEG_ENDING = "_seg.npy"


class _StandIn:
    """Takes the place of whatever is no array; does nothing with what it is given."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        pass


class _Arrays(pickle.Unpickler):
    """Reads arrays and plain values."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what makes arrays, and stand-ins for everything else."""
        if module.partition(".")[0] == "numpy":
            allowed = {
                "ndarray": np.ndarray,
                "dtype": np.dtype,
                "_reconstruct": _empty_array,
                "_frombuffer": _array_of,
                "scalar": _scalar,
            }
            return allowed.get(name, _StandIn)
        if (module, name) == ("_codecs", "encode"):
            return _latin_bytes
        return _StandIn


def read_seg(path: str | Path) -> Int32Array:
    """Read the masks of a ``_seg.npy``.

    Returns
    -------
    numpy.ndarray
        int32 (H, W) or (Z, H, W).

    Raises
    ------
    DataError
        If it is no such file.
    """
    source = Path(path)
    try:
        with source.open("rb") as file:
            version = np.lib.format.read_magic(file)
            read = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            shape, _, dtype = read(file)
            if dtype != np.dtype(object) or shape != ():
                raise DataError(
                    f"{source} is an ordinary array, not a {SEG_ENDING} of Cellpose; "
                    "import it as labels."
                )
            content: Any = _Arrays(file).load()
        while isinstance(content, np.ndarray | list) and np.size(content) == 1:
            content = content.item() if isinstance(content, np.ndarray) else content[0]
        masks = np.asarray(content["masks"])
        if masks.ndim not in (2, 3) or masks.dtype.kind not in "bui":
            raise DataError(
                f"{source} has masks of the shape {masks.shape} and type "
                f"{masks.dtype}; they must be two or three axes of whole numbers."
            )
    except DataError:
        raise
    except Exception as error:  # what is damaged may raise anything
        raise DataError(
            f"{source} could not be read as a {SEG_ENDING} of Cellpose ({error!r}). "
            "Save its masks as TIFF or PNG in Cellpose, and import these."
        ) from error
    return as_labels(masks)


def _empty_array(kind: Any, shape: Any, dtype: Any) -> Any:
    """Make the array that its contents are put into next."""
    del kind
    return np.ndarray.__new__(np.ndarray, shape, np.dtype(dtype))


def _array_of(content: Any, dtype: Any, shape: Any, order: str) -> Any:
    """Make an array of bytes, as newer pickles ask for."""
    kind = np.dtype(dtype)
    if kind.hasobject:
        return _StandIn()
    array = np.frombuffer(content, kind)
    return array.reshape(shape, order="F" if order == "F" else "C")


def _scalar(dtype: np.dtype[Any], content: Any = None) -> Any:
    if dtype.hasobject or not isinstance(content, bytes):
        return _StandIn()
    return np.frombuffer(content, dtype, 1)[0]


def _latin_bytes(text: str, encoding: str = "latin1") -> bytes:
    """Do what old pickles of bytes ask for."""
    del encoding
    return text.encode("latin1")
