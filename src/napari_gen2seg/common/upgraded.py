"""Files of earlier versions, brought to the present one step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from napari_gen2seg.errors import StorageError

#: Turns what a file of version n holds into what version n + 1 would hold.
Step = Callable[[dict[str, Any]], dict[str, Any]]


def upgraded(
    content: Any, source: Path, format_name: str, steps: Sequence[Step] = ()
) -> dict[str, Any]:
    """Check that a file is of a format, and bring it to the present version.

    Parameters
    ----------
    content
        What JSON made of the file.
    source
        The file, for messages.
    format_name
        What its ``format`` must be.
    steps
        From version 1 to 2, from 2 to 3, and so on; the present version is one more
        than there are steps.

    Returns
    -------
    dict
        The content as the present version has it, with its ``version``.

    Raises
    ------
    StorageError
        If it is no such file, or of a version that is not known here yet.
    """
    if not isinstance(content, dict) or content.get("format") != format_name:
        raise StorageError(
            f"{source} is no {format_name}; it must be a JSON object with that format. "
            "Choose another file, or restore it from a copy."
        )
    present = len(steps) + 1
    version = content.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise StorageError(
            f"{source} has the version {version!r}; it must be a number from 1 to "
            f"{present}. Restore it from a copy."
        )
    if version > present:
        raise StorageError(
            f"{source} has the version {version}; this napari-gen2seg knows versions "
            f"up to {present}. Update it: pip install -U napari-gen2seg."
        )
    for number in range(version, present):
        content = {**steps[number - 1](content), "version": number + 1}
    return dict(content)
