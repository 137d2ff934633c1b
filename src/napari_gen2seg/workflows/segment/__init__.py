"""An image, a model and clicks in; labels out, of one image or stack.

run         `segment`, and `iter_segment`, which tells every step
events      what it tells
clicks      clicks, sorted by plane and object
label_sink  where labels are written, and whether it can take them
"""

from napari_gen2seg.workflows.segment.clicks import Click
from napari_gen2seg.workflows.segment.events import (
    Event,
    Finished,
    ModelReady,
    ObjectFound,
    PlaneColored,
    PlaneTiled,
)
from napari_gen2seg.workflows.segment.label_sink import LabelSink
from napari_gen2seg.workflows.segment.run import Segmentation, iter_segment, segment

__all__ = [
    "Click",
    "Event",
    "Finished",
    "LabelSink",
    "ModelReady",
    "ObjectFound",
    "PlaneColored",
    "PlaneTiled",
    "Segmentation",
    "iter_segment",
    "segment",
]
