"""Python, the packages, torch: is what we run on there, and does it fit?"""

from __future__ import annotations

import platform
import re
import shutil
import struct
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from napari_gen2seg.doctor.finding import Finding, note, ok, problem
from napari_gen2seg.doctor.trial import attempt

PIP = "python -m pip install"
_OPENCV = (
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
)


def python() -> Iterator[Finding]:
    """Check the interpreter."""
    text = f"Python {platform.python_version()} at {sys.executable}"
    if struct.calcsize("P") < 8:
        yield problem(
            "python",
            f"{text} is a 32-bit build, for which there is no torch.",
            "Install a 64-bit Python.",
        )
    else:
        yield ok("python", text)


def packages() -> Iterator[Finding]:
    """Check that what we depend on is installed in versions that fit."""
    from packaging.requirements import Requirement

    seen = []
    for line in metadata.requires("napari-gen2seg") or []:
        need = Requirement(line)
        if need.marker is not None and not need.marker.evaluate({"extra": ""}):
            continue
        command = f"{PIP} '{need.name}{need.specifier}'"
        try:
            version = metadata.version(need.name)
        except metadata.PackageNotFoundError:
            yield problem("packages", f"{need.name} is not installed.", command)
            continue
        if not need.specifier.contains(version, prereleases=True):
            yield problem(
                "packages",
                f"{need.name} is {version}; it must be {need.specifier}.",
                command,
            )
        seen.append(f"{need.name} {version}")
    yield ok("packages", ", ".join(seen))


def opencv() -> Iterator[Finding]:
    """Check for OpenCV wheels that overwrite each other (we use none)."""
    found = []
    for name in _OPENCV:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    if len(found) > 1:
        names = " ".join(entry.split()[0] for entry in found)
        yield problem(
            "opencv",
            f"{len(found)} packages share one folder and overwrite each other: "
            f"{', '.join(found)}. Other plugins may fail (this one uses none).",
            f"python -m pip uninstall -y {names}, then install the one you need",
        )
    else:
        yield ok("opencv", found[0] if found else "not installed (and not needed)")


def torch() -> Iterator[Finding]:
    """Check that torch loads and is the build that suits this machine."""
    outcome = attempt("torch")
    if outcome.error:
        yield problem(
            "torch",
            f"torch does not load: {outcome.error}",
            _torch_advice(outcome.error),
        )
        return
    facts, gpu = outcome.facts, nvidia_gpu()
    build = f"CUDA {facts['cuda_build']}" if facts["cuda_build"] else "no CUDA"
    text = f"torch {facts['version']} ({build})"
    if facts["cuda"]:
        yield ok("torch", f"{text}, GPU: {', '.join(facts['gpus'])}")
    elif facts["mps"]:
        yield ok("torch", f"{text}, Apple GPU")
    elif gpu and not facts["cuda_build"]:
        yield problem(
            "torch",
            f"{text} cannot use this machine's NVIDIA GPU ({gpu}).",
            f"{PIP} --force-reinstall torch "
            "--index-url https://download.pytorch.org/whl/cu126 "
            "(choose yours at https://pytorch.org/get-started)",
        )
    elif gpu:
        yield problem(
            "torch",
            f"{text} finds no usable GPU, though there is one ({gpu}).",
            "Update the NVIDIA driver, or install a torch built for its CUDA version "
            "(`nvidia-smi` shows it; https://pytorch.org/get-started); check that "
            "CUDA_VISIBLE_DEVICES is not empty.",
        )
    elif facts["cuda_build"]:
        yield note(
            "torch",
            f"{text} on a machine without an NVIDIA GPU: it works, on the CPU, and "
            "takes gigabytes of disk for nothing.",
            f"{PIP} --force-reinstall torch "
            "--index-url https://download.pytorch.org/whl/cpu",
        )
    else:
        yield ok("torch", f"{text}, computing on the CPU")


def library() -> Iterator[Finding]:
    """Check that the model library loads, with the torch that is there."""
    outcome = attempt("library", timeout=300)
    if outcome.error:
        yield problem(
            "model library",
            f"diffusers and transformers do not load: {outcome.error}",
            f"{PIP} --upgrade diffusers transformers huggingface_hub safetensors",
        )
    else:
        yield ok(
            "model library",
            f"diffusers {outcome.facts['diffusers']}, "
            f"transformers {outcome.facts['transformers']}",
        )


def nvidia_gpu() -> str:
    """Name the NVIDIA GPU that the system knows of, torch or not; empty if none."""
    import subprocess

    driver = Path("/proc/driver/nvidia/gpus")
    if driver.is_dir():
        for facts in sorted(driver.glob("*/information")):
            model = re.search(r"Model:\s*(.+)", facts.read_text(errors="replace"))
            return model[1].strip() if model else "unnamed"
    if shutil.which("nvidia-smi") is None:
        return ""
    try:
        listed = subprocess.run(
            ["nvidia-smi", "-L"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    first = listed.stdout.strip().splitlines()[:1]
    return first[0] if listed.returncode == 0 and first else ""


def _torch_advice(error: str) -> str:
    """Say what to do about a torch that does not load."""
    if "No module named" in error:
        return f"{PIP} torch"
    if "DLL" in error or "WinError" in error:
        return (
            "Install Microsoft's Visual C++ Redistributable (x64), "
            f"or: {PIP} --force-reinstall torch"
        )
    return f"{PIP} --force-reinstall torch"
