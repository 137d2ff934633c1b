"""Make a model better at one's own images; told step by step, judged at the end.

`iter_finetune` serves the window, the command line and scripts alike;
``docs/finetuning.md`` says what happens.
"""

from napari_gen2seg.train.finetune.config import (
    FinetuneConfig,
    PairSpec,
    read_finetune_config,
)
from napari_gen2seg.workflows.finetune.run import (
    FinetuneResult,
    finetune,
    iter_finetune,
    plan_finetune,
)

__all__ = [
    "FinetuneConfig",
    "FinetuneResult",
    "PairSpec",
    "finetune",
    "iter_finetune",
    "plan_finetune",
    "read_finetune_config",
]
