"""What fine-tuning asks for, where part of an image is unknown.

Models with position guides are asked for harmonic colours (`train.harmonic`), the
published families for the paper's loss. Unknown pixels (-1) ask for nothing, with two
exceptions. A thin ring around a labelled object is surely not that object: harmonic
colours are asked to be black there; a push away from its colour can be had beside
either. And what a guided model said of unknown pixels before, it is asked to say still
(Li & Hoiem, "Learning without Forgetting", ECCV 2016, arXiv 1606.09282).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_gen2seg.train.loss.edges import gradient_loss, outline_loss
from napari_gen2seg.train.loss.harmonic import color_distance, harmonic_loss
from napari_gen2seg.train.loss.instance_coloring import instance_coloring_loss
from napari_gen2seg.train.loss.segment_sums import Segments, pixels


@dataclass(frozen=True)
class LossWeights:
    """How the terms are weighted. Colors are 0..255.

    Attributes
    ----------
    rim
        Weight of the dark line where labelled objects touch.
    outline
        Weight of "is this an object", asked of known pixels.
    flat
        Weight of colour steps: none within an object, the target's across outlines.
    ring
        Weight of the ring's push; 0 leaves it out (see ``docs/finetuning.md``).
    margin
        Colour distance at which the push ends.
    width
        Width of the ring in pixels of the model.
    keep
        Weight of what the model said of unknown pixels before.
    """

    rim: float = 0.7
    outline: float = 0.5
    flat: float = 1.0
    ring: float = 0.0
    margin: float = 80.0
    width: int = 2
    keep: float = 1.0


def guided_loss(
    prediction: Tensor,
    labels: Tensor,
    origin: Tensor,
    wavelength: float,
    before: Tensor | None = None,
    asked: LossWeights | None = None,
) -> Tensor:
    """Distance to the mean of the position waves over each object; see `harmonic`.

    Parameters
    ----------
    prediction
        (B, 3, H, W), 0..255; below 0 counts as black.
    labels
        (B, H, W); 0 background, -1 unknown.
    origin
        (B, 2), of the crops on the guides.
    wavelength
        In pixels.
    before
        (B, 3, H, W), what the model predicted before it learnt; None asks nothing of
        unknown pixels.
    asked
        Weights.
    """
    asked = asked or LossWeights()
    labels = surrounded(labels, asked.width)
    total, target = harmonic_loss(prediction, labels, origin, wavelength, asked.rim)
    if asked.outline > 0:
        black = (target == 0).all(1) & (labels >= 0)
        inside = (labels > 0) & ~black
        total = total + asked.outline * outline_loss(prediction, inside, black)
    if asked.flat > 0:
        total = total + asked.flat * gradient_loss(prediction, target, labels)
    if asked.ring > 0:
        total = total + asked.ring * ring_loss(prediction, labels, asked)
    unknown = labels < 0
    if before is not None and asked.keep > 0 and bool(unknown.any()):
        kept = color_distance(prediction, before.clamp(min=0))
        total = total + asked.keep * kept[unknown].mean()
    return total


def surrounded(labels: Tensor, width: int) -> Tensor:
    """Call the unknown pixels around objects background.

    They are background, or the rim of a neighbour, and black in either case. Without
    them sparse labels say nothing about where an object ends.

    Parameters
    ----------
    labels
        Integer, (B, H, W); 0 background, -1 unknown.
    width
        In pixels; 0 leaves the labels as they are.
    """
    known = (labels > 0)[:, None].float()
    beside = F.max_pool2d(known, 2 * width + 1, 1, width)[:, 0] > 0
    return torch.where((labels < 0) & beside, 0, labels)


def published_loss(
    prediction: Tensor, labels: Tensor, asked: LossWeights | None = None
) -> Tensor:
    """The paper's loss; a crop with unknown pixels has an ignored background."""
    asked = asked or LossWeights()
    total = paper_loss(prediction, labels)
    if asked.ring > 0:
        total = total + 10 * asked.ring * ring_loss(prediction, labels, asked)
    return total


def ring_loss(prediction: Tensor, labels: Tensor, asked: LossWeights) -> Tensor:
    """Push unknown pixels beside an object away from the object's mean color.

    Squared shortfall of their distance below the margin, relative to it: 0..1.
    """
    values = pixels(prediction)  # (B, P, 3)
    segments = Segments.of(labels)
    means = segments.mean(values).detach()
    width = 2 * asked.width + 1
    known = labels.clamp(min=0)[:, None].float()
    beside = F.max_pool2d(known, width, 1, asked.width)[:, 0].long()
    ring = (labels < 0) & (beside > 0)
    if not bool(ring.any()):
        return prediction.sum() * 0.0
    # Which row of the means belongs to (picture, label).
    span = int(segments.label.max()) + 1
    table = torch.zeros(labels.shape[0] * span, dtype=torch.long, device=labels.device)
    mine = segments.label > 0
    rows = segments.picture[mine] * span + segments.label[mine]
    table[rows] = torch.nonzero(mine)[:, 0]
    picture = torch.arange(labels.shape[0], device=labels.device)[:, None, None]
    owner = table[(picture * span + beside)[ring]]
    distance = torch.linalg.vector_norm(
        values.reshape(*labels.shape, 3)[ring] - means[owner] + 1e-3, dim=-1
    )
    short: Tensor = (1 - distance / asked.margin).clamp(min=0)
    return short.square().mean()


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
    """Return the loss alone; unknown pixels make their image's background ignored.

    Parameters
    ----------
    prediction
        (B, 3, H, W), 0..255.
    labels
        (B, H, W), 0 background, -1 unknown.
    """
    unknown = (labels < 0).flatten(1).any(1)
    return instance_coloring_loss(prediction, labels.clamp(min=0), unknown)
