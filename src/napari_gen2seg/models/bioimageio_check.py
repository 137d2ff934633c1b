"""Whether bioimageio.core can run a package and finds its test output again."""

from __future__ import annotations

from pathlib import Path

from napari_gen2seg.errors import WeightsError


def check_package(path: Path) -> str | None:
    """Run a bioimage.io package on its own test input.

    Parameters
    ----------
    path
        The zip.

    Returns
    -------
    str or None
        What has checked it, with its version; None where it is not installed.

    Raises
    ------
    WeightsError
        If it was run and does not do what it says, with the reasons.
    """
    try:
        from bioimageio import core
    except ImportError:
        return None
    summary = core.test_model(str(path))
    if summary.status != "passed":
        reasons = "; ".join(error.msg for error in summary.errors[:3])
        raise WeightsError(
            f"{path} was written, but bioimageio.core does not accept it "
            f"({reasons or summary.status}). Try another size."
        )
    return f"bioimageio.core {core.__version__}"
