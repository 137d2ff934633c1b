"""One kind of synthetic scene a module."""
