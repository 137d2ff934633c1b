"""What a fine-tuning would do, for somebody at a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from napari_gen2seg.common.text import bytes_text, duration_text, names_text

if TYPE_CHECKING:
    from napari_gen2seg.train.finetune.events import Plan

_PARTS = {
    "full": "the whole network",
    "lora": "small additions to the network",
    "last_blocks": "its last blocks",
}
_NAMED = 5  # pictures named in a line


def plan_words(plan: Plan) -> Iterator[str]:
    """Yield the plan's lines."""
    steps = "as many steps as the time allows"
    if plan.steps is not None:
        steps = f"{plan.steps} steps"
    if plan.resumed:
        steps += f", {plan.resumed} of them done"
    yield f"Training: {steps}, {_time(plan.seconds_estimate)}"
    yield f"Pictures: {_names(plan.train)} with {plan.objects} objects to learn from"
    yield f"          {_names(plan.validation)} held back for the score"
    yield (
        f"Trained:  {_PARTS.get(plan.trains, plan.trains)}, {plan.trainable:,} of "
        f"{plan.parameters:,} values"
    )
    # Crops accumulated over several passes belong to the same step.
    yield (
        f"A step:   {plan.batch * plan.accumulate} crops of {plan.crop} x {plan.crop} "
        "pixels"
    )
    need, free = bytes_text(plan.memory_bytes), bytes_text(plan.memory_free)
    yield f"Memory:   about {need} of {free} free"
    yield f"Device:   {plan.reason}"
    for warning in plan.warnings:
        yield f"Warning:  {warning}"
    yield "Nothing was trained or written; without --plan it begins."


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "for how long is known once it runs"
    return f"about {duration_text(seconds)}"


def _names(names: Sequence[str]) -> str:
    if not names:
        return "none"
    return f"{len(names)} ({names_text(names, _NAMED)})"
