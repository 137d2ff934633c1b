"""Interactive state: verbs of one person's work, without Qt and without napari."""

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
