"""Interactive instance segmentation for napari by generative instance coloring.

A model paints every object of a picture in a colour of its own; a click picks a
colour, and the pixels that share it are the mask.

>>> import napari_gen2seg as g
>>> model = g.load_model("mini")  # doctest: +SKIP
>>> coloring = model.color(image)  # doctest: +SKIP
>>> mask = coloring.probe([(row, column)]).full()  # doctest: +SKIP

Names are loaded on demand: importing the package loads neither torch, nor Qt,
nor napari.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_gen2seg.core.candidates import CandidateSet as CandidateSet
    from napari_gen2seg.core.candidates import paint as paint
    from napari_gen2seg.core.candidates import select as select
    from napari_gen2seg.core.coloring import Coloring as Coloring
    from napari_gen2seg.core.coloring import Mask as Mask
    from napari_gen2seg.core.learned_probe.probe import Probe as Probe
    from napari_gen2seg.core.linking import Linked as Linked
    from napari_gen2seg.core.linking import LinkSettings as LinkSettings
    from napari_gen2seg.core.linking import link as link
    from napari_gen2seg.core.probe.prober import ProbeSettings as ProbeSettings
    from napari_gen2seg.core.proposal_settings import (
        ProposalSettings as ProposalSettings,
    )
    from napari_gen2seg.errors import Gen2SegError as Gen2SegError
    from napari_gen2seg.models.colorer import Colorer as Colorer
    from napari_gen2seg.models.loader import load_model as load_model
    from napari_gen2seg.models.probes import load_probe as load_probe
    from napari_gen2seg.models.registry import list_models as list_models
    from napari_gen2seg.models.spec import ModelSpec as ModelSpec
    from napari_gen2seg.project.project import Project as Project
    from napari_gen2seg.workflows.batch import batch as batch
    from napari_gen2seg.workflows.evaluate import evaluate as evaluate
    from napari_gen2seg.workflows.finetune import finetune as finetune
    from napari_gen2seg.workflows.finetune import iter_finetune as iter_finetune
    from napari_gen2seg.workflows.segment import iter_segment as iter_segment
    from napari_gen2seg.workflows.segment import segment as segment

    __version__: str

# Public name -> the room it lives in.
_HOMES = {
    "CandidateSet": "core.candidates",
    "Colorer": "models.colorer",
    "Coloring": "core.coloring",
    "Gen2SegError": "errors",
    "LinkSettings": "core.linking",
    "Linked": "core.linking",
    "Mask": "core.coloring",
    "ModelSpec": "models.spec",
    "Probe": "core.learned_probe.probe",
    "ProbeSettings": "core.probe.settings",
    "Project": "project.project",
    "ProposalSettings": "core.proposal_settings",
    "batch": "workflows.batch",
    "evaluate": "workflows.evaluate",
    "finetune": "workflows.finetune",
    "iter_finetune": "workflows.finetune",
    "iter_segment": "workflows.segment",
    "link": "core.linking",
    "list_models": "models.registry",
    "load_model": "models.loader",
    "load_probe": "models.probes",
    "paint": "core.candidates",
    "segment": "workflows.segment",
    "select": "core.candidates",
}

__all__ = [
    "__version__",
    *_HOMES,
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first asked for (PEP 562)."""
    home = _HOMES.get(name)
    if name == "__version__":
        value = _version()
    elif home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    else:
        value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _version() -> str:
    """Return the installed version; it was read off the tag when the wheel was made."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("napari-gen2seg")
    except PackageNotFoundError:  # the source folder, put on the path by hand
        return "0+unknown"
