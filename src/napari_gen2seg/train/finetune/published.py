"""The paper's own training, where it differs from fine-tuning on a few pictures.

Source: Khangaonkar & Pirsiavash, "gen2seg", ICLR 2026. A run with ``"recipe":
"published"`` takes the paper's loss and nothing else, leaves the latent out of the last
step, has the paper's schedule and no running average. What stays different: the prompt
is the one of inference, without padding.
"""

from __future__ import annotations

import math

from torch import Tensor

from napari_gen2seg.train.loss import instance_coloring_loss

WARM_UP = 100
DECAY_STEPS = 40_000
FINAL = 0.05
BETAS = (0.9, 0.999)


def published_share(step: int) -> float:
    """Return the share of the largest rate at a step.

    Linear over the first steps, then exponential, so that it is `FINAL` after
    `DECAY_STEPS` and stays there.
    """
    if step < WARM_UP:
        return (step + 1) / WARM_UP
    done = min(1.0, (step - WARM_UP) / DECAY_STEPS)
    return math.exp(done * math.log(FINAL))


def paper_loss(prediction: Tensor, labels: Tensor) -> Tensor:
    """Return the loss alone; unknown pixels make their picture's background ignored.

    Parameters
    ----------
    prediction
        (B, 3, H, W), 0..255.
    labels
        (B, H, W), 0 background, -1 unknown.
    """
    unknown = (labels < 0).flatten(1).any(1)
    return instance_coloring_loss(prediction, labels.clamp(min=0), unknown)
