"""OME-Zarr images with labels, plane by plane."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from napari_gen2seg.errors import DataError
from napari_gen2seg.io.annotated import Annotated, AnnotatedSource, Dataset, as_labels


def omezarr_dataset(path: str | Path, labels: str | None = None) -> Dataset:
    """Open an OME-Zarr image (0.4 or 0.5) and one of its label images.

    The full resolution is read, one plane at a time. Every plane with an object is a
    picture; channels go to the model as they are.

    Parameters
    ----------
    path
        The image group.
    labels
        Name under ``labels/``; the first listed by default.

    Raises
    ------
    DataError
        If zarr is not installed, or it is no OME-Zarr image with labels.
    """
    source = Path(path)
    try:
        import zarr
    except ImportError as error:
        raise DataError(
            f"{source} is an OME-Zarr, for which zarr must be installed: "
            'pip install "napari-gen2seg[zarr]".'
        ) from error
    try:
        group = zarr.open_group(source, mode="r")
        image, axes = _full_resolution(group)
        listed = _ome(group["labels"]).get("labels", [])
        name = labels or str(listed[0])
        truth, truth_axes = _full_resolution(group[f"labels/{name}"])
    except (KeyError, IndexError, ValueError, TypeError, OSError) as error:
        raise DataError(
            f"{source} could not be read as an OME-Zarr image with labels ({error!r}); "
            "it must have multiscales and a labels group. Check the path."
        ) from error
    planes_axes = [axis for axis in truth_axes if axis not in "yxc"]
    _check(source, axes, truth_axes)
    sizes = [truth.shape[truth_axes.index(axis)] for axis in planes_axes]
    items = []
    for index in np.ndindex(*sizes):
        place = dict(zip(planes_axes, (int(i) for i in index), strict=True))
        title = ",".join(f"{axis}={i}" for axis, i in place.items()) or "plane"
        if np.any(np.asarray(truth[_select(truth_axes, place)]) > 0):
            items.append(
                AnnotatedSource(
                    title, partial(_read, image, axes, truth, truth_axes, place)
                )
            )
    return Dataset(f"{source.name}:{name}", tuple(items))


def _ome(group: Any) -> dict[str, Any]:
    """Return the OME metadata, where version 0.4 or 0.5 keeps it."""
    attributes = dict(group.attrs)
    return dict(attributes.get("ome", attributes))


def _full_resolution(group: Any) -> tuple[Any, str]:
    scales = _ome(group)["multiscales"][0]
    names = [
        axis["name"] if isinstance(axis, dict) else str(axis) for axis in scales["axes"]
    ]
    return group[scales["datasets"][0]["path"]], "".join(names)


def _check(source: Path, axes: str, truth_axes: str) -> None:
    for what, letters in (("image", axes), ("labels", truth_axes)):
        if not {"y", "x"} <= set(letters) or letters.index("y") > letters.index("x"):
            raise DataError(
                f"The {what} of {source} have the axes {letters}; y and x must be "
                "among them, in this order."
            )
    if not set(truth_axes) - {"c"} <= set(axes):
        raise DataError(
            f"The labels of {source} have the axes {truth_axes}, the image {axes}; "
            "every axis of the labels must be one of the image."
        )


def _select(axes: str, place: dict[str, int], *, channels: bool = False) -> Any:
    """Index one plane; all channels, or the first."""
    chosen: list[Any] = []
    for axis in axes:
        if axis in "yx" or (axis == "c" and channels):
            chosen.append(slice(None))
        else:
            chosen.append(place.get(axis, 0))
    return tuple(chosen)


def _read(
    image: Any, axes: str, truth: Any, truth_axes: str, place: dict[str, int]
) -> Annotated:
    pixels = np.asarray(image[_select(axes, place, channels=True)])
    if "c" in axes:
        kept = [axis for axis in axes if axis in "cyx"]
        pixels = np.moveaxis(pixels, kept.index("c"), -1)
        if pixels.shape[-1] == 1:
            pixels = pixels[..., 0]
    labels = np.asarray(truth[_select(truth_axes, place)])
    return Annotated(pixels, as_labels(labels))
