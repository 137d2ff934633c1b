"""Networks compiled with ``torch.compile``, where somebody asks for it.

Worth its minute of compiling for many pictures of one size on a GPU, where a pass of
the ``sd`` family starts thousands of small kernels, and for training mini; on a CPU a
single pass gains nothing (`docs/performance.md`). What was compiled is kept on disk for
the next process.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from napari_gen2seg.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from torch import nn

CACHE_VARIABLE = "TORCHINDUCTOR_CACHE_DIR"


def compile_modules(
    modules: Iterable[nn.Module], backend: str | Callable[..., Any] = "inductor"
) -> None:
    """Compile modules in place, at their first use.

    In place, because a wrapper would rename the weights. Sizes are compiled one by one:
    a picture of another size compiles anew.

    Parameters
    ----------
    modules
        Of a network those that `Family.compiled_parts` names.
    backend
        As ``torch.compile`` takes it.
    """
    from napari_gen2seg.common.user_dirs import cache_dir

    os.environ.setdefault(CACHE_VARIABLE, str(cache_dir() / "compiled"))
    for module in modules:
        module.compile(backend=backend, dynamic=False)


def give_up(modules: Iterable[nn.Module]) -> None:
    """Run modules as they were written again."""
    for module in modules:
        # torch has no public way
        module._compiled_call_impl = None  # noqa: SLF001


@contextmanager
def compiling(without: str) -> Iterator[None]:
    """Name what the compiler raises while a network is trained.

    Parameters
    ----------
    without
        What to say to train without it.

    Raises
    ------
    TrainingError
        In the place of the compiler's error; others pass.
    """
    try:
        yield
    except Exception as error:
        from torch._dynamo.exc import TorchDynamoException  # takes a second

        if not isinstance(error, TorchDynamoException):
            raise
        raise TrainingError(
            f"The network could not be compiled: {error}. Install a C++ compiler, or "
            f"train without: {without}."
        ) from error
