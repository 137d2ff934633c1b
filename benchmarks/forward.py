r"""What a forward pass costs, beside what the machine could do at best.

    python benchmarks/forward.py                                  # MAE-B, CPU
    python benchmarks/forward.py --shapes sd-512 --repeats 1      # minutes on a CPU
    python benchmarks/forward.py --device cuda --shapes sd-512 sd-768 mae-h \
        --batches 1 2 4 8 --json forward.json

The first line of a shape is the straightforward float32 pipeline: plain modules,
contiguous, eager. Each further line is one step of ours on the same weights. In the
same run: FLOPs by torch's counter, rates of large matrix products and copies in each
number type, and the floor they give: FLOPs over matmul rate plus weights over copy
rate (each weight is read once a pass). ``gain`` is against the straightforward line,
``off`` the largest deviation of the stretched map from it in 1/255. With random
weights a map has little contrast, so that stretching it magnifies rounding: judge
number types by `first-mini`, whose weights are trained, or by published weights.
"""

from __future__ import annotations

import argparse
import copy
import json
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from shapes import SHAPES, Subject, build
from steps import CPU_STEPS, CUDA_STEPS, TOLD, prepare
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop

TYPES = {"straight": torch.float32, "float32": torch.float32}
SMALL = 200_000_000  # below, both ways have room beside each other


@dataclass
class Row:
    """One line of the table; times in milliseconds a picture."""

    shape: str
    side: int
    step: str
    batch: int
    encode: float | None
    unet: float | None
    decode: float | None
    whole: float
    floor: float
    ratio: float
    gain: float
    off: float | None
    peak_gb: float | None


@dataclass
class Rates:
    """What the machine does at best."""

    matmul_tflops: float
    copy_gb_s: float


class ModelHost:
    """Times one shape.

    Parameters
    ----------
    device
        ``"cpu"`` or ``"cuda"``.
    repeats
        Passes that count, after one that does not (unless 1).
    """

    def __init__(self, device: str, repeats: int) -> None:
        self.device, self.repeats = device, repeats
        self.known: dict[torch.dtype, Rates] = {}
        # On one thread the processor's own time: work beside does not count then.
        alone = device == "cpu" and torch.get_num_threads() == 1
        self.now = time.process_time if alone else time.perf_counter

    def wait(self) -> None:
        if self.device == "cuda":
            torch.cuda.synchronize()

    def once(self, work: Callable[[], object]) -> float:
        self.wait()
        begun = self.now()
        work()
        self.wait()
        return 1e3 * (self.now() - begun)

    def clock(
        self, work: Callable[[], object], beside: Callable[[], object] | None = None
    ) -> tuple[float, float | None]:
        """Return the median time, and how many times slower ``beside`` was.

        Where both are there they take turns, so that a busy machine is as busy for
        the one as for the other.
        """
        if self.repeats > 1:  # a single pass of a large model is long enough
            self.once(work)
        times, ratios = [], []
        for _ in range(self.repeats):
            times.append(self.once(work))
            if beside is not None:
                ratios.append(self.once(beside) / times[-1])
        return statistics.median(times), statistics.median(ratios) if ratios else None

    def rates(self, dtype: torch.dtype) -> Rates:
        """Measure large matrix products and copies, once for each number type."""
        if dtype not in self.known:
            cuda = self.device == "cuda"
            side = 8192 if cuda else 1024
            # Convolutions in float32 may use TF32, so the floor may too.
            torch.backends.cuda.matmul.allow_tf32 = True
            a, b = (
                torch.randn(side, side, device=self.device).to(dtype) for _ in range(2)
            )
            out = torch.empty_like(a)
            spent = min(self.once(lambda: torch.mm(a, b, out=out)) for _ in range(9))
            torch.backends.cuda.matmul.allow_tf32 = False
            size = 1 << (30 if cuda else 27)
            source = torch.ones(size, device=self.device, dtype=torch.uint8)
            target = torch.empty_like(source)
            copied = min(self.once(lambda: target.copy_(source)) for _ in range(9))
            # A copy reads and writes.
            self.known[dtype] = Rates(
                2 * side**3 / spent / 1e9, 2 * size / copied / 1e6
            )
        return self.known[dtype]

    def measure(
        self, name: str, subject: Subject, steps: list[str], batches: list[int]
    ) -> list[Row]:
        """Time the straightforward way, then ours step by step."""
        net = subject.net.to(self.device).eval()
        if subject.extra is not None:
            subject.extra.to(self.device)
        many = torch.rand(max(batches), 3, subject.side, subject.side)
        many = many * (1 - subject.low) + subject.low
        one = many[:1].to(self.device)
        with torch.inference_mode():
            with FlopCounterMode(display=False, custom_mapping=_ATTENTION) as counter:
                reference = stretched(subject.straight(one))
            flops = counter.get_total_flops()
            self.reset_peak()
            plain, _ = self.clock(lambda: subject.straight(one))
            rows = [self.row(name, subject, "straight", 1, {}, plain, 1.0, 0.0, flops)]
            tell(rows[-1], header=True)
            parameters = sum(p.numel() for p in net.parameters())
            beside = None
            if parameters < SMALL and self.device == "cpu":
                mine = copy.copy(subject)
                subject.net = copy.deepcopy(net)

                def beside() -> object:
                    return mine.straight(one)

            for step in steps:
                try:
                    run, parts = prepare(subject.net, step, self.device, one)
                except (RuntimeError, ImportError) as error:
                    # A compiler that is missing, a capture the driver refuses.
                    print(f"  {step}: not possible here ({str(error).splitlines()[0]})")
                    continue
                for batch in batches if step not in ("compile", "graph") else [1]:
                    pixels = many[:batch]
                    if step not in ("copies", "pinned"):
                        pixels = pixels.to(self.device)
                    off = None
                    if batch == 1:
                        off = float((stretched(run(pixels)) - reference).abs().max())
                    spent = {
                        part: self.clock(work)[0]
                        for part, work in parts(pixels).items()
                    }
                    self.reset_peak()
                    whole, gain = self.clock(
                        lambda pixels=pixels, run=run: run(pixels),
                        beside if batch == 1 else None,
                    )
                    gain = gain or plain * batch / whole
                    rows.append(
                        self.row(
                            name, subject, step, batch, spent, whole, gain, off, flops
                        )
                    )
                    tell(rows[-1])
        return rows

    def row(
        self,
        name: str,
        subject: Subject,
        step: str,
        batch: int,
        parts: dict[str, float],
        whole: float,
        gain: float,
        off: float | None,
        flops: int,
    ) -> Row:
        best = self.rates(TYPES.get(step, torch.bfloat16))
        weights = sum(p.numel() * p.element_size() for p in subject.net.parameters())
        floor = (
            flops / best.matmul_tflops / 1e9 + weights / best.copy_gb_s / 1e6 / batch
        )
        peak = None
        if self.device == "cuda":
            peak = torch.cuda.max_memory_allocated() / 1e9
        each = {part: spent / batch for part, spent in parts.items()}
        return Row(
            name,
            subject.side,
            step,
            batch,
            each.get("encode"),
            each.get("unet"),
            each.get("decode"),
            whole / batch,
            floor,
            whole / batch / floor,
            gain,
            off,
            peak,
        )

    def reset_peak(self) -> None:
        if self.device == "cuda":
            torch.cuda.reset_peak_memory_stats()


