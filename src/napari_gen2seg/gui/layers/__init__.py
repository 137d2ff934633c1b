"""napari's layers: the source and the view of it, overlays, the model input."""
