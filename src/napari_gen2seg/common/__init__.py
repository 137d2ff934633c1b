"""Ground floor: standard library and numpy, used by every other room."""