def _attention(*shapes: Any, **_: Any) -> int:
    return sdpa_flop(*shapes[:3])


#: Fused attention on the CPU, which torch's counter leaves out.
_ATTENTION = {torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention}


def stretched(colors: Tensor) -> Tensor:
    """Stretch a raw prediction to 0..255, as a map is."""
    raw = colors.float().cpu()
    return (raw - raw.min()) / (raw.max() - raw.min()) * 255


def tell(row: Row, header: bool = False) -> None:
    """Print a line of the table, as Markdown."""
    if header:
        print(
            f"\n{row.shape} {row.side} px\n\n"
            "| step | batch | encode | UNet | decode | whole | ratio to floor | gain | "
            "off | peak GB |\n|---|---|---|---|---|---|---|---|---|---|"
        )
    parts = [row.encode, row.unet, row.decode, row.whole]
    times = " | ".join("–" if t is None else f"{t:.3g}" for t in parts)
    off = "–" if row.off is None else f"{row.off:.2g}"
    peak = "–" if row.peak_gb is None else f"{row.peak_gb:.1f}"
    print(
        f"| {TOLD.get(row.step, 'straightforward, float32')} | {row.batch} | {times} | "
        f"{row.ratio:.2f} | {row.gain:.2f} | {off} | {peak} |",
        flush=True,
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=["mae-b"])
    parser.add_argument("--steps", nargs="+", choices=tuple(TOLD))
    parser.add_argument("--mini", type=Path, help="folder of the first mini")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--prompt", choices=("cached", "anew"), default="cached")
    parser.add_argument("--batches", type=int, nargs="+", default=[1])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    if chosen.device == "cuda" and not torch.cuda.is_available():
        parser.error("there is no CUDA GPU here; leave out --device cuda")
    possible = CUDA_STEPS if chosen.device == "cuda" else CPU_STEPS
    steps = chosen.steps or list(possible if chosen.device == "cuda" else ["float32"])
    if not set(steps) <= set(possible):
        parser.error(f"on {chosen.device} the steps are {', '.join(possible)}")
    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    bench = ModelHost(chosen.device, chosen.repeats)
    machine = {
        "processor": platform.processor() or platform.machine(),
        "gpu": torch.cuda.get_device_name() if chosen.device == "cuda" else None,
        "threads": torch.get_num_threads(),
        "clock": bench.now.__name__,
        "torch": torch.__version__,
    }
    print(machine)
    rows = []
    for name in chosen.shapes:
        subject = build(name, chosen.mini, chosen.prompt)
        rows += bench.measure(name, subject, steps, sorted(chosen.batches))
    for dtype, best in bench.known.items():
        print(
            f"\n{dtype}: matmul {best.matmul_tflops:.3f} TFLOP/s, "
            f"copy {best.copy_gb_s:.1f} GB/s"
        )
    if chosen.json:
        content = {
            "machine": machine,
            "rates": {str(k): asdict(v) for k, v in bench.known.items()},
            "rows": [asdict(row) for row in rows],
        }
        chosen.json.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
