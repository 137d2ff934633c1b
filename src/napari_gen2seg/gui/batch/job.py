"""A batch behind the window: the command line's, with the window's model."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from napari_gen2seg.workflows.batch import (
    BatchDone,
    ImageDone,
    ImageFailed,
    ImageProgress,
    batch,
)
from napari_gen2seg.workflows.batch.tally import Tally
from napari_gen2seg.workflows.running.model import ModelChoice

if TYPE_CHECKING:
    from napari_gen2seg.core.image.rgb import RgbRecipe
    from napari_gen2seg.core.linking import LinkSettings
    from napari_gen2seg.core.proposal_settings import ProposalSettings
    from napari_gen2seg.models.colorer import Colorer
    from napari_gen2seg.session import Choice, ModelHost, Ticket


@dataclass(frozen=True)
class BatchTask:
    """What is wanted.

    Attributes
    ----------
    inputs, out
        Files, folders or patterns; the folder for the labels.
    choice
        Model, device, passes.
    proposals, recipe, link
        As for `batch`.
    """

    inputs: tuple[str, ...]
    out: Path
    choice: Choice
    proposals: ProposalSettings | None = None
    recipe: RgbRecipe | None = None
    link: LinkSettings | None = None


@dataclass(frozen=True)
class BatchResult:
    """What came of it.

    Attributes
    ----------
    summary
        The counts.
    objects
        In all images that were done now.
    failures
        Image and reason, as sentences.
    """

    summary: BatchDone
    objects: int
    failures: tuple[str, ...]


@dataclass(frozen=True)
class HostedModel(ModelChoice):
    """A model by name, as the command line names it, that the window's host holds."""

    loaded: Colorer | None = field(default=None, compare=False)

    def colorer(self) -> Colorer:
        """Return it."""
        return super().colorer() if self.loaded is None else self.loaded


def run(task: BatchTask, host: ModelHost, ticket: Ticket) -> BatchResult:
    """Do the batch, and say how far it is.

    Raises
    ------
    Gen2SegError
        What keeps all images from being done, or Cancelled.
    """

    def cancel() -> bool:
        return ticket.cancelled

    ticket.progress(None, "Loading the model")
    choice = task.choice
    colorer = host.colorer(choice, lambda _, text: ticket.progress(None, text), cancel)
    model = HostedModel(
        choice.model,
        choice.device,
        accept_licence=choice.licence_accepted,
        loaded=colorer,
    )
    tally, failures, objects = Tally(), [], 0
    try:
        for event in batch(
            task.inputs,
            task.out,
            model,
            proposals=task.proposals,
            recipe=task.recipe,
            resolution=choice.resolution,
            passes=choice.passes,
            link=task.link,
            cancel=cancel,
        ):
            tally.tell(event)
            if isinstance(event, ImageDone):
                objects += event.objects
            if isinstance(event, ImageFailed):
                failures.append(f"{event.name}: {event.error}")
            if isinstance(event, BatchDone):
                return BatchResult(event, objects, tuple(failures))
            name = event.name if isinstance(event, ImageProgress) else ""
            ticket.progress(tally.fraction, _words(tally, name))
    finally:
        colorer.unload()
    return BatchResult(BatchDone(0, 0, len(failures), 0.0), objects, tuple(failures))


def _words(tally: Tally, name: str) -> str:
    """Say how far it is: "3 of 12, b.tif; 40 s left"."""
    at = f"{tally.tried} of {tally.count}"
    left = tally.left
    return ", ".join(part for part in (at, name, left) if part)
