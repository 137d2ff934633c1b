"""napari's layers: source, displayed plane, overlays."""
