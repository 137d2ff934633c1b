"""What a forward pass costs, beside what the machine could do at best.

    python benchmarks/forward.py                       # mini and MAE-B, CPU
    python benchmarks/forward.py --rows sd-512 sd-768 mae-h --device cuda

Random weights cost what trained ones do. In the same run: FLOPs counted by torch's
counter, the rate of large matrix products and of large copies measured, and the floor
that they give: FLOPs over matmul rate plus the weights' bytes over copy rate (each
weight is read once a pass). "straight" is the plain diffusers way in float32: the same
networks in their default memory layout, one picture at a time, the prompt encoded anew
being left out, since it needs the text encoder's weights.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

ROWS = ("mini", "mae-b", "mae-h", "sd-512", "sd-768")
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass
class Row:
    """One line of the table; times in milliseconds a picture."""

    name: str
    resolution: int
    device: str
    dtype: str
    batch: int
    parameters: int
    gflop: float
    encode: float | None
    unet: float | None
    decode: float | None
    whole: float
    floor: float
    ratio: float
    straight: float | None
    deviation: float | None


@dataclass
class Rates:
    """What the machine does at best."""

    matmul_tflops: float
    copy_gb_s: float


def sd_net() -> Any:
    """Build the published SD2 shape with random weights."""
    from diffusers import AutoencoderKL, UNet2DConditionModel

    from napari_gen2seg.models.onestep import OneStepNet

    unet = UNet2DConditionModel(
        sample_size=96,
        block_out_channels=(320, 640, 1280, 1280),
        attention_head_dim=(5, 10, 20, 20),
        cross_attention_dim=1024,
        use_linear_projection=True,
    )
    vae = AutoencoderKL(
        block_out_channels=(128, 256, 512, 512),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=2,
        latent_channels=4,
        sample_size=768,
    )
    abar = torch.linspace(0.99915, 0.0047, 1000)
    return OneStepNet(unet, vae, torch.zeros(1, 2, 1024), abar)


def mae_net(shape: str) -> Any:
    """Build ViT-MAE, B with patch 16 or H with patch 14, with random weights."""
    from transformers import ViTMAEConfig, ViTMAEForPreTraining

    from napari_gen2seg.models.mae import MaeNet

    large = {
        "hidden_size": 1280,
        "num_hidden_layers": 32,
        "num_attention_heads": 16,
        "intermediate_size": 5120,
        "patch_size": 14,
    }
    config = ViTMAEConfig(mask_ratio=0.0, **(large if shape == "mae-h" else {}))
    return MaeNet(ViTMAEForPreTraining(config))


def build(name: str, folder: Path | None) -> tuple[Any, int]:
    """Return a network on the CPU, and the side of its pictures in pixels."""
    if name == "mini":
        from napari_gen2seg.models.registry import find
        from napari_gen2seg.models.sd import load_net

        path = folder or find("mini").path
        return load_net(Path(str(path))), 512
    torch.manual_seed(0)
    if name.startswith("sd"):
        return sd_net(), int(name.partition("-")[2])
    return mae_net(name), 224


def wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def clock(work: Callable[[], object], device: str, repeats: int) -> float:
    """Return the median time in milliseconds, after one run that does not count."""
    work()
    times = []
    for _ in range(repeats):
        wait(device)
        begun = time.perf_counter()
        work()
        wait(device)
        times.append(1e3 * (time.perf_counter() - begun))
    return statistics.median(times)


def rates(device: str, dtype: torch.dtype) -> Rates:
    """Measure large matrix products and large copies."""
    side = 8192 if device == "cuda" else 1024
    a = torch.randn(side, side, device=device, dtype=dtype)
    b = torch.randn(side, side, device=device, dtype=dtype)
    out = torch.empty_like(a)
    spent = clock(lambda: torch.mm(a, b, out=out), device, 7)
    size = (1 << 30) if device == "cuda" else (1 << 27)
    source = torch.ones(size, device=device, dtype=torch.uint8)
    target = torch.empty_like(source)
    copied = clock(lambda: target.copy_(source), device, 7)
    # A copy reads and writes.
    return Rates(2 * side**3 / spent / 1e9, 2 * size / copied / 1e6)


def measure(
    name: str, net: Any, side: int, chosen: argparse.Namespace, best: Rates
) -> Row:
    """Time one network, its parts, and the straightforward way."""
    device, dtype = chosen.device, DTYPES[chosen.dtype]
    pixels = torch.rand(chosen.batch, 3, side, side) * 2 - 1
    straight = reference = None
    with torch.inference_mode():
        plain = net.float().to(device).eval()
        if chosen.straight:
            one = pixels[:1].to(device)
            straight = clock(lambda: plain(one), device, chosen.repeats)
            reference = stretched(plain(one))
        with FlopCounterMode(display=False) as counter:
            plain(pixels[:1].to(device))
        flops = counter.get_total_flops() * chosen.batch
        ours = plain.to(dtype=dtype, memory_format=torch.channels_last)
        fast = pixels.to(device, dtype).contiguous(memory_format=torch.channels_last)
        parts: dict[str, float | None] = {"encode": None, "unet": None, "decode": None}
        if hasattr(ours, "encode"):
            latent = ours.encode(fast)
            colours = ours.denoise(latent)
            work = {
                "encode": lambda: ours.encode(fast),
                "unet": lambda: ours.denoise(latent),
                "decode": lambda: ours.decode(colours),
            }
            parts = {
                part: clock(run, device, chosen.repeats) / chosen.batch
                for part, run in work.items()
            }
        whole = clock(lambda: ours(fast), device, chosen.repeats) / chosen.batch
        deviation = None
        if reference is not None:
            deviation = float((stretched(ours(fast[:1])) - reference).abs().max())
    weights = sum(p.numel() * p.element_size() for p in ours.parameters())
    floor = flops / best.matmul_tflops / 1e9 + weights / best.copy_gb_s / 1e6
    floor /= chosen.batch
    return Row(
        name,
        side,
        device,
        chosen.dtype,
        chosen.batch,
        sum(p.numel() for p in ours.parameters()),
        flops / chosen.batch / 1e9,
        parts["encode"],
        parts["unet"],
        parts["decode"],
        whole,
        floor,
        whole / floor,
        straight,
        deviation,
    )


def stretched(colours: torch.Tensor) -> torch.Tensor:
    """Stretch a raw prediction to 0..255, as a map is."""
    raw = colours.float()
    return (raw - raw.min()) / (raw.max() - raw.min()) * 255


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=["mini", "mae-b"])
    parser.add_argument("--mini", type=Path, help="folder of another small model")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--dtype", choices=tuple(DTYPES), default="float32")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--no-straight", dest="straight", action="store_false")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    if chosen.device == "cuda" and not torch.cuda.is_available():
        parser.error("there is no CUDA GPU here; leave out --device cuda")
    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    best = rates(chosen.device, DTYPES[chosen.dtype])
    machine = {
        "processor": platform.processor() or platform.machine(),
        "gpu": torch.cuda.get_device_name() if chosen.device == "cuda" else None,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    print(f"{machine}")
    print(f"matmul {best.matmul_tflops:.3f} TFLOP/s, copy {best.copy_gb_s:.1f} GB/s")
    rows = []
    for name in chosen.rows:
        net, side = build(name, chosen.mini)
        row = measure(name, net, side, chosen, best)
        rows.append(row)
        print(line(row))
    if chosen.json:
        content = {
            "machine": machine,
            "rates": asdict(best),
            "rows": [asdict(row) for row in rows],
        }
        chosen.json.write_text(json.dumps(content, indent=1) + "\n")


def line(row: Row) -> str:
    """Say one row."""
    parts = ", ".join(
        f"{part} {value:.0f}"
        for part in ("encode", "unet", "decode")
        if (value := getattr(row, part)) is not None
    )
    beside = ""
    if row.straight is not None:
        beside = (
            f", straight fp32 {row.straight:.0f} ms ({row.straight / row.whole:.2f}x), "
            f"map differs by {row.deviation:.2f} of 255"
        )
    return (
        f"{row.name} {row.resolution} px, {row.parameters / 1e6:.1f} M, "
        f"{row.gflop:.0f} GFLOP, {row.dtype}, batch {row.batch}: "
        f"{row.whole:.0f} ms ({parts}), floor {row.floor:.0f} ms, "
        f"ratio {row.ratio:.2f}{beside}"
    )


if __name__ == "__main__":
    main()
