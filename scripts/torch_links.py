"""Print where pip may find a torch without CUDA, or nothing.

`make` adds the line to PIP_FIND_LINKS. Nothing is printed where pip would choose
well by itself: on a machine with an NVIDIA GPU, off Linux (whose wheels have no
CUDA), where pip has been given wheels of torch already, and without a network.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import urllib.request
from pathlib import Path

CPU_WHEELS = "https://download.pytorch.org/whl/cpu/torch/"


def has_nvidia_gpu() -> bool:
    """Tell whether a driver for an NVIDIA GPU is at work."""
    return (
        Path("/proc/driver/nvidia/version").exists()
        or shutil.which("nvidia-smi") is not None
    )


def has_wheels_of_torch() -> bool:
    """Tell whether pip's find-links hold a torch already."""
    folders = map(Path, os.environ.get("PIP_FIND_LINKS", "").split())
    return any(any(folder.glob("torch-*.whl")) for folder in folders)


def main() -> None:
    """Print one address or nothing."""
    if sys.platform != "linux" or platform.machine() not in {"x86_64", "aarch64"}:
        return
    if has_nvidia_gpu() or has_wheels_of_torch():
        return
    try:
        request = urllib.request.Request(CPU_WHEELS, method="HEAD")  # noqa: S310
        urllib.request.urlopen(request, timeout=4).close()  # noqa: S310
    except (OSError, ValueError):
        return
    print(CPU_WHEELS)


if __name__ == "__main__":
    main()
