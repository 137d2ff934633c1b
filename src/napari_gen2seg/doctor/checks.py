"""The examination: every check, in the order in which things build on each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from napari_gen2seg.doctor import screen, software, storage
from napari_gen2seg.doctor.finding import Finding, problem

Check = Callable[[], Iterator[Finding]]

#: What the command line needs.
HEADLESS: tuple[Check, ...] = (
    software.python,
    software.packages,
    software.opencv,
    software.torch,
    software.library,
    storage.weights,
    storage.folders,
    storage.memory,
    storage.hub,
)
#: What the window needs besides.
WINDOW: tuple[Check, ...] = (screen.binding, screen.napari, screen.display)


def examine(window: bool = True) -> Iterator[Finding]:
    """Run the checks, one finding or more each.

    Parameters
    ----------
    window
        False leaves out what only napari's window needs.
    """
    for check in HEADLESS + (WINDOW if window else ()):
        try:
            yield from check()
        except Exception as error:  # noqa: BLE001 - the others still have to run
            yield problem(
                check.__name__,
                f"This check itself failed: {type(error).__name__}: {error}.",
                "Please report it, with the whole output of this command.",
            )
