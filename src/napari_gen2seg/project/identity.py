"""Which image it is; a batch asks that too, so the answer lives with the readers."""

from napari_gen2seg.io.identity import ImageIdentity

__all__ = ["ImageIdentity"]
