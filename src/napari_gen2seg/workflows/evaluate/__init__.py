"""How good is a model on annotated images? One protocol for everybody.

`evaluate` measures, `compare` judges two reports; ``docs/evaluation.md`` states each
number exactly.

    run               data and a model in, events and a report out
    settings          what is measured
    one_image         what one image gives
    summary_measures  every number, as a function of the images' weights
    report            the result, as JSON
    text_report       in sentences
    html_report       as a page
    worst_cases       where one click went most wrong
    compare           whether one of two reports is better
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
