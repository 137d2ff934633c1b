"""What is learnt from, and one step of learning: loss, gradients, weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from napari_gen2seg.models.families.family import OwnLoss
from napari_gen2seg.train.data.crops import Crops
from napari_gen2seg.train.data.split import Split
from napari_gen2seg.train.engine.distributed import Distributed
from napari_gen2seg.train.engine.ema import WeightAverage
from napari_gen2seg.train.finetune.checkpoint import Progress
from napari_gen2seg.train.finetune.config import FinetuneConfig
from napari_gen2seg.train.finetune.planning import TrainingSetup
from napari_gen2seg.train.finetune.replay import replayed
from napari_gen2seg.train.finetune.sources import Mixture, Source
from napari_gen2seg.train.finetune.trainable import TrainableModel
from napari_gen2seg.train.loss.weighted import (
    BETAS,
    guided_loss,
    paper_loss,
    published_loss,
)

_CLIP = 1.0


class Learner:
    """A model and what changes it.

    Parameters
    ----------
    config
        The run.
    ready
        The model, and how much of what it takes at once.
    crops
        What it learns from.
    team
        The processes that learn together.

    Attributes
    ----------
    average
        Running average of the trained weights.
    optimiser
        Of the trained weights.
    """

    def __init__(
        self,
        config: FinetuneConfig,
        ready: TrainingSetup,
        crops: Crops | Mixture,
        team: Distributed,
    ) -> None:
        self._ready, self._crops, self._team = ready, crops, team
        self._published = config.recipe == "published"
        trained = ready.trainee.trained
        own = None if self._published else ready.trainee.family.own_loss
        self._own = own
        self.average = WeightAverage(
            trained,
            0.0 if self._published else 0.995,
            own.share if own is not None else 1.0,
        )
        keeps = (ready.trainee.guided or own) and crops.sparse and not self._published
        # The model as it was, for what nobody labelled.
        self._start = WeightAverage(trained, 0.0) if keeps else None
        self.optimiser = torch.optim.AdamW(
            trained.values(),
            lr=ready.rate,
            weight_decay=1e-2,
            betas=BETAS if self._published else (0.9, 0.98),
        )

    @torch.no_grad()
    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a state that `read_state` read."""
        trained = self._ready.trainee.trained
        for name, value in state["trained"].items():
            trained[name].copy_(value)
        self.average.restore(state["average"], state["progress"].step)
        self.optimiser.load_state_dict(state["optimiser"])
        torch.set_rng_state(state["rng"])

    def step(self, progress: Progress, rate: float) -> float | None:
        """Take one step.

        Parameters
        ----------
        progress
            Where the run is, which says what crops are next.
        rate
            Step size.

        Returns
        -------
        float or None
            The loss; None when it, or a gradient, is no number.
        """
        trainee, times = self._ready.trainee, self._ready.amount.accumulate
        trainee.training()
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        # After a roll-back other crops: the same ones might do the same again.
        first = progress.step * times + (progress.rolled << 32)
        total = 0.0
        for turn in range(times):
            loss = self._loss(first + turn)
            total += self._team.mean(loss.detach()) / times
            if not math.isfinite(total):
                return None
            (loss / times).backward()
        self._team.average(trainee.trained.values())
        norm = torch.nn.utils.clip_grad_norm_(trainee.trained.values(), _CLIP)
        if not math.isfinite(float(norm)):
            return None
        self.optimiser.step()
        self.average.update()
        return total

    def _loss(self, place: int) -> torch.Tensor:
        """Return the loss of one batch, by its number in the run."""
        ready, trainee = self._ready, self._ready.trainee
        batch = {
            key: value.to(trainee.device)
            for key, value in self._crops.batch(
                place, ready.amount.batch, self._team.process
            ).items()
        }
        if self._own is not None:
            return self._own_loss(self._own, batch["pixels"], batch["labels"])
        before = None
        if self._start is not None:
            with torch.no_grad(), self._start.worn(), ready.mixed():
                before = trainee.predict(batch["pixels"], batch["origin"])
        with ready.mixed():
            prediction = trainee.predict(
                batch["pixels"], batch["origin"], latent_term=not self._published
            )
        if self._published:
            return paper_loss(prediction, batch["labels"])
        if trainee.guided:
            guides = trainee.model_config.guides
            longest = max(guides.wavelengths) if guides else 0.0
            return guided_loss(
                prediction, batch["labels"], batch["origin"], longest, before
            )
        return published_loss(prediction, batch["labels"])

    def _own_loss(
        self, own: OwnLoss, pixels: torch.Tensor, labels: torch.Tensor
    ) -> torch.Tensor:
        """Return the family's loss of pixels (B, 3, h, w) and labels (B, h, w)."""
        trainee = self._ready.trainee
        net, model_config = trainee.net, trainee.model_config
        before = None
        if self._start is not None:
            with torch.no_grad(), self._start.worn(), self._ready.mixed():
                before = own.answer(net, model_config, pixels)
        with self._ready.mixed():
            return own.loss(own.answer(net, model_config, pixels), labels, before)


def lesson(
    config: FinetuneConfig,
    split: Split,
    sources: Sequence[Source],
    trainee: TrainableModel,
    size: int,
) -> Crops | Mixture:
    """Return what gives the batches: crops of pairs, or of data sets.

    Parameters
    ----------
    config
        The run.
    split, sources
        From `training_sources`.
    trainee
        Who learns.
    size
        Side of a crop in pixels as the model sees it.
    """
    model_config, seed = trainee.model_config, config.seed
    if sources:
        return Mixture(sources, model_config, size, seed)
    replay = replayed(config.replay, split.validation)
    return Crops(split.train, model_config, size, seed, replay, drawn=trainee.small_net)
