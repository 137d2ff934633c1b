"""How good is a model on annotated images? One protocol for everybody.

`evaluate` measures, `compare` judges two reports; ``docs/evaluation.md`` states each
number exactly.
"""

from napari_gen2seg.workflows.evaluate.compare import Comparison, Difference, compare
from napari_gen2seg.workflows.evaluate.report import Report
from napari_gen2seg.workflows.evaluate.run import (
    Finished,
    PictureDone,
    PictureSkipped,
    Started,
    evaluate,
    iter_evaluate,
)
from napari_gen2seg.workflows.evaluate.settings import EvaluationSettings
from napari_gen2seg.workflows.evaluate.text_report import in_words
from napari_gen2seg.workflows.evaluate.worst_cases import WorstCase

__all__ = [
    "Comparison",
    "Difference",
    "EvaluationSettings",
    "Finished",
    "PictureDone",
    "PictureSkipped",
    "Report",
    "Started",
    "WorstCase",
    "compare",
    "evaluate",
    "in_words",
    "iter_evaluate",
]
