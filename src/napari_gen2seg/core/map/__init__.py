"""The coloring map as data: values, TIFF files, object size, brightness."""
