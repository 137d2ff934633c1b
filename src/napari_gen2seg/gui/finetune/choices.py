"""What the settings page offers, and under which names it is remembered."""

from __future__ import annotations

from typing import Any

TELLS = {
    "quick": "a first look",
    "standard": "for most pictures",
    "thorough": "for many labels, or when it must be as good as it gets",
}
TRAINS = (
    ("automatic", "auto"),
    ("the whole network", "full"),
    ("small additions (LoRA)", "lora"),
    ("the last blocks", "last"),
)
PRECISIONS = (
    ("automatic", "auto"),
    ("32 bits", "float32"),
    ("16 bits (bfloat16)", "bfloat16"),
)
#: Setting of the config -> name under which it is remembered.
KEPT = {
    "dial": "training_dial",
    "minutes": "training_minutes",
    "steps": "training_steps",
    "rate": "training_rate",
    "crop": "training_crop",
    "batch": "training_batch",
    "trains": "training_trains",
    "precision": "training_precision",
    "seed": "training_seed",
}


def automatic(box: Any, low: float, high: float, step: float) -> Any:
    """Let 0 read as automatic."""
    box.setRange(low, high)
    box.setSingleStep(step)
    box.setSpecialValueText("automatic")
    box.setKeyboardTracking(False)
    return box
