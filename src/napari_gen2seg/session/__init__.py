"""Interactive state: verbs of one person's work, without Qt and without napari.

session         `Session`: the verbs, and the signals back
state           the values it holds and hands out
model_host      the one loaded model of a window
runner          worker threads; the latest request of a kind wins
probing         masks of clicks, with the settings of the moment
prompts         clicks as the Points layer holds them
refining        outlines of proposals by the learned probe, bit by bit
preview         the mask, and what a click would change
mask_cache      masks, coarse while the pointer moves
coloring_cache  colorings, the least recently used leave first
"""

from napari_gen2seg.session.model_host import ModelHost
from napari_gen2seg.session.prompts import Prompts
from napari_gen2seg.session.runner import Inline, Lane, Runner, Ticket
from napari_gen2seg.session.session import Session
from napari_gen2seg.session.state import (
    Choice,
    ColorRequest,
    JobState,
    ModelState,
    Preview,
)

__all__ = [
    "Choice",
    "ColorRequest",
    "Inline",
    "JobState",
    "Lane",
    "ModelHost",
    "ModelState",
    "Preview",
    "Prompts",
    "Runner",
    "Session",
    "Ticket",
]
