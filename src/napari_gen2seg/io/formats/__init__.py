"""Files in and out, a format a module.

images   pixels in, of TIFF, PNG, JPEG, GIF and WebP, and pixels and labels out
decode   one file of those formats -> pixels and the names of their axes
omezarr  OME-Zarr: images, and labels kept beside them
coco     COCO JSON: polygons and run lengths -> masks

A new format: a module here that reads a path into an `io.annotated.Annotated` (or, of
plain images, into pixels and axes, in `decode`). Whole data sets are recognized and
opened in `io.datasets.catalog`: a name in `KINDS`, a branch of `open_dataset`.
"""
