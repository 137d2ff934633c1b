"""Every other format, by whatever reader is installed: napari's plugins, or bioio."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from napari_gen2seg.errors import ImageError, StorageError
from napari_gen2seg.io.formats.guard import decoding

#: What reads a format, by its ending: a reader of `bioio`.
READERS = {
    ".czi": "bioio-czi",
    ".nd2": "bioio-nd2",
    ".lif": "bioio-lif",
    ".dv": "bioio-dv",
    ".sld": "bioio-sldy",
    ".sldy": "bioio-sldy",
    ".ims": "bioio-bioformats",
    ".oib": "bioio-bioformats",
    ".vsi": "bioio-bioformats",
    ".mrxs": "bioio-bioformats",
    ".nrrd": "napari-itk-io",
    ".nhdr": "napari-itk-io",
    ".mha": "napari-itk-io",
    ".mhd": "napari-itk-io",
    ".nii": "napari-itk-io",
    ".dcm": "napari-itk-io",
    ".dicom": "napari-itk-io",
}

_BUILTIN = "napari"

Found = tuple[str, Any, str, bool | None]
"""Name, array-like, axes, and whether its channels are one color image."""


def plugin_images(source: Path) -> list[Found]:
    """Open a file that is not read here by what is installed.

    Returns
    -------
    list
        Its images; of some formats there are several.

    Raises
    ------
    ImageError
        If nothing that is installed reads it; the message names what would.
    StorageError
        If a reader takes it and fails.
    """
    tried: list[str] = []
    for reader in (_by_napari, _by_bioio):
        try:
            found = reader(source)
        except (StorageError, ImageError) as error:
            tried.append(str(error))
            continue
        if found:
            return found
    if tried:
        raise StorageError(f"{source.name} was tried, and not read. {tried[0]}")
    ending = source.suffix.lower()
    package = READERS.get(ending)
    install = (
        f"pip install {'bioio ' if package.startswith('bioio') else ''}{package}"
        if package
        else "a plugin of napari, or of bioio, for this format"
    )
    raise ImageError(
        f"{source.name} ends in {ending or 'nothing'}, which is not read here without "
        f"help. Read are TIFF, PNG, JPEG, GIF, BMP, WebP, OME-Zarr and .npy, and what "
        f"your plugins read. Install {install}, or save it as TIFF."
    )


def _by_napari(source: Path) -> list[Found]:
    """Ask the reader plugins of napari, whether or not a napari is open."""
    try:
        from npe2 import PluginManager, io_utils
    except ImportError:
        return []
    manager = PluginManager.instance()
    with decoding(source):
        manager.discover()
        readers = manager.iter_compatible_readers([str(source)])
        names = dict.fromkeys(reader.plugin_name for reader in readers)
    # napari's own reader takes whatever imageio may know, but seldom reads it.
    names.pop(_BUILTIN, None)
    for name in names:
        with decoding(source):
            try:
                layers = io_utils.read([str(source)], stack=False, plugin_name=name)
            except ValueError as error:
                if "refused the file" in str(error) or "no data" in str(error):
                    continue
                raise
        return [found for layer in layers for found in _of_layer(layer)]
    return []


def _of_layer(layer: Any) -> list[Found]:
    """Turn what a reader of napari returns into an image; nothing of other layers."""
    data, meta, kind = (*layer, {}, "image")[:3] if len(layer) < 3 else layer[:3]
    if data is None or (kind or "image").lower() not in ("image", "labels"):
        return []
    meta = meta or {}
    many = meta.get("multiscale") or isinstance(data, (list, tuple))
    array = data[0] if many else data
    ndim = len(array.shape)
    channel = meta.get("channel_axis")
    rgb = bool(meta.get("rgb")) or (
        meta.get("rgb") is None and channel is None and ndim > 2
        and array.shape[-1] in (3, 4) and min(array.shape[-3:-1]) > 30
    )  # fmt: skip
    letters = ["Y", "X", "C"] if rgb else ["Y", "X"]
    others = iter("ZTVUWPLM")
    lead = ndim - len(letters) - (0 if channel is None else 1)
    axes = [next(others) for _ in range(max(0, lead))][::-1] + letters
    if channel is not None:
        axes.insert(int(channel) % ndim, "C")
    if not rgb and channel is None:
        return [(str(meta.get("name", "")), array, "".join(axes), None)]
    return [(str(meta.get("name", "")), array, "".join(axes), rgb)]


def _by_bioio(source: Path) -> list[Found]:
    """Ask bioio, if it is installed."""
    try:
        from bioio import BioImage
    except ImportError:
        return []
    with decoding(source):
        image = BioImage(source)
        found: list[Found] = []
        for scene in image.scenes:
            image.set_scene(scene)
            axes = str(image.dims.order)
            color = "S" in axes
            if color:
                axes = axes.replace("C", "Q").replace("S", "C")
            found.append((str(scene), image.dask_data, axes, color))
        return found


def shape_of(array: Any, axes: str) -> tuple[int, int]:
    """Return (H, W) of an array with these axes; (0, 0) where it has no rows."""
    if "Y" not in axes or "X" not in axes:
        return 0, 0
    sizes = np.shape(array) if isinstance(array, np.ndarray) else array.shape
    return int(sizes[axes.index("Y")]), int(sizes[axes.index("X")])
