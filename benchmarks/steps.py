"""The steps from the straightforward pass to a fast one, for `forward.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

CPU_STEPS = ("float32", "bf16", "compile")
CUDA_STEPS = ("float32", "bf16-unet", "bf16", "compile", "graph", "copies", "pinned")
TOLD = {
    "float32": "ours, float32 channels-last",
    "bf16-unet": "UNet in bf16, autoencoder float32",
    "bf16": "all in bf16",
    "compile": "+ torch.compile",
    "graph": "+ CUDA graph",
    "copies": "bf16 with copies to and fro",
    "pinned": "the same, pinned and asynchronous",
}


def prepare(
    net: Any, step: str, device: str, one: Tensor
) -> tuple[
    Callable[[Tensor], Tensor], Callable[[Tensor], dict[str, Callable[[], Any]]]
]:
    """Bring the network to a step; return it whole and in parts."""
    latent = hasattr(net, "encode")
    wide = torch.float32 if step in ("float32", "bf16-unet") else torch.bfloat16
    narrow = torch.float32 if step == "float32" else torch.bfloat16
    net.to(wide).to(memory_format=torch.channels_last)
    if latent:
        net.unet.to(narrow)
        net.prompt = net.prompt.to(narrow)
    last = torch.tensor(999, device=device)  # a number would be copied at every pass

    def denoise(z: Tensor) -> Tensor:
        abar = float(net.alphas_bar[-1])
        return abar**0.5 * z - (1 - abar) ** 0.5 * net.velocity(z, last)

    def whole(pixels: Tensor) -> Tensor:
        pixels = pixels.to(wide).contiguous(memory_format=torch.channels_last)
        if not latent:
            return net(pixels).float()
        z = net.encode(pixels).to(narrow)
        return net.decode(denoise(z).to(wide)).float()

    def parts(pixels: Tensor) -> dict[str, Callable[[], Any]]:
        if not latent or step not in ("float32", "bf16-unet", "bf16"):
            return {}
        seen = pixels.to(wide).contiguous(memory_format=torch.channels_last)
        z = net.encode(seen).to(narrow)
        colors = denoise(z).to(wide)
        return {
            "encode": lambda: net.encode(seen),
            "unet": lambda: denoise(z),
            "decode": lambda: net.decode(colors),
        }

    if step == "compile":
        fast = torch.compile(whole)
        fast(one)
        return fast, parts
    if step == "graph":
        return captured(whole, one), parts
    if step == "copies":
        return lambda pixels: whole(pixels.to(device)).cpu(), parts
    if step == "pinned":
        return pinned(whole, device), parts
    return whole, parts


def captured(work: Callable[[Tensor], Tensor], one: Tensor) -> Callable[..., Tensor]:
    """Record a pass as a CUDA graph: one launch in the place of thousands."""
    still = one.clone()
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            work(still)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        out = work(still)

    def replay(pixels: Tensor) -> Tensor:
        still.copy_(pixels)
        graph.replay()
        return out

    return replay


def pinned(work: Callable[[Tensor], Tensor], device: str) -> Callable[..., Tensor]:
    """Copy through page-locked memory, which the GPU reads by itself."""

    def run(pixels: Tensor) -> Tensor:
        made = work(pixels.pin_memory().to(device, non_blocking=True))
        out = torch.empty(made.shape, dtype=made.dtype, pin_memory=True)
        out.copy_(made, non_blocking=True)
        torch.cuda.synchronize()
        return out

    return run
