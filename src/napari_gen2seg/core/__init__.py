"""Numbers only: colouring maps, clicks, masks. No torch, no Qt, no napari."""
