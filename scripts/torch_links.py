"""Print pip's find-links, with the place of a torch without CUDA added if useful.

`make` puts the line into PIP_FIND_LINKS. Nothing is added where pip would choose
well by itself: on a machine with an NVIDIA GPU, off Linux (whose wheels have no
CUDA), where pip has been given wheels of torch already, and without a network.
"""

from __future__ import annotations

import ast
import platform
import shutil
import subprocess
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


def configured_links() -> list[str]:
    """Return what pip's files and environment variables say already."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    lines = subprocess.run(command, capture_output=True, text=True).stdout.splitlines()
    links: list[str] = []
    for line in lines:
        key, _, value = line.partition("=")
        if key.endswith(".find-links"):
            links += ast.literal_eval(value).split()
    return list(dict.fromkeys(links))


def torch_links(known: list[str]) -> list[str]:
    """Return the address to add, if any."""
    if sys.platform != "linux" or platform.machine() not in {"x86_64", "aarch64"}:
        return []
    if has_nvidia_gpu() or any(any(Path(k).glob("torch-*.whl")) for k in known):
        return []
    try:
        request = urllib.request.Request(CPU_WHEELS, method="HEAD")
        urllib.request.urlopen(request, timeout=4).close()  # noqa: S310
    except (OSError, ValueError):
        return []
    return [CPU_WHEELS]


if __name__ == "__main__":
    links = configured_links()
    print(" ".join([*links, *torch_links(links)]))
