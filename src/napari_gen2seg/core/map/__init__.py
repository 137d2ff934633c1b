"""The coloring map as data: values, instances, TIFF files, object size, brightness."""
