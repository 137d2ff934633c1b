"""Two real processes on the CPU, as ``accelerate launch`` starts them on two GPUs.

On a CPU its launcher needs MPI; torch's, which it uses on GPUs, does not.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
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
# As the stage below asks: a process has one number type.
accelerator = distributed.join_processes(
    mixed_precision="bf16" if torch.cuda.is_available() else "no"
)
rank = accelerator.process_index
used, unused = (torch.nn.Parameter(torch.zeros(2)) for _ in range(2))
(used.sum() * (rank + 1)).backward()
if rank:
    unused.sum().backward()
average_gradients(accelerator, [used, unused])
answers = any_of(accelerator, rank == 1), any_of(accelerator, False)
torch.save((used.grad, unused.grad, answers), Path(sys.argv[1]) / f"{rank}.pt")
from napari_gen2seg.train.__main__ import main
from napari_gen2seg.train.mini import trainer

trainer._LOG_EVERY = 3  # all of its steps, or it would take 25

sys.exit(main(["colour", "--config", sys.argv[2], "--run", sys.argv[3]]))
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
steps = 3
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


@pytest.fixture(scope="module")
def launched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder where both processes did everything, once for all tests."""
    folder = tmp_path_factory.mktemp("launched")
    script, config = folder / "script.py", folder / "tiny.toml"
    script.write_text(SCRIPT)
    config.write_text(CONFIG)
    launch(script, folder, config, folder / "run")
    return folder


def test_gradients_are_averaged_and_one_process_stops_all(launched: Path) -> None:
    for rank in (0, 1):
        assert (launched / f"{rank}.left").read_text() == "False"
        used, unused, answers = torch.load(launched / f"{rank}.pt")
        assert used.tolist() == [1.5, 1.5]
        assert unused.tolist() == [0.5, 0.5]
        assert answers == (True, False)


def test_a_stage_runs_in_two_processes_and_one_of_them_writes(launched: Path) -> None:
    run = launched / "run"
    assert (run / "colour.safetensors").is_file()
    assert len((run / "colour.starts.jsonl").read_text().splitlines()) == 1
    assert len((run / "colour.jsonl").read_text().splitlines()) == 1
