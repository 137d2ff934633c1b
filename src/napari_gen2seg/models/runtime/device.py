"""Which device and number type to compute with, and how much main memory is free."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from napari_gen2seg.errors import SettingsError

DEVICES = ("auto", "cuda", "mps", "cpu")
DTYPES = ("auto", "float32", "bfloat16", "float16")
_SHORT = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}

#: Number types from wide to narrow, for stepping down when memory is short.
BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


@dataclass(frozen=True)
class DeviceChoice:
    """Where to compute, and why.

    Parameters
    ----------
    device
        ``"cuda"``, ``"cuda:1"``, ``"mps"`` or ``"cpu"``.
    dtype
        ``"float32"``, ``"bfloat16"`` or ``"float16"``.
    reason
        Sentences for people, on the device and on the number type.
    asked_device, asked_dtype
        False where the plugin chose: it may then choose again when memory is short.
    where
        The sentence on the device.
    """

    device: str
    dtype: str
    reason: str
    asked_device: bool = False
    asked_dtype: bool = False
    where: str = ""

    @property
    def kind(self) -> str:
        """Device without its number: ``"cuda"``, ``"mps"`` or ``"cpu"``."""
        return self.device.split(":")[0]

    def but(
        self, because: str, *, device: str | None = None, dtype: str | None = None
    ) -> DeviceChoice:
        """Return a changed choice whose reason goes on with ``because``."""
        return replace(
            self,
            reason=f"{self.reason} {because}",
            device=device or self.device,
            dtype=dtype or self.dtype,
        )

    def on_cpu(self, because: str = "") -> DeviceChoice:
        """Return the choice for the CPU, with the number type that is quick there.

        bfloat16, of which a GPU was glad, is far slower than float32 on a CPU that has
        no such numbers. A type that was asked for stays.
        """
        dtype = self.dtype if self.asked_dtype else _dtype("cpu", "auto")[0]
        reason = f"{self.reason} {because}".rstrip()
        return replace(self, reason=reason, device="cpu", dtype=dtype)


def choose(device: str = "auto", dtype: str = "auto") -> DeviceChoice:
    """Choose device and number type.

    Parameters
    ----------
    device
        ``"auto"``, ``"cuda"``, ``"cuda:N"``, ``"mps"`` or ``"cpu"``.
    dtype
        ``"auto"``, ``"float32"``, ``"bfloat16"`` or ``"float16"`` (also ``fp32``,
        ``bf16``, ``fp16``).

    Raises
    ------
    SettingsError
        If a name is unknown, or the device asked for is not there.
    """
    kind, _, number = device.partition(":")
    dtype = _SHORT.get(dtype, dtype)
    if kind not in DEVICES or (number and (kind != "cuda" or not number.isdigit())):
        raise SettingsError(
            f"The device is {device!r}; it must be one of {', '.join(DEVICES)} "
            "or 'cuda:N'."
        )
    if dtype not in DTYPES:
        raise SettingsError(
            f"The number type is {dtype!r}; it must be one of {', '.join(DTYPES)}."
        )
    place, where = _device(device)
    chosen, why = _dtype(place.split(":")[0], dtype)
    asked = device != "auto", dtype != "auto"
    return DeviceChoice(place, chosen, f"{where} {why}", *asked, where)


def _device(device: str) -> tuple[str, str]:
    """Return the device and the sentence about it."""
    import torch

    kind = device.partition(":")[0]
    if kind == "cpu":
        return "cpu", "Computing on the CPU, as asked."
    if kind in ("auto", "cuda"):
        if torch.cuda.is_available():
            index = device.partition(":")[2] or "0"
            if int(index) >= torch.cuda.device_count():
                raise SettingsError(
                    f"The device is {device!r}, but there are only "
                    f"{torch.cuda.device_count()} CUDA GPUs, counted from 0."
                )
            name = torch.cuda.get_device_name(int(index))
            place = device if ":" in device else "cuda"
            return place, f"Computing on the GPU ({name})."
        if kind == "cuda":
            raise SettingsError(f"The device is {device!r}, but {_no_cuda()}")
    if torch.backends.mps.is_available():
        return "mps", "Computing on the Apple GPU."
    if kind == "mps":
        raise SettingsError(
            "The device is 'mps', but this torch sees no Apple GPU. Use 'cpu' or "
            "'auto'."
        )
    return "cpu", f"Computing on the CPU, because {_no_cuda()}"


def _no_cuda() -> str:
    """Say why there is no CUDA device, as the end of a sentence."""
    import torch

    if torch.version.cuda is None and not getattr(torch.version, "hip", None):
        return f"the installed torch ({torch.__version__}) is built without CUDA."
    return "torch finds no usable CUDA GPU or driver."


def _dtype(kind: str, dtype: str) -> tuple[str, str]:
    """Return the number type and the sentence about it."""
    import torch

    if dtype != "auto":
        return dtype, f"Number type {dtype}, as asked."
    if kind == "cuda":
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return "bfloat16", "bfloat16: this GPU is about twice as fast with it."
        return "float32", "float32: this GPU has no bfloat16."
    if kind == "mps":
        return "float32", "float32: exact, and safe on Apple GPUs."
    if cpu_has_bf16():
        return "bfloat16", "bfloat16: this CPU is about twice as fast with it."
    return "float32", "float32: this CPU has no fast bfloat16."


def cpu_has_bf16() -> bool:
    """Tell whether the CPU multiplies bfloat16 in hardware (Linux, x86 only)."""
    if not sys.platform.startswith("linux") or platform.machine() != "x86_64":
        return False
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    for line in text.splitlines():
        if line.startswith("flags"):
            flags = set(line.split())
            return bool(flags & {"avx512_bf16", "amx_bf16"})
    return False


def free_main_memory() -> int:
    """Return the bytes of main memory still free, a container's limit included."""
    free = int(psutil.virtual_memory().available)
    root = Path("/sys/fs/cgroup")
    for limit, used in (
        (root / "memory.max", root / "memory.current"),
        (
            root / "memory" / "memory.limit_in_bytes",
            root / "memory" / "memory.usage_in_bytes",
        ),
    ):
        try:
            left = int(limit.read_text()) - int(used.read_text())
        except (OSError, ValueError):
            continue
        # File pages count as used but are given back on demand; half of the limit
        # is a fair floor where they are many.
        free = min(free, max(left, 0) + _reclaimable(root))
    return free


def _reclaimable(root: Path) -> int:
    """Return the bytes of file pages a container can give back."""
    for path in (root / "memory.stat", root / "memory" / "memory.stat"):
        try:
            lines = path.read_text().splitlines()
        except OSError:
            continue
        for line in lines:
            name, _, value = line.partition(" ")
            if name in ("inactive_file", "total_inactive_file"):
                return int(value)
    return 0
