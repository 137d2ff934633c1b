"""OME-Zarr images with labels, plane by plane."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_gen2seg.common.atomic import not_written, replacing_folder
from napari_gen2seg.common.types import LabelArray
from napari_gen2seg.core.image.rgb import RgbRecipe
from napari_gen2seg.errors import DataError, ImageError
from napari_gen2seg.io.annotated import Annotated, AnnotatedSource, Dataset, as_labels
from napari_gen2seg.io.formats.guard import decoding
from napari_gen2seg.io.formats.images import ImageFile
from napari_gen2seg.io.formats.labels import whole_numbers


def open_image(source: Path) -> tuple[Any, str]:
    """Open the image of an OME-Zarr, at full resolution; nothing is read yet.

    Returns
    -------
    array, axes
        What can be sliced, and a letter for each axis.

    Raises
    ------
    ImageError
        If zarr is not installed, or it is no OME-Zarr image.
    """
    try:
        import zarr
    except ImportError as error:
        raise ImageError(
            f"{source} is an OME-Zarr, for which zarr must be installed: "
            'pip install "napari-gen2seg[zarr]".'
        ) from error
    try:
        array, axes = _full_resolution(zarr.open_group(source, mode="r"))
        shape = array.shape
    except Exception as error:  # zarr and what it reads with raise anything
        raise ImageError(
            f"{source} could not be read as an OME-Zarr image ({error!r}); it must "
            "have multiscales. Check the path, or name the image inside of it."
        ) from error
    if len(axes) != len(shape):
        raise ImageError(
            f"{source} names the axes {axes!r}, but its array has the shape {shape}. "
            "Its metadata are damaged; write it again."
        )
    return array, axes.upper()


def omezarr_dataset(
    path: str | Path, labels: str | None = None, recipe: RgbRecipe | None = None
) -> Dataset:
    """Open an OME-Zarr image (0.4 or 0.5) and one of its label images.

    The full resolution is read, one plane at a time. Every plane with an object is a
    picture; channels go to the model as they are.

    Parameters
    ----------
    path
        The image group.
    labels
        Name under ``labels/``; the first listed by default.
    recipe
        How channels become RGB.

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
    except Exception as error:  # zarr and what it reads with raise anything
        raise DataError(
            f"{source} could not be read as an OME-Zarr image with labels ({error!r}); "
            "it must have multiscales and a labels group. Check the path."
        ) from error
    planes_axes = [axis for axis in truth_axes if axis not in "yxc"]
    _check(source, axes, truth_axes)
    file = ImageFile(image, axes.upper(), source, False if "c" in axes else None)
    sizes = [truth.shape[truth_axes.index(axis)] for axis in planes_axes]
    items = []
    for index in np.ndindex(*sizes):
        place = dict(zip(planes_axes, (int(i) for i in index), strict=True))
        title = ",".join(f"{axis}={i}" for axis, i in place.items()) or "plane"
        with decoding(source):
            labeled = np.any(np.asarray(truth[_select(truth_axes, place)]) > 0)
        if labeled:
            items.append(
                AnnotatedSource(
                    title, partial(_read, file, truth, truth_axes, place, recipe)
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


def _select(axes: str, place: dict[str, int]) -> Any:
    """Index one plane, of the first channel."""
    return tuple(slice(None) if a in "yx" else place.get(a, 0) for a in axes)


def _read(
    image: ImageFile,
    truth: Any,
    truth_axes: str,
    place: dict[str, int],
    recipe: RgbRecipe | None,
) -> Annotated:
    index = tuple(
        place.get(axis, 0) for axis in image.axes.lower() if axis not in "yxc"
    )
    pixels = image.plane(index, recipe=recipe)
    with decoding(image.path):
        labels = np.asarray(truth[_select(truth_axes, place)])
    numbers = whole_numbers(labels, f"The labels of {image.path}")
    return Annotated(pixels, as_labels(numbers))


def read_omezarr_labels(
    path: Path, shape: tuple[int, ...], name: str | None = None
) -> LabelArray:
    """Read a label image of an OME-Zarr whole.

    Parameters
    ----------
    path
        The image group.
    shape
        That labels must have; axes of length 1 may be there or not.
    name
        Under ``labels/``; the first listed by default.

    Returns
    -------
    numpy.ndarray
        int32 of `shape`.

    Raises
    ------
    DataError
        If there are none, or of another size.
    """
    try:
        import zarr

        group = zarr.open_group(path, mode="r")
        listed = _ome(group["labels"]).get("labels", [])
        stored, axes = _full_resolution(group[f"labels/{name or listed[0]}"])
        labels = np.asarray(stored[...])
        if "c" in axes:
            labels = labels.take(0, axes.index("c"))
    except Exception as error:  # zarr and what it reads with raise anything
        raise DataError(
            f"{path} could not be read as an OME-Zarr with labels ({error!r})."
        ) from error
    if labels.size != np.prod(shape) or np.squeeze(labels).shape != tuple(
        n for n in shape if n != 1
    ):
        raise DataError(
            f"The labels of {path} are {labels.shape}; they must be {shape}."
        )
    return as_labels(labels.reshape(shape))


def write_omezarr(
    path: Path,
    image: Any,
    labels: LabelArray,
    axes: str,
    name: str = "objects",
) -> None:
    """Write an image with its labels as OME-Zarr 0.5.

    Parameters
    ----------
    path
        Ends in ``.zarr``; must not be there yet.
    image
        Anything that can be sliced.
    labels
        Of the image's shape without channels.
    axes
        A letter for each axis of the image.
    name
        Of the label image under ``labels/``.

    Raises
    ------
    StorageError
        If it cannot be written.
    DataError
        If zarr is not installed.
    """
    try:
        import zarr
    except ImportError as error:
        raise DataError(
            f'For {path}, zarr must be installed: pip install "napari-gen2seg[zarr]".'
        ) from error
    whole = axes.lower()
    # OME-Zarr wants t, c, z, y, x in this order; letters of its own come first.
    order = sorted(range(len(whole)), key=lambda at: "tczyx".find(whole[at]))
    flat = [letter for letter in whole if letter != "c"]
    turn = sorted(range(len(flat)), key=lambda at: "tczyx".find(flat[at]))
    try:
        with replacing_folder(path, overwrite=False) as draft:
            root = zarr.open_group(draft, mode="w", zarr_format=3)
            pixels = np.transpose(np.asarray(image[...]), order)
            names = [whole[at] for at in order]
            _write_scale(root, pixels, names, {})
            listed = root.create_group("labels")
            listed.attrs["ome"] = {"version": "0.5", "labels": [name]}
            group = listed.create_group(name)
            source = {"source": {"image": "../../"}}
            numbers = np.transpose(labels, turn)
            _write_scale(
                group, numbers, [flat[at] for at in turn], {"image-label": source}
            )
    except OSError as error:
        raise not_written(path, error) from error


def _write_scale(
    group: Any, array: NDArray[Any], axes: list[str], more: dict[str, Any]
) -> None:
    """Write the one scale of an image, in chunks of a plane's part."""
    chunks = tuple(
        min(n, 1024) if axis in "yx" else 1
        for n, axis in zip(array.shape, axes, strict=True)
    )
    stored = group.create_array(
        "0", shape=array.shape, dtype=array.dtype, chunks=chunks, dimension_names=axes
    )
    stored[...] = array
    kinds = {"t": "time", "c": "channel"}
    group.attrs["ome"] = {
        "version": "0.5",
        "multiscales": [
            {
                "axes": [
                    {"name": axis, "type": kinds.get(axis, "space")} for axis in axes
                ],
                "datasets": [
                    {
                        "path": "0",
                        "coordinateTransformations": [
                            {"type": "scale", "scale": [1.0] * len(axes)}
                        ],
                    }
                ],
            }
        ],
        **more,
    }
