"""Files in and out, a format a module.

images        pixels in, of every file; start here
writers       labels, and images to look at, out
labels        label numbers in: one reader for all that asks for labels
tiff          TIFF, plane by plane
tiff_pages    its pages as they are stored; what is missing or cut off is named
tiff_samples  what their numbers mean: axes, color, which way up
tiff_window   of a TIFF's page only what a window needs
raster        PNG, JPEG, GIF, BMP and WebP
omezarr       OME-Zarr: images, and labels kept beside them
omezarr_labels  labels of an OME-Zarr image, written by region
label_file    labels of any size as TIFF
plugins       every other format: reader plugins of napari, or bioio
coco          COCO JSON: whole files
coco_write    COCO JSON out
coco_masks    polygons and run lengths of COCO <-> masks
yolo          YOLO-seg: text files of polygons
imagej_roi    ImageJ: zips of the ROI Manager
cellpose      Cellpose: masks of a _seg.npy, without running code in it
color_models  min-is-white, palette, YCbCr, CIELab, inks, orientation -> gray or RGB
guard         what decoders raise -> errors that people can read

A new format: a module here that reads a path into pixels and axes, and a branch of
`images._opened`; one that holds labels too reads into an `io.annotated.Annotated`.
Whole data sets are recognized and opened in `io.datasets.catalog`: a name in `KINDS`, a
branch of `open_dataset`.
"""
