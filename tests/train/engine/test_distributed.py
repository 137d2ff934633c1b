"""Two real processes on the CPU, as ``accelerate launch`` starts them on two GPUs.

On a CPU its launcher needs MPI; torch's, which it uses on GPUs, does not.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import torch
from tests.helpers.waiting import BACKSTOP

SCRIPT = """
import sys
from pathlib import Path
import torch
import atexit
from napari_gen2seg.train.engine import distributed
from napari_gen2seg.train.engine.distributed import any_of, average_gradients

# The last to be asked: registered first.
left = Path(sys.argv[1])
atexit.register(
    lambda: (left / f"{rank}.left").write_text(str(torch.distributed.is_initialized()))
)
accelerator = distributed.join_processes()
rank = accelerator.process_index
used, unused = (torch.nn.Parameter(torch.zeros(2)) for _ in range(2))
(used.sum() * (rank + 1)).backward()
if rank:
    unused.sum().backward()
average_gradients(accelerator, [used, unused])
answers = any_of(accelerator, rank == 1), any_of(accelerator, False)
torch.save((used.grad, unused.grad, answers), Path(sys.argv[1]) / f"{rank}.pt")
"""

CONFIG = """
[model]
vae_channels = [8, 8]
latent_channels = 4
unet_channels = [8, 16]
wavelengths = [32.0]
multiple = 8
[data]
crop = 32
workers = 0
[colour]
steps = 25
batch = 1
"""


def launch(*arguments: str | Path) -> None:
    environment = dict(os.environ, OMP_NUM_THREADS="1", ACCELERATE_USE_CPU="true")
    command = [sys.executable, "-m", "torch.distributed.run"]
    command += ["--standalone", "--nproc_per_node", "2"]
    done = subprocess.run(
        [*command, *map(str, arguments)],
        check=False,
        env=environment,
        timeout=BACKSTOP,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def test_gradients_are_averaged_and_one_process_stops_all(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    launch(script, tmp_path)
    for rank in (0, 1):
        assert (tmp_path / f"{rank}.left").read_text() == "False"
        used, unused, answers = torch.load(tmp_path / f"{rank}.pt")
        assert used.tolist() == [1.5, 1.5]
        assert unused.tolist() == [0.5, 0.5]
        assert answers == (True, False)


def test_a_stage_runs_in_two_processes_and_one_of_them_writes(tmp_path: Path) -> None:
    config = tmp_path / "tiny.toml"
    config.write_text(CONFIG)
    run = tmp_path / "run"
    launch(
        "-m", "--", "napari_gen2seg.train", "colour", "--config", config, "--run", run
    )
    assert (run / "colour.safetensors").is_file()
    assert len((run / "colour.starts.jsonl").read_text().splitlines()) == 1
    assert len((run / "colour.jsonl").read_text().splitlines()) == 1
