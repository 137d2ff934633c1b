"""One file format a module: pictures, labels, annotations."""
