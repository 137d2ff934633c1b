"""Many images in, labels of all their objects out; what is done is not done again.

settings  what is wanted of every image
inputs    which images there are, and where their labels go
record    the file beside each result: what it was made of, and whether it still is
image     one image
linking   its planes linked through z and time
run       all of them
events    what it tells meanwhile
tally     how far it is, and how long the rest takes
"""

from napari_gen2seg.workflows.batch.events import (
    BatchDone,
    BatchEvent,
    BatchStarted,
    ImageDone,
    ImageFailed,
    ImageProgress,
    ImageSkipped,
)
from napari_gen2seg.workflows.batch.run import batch
from napari_gen2seg.workflows.batch.settings import BatchSettings

__all__ = [
    "BatchDone",
    "BatchEvent",
    "BatchSettings",
    "BatchStarted",
    "ImageDone",
    "ImageFailed",
    "ImageProgress",
    "ImageSkipped",
    "batch",
]
